"""Points, points of instances and oriented points as a Neuroglancer layer of precomputed annotations. Takes arrays, gives files as
bytes; writes nothing itself.

Format: https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/annotations.md, with the index by id
in one shard (…/precomputed/sharded.md), so that a large set is a few files and not one per point.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

CELL_LIMIT = 8192
"""Points in one cell of the spatial index. A set that fits in one cell is one file; a larger one gets levels of detail."""
MAX_LEVELS = 8
POINTS_PER_MINISHARD = 512

AXIS_LENGTH = 1.5
"""Length of the axes drawn at an oriented point, in diameters of the object."""
AXIS_COLOURS = ((255, 64, 64), (64, 220, 64), (80, 128, 255))
"""Of the particle's own x, y and z axes."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of n points: `places` (n, 3) decide the cell of the index, `records` (m,) are stored, m / n for each place, in
    the order of places. `kind` and `properties` as the format names them."""

    kind: str
    places: np.ndarray
    records: np.ndarray
    properties: list[dict]

    @property
    def per_place(self) -> int:
        """Records of one place."""
        return {"point": 1, "line": 3}[self.kind]


@dataclass(frozen=True, slots=True)
class _Grid:
    """One level of the spatial index: `shape` cells (x, y, z) of `size` voxels from `lower`."""

    lower: np.ndarray
    size: np.ndarray
    shape: np.ndarray

    def cell_of(self, points: np.ndarray) -> np.ndarray:
        """Index (x, y, z) of the cell of each point, (n, 3)."""
        cells = np.floor((points - self.lower) / self.size).astype(np.int64)
        return np.clip(cells, 0, self.shape - 1)


def write_point_layer(
    points: np.ndarray, *, spacing: float, label: str, diameter: float, colour: str = "#ffffff"
) -> dict[str, bytes]:
    """The files of a layer, by path inside its folder. The same points give the same bytes.

    points: (n, 3), x, y, z in voxels, a voxel's centre being an integer; spacing: Å per voxel; diameter: of the object, Å
    (stored in nm, as the marker size of the usual shader); colour: `#rrggbb`.
    """
    places = _places(points)
    records = _records("point", len(places), diameter, ())
    records["position"] = places
    records["point_index"] = np.arange(len(places))
    records["color"] = list(bytes.fromhex(colour.removeprefix("#")))
    return _write(Drawn("point", places, records, _properties(label, "color")), spacing)


def write_instance_layer(
    points: np.ndarray, instances: np.ndarray, *, spacing: float, label: str, diameter: float
) -> dict[str, bytes]:
    """The same for points that belong to instances, numbered by `instances` (n,): each has its own colour."""
    places = _places(points)
    records = _records("point", len(places), diameter, (("instance", "<i4"),))
    records["position"] = places
    records["point_index"] = np.arange(len(places))
    records["instance"] = (instances.astype(np.int64) & 0x7FFFFFFF).astype(np.int32)
    records["color"] = instance_colours(instances)
    return _write(Drawn("point", places, records, _properties(label, "color", "instance")), spacing)


def write_oriented_layer(
    points: np.ndarray, rotations: np.ndarray, *, spacing: float, label: str, diameter: float
) -> dict[str, bytes]:
    """The same for oriented points: at each the particle's axes x, y, z, red, green and blue, `AXIS_LENGTH` diameters long.

    rotations: (n, 3, 3), turning the particle into the tomogram, so that their columns are its axes.
    """
    places = _places(points)
    axes = np.swapaxes(np.asarray(rotations, np.float64).reshape(-1, 3, 3), 1, 2)
    ends = places[:, None, :] + axes * (AXIS_LENGTH * diameter / spacing)
    records = _records("line", 3 * len(places), diameter, ())
    records["position"] = np.repeat(places, 3, axis=0)
    records["end"] = ends.reshape(-1, 3)
    records["point_index"] = np.repeat(np.arange(len(places)), 3)
    records["color"] = np.tile(np.array(AXIS_COLOURS, np.uint8), (len(places), 1))
    return _write(Drawn("line", places, records, _properties(label, "color")), spacing)


def instance_colours(instances: np.ndarray) -> np.ndarray:
    """A bright colour (n, 3) uint8 for each instance, which depends on its number alone; neighbouring numbers differ much."""
    hues = (np.asarray(instances, np.float64) * 0.6180339887498949) % 1.0
    values = 1.0 - 0.25 * ((np.asarray(instances) // 2) % 2)
    corners = (np.array([5.0, 3.0, 1.0]) + hues[:, None] * 6) % 6
    shades = values[:, None] * (1 - 0.8 * np.clip(np.minimum(corners, 4 - corners), 0, 1))
    return np.round(shades * 255).astype(np.uint8)


def _places(points: np.ndarray) -> np.ndarray:
    return np.asarray(points, dtype=np.float64).reshape(-1, 3)


def _records(kind: str, count: int, diameter: float, more: tuple[tuple[str, str], ...]) -> np.ndarray:
    """Empty records as stored: properties of four bytes first, and the whole a multiple of four bytes."""
    ends = [("end", "<f4", 3)] if kind == "line" else []
    fields = [
        ("position", "<f4", 3),
        *ends,
        ("diameter", "<f4"),
        ("point_index", "<f4"),
        *more,
        ("name", "u1"),
        ("color", "u1", 3),
    ]
    records = np.zeros(count, np.dtype(fields))
    records["diameter"] = diameter / 10
    return records


def _properties(label: str, *more: str) -> list[dict]:
    known = {"instance": {"id": "instance", "type": "int32"}, "color": {"id": "color", "type": "rgb"}}
    return [
        {"id": "diameter", "type": "float32"},
        {"id": "point_index", "type": "float32"},
        *(known[name] for name in more if name != "color"),
        {"id": "name", "type": "uint8", "enum_values": [0], "enum_labels": [label]},
        known["color"],
    ]


def _write(drawn: Drawn, spacing: float) -> dict[str, bytes]:
    lower, upper = _bounds(drawn)
    levels = _levels(drawn.places, lower, upper)
    files: dict[str, bytes] = {}
    spatial = []
    for number, (grid, members) in enumerate(levels):
        cells = _cells(grid, drawn.places, members)
        for cell, inside in cells.items():
            name = "_".join(str(index) for index in cell)
            files[f"spatial{number}/{name}"] = _multiple(drawn, inside)
        spatial.append(
            {
                "key": f"spatial{number}",
                "grid_shape": grid.shape.tolist(),
                "chunk_size": grid.size.tolist(),
                "limit": drawn.per_place * max((len(inside) for inside in cells.values()), default=1),
            }
        )
    bits = max(0, (max(len(drawn.records), 1) - 1) // POINTS_PER_MINISHARD).bit_length()
    files["by_id/0.shard"] = _shard(drawn.records, bits)
    info = _info(drawn, lower, upper, spacing, spatial, bits)
    return {"info": json.dumps(info, indent=1, ensure_ascii=False).encode(), **dict(sorted(files.items()))}


def _bounds(drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    if not len(drawn.records):
        return np.zeros(3), np.ones(3)
    corners = [drawn.records["position"]] + ([drawn.records["end"]] if drawn.kind == "line" else [])
    stored = np.concatenate(corners).astype(np.float64)
    lower, upper = np.floor(stored.min(axis=0)), np.floor(stored.max(axis=0)) + 1
    return lower, upper


def _levels(points: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> list[tuple[_Grid, np.ndarray]]:
    """Every point is in exactly one level: in each, a cell takes at most `CELL_LIMIT` of those left, drawn evenly.

    The grid of a level halves the sides of the one before it that are not much shorter than the longest.
    """
    left = _shuffled(len(points))
    size, shape = upper - lower, np.ones(3, np.int64)
    levels: list[tuple[_Grid, np.ndarray]] = []
    while True:
        grid = _Grid(lower, size.copy(), shape.copy())
        is_last = len(levels) == MAX_LEVELS - 1
        rank = _rank_in_cell(grid, points[left])
        taken = np.full(len(left), True) if is_last else rank < CELL_LIMIT
        levels.append((grid, left[taken]))
        left = left[~taken]
        if not len(left):
            return levels
        halved = size > size.max() / 2
        size = np.where(halved, size / 2, size)
        shape = np.where(halved, shape * 2, shape)


def _shuffled(count: int) -> np.ndarray:
    """0…count-1 in an order that looks random and is always the same: a viewer draws the first part of a cell when it draws a part."""
    return np.random.Generator(np.random.PCG64(count)).permutation(count)


def _rank_in_cell(grid: _Grid, points: np.ndarray) -> np.ndarray:
    """For each point, how many earlier ones lie in its cell."""
    flat = np.ravel_multi_index(tuple(grid.cell_of(points).T), tuple(grid.shape))
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(points), np.int64)
    rank[order] = np.arange(len(points)) - starts
    return rank


def _cells(grid: _Grid, points: np.ndarray, members: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """The members of each cell that has any; a layer without points has one empty cell, so that no reader meets a missing file."""
    if not len(members):
        return {(0, 0, 0): members}
    flat = np.ravel_multi_index(tuple(grid.cell_of(points[members]).T), tuple(grid.shape))
    order = np.argsort(flat, kind="stable")
    numbers, starts = np.unique(flat[order], return_index=True)
    groups = np.split(members[order], starts[1:])
    return {
        tuple(int(index) for index in np.unravel_index(number, tuple(grid.shape))): group
        for number, group in zip(numbers, groups, strict=True)
    }


def _multiple(drawn: Drawn, members: np.ndarray) -> bytes:
    """The encoding of several annotations: how many, their records, their ids. Those of one place stay together."""
    rows = (members[:, None] * drawn.per_place + np.arange(drawn.per_place)).reshape(-1)
    count = np.array([len(rows)], "<u8")
    return count.tobytes() + drawn.records[rows].tobytes() + rows.astype("<u8").tobytes()


def _shard(records: np.ndarray, minishard_bits: int) -> bytes:
    """The index by id as a single shard: shard index, records, minishard indices; nothing compressed.

    An id's minishard is its lowest bits; offsets count from the end of the shard index.
    """
    width, count = records.itemsize, 1 << minishard_bits
    data, indices, places = [], [], []
    data_end = len(records) * width
    position = end = 0
    for minishard in range(count):
        ids = np.arange(minishard, len(records), count, dtype=np.uint64)
        data.append(records[ids].tobytes())
        index = np.zeros((3, len(ids)), "<u8")
        if len(ids):
            index[0] = np.diff(ids, prepend=np.uint64(0))
            index[1, 0] = position
            index[2] = width
        indices.append(index.tobytes())
        places.append((data_end + end, data_end + end + index.nbytes))
        position += len(ids) * width
        end += index.nbytes
    return np.array(places, "<u8").tobytes() + b"".join(data) + b"".join(indices)


def _info(
    drawn: Drawn,
    lower: np.ndarray,
    upper: np.ndarray,
    spacing: float,
    spatial: list[dict],
    minishard_bits: int,
) -> dict:
    return {
        "@type": "neuroglancer_annotations_v1",
        "dimensions": {axis: [float(f"{spacing * 1e-10:.12g}"), "m"] for axis in "xyz"},
        "lower_bound": lower.tolist(),
        "upper_bound": upper.tolist(),
        "annotation_type": drawn.kind,
        "properties": drawn.properties,
        "relationships": [],
        "by_id": {
            "key": "by_id",
            "sharding": {
                "@type": "neuroglancer_uint64_sharded_v1",
                "preshift_bits": 0,
                "hash": "identity",
                "minishard_bits": minishard_bits,
                "shard_bits": 0,
                "minishard_index_encoding": "raw",
                "data_encoding": "raw",
            },
        },
        "spatial": spatial,
    }
