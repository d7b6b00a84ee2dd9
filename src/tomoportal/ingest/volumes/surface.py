"""The surface of a published mask, for the 3-D view: from its OME-Zarr, chunk by chunk inside the box around its voxels.

A small mask is followed voxel by voxel, a larger one in steps of 2, 4, 8 … voxels, so that time, memory and the size of the surface
stay within bounds. In each step of 2 it counts how many of 8 voxels are set; where the surface runs between the counts is chosen so that
it encloses about as many voxels as the mask has, which keeps thin membranes as well as round bodies.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tomoportal.ingest.volumes.stream import Box
from tomoportal.viewer.surfaces import surface_net

FULL = 8 << 20
"""Voxels of the box up to which every voxel counts."""
MOST = 48 << 20
"""Cells that are looked at at the same time; 4 bytes of memory for each."""
MOST_OF_OBJECTS = 24 << 20
"""Voxels of which objects are followed; 2 bytes of memory for each."""
MOST_VERTICES = 500_000
"""Of a surface; it has about two faces for each."""
_COARSEST = 3
_CHUNK = 128
_AT_ONCE = 8 << 20
Net = tuple[np.ndarray, np.ndarray]
"""Vertices and faces."""


def mask_surface(zarr_dir: Path, box: Box, voxels: float) -> Net:
    """Vertices (n, 3), x, y, z in voxels of the finest level, and faces (m, 3) around the set voxels of the binary OME-Zarr `zarr_dir`,
    which lie in `box` (z0, y0, x0, z1, y1, x1; end excluded) and are `voxels` in number."""
    size = int(np.prod(np.subtract(box[3:], box[:3]), dtype=np.int64))
    halvings = 0 if size <= FULL else next((n for n in (1, 2) if size >> 3 * n <= MOST), _COARSEST)
    counts, low = _read(zarr_dir, box, halvings)
    while (
        net := _fitted(counts, voxels / 8**halvings) if halvings else surface_net(counts, 0.5, MOST_VERTICES)
    ) is None:
        counts, low, halvings = _halved(counts, low), low // 2, halvings + 1
    vertices, faces = net
    step = 1 << halvings
    return (vertices + low[::-1].astype(np.float32)) * np.float32(step) + np.float32((step - 1) / 2), faces


def object_surfaces(zarr_dir: Path, box: Box, labels: Sequence[int]) -> dict[int, Net]:
    """A surface, as `mask_surface` has it, for each of the objects `labels` (ascending, at most 65,534) of an instance mask. Of a large
    mask every second, fourth … voxel counts; objects between them have none."""
    step = 1
    while int(np.prod(-(-np.subtract(box[3:], box[:3]) // step), dtype=np.int64)) > MOST_OF_OBJECTS:
        step *= 2
    numbers, low = _numbered(zarr_dir, box, labels, step)
    while (nets := _object_nets(numbers)) is None:
        numbers, low, step = (
            numbers[tuple(slice(place % 2, None, 2) for place in low)],
            (low + 1) // 2,
            2 * step,
        )
    first = low[::-1].astype(np.float32)
    return {
        labels[number]: ((vertices + first) * np.float32(step), faces)
        for number, (vertices, faces) in nets.items()
    }


def _object_nets(numbers: np.ndarray) -> dict[int, Net] | None:
    """The surfaces of the objects numbered from 1, by number less 1; None when they have too many vertices together."""
    from scipy import ndimage

    nets, left = {}, MOST_VERTICES
    for number, place in enumerate(ndimage.find_objects(numbers)):
        if place is None:
            continue
        net = surface_net((numbers[place] == number + 1).view(np.uint8), 0.5, left)
        if net is None:
            return None
        left -= len(net[0])
        nets[number] = (net[0] + np.array([side.start for side in place[::-1]], np.float32), net[1])
    return nets


def _numbered(zarr_dir: Path, box: Box, labels: Sequence[int], step: int) -> tuple[np.ndarray, np.ndarray]:
    """The objects as numbers from 1, at voxels whose places are multiples of `step`, and the place (z, y, x) of the first in steps."""
    import zarr

    level = min(step.bit_length() - 1, 2)
    array = zarr.open_array(str(zarr_dir / str(level)), mode="r")
    stride = step >> level
    low, high = (-(-np.array(corner) // step) for corner in (box[:3], box[3:]))
    known = np.array([0, *labels])
    numbers = np.zeros(high - low, np.uint16)
    section = int(np.prod((high - low)[1:])) * stride**3
    sections = max(1, min(_CHUNK // stride, _AT_ONCE // section))
    for z in range(int(low[0]), int(high[0]), sections):
        end = min(z + sections, int(high[0]))
        region = [
            slice(int(a) * stride, (int(b) - 1) * stride + 1)
            for a, b in zip((z, *low[1:]), (end, *high[1:]), strict=True)
        ]
        block = np.asarray(array[tuple(region)])[::stride, ::stride, ::stride]
        numbers[z - low[0] : end - low[0]] = np.searchsorted(known, block)
    return numbers, low


def _read(zarr_dir: Path, box: Box, halvings: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask in steps of 2 ** `halvings` voxels, and the place (z, y, x) of its first step: voxels, or of 8 voxels how many are set."""
    import zarr  # here: few ingestions make surfaces

    level, step = max(0, halvings - 1), 2 if halvings else 1
    array = zarr.open_array(str(zarr_dir / str(level)), mode="r")
    low = np.array(box[:3]) >> halvings
    high = -(-np.array(box[3:]) >> halvings)
    counts = np.zeros(high - low, np.uint8)
    chunk = _CHUNK // step
    ranges = (
        range(begin // chunk, -(-end // chunk))
        for begin, end in zip(low.tolist(), high.tolist(), strict=True)
    )
    for index in itertools.product(*ranges):
        begin = np.maximum(np.array(index) * chunk, low)
        end = np.minimum((np.array(index) + 1) * chunk, high)
        z, y, x = (slice(a * step, b * step) for a, b in zip(begin.tolist(), end.tolist(), strict=True))
        block = np.asarray(array[z, y, x]).view(np.uint8)
        place = tuple(slice(a, b) for a, b in zip((begin - low).tolist(), (end - low).tolist(), strict=True))
        counts[place] = _summed(block) if halvings else block
    return counts, low


def _halved(counts: np.ndarray, low: np.ndarray) -> np.ndarray:
    """In steps twice as long: of 8 steps how many hold something. The first begins at an even place."""
    ahead = [(place % 2, 0) for place in low.tolist()]
    return _summed(np.pad(counts > 0, ahead).view(np.uint8))


def _summed(block: np.ndarray) -> np.ndarray:
    for axis in range(3):
        before = (slice(None),) * axis
        total = block[(*before, slice(0, None, 2))].copy()
        odd = block[(*before, slice(1, None, 2))]
        total[(*before, slice(0, odd.shape[axis]))] += odd
        block = total
    return block


def _fitted(counts: np.ndarray, voxels: float) -> Net | None:
    """The surface that encloses about `voxels` steps: first between the counts above which there are so many, then, since a surface
    cuts off the rims of thin things, lower as long as that comes closer."""
    found = np.bincount(counts.reshape(-1), minlength=9)
    above = found[::-1].cumsum()[::-1][1:]
    level = int(np.abs(above - voxels).argmin())
    best = surface_net(counts, level + 0.5, MOST_VERTICES)
    while best is not None and level > 0 and _enclosed(best) < voxels:
        level -= 1
        wider = surface_net(counts, level + 0.5, MOST_VERTICES)
        if wider is None or abs(_enclosed(wider) - voxels) > abs(_enclosed(best) - voxels):
            break
        best = wider
    return best


def _enclosed(net: Net) -> float:
    """The volume inside a closed surface, by the divergence theorem."""
    vertices, faces = net
    a, b, c = (vertices[faces[:, corner]].astype(np.float64) for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6
