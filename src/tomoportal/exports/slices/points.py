"""The points of an annotation in the voxels of a tomogram, for drawing over its cuts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import NotFound
from tomoportal.exports.slices.layers import Layer
from tomoportal.exports.slices.volume import Cut, Extent, Shape
from tomoportal.formats.particles import read_ndjson
from tomoportal.formats.particles.writers import at_spacing
from tomoportal.storage import Storage
from tomoportal.viewer.points import instance_colours

DIAMETER = 100.0
"""Å, of objects whose size nobody tells; the 3-D viewer draws them so, too."""
_PLANE = {"z": (0, 1), "y": (0, 2), "x": (2, 1)}
"""Axis of a cut → which of x, y, z its columns and rows are."""
_AXIS = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True, slots=True)
class Points:
    """`places` (n, 3) are x, y, z in voxels of the tomogram, a voxel's centre being an integer; `directions` (n, 3) the unit vectors of the
    particles' own z axes; `instances` (n,) number objects. `diameter` is in voxels; `total` counts them before any were left out."""

    places: NDArray[np.float64]
    directions: NDArray[np.float64] | None
    instances: NDArray[np.int64] | None
    diameter: float
    total: int

    def between(self, axis: str, start: float | None, stop: float | None) -> Points:
        """Those whose place along an axis is in `start` to `stop`, ends included; None is no end."""
        along = self.places[:, _AXIS[axis]]
        low, high = -np.inf if start is None else start, np.inf if stop is None else stop
        return self._picked(np.flatnonzero((along >= low) & (along <= high)), None)

    def at_most(self, budget: int) -> Points:
        """No more than `budget` of them, drawn evenly and the same every time; `total` stays."""
        if len(self.places) <= budget:
            return self
        shuffled = np.random.Generator(np.random.PCG64(len(self.places))).permutation(len(self.places))
        return self._picked(np.sort(shuffled[:budget]), self.total)

    def _picked(self, rows: NDArray[np.intp], total: int | None) -> Points:
        return Points(
            self.places[rows],
            None if self.directions is None else self.directions[rows],
            None if self.instances is None else self.instances[rows],
            self.diameter,
            len(rows) if total is None else total,
        )


def read_points(storage: Storage, layer: Layer, spacing: float) -> Points:
    """The points of a layer in voxels of `spacing` Å. Raises `FormatError`, `StorageError`."""
    particles = at_spacing(read_ndjson(storage.read(layer.path), layer.path).of(None), layer.spacing, spacing)
    is_oriented = layer.shape == "OrientedPoint" and particles.rotations is not None
    return Points(
        particles.positions,
        particles.rotations[:, :, 2] if is_oriented and particles.rotations is not None else None,
        particles.instances if layer.shape == "InstanceSegmentation" else None,
        _diameter(storage, layer) / spacing,
        len(particles),
    )


def _diameter(storage: Storage, layer: Layer) -> float:
    """Å"""
    try:
        described = json.loads(storage.read(layer.sidecar)).get("annotation_object") or {}
    except NotFound:
        described = {}
    return float(described.get("diameter") or DIAMETER)


def as_json(points: Points, layer: Layer, tomogram: int, spacing: float) -> bytes:
    """Numbers are rounded to a hundredth of a voxel."""
    told: dict[str, Any] = {
        "annotation": layer.annotation, "tomogram": tomogram, "shape": layer.shape, "unit": "voxel", "spacing": spacing,
        "colour": layer.colour, "diameter": round(points.diameter, 3), "total": points.total, "shown": len(points.places),
        "points": points.places.round(2).tolist(),
    }  # fmt: skip
    if points.directions is not None:
        told["directions"] = points.directions.round(3).tolist()
    if points.instances is not None:
        told["instances"] = points.instances.tolist()
        told["colours"] = [_hex(shade) for shade in instance_colours(points.instances)]
    return json.dumps(told, separators=(",", ":")).encode()


def as_svg(points: Points, layer: Layer, cut: Cut, shape: Shape) -> bytes:
    """A transparent picture of the spheres that a slab cuts, as wide as they are in its nearest slice; its units are voxels, and it covers
    the outer faces of the tomogram."""
    extent = Extent.of(shape, cut.axis)
    circles = "".join(_circles(points, layer, cut))
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-0.5 -0.5 {extent.columns} {extent.rows}" width="{extent.columns}" '
        f'height="{extent.rows}" fill="none" stroke={quoteattr(layer.colour)} stroke-width="{_stroke(extent):.2f}">{circles}</svg>'
    )
    return text.encode()


def _circles(points: Points, layer: Layer, cut: Cut) -> list[str]:
    column, row = _PLANE[cut.axis]
    away = np.maximum(np.abs(points.places[:, _AXIS[cut.axis]] - cut.index) - cut.slab, 0)
    radius = points.diameter / 2
    colours = (
        None if points.instances is None else [_hex(shade) for shade in instance_colours(points.instances)]
    )
    made = []
    for number in np.flatnonzero(away <= radius):
        x, y = points.places[number, column], points.places[number, row]
        r = max(float(np.sqrt(radius**2 - away[number] ** 2)), radius / 4)
        own = f' stroke="{colours[number]}"' if colours else ""
        made.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}"{own}/>')
        if points.directions is not None:
            dx, dy = points.directions[number, [column, row]] * points.diameter * 0.75
            made.append(f'<path d="M{x:.2f} {y:.2f}l{dx:.2f} {dy:.2f}"{own}/>')
    return made


def _stroke(extent: Extent) -> float:
    return max(extent.columns, extent.rows) / 400


def _hex(shade: NDArray[np.uint8]) -> str:
    red, green, blue = shade.tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"
