"""Runs as rows of a table: picture, quality, voxel spacings, objects with their numbers, contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Many, One, RelatedTotal, Value
from tomoportal.web import formats, urls
from tomoportal.web.entities.cards import Picture
from tomoportal.web.entities.quality import Quality, quality

VIEWABLE = Compare("https_omezarr_dir", "is_null", False)
"""Tomograms that the viewer can show."""


@dataclass(frozen=True, slots=True)
class Counted:
    """An object that was annotated or seen in a run, where the portal tells of it, and how many of it the largest annotation holds,
    None when nobody has counted."""

    name: str
    href: str
    count: int | None
    is_ground_truth: bool


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a table. `tomogram` is the one that the viewer shows first, None when there is nothing to see; `contents` are
    numbers with their words."""

    id: int
    name: str
    dataset: int
    dataset_title: str
    picture: Picture | None
    quality: Quality | None
    spacings: tuple[str, ...]
    objects: tuple[Counted, ...]
    contents: tuple[tuple[int, str], ...]
    tomogram: int | None


_TOMOGRAM = tuple(
    Value(name, name)
    for name in (
        "id",
        "voxel_spacing",
        "is_visualization_default",
        "https_omezarr_dir",
        "key_photo_url",
        "key_photo_thumbnail_url",
    )
)
_ANNOTATION = tuple(
    Value(name, name) for name in ("object_name", "object_id", "object_count", "ground_truth_status")
)

_RUN: tuple[query.Selection, ...] = (
    Value("id", "id"),
    Value("name", "name"),
    One("dataset", "dataset", (Value("id", "id"), Value("title", "title"))),
    Many("tomograms", "tomograms", _TOMOGRAM),
    Many("tiltseries", "tiltseries", (Value("quality", "tilt_series_quality"),)),
    Many("annotations", "annotations", _ANNOTATION),
    Many("seen", "identified_objects", tuple(Value(name, name) for name in ("object_name", "object_id"))),
    RelatedTotal("frames", "frames", Compare("https_frame_path", "is_null", False)),
)


def run_rows(view: View, ids: Sequence[int]) -> tuple[RunRow, ...]:
    """These runs in this order, in one statement."""
    rows = view.rows(query.Select("Run", _RUN, Compare("id", "in", tuple(ids))))
    by_id = {row["id"]: row for row in rows}
    return tuple(_row(by_id[id]) for id in ids if id in by_id)


def _row(row: dict[str, Any]) -> RunRow:
    tomograms = sorted(row["tomograms"], key=_place)
    pictures = [picture for tomogram in tomograms if (picture := Picture.of(tomogram))]
    viewable = next((tomogram["id"] for tomogram in tomograms if tomogram["https_omezarr_dir"]), None)
    spacings = sorted({tomogram["voxel_spacing"] for tomogram in tomograms})
    return RunRow(
        id=row["id"],
        name=row["name"],
        dataset=row["dataset"]["id"],
        dataset_title=row["dataset"]["title"],
        picture=pictures[0] if pictures else None,
        quality=quality([series["quality"] for series in row["tiltseries"]]),
        spacings=tuple(formats.quantity(spacing, "Å") for spacing in spacings),
        objects=_objects([*row["annotations"], *row["seen"]]),
        contents=tuple(
            (count, formats.noun(count, one, many))
            for count, one, many in (
                (row["frames"], "frame", "frames"),
                (len(row["tiltseries"]), "tilt series", "tilt series"),
                (len(tomograms), "tomogram", "tomograms"),
                (len(row["annotations"]), "annotation", "annotations"),
            )
            if count
        ),
        tomogram=viewable,
    )


def _place(tomogram: dict[str, Any]) -> tuple[bool, float, int]:
    """The one that the depositors show first, then the finer ones."""
    return not tomogram["is_visualization_default"], tomogram["voxel_spacing"], tomogram["id"]


def _objects(named: Sequence[dict[str, Any]]) -> tuple[Counted, ...]:
    found: dict[str, list[dict[str, Any]]] = {}
    for item in named:
        found.setdefault(item["object_name"], []).append(item)
    return tuple(
        Counted(
            name,
            urls.object(items[0]["object_id"]),
            max((count for item in items if (count := item.get("object_count")) is not None), default=None),
            any(item.get("ground_truth_status") for item in items),
        )
        for name, items in sorted(found.items(), key=lambda pair: pair[0].casefold())
    )
