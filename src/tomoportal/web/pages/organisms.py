"""Where the samples come from: one species with its datasets, and the list of all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Order
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, PageError, Paging, Visit
from tomoportal.web.entities.cards import DatasetCard, Named, dataset_cards, named
from tomoportal.web.entities.facts import UNSTATED
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept
from tomoportal.web.lists.offered import PAGE
from tomoportal.web.lists.tables import Row, TablePage, asked_page, table_page


@dataclass(frozen=True, slots=True)
class OrganismPage:
    """Everything on the page of a species. `others`: further names under which datasets have it."""

    head: Head
    crumbs: tuple[Crumb, ...]
    name: str
    others: tuple[str, ...]
    link: Link
    contents: tuple[tuple[int, str], ...]
    objects: tuple[Named, ...]
    datasets: tuple[DatasetCard, ...]
    paging: Paging


_COUNT = Figure("count", "count")
_NAMES = Groups("names", (GroupKey("name", ("organism_name",)), _COUNT))
_INSIDE = {
    "Run": ("dataset",),
    "Tomogram": ("run", "dataset"),
    "Annotation": ("run", "dataset"),
}
"""What is counted on the page, and the way from there to the dataset."""


def organism_page(visit: Visit) -> OrganismPage:
    """The page of the species whose number in the NCBI taxonomy stands in the path."""
    id = visit.id()
    mine = Compare("organism_taxid", "eq", id)
    asked = query.Aggregate("Dataset", (_NAMES, Groups("all", (_COUNT,))), mine)
    found = json.loads(visit.view.json(asked))
    if not found["names"]:
        raise PageError(404, f"No dataset here is of the species {id} of the NCBI taxonomy.")
    names = [item["name"] for item in sorted(found["names"], key=lambda item: -item["count"]) if item["name"]]
    name, total = (names or [f"NCBI:{id}"])[0], found["all"][0]["count"]
    paging = Paging.of(total, asked_page(visit), PAGE, lambda n: urls.organism(id, [("page", str(n))]))
    counts = ((total, formats.noun(total, "dataset")), *_counts(visit.view, mine))
    order = (Order(("release_date",), "desc"), Order(("title",)))
    return OrganismPage(
        head=Head(
            title=f"{name} · {visit.settings.title}",
            description=f"{name}: "
            + ", ".join(f"{formats.number(count)} {word}" for count, word in counts)
            + ".",
            canonical=urls.organism(id),
            section="organisms",
        ),
        crumbs=(Crumb("Organisms", urls.ORGANISMS), Crumb(name)),
        name=name,
        others=tuple(names[1:]),
        link=identifiers.taxon(id),
        contents=counts,
        objects=_objects(visit.view, mine),
        datasets=dataset_cards(visit.view, mine, order, limit=PAGE, offset=max(0, paging.first - 1)),
        paging=paging,
    )


@kept
def _counts(view: View, mine: query.Condition) -> tuple[tuple[int, str], ...]:
    found = []
    for entity, way in _INSIDE.items():
        count = view.count(entity, query.through(way, mine))
        found.append((count, formats.noun(count, entity.lower())))
    return tuple(found)


@kept
def _objects(view: View, mine: query.Condition) -> tuple[Named, ...]:
    keys = tuple(GroupKey(name, (name,)) for name in ("object_name", "object_id", "ground_truth_status"))
    asked = query.Aggregate("Annotation", (Groups("groups", keys),), query.through(("run", "dataset"), mine))
    return named(json.loads(view.json(asked))["groups"])


def organisms_page(visit: Visit) -> TablePage:
    """The list of all species."""
    lead = "Where the samples of this portal come from."
    columns = ("Datasets", "Runs")
    return table_page(
        visit, urls.ORGANISMS, "Organisms", lead, "organism", columns, all_organisms(visit.view)
    )


@kept
def all_organisms(view: View) -> tuple[Row, ...]:
    """One row for each species."""
    taxid, name = GroupKey("taxid", ("organism_taxid",)), GroupKey("name", ("organism_name",))
    asked = query.Aggregate("Dataset", (Groups("groups", (taxid, name, _COUNT)),))
    inside = (
        GroupKey("taxid", ("dataset", "organism_taxid")),
        GroupKey("name", ("dataset", "organism_name")),
        _COUNT,
    )
    counted = json.loads(view.json(query.Aggregate("Run", (Groups("groups", inside),))))["groups"]
    runs = {_key(item): 0 for item in counted}
    for item in counted:
        runs[_key(item)] += item["count"]
    species: dict[Any, list[dict[str, Any]]] = {}
    for item in json.loads(view.json(asked))["groups"]:
        if item["name"] not in UNSTATED or item["taxid"]:
            species.setdefault(_key(item), []).append(item)
    rows = [_row(items, runs.get(key, 0)) for key, items in species.items()]
    return tuple(sorted(rows, key=lambda row: row.name.casefold()))


def _key(item: dict[str, Any]) -> Any:
    """Species are told apart by their number; those without one by their name."""
    return item["taxid"] or item["name"]


def _row(items: list[dict[str, Any]], runs: int) -> Row:
    first = max(items, key=lambda item: item["count"])
    taxid, datasets = first["taxid"], sum(item["count"] for item in items)
    cells = (formats.number(datasets), formats.number(runs))
    if taxid:
        return Row(first["name"] or f"NCBI:{taxid}", urls.organism(taxid), f"NCBI:{taxid}", cells)
    return Row(
        first["name"], urls.datasets([("organism", first["name"])]), "no number in the NCBI taxonomy", cells
    )
