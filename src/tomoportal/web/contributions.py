"""Which depositions brought what a dataset holds."""

from __future__ import annotations

import json

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, GroupKey, Groups, Value
from tomoportal.web import urls
from tomoportal.web.context import Crumb
from tomoportal.web.kept import kept

_BROUGHT = ("Tomogram", "Annotation", "Alignment", "TiltSeries")


@kept
def further_depositions(view: View, dataset: int, own: int | None) -> tuple[Crumb, ...]:
    """The depositions besides its own that have something in a dataset."""
    inside = query.Related("run", Compare("dataset_id", "eq", dataset))
    found: set[int] = set()
    for entity in _BROUGHT:
        asked = query.Aggregate(entity, (Groups("groups", (GroupKey("id", ("deposition_id",)),)),), inside)
        found |= {group["id"] for group in json.loads(view.json(asked))["groups"]}
    others = tuple(sorted(id for id in found if id and id != own))
    if not others:
        return ()
    fields = (Value("id", "id"), Value("title", "title"))
    rows = view.rows(query.Select("Deposition", fields, Compare("id", "in", others)))
    return tuple(Crumb(row["title"], urls.deposition(row["id"])) for row in rows)


@kept
def datasets_with(view: View, deposition: int) -> tuple[int, ...]:
    """The datasets that have anything of a deposition inside."""
    mine = Compare("deposition_id", "eq", deposition)
    found = {row["id"] for row in view.rows(query.Select("Dataset", (Value("id", "id"),), mine))}
    for entity in _BROUGHT:
        asked = query.Aggregate(entity, (Groups("groups", (GroupKey("id", ("run", "dataset_id")),)),), mine)
        found |= {group["id"] for group in json.loads(view.json(asked))["groups"]}
    return tuple(sorted(found))
