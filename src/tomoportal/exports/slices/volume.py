"""Cuts through a published volume: which part of which file is read, and the plane that comes of it.

A plane is an array of rows and columns with row 0 at the top, as Neuroglancer and the key photos show it:

    axis z   rows are y, columns x
    axis y   rows are z, columns x
    axis x   rows are y, columns z

so that the cuts along y and x fit below and beside the cut along z. Indices count voxels of the finest level from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import UsageError
from tomoportal.exports.slices.levels import Level, Shape
from tomoportal.exports.slices.pyramid import Pyramid, Region
from tomoportal.exports.slices.stacks import Stack

AXES = "zyx"
MOST_SLAB = 50
"""Slices on each side of a slab."""
MOST_VOXELS = 256 << 20
"""Voxels that may be read for one picture."""

Plane = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cut:
    """A slice across an axis (`z`, `y`, `x`), or the mean of a slab: of `slab` slices on each side as well, as far as there are any."""

    axis: str
    index: int
    slab: int = 0

    @property
    def number(self) -> int:
        """The axis as place in (z, y, x)."""
        return AXES.index(self.axis)


@dataclass(frozen=True, slots=True)
class Extent:
    """Columns and rows of a plane in voxels of the finest level."""

    columns: int
    rows: int

    @staticmethod
    def of(shape: Shape, axis: str) -> Extent:
        """Of cuts across an axis of a volume of the shape (z, y, x)."""
        z, y, x = shape
        return {"z": Extent(x, y), "y": Extent(x, z), "x": Extent(z, y)}[axis]


@dataclass(frozen=True, slots=True)
class Shown:
    """A plane, and how many of its columns and rows (fractions count) the volume fills: with odd sides, the last voxel of a coarse level
    reaches beyond it."""

    plane: Plane
    columns: float
    rows: float


@dataclass(frozen=True, slots=True)
class Volume:
    """A published volume of the shape (z, y, x), as OME-Zarr and, where there is one, as MRC."""

    shape: Shape
    pyramid: Pyramid | None
    stack: Stack | None

    def check(self, cut: Cut) -> None:
        """Raises `UsageError` for a slice that does not exist."""
        count = self.shape[cut.number]
        if not 0 <= cut.index < count:
            raise UsageError(
                f"There is no slice {cut.index} along {cut.axis}: the {count} slices are numbered from 0 to {count - 1}."
            )
        if not 0 <= cut.slab <= MOST_SLAB:
            raise UsageError(f"A slab takes 0 to {MOST_SLAB} slices on each side, not {cut.slab}.")

    def shown(self, cut: Cut, width: int | None, level: int | None) -> Shown:
        """The plane of a cut from the level asked for, else from the coarsest that is at least `width` columns wide. Raises `UsageError`,
        `FormatError`, `StorageError`."""
        self.check(cut)
        chosen = self._level(cut, width, level)
        found = self._from_stack(cut) if self._suits(chosen, cut, level) else None
        if found is not None:
            return found
        if chosen is None or self.pyramid is None:
            raise UsageError(
                f"Cuts along {cut.axis} are made from OME-Zarr, which this volume does not have."
            )
        return _from_level(self.pyramid, chosen, cut, self.shape)

    def _suits(self, chosen: Level | None, cut: Cut, wanted: int | None) -> bool:
        """Whether the MRC is read: for the finest level, and from this machine's disk wherever a coarse level would need whole chunks of
        many slices for one."""
        if self.stack is None or cut.axis == "x":
            return False
        if chosen is None or max(chosen.factors) == 1:
            return True
        return wanted is None and self.stack.is_local and chosen.factors[cut.number] > 1

    def _level(self, cut: Cut, width: int | None, wanted: int | None) -> Level | None:
        levels = self.pyramid.levels if self.pyramid else ()
        if wanted is not None:
            if not 0 <= wanted < len(levels):
                raise UsageError(f"There is no level {wanted}: the {len(levels)} levels are numbered from 0.")
            return levels[wanted]
        wide = [level for level in levels if Extent.of(level.shape, cut.axis).columns >= (width or 0)]
        return wide[-1] if wide else next(iter(levels), None)

    def _from_stack(self, cut: Cut) -> Shown | None:
        start, stop = _span(cut, self.shape, 1)
        extent = Extent.of(self.shape, cut.axis)
        _check_amount((stop - start) * extent.columns * extent.rows)
        planes = self.stack.planes(cut.number, start, stop) if self.stack and cut.axis != "x" else None
        if planes is None:
            return None
        total = next(planes).astype(np.float64)
        for plane in planes:
            total += plane
        if stop - start > 1:
            total /= stop - start
        return Shown(total, extent.columns, extent.rows)


def _from_level(pyramid: Pyramid, level: Level, cut: Cut, shape: Shape) -> Shown:
    start, stop = _span(cut, shape, level.factors[cut.number])
    region = _region(level, cut.number, start, min(stop, level.shape[cut.number]))
    _check_amount(int(np.prod([part.stop - part.start for part in region])))
    total = np.zeros(_without(level.shape, cut.number))
    for place, block in pyramid.blocks(level, region):
        total[_without(place, cut.number)] += block.sum(axis=cut.number, dtype=np.float64)
    part = region[cut.number]
    return Shown(_turned(total / (part.stop - part.start), cut), *_filled(level, cut, shape))


def label_plane(
    pyramid: Pyramid, cut: Cut, shape: Shape, width: int
) -> tuple[np.ndarray[Any, Any], float, float]:
    """The labels of one slice as they are, from the coarsest level that is at least `width` columns wide; with the columns and rows that
    the volume fills, as in `Shown`."""
    wide = [level for level in pyramid.levels if Extent.of(level.shape, cut.axis).columns >= width]
    level = wide[-1] if wide else pyramid.levels[0]
    index = min(cut.index // level.factors[cut.number], level.shape[cut.number] - 1)
    plane = np.zeros(_without(level.shape, cut.number), level.dtype)
    for place, block in pyramid.blocks(level, _region(level, cut.number, index, index + 1)):
        plane[_without(place, cut.number)] = block.squeeze(cut.number)
    return (_turned(plane, cut), *_filled(level, cut, shape))


def _without(items: tuple[T, T, T], number: int) -> tuple[T, T]:
    """What stands for the other two axes."""
    first, second = (item for axis, item in enumerate(items) if axis != number)
    return first, second


def _turned(plane: np.ndarray[Any, Any], cut: Cut) -> np.ndarray[Any, Any]:
    """A plane with its axes in the order of storage as rows and columns."""
    return plane.T if cut.axis == "x" else plane


def _filled(level: Level, cut: Cut, shape: Shape) -> tuple[float, float]:
    z, y, x = (side / factor for side, factor in zip(shape, level.factors, strict=True))
    return {"z": (x, y), "y": (x, z), "x": (z, y)}[cut.axis]


def _span(cut: Cut, shape: Shape, factor: int) -> tuple[int, int]:
    """First slice of a level with voxels of `factor`, and the one after the last."""
    first, last = max(0, cut.index - cut.slab), min(shape[cut.number] - 1, cut.index + cut.slab)
    return first // factor, last // factor + 1


def _region(level: Level, number: int, start: int, stop: int) -> Region:
    z, y, x = (
        slice(start, stop) if axis == number else slice(0, side) for axis, side in enumerate(level.shape)
    )
    return z, y, x


def _check_amount(voxels: int) -> None:
    if voxels > MOST_VOXELS:
        raise UsageError(
            f"{voxels:,} voxels would have to be read for this picture, and at most {MOST_VOXELS:,} are; "
            "ask for a thinner slab, a smaller width or a coarser level."
        )
