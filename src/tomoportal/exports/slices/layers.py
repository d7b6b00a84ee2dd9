"""The annotations that can be drawn over the cuts of a tomogram, in the colours that the 3-D viewer gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.catalog import View
from tomoportal.errors import NotFound, UsageError
from tomoportal.exports.viewing import addresses, drawn_from, leads_to, viewer_state
from tomoportal.model.query import Many, One, Order, Selection, Value

POINTS = ("Point", "OrientedPoint", "InstanceSegmentation")
MASKS = ("SegmentationMask", "InstanceSegmentationMask")
_FORMATS = {**dict.fromkeys(POINTS, "ndjson"), **dict.fromkeys(MASKS, "zarr")}
_PLAIN_COLOUR = "#ffd24a"
"""Of what the viewer does not draw."""

_ANNOTATION: tuple[Selection, ...] = (
    *(Value(name, name) for name in ("id", "object_name", "object_count", "ground_truth_status")),
    Value("sidecar", "https_metadata_path"),
    One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
    Many("shapes", "annotation_shapes", (
        Value("shape", "shape_type"),
        Many("files", "annotation_files", (
            Value("path", "https_path"), Value("format", "format"), Value("alignment", "alignment_id"),
        )),
    )),
)  # fmt: skip
_TOMOGRAM: tuple[Selection, ...] = (
    *(Value(name, name) for name in ("alignment_id", "voxel_spacing", "size_x", "size_y", "size_z", "run_id")),
    One("run", "run", (
        Value("name", "name"),
        Many("annotations", "annotations", _ANNOTATION, order_by=(Order(("ground_truth_status",), "desc", "last"), Order(("id",)))),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """One shape of an annotation. `key` tells it apart on a page and in addresses; `path` is its file, `sidecar` that of its annotation;
    `spacing` is Å per voxel; `colour` is that of the 3-D viewer, `colours` those of its numbered objects, if the viewer lists them;
    `fits`: whether its alignment is that of the tomogram; `is_visible`: whether the viewer shows it at first."""

    annotation: int
    shape: str
    key: str
    name: str
    count: int | None
    is_truth: bool
    path: str
    sidecar: str
    spacing: float
    fits: bool
    colour: str = _PLAIN_COLOUR
    colours: tuple[tuple[int, str], ...] = ()
    is_visible: bool = False

    @property
    def is_mask(self) -> bool:
        """Whether it is drawn from a volume."""
        return self.shape in MASKS


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn over a tomogram of so many voxels (x, y, z) of `spacing` Å; ground truth first. `limits` are the grey values of black
    and white that the 3-D viewer begins with, None when nobody knows."""

    tomogram: int
    run: str
    run_id: int
    size: tuple[int, int, int]
    spacing: float
    layers: tuple[Layer, ...]
    limits: tuple[float, float] | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """z, y, x"""
        return self.size[::-1]


def drawn(view: View, tomogram: int) -> Drawn | None:
    """The layers of a tomogram and of its neighbours in the run; None for what this reader may not see."""
    row = view.one("Tomogram", tomogram, _TOMOGRAM)
    if row is None:
        return None
    state = json.loads(viewer_state(view, tomogram) or "{}")
    shown = [(layer, tuple(addresses(layer))) for layer in state.get("layers", ())]
    base = view.addresses.files
    layers = tuple(
        _coloured(layer, shown) for item in row["run"]["annotations"] for layer in _layers(item, row, base)
    )
    size = row["size_x"], row["size_y"], row["size_z"]
    return Drawn(
        tomogram, row["run"]["name"], row["run_id"], size, row["voxel_spacing"], layers, _limits(state)
    )


def fitting_layer(
    view: View, found: Drawn, annotation: int, shapes: tuple[str, ...], shape: str | None
) -> Layer:
    """The layer of an annotation with one of `shapes` (or just `shape`) over a tomogram. Raises `NotFound`, and `UsageError` where it is
    not comparable."""
    mine = [layer for layer in found.layers if layer.annotation == annotation]
    if not mine:
        raise _absent(view, found, annotation)
    wanted = [layer for layer in mine if layer.shape in shapes and shape in (None, layer.shape)]
    if not wanted:
        has = ", ".join(layer.shape for layer in mine)
        raise UsageError(
            f"Annotation {annotation} has the shape {has}; expected {shape or ' or '.join(shapes)}."
        )
    if not wanted[0].fits:
        raise UsageError(
            f"Annotation {annotation} was made with another alignment than tomogram {found.tomogram}; its coordinates are not "
            "comparable, so nothing of it can be drawn there."
        )
    return wanted[0]


def _absent(view: View, found: Drawn, annotation: int) -> NotFound | UsageError:
    row = view.one("Annotation", annotation, ("run_id",))
    if row is None:
        return NotFound(f"annotation {annotation}", "there is no such annotation here")
    if row["run_id"] != found.run_id:
        return UsageError(
            f"Tomogram {found.tomogram} is of the run {found.run}; annotation {annotation} is of another."
        )
    return UsageError(f"Annotation {annotation} has neither points nor masks.")


def _layers(row: dict[str, Any], tomogram: dict[str, Any], base: str) -> Iterator[Layer]:
    spacing = row["spacing"]["voxel_spacing"]
    found = [
        (item["shape"], file)
        for item in row["shapes"]
        for file in item["files"]
        if file["format"] == _FORMATS.get(item["shape"])
    ]
    for shape, file in found:
        is_same = file["alignment"] == tomogram["alignment_id"]
        fits = is_same and (file["alignment"] is not None or spacing == tomogram["voxel_spacing"])
        key = str(row["id"]) if len(found) == 1 else f"{row['id']}-{shape.lower()}"
        yield Layer(
            row["id"], shape, key, row["object_name"], row["object_count"], bool(row["ground_truth_status"]),
            _path(file["path"], base), _path(row["sidecar"], base), spacing, fits,
        )  # fmt: skip


def _path(address: str, base: str) -> str:
    return address.removeprefix(base).strip("/")


def _coloured(layer: Layer, shown: list[tuple[dict[str, Any], tuple[str, ...]]]) -> Layer:
    """The layer with the colour that the viewer's own has."""
    path = drawn_from(layer.path, layer.shape)
    for state, found in shown:
        if not any(leads_to(address, path) for address in found):
            continue
        colour = state.get("annotationColor") or state.get("segmentDefaultColor") or _PLAIN_COLOUR
        listed = tuple((int(number), shade) for number, shade in state.get("segmentColors", {}).items())
        return replace(layer, colour=colour, colours=listed, is_visible=state.get("visible", True))
    return layer


def _limits(state: dict[str, Any]) -> tuple[float, float] | None:
    """The contrast of the first image of a state."""
    for layer in state.get("layers", ()):
        if layer.get("type") == "image":
            low, high = (((layer.get("shaderControls") or {}).get("contrast") or {}).get("range")) or (0, 0)
            return (float(low), float(high)) if low < high else None
    return None
