"""The order in which chunks are visited: coarse chunks complete early, and the source is gone through in bands of whole rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tomoportal.ingest.volumes.facts import Shape

_GROUP = 4


def grid_of(shape: Shape, chunks: Shape) -> Shape:
    """How many chunks there are along each axis."""
    z, y, x = (-(-side // chunk) for side, chunk in zip(shape, chunks, strict=True))
    return z, y, x


def octant_order(grid: Shape, steps: Shape) -> Iterator[Shape]:
    """Every chunk of `grid` once, octant by octant (2 along each scaled axis: what makes one chunk of the next level), the octants
    of a band (the same z and y) along x, and the four bands that make one row of chunks two levels up one after the other."""
    z_groups, y_groups = (
        range(0, side, _GROUP if step > 1 else 1) for side, step in zip(grid[:2], steps, strict=False)
    )
    z_bands, y_bands = ((0, 2) if step > 1 else (0,) for step in steps[:2])
    octants = range(0, grid[2], steps[2])
    single = [range(step) for step in steps]
    for z_group, y_group, z_band, y_band, x in itertools.product(
        z_groups, y_groups, z_bands, y_bands, octants
    ):
        for inner in itertools.product(*single):
            index = z_group + z_band + inner[0], y_group + y_band + inner[1], x + inner[2]
            if all(i < side for i, side in zip(index, grid, strict=True)):
                yield index
