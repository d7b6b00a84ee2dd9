"""Datasets as cards with picture, authors and objects, for the lists and the front page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Value
from tomoportal.web import identifiers, urls
from tomoportal.web.entities.facts import UNSTATED
from tomoportal.web.entities.people import AUTHORS, parted, people
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept

MOST_AUTHORS = 4


@dataclass(frozen=True, slots=True)
class Named:
    """An annotated object, whether it is annotated as ground truth, and where the portal tells of it."""

    name: str
    is_ground_truth: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Addresses of a key photo: wide (512 × 384) and small (134 × 100)."""

    large: str
    small: str

    @staticmethod
    def of(row: dict[str, Any]) -> Picture | None:
        """The key photo of a row, if it has one."""
        large = row["key_photo_url"] or row["key_photo_thumbnail_url"]
        return Picture(large, row["key_photo_thumbnail_url"] or large) if large else None


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """What a list tells about a dataset. `authors` is cut to a few names, `more_authors` counts the rest; `objects` were annotated, or
    seen by the authors."""

    id: int
    title: str
    organism: Link | None
    release: str
    picture: Picture | None
    authors: tuple[str, ...]
    more_authors: int
    runs: int
    tomograms: int = 0
    annotations: int = 0
    empiar: tuple[Link, ...] = ()
    objects: tuple[Named, ...] = field(default=())


_FIELDS: tuple[query.Selection, ...] = (
    *(
        Value(name, name)
        for name in (
            "id",
            "title",
            "organism_name",
            "organism_taxid",
            "related_database_entries",
            "release_date",
            "key_photo_url",
            "key_photo_thumbnail_url",
        )
    ),
    AUTHORS,
)


def dataset_cards(
    view: View, where: query.Condition, order: Sequence[query.Order] = (), *, limit: int, offset: int = 0
) -> tuple[DatasetCard, ...]:
    """The datasets that fulfil `where`, in five statements whatever their number."""
    rows = view.rows(query.Select("Dataset", _FIELDS, where, tuple(order), limit, offset))
    if not rows:
        return ()
    held = _held(view, tuple(row["id"] for row in rows))
    return tuple(_card(row, held[row["id"]]) for row in rows)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a dataset holds, in numbers, and the objects of it."""

    runs: int
    tomograms: int
    annotations: int
    objects: tuple[Named, ...]


_COUNT = Figure("count", "count")
_OF_RUN = GroupKey("dataset", ("run", "dataset_id"))
_OBJECT = (_OF_RUN, GroupKey("object_name", ("object_name",)), GroupKey("object_id", ("object_id",)))
_ANNOTATED = (*_OBJECT, GroupKey("ground_truth_status", ("ground_truth_status",)), _COUNT)


@kept
def _held(view: View, ids: tuple[int, ...]) -> dict[int, _Held]:
    mine = Compare("dataset_id", "in", ids)
    inside = query.Related("run", mine)
    runs = _by_dataset(view, "Run", (GroupKey("dataset", ("dataset_id",)), _COUNT), mine)
    tomograms = _by_dataset(view, "Tomogram", (_OF_RUN, _COUNT), inside)
    annotated = _by_dataset(view, "Annotation", _ANNOTATED, inside)
    seen = _by_dataset(view, "IdentifiedObject", _OBJECT, inside)
    return {
        id: _Held(
            _sum(runs, id),
            _sum(tomograms, id),
            _sum(annotated, id),
            named([*seen.get(id, ()), *annotated.get(id, ())]),
        )
        for id in ids
    }


def _sum(groups: dict[int, list[dict[str, Any]]], id: int) -> int:
    return sum(group["count"] for group in groups.get(id, ()))


def _by_dataset(
    view: View, entity: str, fields: tuple[query.GroupSelection, ...], where: query.Condition
) -> dict[int, list[dict[str, Any]]]:
    """Groups of rows by the dataset that each stands in."""
    found: dict[int, list[dict[str, Any]]] = {}
    asked = query.Aggregate(entity, (Groups("groups", fields),), where)
    for group in json.loads(view.json(asked))["groups"]:
        found.setdefault(group["dataset"], []).append(group)
    return found


def named(found: Sequence[dict[str, Any]]) -> tuple[Named, ...]:
    """Objects (`object_name`, `object_id`; those of annotations have a `ground_truth_status`), each name once, in alphabetical order."""
    truth = {item["object_name"] for item in found if item.get("ground_truth_status")}
    ids = {item["object_name"]: item["object_id"] for item in found}
    return tuple(Named(name, name in truth, urls.object(ids[name])) for name in sorted(ids, key=str.casefold))


def organism(row: dict[str, Any]) -> Link | None:
    """The species of a dataset with the page about it, None when nothing is stated."""
    name, taxid = row["organism_name"], row["organism_taxid"]
    if not taxid:
        return None if name in UNSTATED else Link(name)
    return Link(name or f"NCBI:{taxid}", urls.organism(taxid))


def compact(row: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    """A few names of the authors of a row that was asked for with `AUTHORS`, and how many there are besides."""
    shown, rest = parted(people(row), MOST_AUTHORS)
    return tuple(person.name for person in shown), len(rest)


def _card(row: dict[str, Any], held: _Held) -> DatasetCard:
    authors, more = compact(row)
    entries = identifiers.links(row["related_database_entries"])
    return DatasetCard(
        id=row["id"],
        title=row["title"],
        organism=organism(row),
        release=row["release_date"],
        picture=Picture.of(row),
        authors=authors,
        more_authors=more,
        runs=held.runs,
        tomograms=held.tomograms,
        annotations=held.annotations,
        empiar=tuple(entry for entry in entries if entry.text.startswith("EMPIAR-")),
        objects=held.objects,
    )
