"""Which depositions brought what a dataset holds, and what annotations a deposition brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.deposition import Deposition
from tomoportal.model.query import Compare, GroupKey, Groups, One, Value
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb
from tomoportal.web.entities.cards import Named, named, organism
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept

DEPOSITION = One("deposition", "deposition", (Value("id", "id"), Value("title", "title")))
"""What is asked about the deposition that something belongs to."""

_BROUGHT = ("Tomogram", "Annotation", "Alignment", "TiltSeries")


def deposition_crumb(row: dict[str, Any]) -> Crumb | None:
    """Where the deposition is of a row that was asked for with `DEPOSITION`."""
    found = row["deposition"]
    return Crumb(found["title"], urls.deposition(found["id"])) if found else None


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
    return tuple(
        Crumb(f"{row['title']} ({Deposition.names.number(row['id'])})", urls.deposition(row["id"]))
        for row in rows
    )


@kept
def datasets_with(view: View, deposition: int) -> tuple[int, ...]:
    """The datasets that have anything of a deposition inside."""
    mine = Compare("deposition_id", "eq", deposition)
    found = {row["id"] for row in view.rows(query.Select("Dataset", (Value("id", "id"),), mine))}
    for entity in _BROUGHT:
        asked = query.Aggregate(entity, (Groups("groups", (GroupKey("id", ("run", "dataset_id")),)),), mine)
        found |= {group["id"] for group in json.loads(view.json(asked))["groups"]}
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Annotated:
    """What the annotations of a deposition are of: objects, shapes and organisms."""

    objects: tuple[Named, ...]
    shapes: tuple[str, ...]
    organisms: tuple[Link, ...]


@kept
def annotated_by(view: View, deposition: int) -> Annotated:
    """What the annotations of a deposition are of."""
    mine = Compare("deposition_id", "eq", deposition)
    names = ("object_name", "object_id", "ground_truth_status")
    objects = _groups(view, "Annotation", mine, {name: (name,) for name in names})
    shapes = _groups(view, "AnnotationShape", query.Related("annotation", mine), {"shape": ("shape_type",)})
    of_dataset = {name: ("run", "dataset", name) for name in ("organism_name", "organism_taxid")}
    found = (organism(row) for row in _groups(view, "Annotation", mine, of_dataset))
    organisms = sorted((link for link in found if link), key=lambda link: link.text.casefold())
    return Annotated(
        named(objects),
        tuple(sorted(formats.words(row["shape"]) for row in shapes if row["shape"])),
        tuple(dict.fromkeys(organisms)),
    )


def _groups(
    view: View, entity: str, where: query.Condition, keys: Mapping[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    groups = Groups("groups", tuple(GroupKey(name, path) for name, path in keys.items()))
    return json.loads(view.json(query.Aggregate(entity, (groups,), where)))["groups"]
