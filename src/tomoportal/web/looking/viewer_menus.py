"""What the menus of the viewer page offer: the tomograms of a run by voxel spacing and alignment, and the layers of its annotations. Pure.

Layers of a viewer state are known by their names; an annotation finds its own by where the data come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tomoportal.exports.viewing import IN_LAYOUT, addresses, drawn_from, leads_to
from tomoportal.model.query import Many, One, Order, Selection, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.viewer.overlays import is_drawn, shape_word
from tomoportal.web import formats, urls
from tomoportal.web.entities.tomograms import tomogram_name

_NAMES = (
    "id", "voxel_spacing", "size_x", "size_y", "size_z", "reconstruction_method", "processing", "reconstruction_software",
    "processing_software", "alignment_id", "https_omezarr_dir",
)  # fmt: skip
TOMOGRAM: tuple[Selection, ...] = tuple(Value(name, name) for name in _NAMES)
"""What is asked about a tomogram."""

ANNOTATIONS = Many(
    "annotations", "annotations", (
        *(Value(name, name) for name in ("id", "object_name", "object_count", "ground_truth_status")),
        One("deposition", "deposition", (Value("id", "id"), Value("title", "title"))),
        Many("shapes", "annotation_shapes", (
            Value("shape", "shape_type"),
            Many("files", "annotation_files", (Value("path", "https_path"), Value("alignment", "alignment_id"))),
        )),
    ),
    order_by=(Order(("deposition_id",)), Order(("ground_truth_status",), "desc", "last"), Order(("object_name",)), Order(("id",))),
)  # fmt: skip
"""What is asked about the annotations of a run: those of one deposition together, ground truth first."""

_PLAIN_COLOUR = "#ffffff"
_NOT_DRAWN = "nothing that the viewer draws"


@dataclass(frozen=True, slots=True)
class Seen:
    """A tomogram of the run; `href` is empty when the viewer cannot show it. `frame` is the same for tomograms whose coordinates mean the
    same places."""

    id: int
    label: str
    spacing: float
    detail: str
    href: str
    frame: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class TomogramGroup:
    """Tomograms of one voxel spacing and alignment. `note` says what is different from the one that is shown."""

    title: str
    note: str
    tomograms: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """One shape of an annotation. `layer` is its name in the viewer state; without one `note` says why it is not drawn."""

    layer: str
    name: str
    href: str
    shape: str
    count: int | None
    is_truth: bool
    colour: str
    is_on: bool
    note: str


@dataclass(frozen=True, slots=True)
class OverlayGroup:
    """The layers of one deposition; those that no annotation of the portal is known for come last, without a title of a deposition."""

    title: str
    overlays: tuple[Overlay, ...]


def seen(run: int, row: dict[str, Any], current: int) -> Seen:
    """A tomogram as the menu shows it."""
    size = formats.sides(row)
    software = dict.fromkeys(row[name] for name in ("reconstruction_software", "processing_software"))
    detail = [Tomogram.names.number(row["id"]), f"{size}\u202fpx", *(name for name in software if name)]
    return Seen(
        row["id"], tomogram_name(row), row["voxel_spacing"],
        ", ".join(detail), urls.view_run(run, row["id"]) if row["https_omezarr_dir"] else "", _frame(row), row["id"] == current,
    )  # fmt: skip


def _frame(row: dict[str, Any]) -> str:
    """Without an alignment only tomograms of the same voxels are compared."""
    alignment = row["alignment_id"]
    if alignment is not None:
        return Alignment.names.number(alignment)
    return f"no alignment, {formats.quantity(row['voxel_spacing'], 'Å')}"


def tomogram_groups(run: int, rows: list[dict[str, Any]], current: int) -> tuple[TomogramGroup, ...]:
    """All tomograms of a run; the group of the one that is shown (`current`) comes first, then its alignment."""
    now = next(row for row in rows if row["id"] == current)

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        is_other = _frame(row) != _frame(now)
        return is_other, _frame(row), row["voxel_spacing"] != now["voxel_spacing"], row["voxel_spacing"]

    def group(_: Any, members: list[dict[str, Any]]) -> TomogramGroup:
        first = members[0]
        parts = dict.fromkeys((formats.quantity(first["voxel_spacing"], "Å"), _frame(first)))
        title = ", ".join(parts) if first["alignment_id"] is not None else _frame(first).capitalize()
        note = "" if _frame(first) == _frame(now) else "another alignment: its places are not comparable"
        return TomogramGroup(title, note, tuple(seen(run, row, current) for row in members))

    return tuple(group(key, list(members)) for key, members in groupby(sorted(rows, key=order), key=order))


def overlay_groups(
    annotations: list[dict[str, Any]], state: dict[str, Any], current: dict[str, Any], base: str
) -> tuple[tuple[OverlayGroup, ...], tuple[Overlay, ...]]:
    """The layers of a state over the tomogram `current`, by deposition, and what of the annotations is not drawn over it. `base` is where
    files lie."""
    layers = [layer for layer in state.get("layers", ()) if layer.get("type") != "image"]
    found: list[tuple[str, Overlay]] = []
    missing: list[Overlay] = []
    for annotation in annotations:
        for shown in _overlays(annotation, layers, current, base):
            found += [((annotation["deposition"] or {}).get("title") or "", shown)] if shown.layer else []
            missing += [] if shown.layer else [shown]
    titles = dict.fromkeys(title for title, _ in found)
    groups = [OverlayGroup(title, tuple(item for other, item in found if other == title)) for title in titles]
    known = {item.layer for _, item in found}
    rest = tuple(_unknown(layer) for layer in layers if layer.get("name") not in known)
    return (*groups, *([OverlayGroup("Other layers", rest)] if rest else [])), tuple(missing)


def _overlays(
    annotation: dict[str, Any], layers: list[dict[str, Any]], current: dict[str, Any], base: str
) -> Iterator[Overlay]:
    """One for each layer of each shape, or one without a layer."""
    for item in annotation["shapes"]:
        paths = {file["path"].removeprefix(base).strip("/") for file in item["files"]}
        shape = IN_LAYOUT.get(item["shape"], item["shape"])
        sources = {drawn_from(path, shape) for path in paths}
        mine = [
            layer
            for layer in layers
            if any(leads_to(address, path) for address in addresses(layer) for path in sources)
        ]
        for layer in mine:
            yield _overlay(annotation, shape, layer, "")
        if not mine:
            yield _overlay(annotation, shape, {}, _reason(item["files"], current))


def _reason(files: list[dict[str, Any]], current: dict[str, Any]) -> str:
    others = {file["alignment"] for file in files} - {current["alignment_id"]}
    if len(others) < len({file["alignment"] for file in files}):
        return _NOT_DRAWN
    names = ", ".join(Alignment.names.number(id) if id is not None else "no alignment" for id in others)
    return names or _NOT_DRAWN


def _overlay(annotation: dict[str, Any], shape: str, layer: dict[str, Any], note: str) -> Overlay:
    return Overlay(
        layer.get("name", ""), annotation["object_name"], urls.annotation(annotation["id"]),
        shape_word(shape) if is_drawn(shape) else formats.words(shape), annotation["object_count"],
        bool(annotation["ground_truth_status"]), _colour(layer), bool(layer) and layer.get("visible", True), note,
    )  # fmt: skip


def _unknown(layer: dict[str, Any]) -> Overlay:
    name = str(layer.get("name", ""))
    return Overlay(name, name, "", str(layer.get("type", "")), None, False, _colour(layer), layer.get("visible", True), "")  # fmt: skip


def _colour(layer: dict[str, Any]) -> str:
    return layer.get("annotationColor") or layer.get("segmentDefaultColor") or _PLAIN_COLOUR
