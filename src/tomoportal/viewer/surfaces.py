"""The surface around the voxels of a mask: a net with one vertex in every cell that the surface crosses. Pure.

Method: S. F. Gibson, Constrained elastic surface nets, MICCAI 1998, without its relaxation: a cell lies between the centres of eight
voxels, its vertex at the mean of the points where the surface crosses its edges. The net is closed and welded by construction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_SECTIONS = 16
"""Sections that are worked on at a time."""
_CORNERS = np.array([(z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1)])
_EDGES = [(i, i + step, axis) for axis, step in enumerate((4, 2, 1)) for i in range(8) if not i & step]
"""Corners at the ends of each edge of a cell, and the axis (z, y, x) along which it runs."""


def surface_net(
    values: np.ndarray, level: float, most: int | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """The surface between voxels above `level` and those that are not; what lies outside the array is not.

    values: (z, y, x), whole numbers; level: between two of them. Gives vertices (n, 3) x, y, z, float32, in voxels, a voxel's
    centre being an integer, and faces (m, 3), vertex numbers, anticlockwise seen from outside; None when there are more
    than `most` vertices.
    """
    padded = np.pad(values, 1)
    parts, count = [], 0
    for part in _crossed(padded, level):
        parts.append(part)
        count += len(part[0])
        if most is not None and count > most:
            return None
    cells = np.concatenate([part[0] for part in parts])
    vertices = np.concatenate([part[1] for part in parts])
    above = np.concatenate([part[2] for part in parts])
    return vertices[:, ::-1] - np.float32(1), _faces(cells, above, padded.shape)


def _crossed(values: np.ndarray, level: float) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For some sections at a time, of the cells that the surface crosses: their numbers (n,) in C order of the array, their vertices
    (n, 3) z, y, x, and whether their first voxel and its next ones along z, y, x are above the level (n, 4)."""
    _, height, width = values.shape
    steps = _CORNERS @ np.array([height * width, width, 1])
    for first in range(0, len(values) - 1, _SECTIONS):
        inside = values[first : first + _SECTIONS + 1] > level
        cells = np.flatnonzero(_mixed(inside)) + first * height * width
        corners = values.reshape(-1)[cells[:, None] + steps]
        place = np.stack(np.unravel_index(cells, values.shape), axis=1)
        yield cells, place.astype(np.float32) + _inner(corners, level), corners[:, [0, 4, 2, 1]] > level


def _mixed(inside: np.ndarray) -> np.ndarray:
    """Of each voxel, whether the cell that begins with it has corners of both kinds; never at the far ends."""
    some, every = inside, inside
    for axis in range(3):
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        some, every = some[low] | some[high], every[low] & every[high]
    mixed = np.zeros(inside.shape, bool)
    mixed[:-1, :-1, :-1] = some & ~every
    return mixed[:-1]


def _inner(corners: np.ndarray, level: float) -> np.ndarray:
    """Where in its cell (z, y, x, from 0 to 1) each vertex lies; `corners` (n, 8) in the order of `_CORNERS`."""
    total = np.zeros((len(corners), 3), np.float32)
    count = np.zeros(len(corners), np.float32)
    for begin, end, axis in _EDGES:
        low, high = corners[:, begin].astype(np.float32), corners[:, end].astype(np.float32)
        crossed = (low > level) != (high > level)
        count += crossed
        for other in range(3):
            if other == axis:
                rise = np.where(crossed, high - low, 1)
                total[:, other] += np.where(crossed, (level - low) / rise, 0)
            elif _CORNERS[begin][other]:
                total[:, other] += crossed
    return total / count[:, None]


def _faces(cells: np.ndarray, above: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Two triangles for every pair of neighbouring voxels of which one is above the level. `cells` ascending, `above` as `_crossed` has
    it: the pair of a cell's first voxel along an axis is surrounded by the cells before it along both other axes."""
    here = np.arange(len(cells))
    rows = shape[2]
    before_y = np.searchsorted(cells, cells - rows)
    before_z = np.searchsorted(cells, cells - shape[1] * rows)
    before_both = np.searchsorted(cells, cells - (shape[1] + 1) * rows)
    around = (
        (before_y - 1, before_y, here, here - 1),
        (before_z - 1, here - 1, here, before_z),
        (before_both, before_z, here, before_y),
    )
    quads = []
    for axis, ring in enumerate(around, start=1):
        crossed = above[:, 0] != above[:, axis]
        sides = np.stack([corner[crossed] for corner in ring], axis=1)
        sides[~above[crossed, 0]] = sides[~above[crossed, 0]][:, ::-1]
        quads.append(sides)
    sides = np.concatenate(quads)
    return np.concatenate([sides[:, [0, 1, 2]], sides[:, [0, 2, 3]]]).astype(np.uint32)
