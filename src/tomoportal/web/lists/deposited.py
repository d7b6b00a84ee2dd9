"""What a deposition brought, one by one, by dataset or by organism, as the address asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.annotation import Annotation
from tomoportal.model.deposition import Dataset
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Many, One, Order, Value
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Paging, Visit
from tomoportal.web.entities.cards import Picture
from tomoportal.web.entities.facts import UNSTATED
from tomoportal.web.entities.tomograms import tomogram_name
from tomoportal.web.kept import kept
from tomoportal.web.lists.offered import PAGE
from tomoportal.web.lists.ordered import how_many, ids_of_page
from tomoportal.web.lists.tables import asked_page
from tomoportal.web.ways import Origin, Parameters, came_from, from_deposition

TAB, GROUPING, DATASET = "deposition-tab", "group-by", "dataset_id"
ENTITIES = {"annotations": "Annotation", "tomograms": "Tomogram"}
GROUPINGS = {"": "None", "deposited_location": "Dataset", "organism": "Organism"}


@dataclass(frozen=True, slots=True)
class Switch:
    """A way to look at the list; the current one is marked."""

    text: str
    href: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Item:
    """An annotation or tomogram; `cells` are labels with texts."""

    name: str
    short: str
    href: str
    picture: Picture | None
    is_ground_truth: bool
    cells: tuple[tuple[str, str], ...]
    dataset: Crumb
    run: Crumb


@dataclass(frozen=True, slots=True)
class Group:
    """A dataset or organism with how much of the deposition lies there. `inside` leads to the list of it, `datasets` to those of an
    organism; empty when there is none."""

    name: Crumb
    note: str
    count: int
    runs: int
    inside: str
    datasets: str = ""


@dataclass(frozen=True, slots=True)
class Deposited:
    """The list. `within`: the dataset that it is narrowed to; `everything`: the address without that; `onward`: what ways to datasets
    take along."""

    tab: str
    tabs: tuple[Switch, ...]
    groupings: tuple[Switch, ...]
    items: tuple[Item, ...]
    groups: tuple[Group, ...]
    paging: Paging
    within: Crumb | None
    everything: str
    onward: Parameters


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for; `where` are the rows of it, `origin` is where the visitor came from."""

    deposition: int
    tab: str
    grouping: str
    dataset: int | None
    origin: Origin

    @property
    def entity(self) -> str:
        return ENTITIES[self.tab]

    @property
    def where(self) -> query.Condition:
        mine: query.Condition = Compare("deposition_id", "eq", self.deposition)
        inside = query.Related("run", Compare("dataset_id", "eq", self.dataset))
        return mine & inside if self.dataset is not None else mine

    def address(self, **other: str) -> str:
        """The same with other choices."""
        return urls.deposition(self.deposition, self.parameters(**other)) + "#deposited"

    @property
    def here(self) -> Origin:
        """This page, for those who go on from it."""
        return from_deposition(self.deposition, urlencode(self.parameters()))

    @property
    def onward(self) -> Parameters:
        """What ways to what it brought take along."""
        return (("deposition_id", str(self.deposition)), *self.here.parameters)

    def parameters(self, **other: str) -> Parameters:
        """The query string with other choices; the defaults are left out."""
        chosen = {
            "tab": self.tab,
            "grouping": self.grouping,
            "dataset": str(self.dataset or ""),
            "page": "",
        } | other
        names = {"tab": TAB, "grouping": GROUPING, "dataset": DATASET, "page": "page"}
        defaults = {"tab": "annotations", "page": "1"}
        told = ((names[key], value) for key, value in chosen.items() if value and value != defaults.get(key))
        return (*told, *self.origin.parameters)


def deposited(visit: Visit, id: int, counts: dict[str, int]) -> Deposited:
    """The list that the address asks for; `counts`: annotations and tomograms of the deposition."""
    asked = _read(visit, id, counts)
    tabs = tuple(
        Switch(word.capitalize(), asked.address(tab=word, dataset=""), counts[word], word == asked.tab)
        for word in ENTITIES
    )
    groupings = tuple(
        Switch(text, asked.address(grouping=value, dataset=""), None, value == asked.grouping)
        for value, text in GROUPINGS.items()
    )
    groups = _GROUPED[asked.grouping](visit, asked) if asked.grouping else ()
    total = len(groups) if asked.grouping else how_many(visit.view, asked.entity, asked.where)
    paging = Paging.of(total, asked_page(visit), PAGE, lambda n: asked.address(page=str(n)))
    first = max(0, paging.first - 1)
    return Deposited(
        tab=asked.tab,
        tabs=tabs,
        groupings=groupings,
        items=() if asked.grouping else _items(visit, asked, first),
        groups=groups[first : paging.last],
        paging=paging,
        within=_within(visit, asked),
        everything=asked.address(dataset=""),
        onward=asked.onward,
    )


def _read(visit: Visit, id: int, counts: dict[str, int]) -> _Asked:
    """Without a choice the tab that holds something; what makes no sense is as if it was not there."""
    given = visit.request.query_params
    usual = "annotations" if counts["annotations"] or not counts["tomograms"] else "tomograms"
    tab = given.get(TAB, usual)
    grouping = given.get(GROUPING, "")
    dataset = given.get(DATASET, "")
    return _Asked(
        id,
        tab if tab in ENTITIES else usual,
        grouping if grouping in GROUPINGS else "",
        int(dataset)
        if dataset.isascii() and dataset.isdigit() and len(dataset) < 10 and grouping == ""
        else None,
        came_from(visit),
    )


