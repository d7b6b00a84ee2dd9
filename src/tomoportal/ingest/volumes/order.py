"""The order in which chunks are visited: coarse chunks complete early, pages of the source are revisited soon."""

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
    """Every chunk of `grid` once: groups that make one chunk two levels up follow each other row by row, and inside a group
    the chunks of one octant (of 2 along each scaled axis) come together."""
    groups = [range(0, side, _GROUP if step > 1 else 1) for side, step in zip(grid, steps, strict=True)]
    inner = [(0, 2) if step > 1 else (0,) for step in steps]
    single = [(0, 1) if step > 1 else (0,) for step in steps]
    for parts in itertools.product(
        itertools.product(*groups), itertools.product(*inner), itertools.product(*single)
    ):
        z, y, x = (sum(axis) for axis in zip(*parts, strict=True))
        if z < grid[0] and y < grid[1] and x < grid[2]:
            yield z, y, x
