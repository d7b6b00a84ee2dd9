"""Datasets as cards with picture, authors and objects, for the lists and the front page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Many, Order, RelatedTotal, Value

MOST_AUTHORS = 4


@dataclass(frozen=True, slots=True)
class Named:
    """An annotated object, and whether it is annotated as ground truth."""

    name: str
    is_ground_truth: bool = False


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
    """What a list tells about a dataset. `authors` is cut to a few names, `more_authors` counts the rest."""

    id: int
    title: str
    organism: str | None
    release: str
    picture: Picture | None
    authors: tuple[str, ...]
    more_authors: int
    runs: int
    tomograms: int = 0
    annotations: int = 0
    objects: tuple[Named, ...] = field(default=())


_FIELDS: tuple[query.Selection, ...] = (
    *(
        Value(name, name)
        for name in (
            "id",
            "title",
            "organism_name",
            "release_date",
            "key_photo_url",
            "key_photo_thumbnail_url",
        )
    ),
    Many("authors", "authors", (Value("name", "name"),), order_by=(Order(("author_list_order",)),)),
    RelatedTotal("runs", "runs"),
)


def dataset_cards(
    view: View, where: query.Condition, order: Sequence[query.Order], *, limit: int, offset: int = 0
) -> tuple[DatasetCard, ...]:
    """The datasets that fulfil `where`, in three statements whatever their number."""
    select = query.Select("Dataset", _FIELDS, where, tuple(order), limit, offset)
    rows = view.rows(select)
    if not rows:
        return ()
    inside = query.Related("run", Compare("dataset_id", "in", tuple(row["id"] for row in rows)))
    tomograms = {group["dataset"]: group["count"] for group in _grouped(view, "Tomogram", inside)}
    annotations = _grouped(view, "Annotation", inside, "object_name", "ground_truth_status")
    return tuple(_card(row, tomograms, annotations) for row in rows)


def _grouped(view: View, entity: str, where: query.Condition, *keys: str) -> list[dict[str, Any]]:
    members: tuple[query.GroupSelection, ...] = (
        GroupKey("dataset", ("run", "dataset_id")),
        *(GroupKey(key, (key,)) for key in keys),
        Figure("count", "count"),
    )
    return json.loads(view.json(query.Aggregate(entity, (Groups("groups", members),), where)))["groups"]


def named(found: Sequence[dict[str, Any]]) -> tuple[Named, ...]:
    """Objects of annotations (`object_name`, `ground_truth_status`), each once, in alphabetical order."""
    truth = {item["object_name"] for item in found if item["ground_truth_status"]}
    names = sorted({item["object_name"] for item in found}, key=str.casefold)
    return tuple(Named(name, name in truth) for name in names)


def _card(row: dict[str, Any], tomograms: dict[int, int], annotations: list[dict[str, Any]]) -> DatasetCard:
    names = [author["name"] for author in row["authors"]]
    mine = [group for group in annotations if group["dataset"] == row["id"]]
    shown = names if len(names) <= MOST_AUTHORS + 1 else names[:MOST_AUTHORS]
    return DatasetCard(
        id=row["id"],
        title=row["title"],
        organism=row["organism_name"],
        release=row["release_date"],
        picture=Picture.of(row),
        authors=tuple(shown),
        more_authors=len(names) - len(shown),
        runs=row["runs"],
        tomograms=tomograms.get(row["id"], 0),
        annotations=sum(group["count"] for group in mine),
        objects=named(mine),
    )