def _within(visit: Visit, asked: _Asked) -> Crumb | None:
    if asked.dataset is None:
        return None
    row = visit.view.one("Dataset", asked.dataset, ("title",))
    return Crumb(
        row["title"] if row else f"dataset {asked.dataset}", urls.dataset(asked.dataset) if row else ""
    )


_RUN = One("run", "run", (
    Value("id", "id"), Value("name", "name"), One("dataset", "dataset", (Value("id", "id"), Value("title", "title"))),
))  # fmt: skip
_FIELDS: dict[str, tuple[query.Selection, ...]] = {
    "annotations": (
        *(Value(name, name) for name in ("id", "object_name", "ground_truth_status", "method_type", "object_count")),
        Many("shapes", "annotation_shapes", (Value("shape_type", "shape_type"),)),
        _RUN,
    ),
    "tomograms": (
        *(
            Value(name, name)
            for name in (
                "id", "voxel_spacing", "reconstruction_method", "processing", "reconstruction_software", "key_photo_url",
                "key_photo_thumbnail_url",
            )
        ),
        _RUN,
    ),
}  # fmt: skip

_ORDER = (Order(("run", "dataset_id")), Order(("run", "name")), Order(("id",)))


def _items(visit: Visit, asked: _Asked, first: int) -> tuple[Item, ...]:
    ids = ids_of_page(visit.view, asked.entity, asked.where, _ORDER, PAGE, first)
    rows = visit.view.rows(query.Select(asked.entity, _FIELDS[asked.tab], Compare("id", "in", ids), _ORDER))
    made = _annotation if asked.tab == "annotations" else _tomogram
    return tuple(made(row, asked) for row in rows)


def _deposited_in(row: dict[str, Any], asked: _Asked) -> tuple[Crumb, Crumb]:
    """Dataset and run of what was deposited. The page of a run can be narrowed to annotations of a deposition."""
    run, dataset = row["run"], row["run"]["dataset"]
    to_run = asked.onward if asked.tab == "annotations" else asked.here.parameters
    return (
        Crumb(dataset["title"], urls.dataset(dataset["id"], asked.onward)),
        Crumb(run["name"], urls.run(run["id"], parameters=to_run)),
    )


def _annotation(row: dict[str, Any], asked: _Asked) -> Item:
    cells = (
        ("Shape", ", ".join(formats.words(shape["shape_type"]) for shape in row["shapes"])),
        ("Method", formats.words(row["method_type"])),
        ("Objects", formats.number(row["object_count"])),
    )
    short = Annotation.names.number(row["id"])
    is_truth = bool(row["ground_truth_status"])
    return Item(
        row["object_name"],
        short,
        urls.annotation(row["id"]),
        None,
        is_truth,
        cells,
        *_deposited_in(row, asked),
    )


def _tomogram(row: dict[str, Any], asked: _Asked) -> Item:
    cells = (
        ("Voxel spacing", formats.quantity(row["voxel_spacing"], "Å")),
        ("Reconstruction", formats.words(row["reconstruction_method"])),
        ("Processing", formats.words(row["processing"])),
        ("Software", row["reconstruction_software"] or formats.NOTHING),
    )
    short = Tomogram.names.number(row["id"])
    return Item(
        tomogram_name(row),
        short,
        urls.tomogram(row["id"]),
        Picture.of(row),
        False,
        cells,
        *_deposited_in(row, asked),
    )


_FIGURES = (Figure("count", "count"), Figure("runs", "count", "run_id", distinct=True))


@kept
def _grouped(
    view: View, entity: str, where: query.Condition, keys: tuple[GroupKey, ...]
) -> list[dict[str, Any]]:
    """How many rows stand under the same keys, and in how many runs, most rows first."""
    groups = Groups("groups", (*keys, *_FIGURES))
    found = json.loads(view.json(query.Aggregate(entity, (groups,), where)))["groups"]
    return sorted(found, key=lambda group: -group["count"])


def _by_dataset(visit: Visit, asked: _Asked) -> tuple[Group, ...]:
    keys = (GroupKey("id", ("run", "dataset_id")), GroupKey("title", ("run", "dataset", "title")))
    groups = _grouped(visit.view, asked.entity, asked.where, keys)
    return tuple(
        Group(
            Crumb(group["title"], urls.dataset(group["id"], asked.onward)),
            Dataset.names.number(group["id"]),
            group["count"],
            group["runs"],
            asked.address(grouping="", dataset=str(group["id"])),
        )
        for group in groups
    )


def _by_organism(visit: Visit, asked: _Asked) -> tuple[Group, ...]:
    way = ("run", "dataset")
    keys = (GroupKey("name", (*way, "organism_name")), GroupKey("taxid", (*way, "organism_taxid")))
    groups = _grouped(visit.view, asked.entity, asked.where, keys)
    return tuple(
        Group(
            Crumb(
                "not stated" if group["name"] in UNSTATED else group["name"],
                urls.organism(group["taxid"]) if group["taxid"] else "",
            ),
            f"NCBI:{group['taxid']}" if group["taxid"] else "",
            group["count"],
            group["runs"],
            "",
            "" if group["name"] in UNSTATED else _datasets_of(asked, group["name"]),
        )
        for group in groups
    )


def _datasets_of(asked: _Asked, organism: str) -> str:
    """The datasets of an organism with anything of the deposition."""
    return urls.datasets([("organism", organism), ("deposition_id", str(asked.deposition))])


_GROUPED: dict[str, Callable[[Visit, _Asked], tuple[Group, ...]]] = {
    "deposited_location": _by_dataset,
    "organism": _by_organism,
}
