"""Scores of a predicted mask, voxel by voxel, read slab by slab: memory does not grow with the volumes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tomoportal.compare.points import share
from tomoportal.errors import SourceError, UsageError
from tomoportal.formats.mrc import open_mrc

_SLAB = 32 << 20
"""Voxels that are looked at together."""
_SAME = 1e-3
"""Relative difference of voxel sizes that rounding explains."""

Shape = tuple[int, int, int]


class Readable(Protocol):
    """Blocks by three slices (z, y, x)."""

    def __getitem__(self, region: tuple[slice, slice, slice], /) -> NDArray: ...


@dataclass(frozen=True, slots=True)
class Mask:
    """An opened volume and what of it is inside: voxels equal to `label`, or above `threshold`, or else all that are not 0. `shape` is
    (z, y, x); `spacing` Å per voxel, None where the file does not say; `depth` sections are best read together."""

    name: str
    shape: Shape
    spacing: float | None
    array: Readable
    depth: int = 1
    label: int | None = None
    threshold: float | None = None

    def inside(self, begin: int, end: int) -> NDArray[np.bool_]:
        """Sections `begin` to `end` (exclusive)."""
        block = np.asarray(self.array[begin:end, 0 : self.shape[1], 0 : self.shape[2]])
        if self.label is not None:
            return block == self.label
        return block > self.threshold if self.threshold is not None else block != 0


@dataclass(frozen=True, slots=True)
class MaskScores:
    """Voxels inside both (`common`), inside the `predicted` one and inside the `true` one. Dice is 2·common / (predicted + true), IoU
    common / (predicted + true − common); what cannot be said, as the Dice of two empty masks, is None."""

    predicted: int
    true: int
    common: int
    dice: float | None
    iou: float | None
    precision: float | None
    recall: float | None


def open_mask(
    path: Path, *, name: str | None = None, label: int | None = None, threshold: float | None = None
) -> Mask:
    """An MRC file or an OME-Zarr folder. Raises `SourceError`, `FormatError`, `UsageError`."""
    if label is not None and threshold is not None:
        raise UsageError(f"{name or path}: give a label or a threshold, not both.")
    shown = name or str(path)
    if not path.exists():
        raise SourceError(shown, "there is no such file or folder.")
    if path.is_dir():
        from tomoportal.formats.ome_zarr import open_ome_zarr

        zarr = open_ome_zarr(path, name=shown)
        return Mask(shown, zarr.shape, zarr.voxel_size[0], zarr, zarr.chunks[0], label, threshold)
    volume = open_mrc(path, name=shown)
    z, y, x = volume.data.shape
    return Mask(shown, (z, y, x), volume.voxel_size[0], volume.data, 1, label, threshold)


def compare_masks(predicted: Mask, truth: Mask) -> MaskScores:
    """The scores. Raises `UsageError` when sizes or voxel sizes differ."""
    _check(predicted, truth)
    plane = predicted.shape[1] * predicted.shape[2]
    depth = math.lcm(predicted.depth, truth.depth)
    step = depth * max(1, _SLAB // (plane * depth))
    if plane * step > 8 * _SLAB:
        step = max(predicted.depth, truth.depth)
    count = true = common = 0
    for begin in range(0, predicted.shape[0], step):
        end = min(begin + step, predicted.shape[0])
        one, other = predicted.inside(begin, end), truth.inside(begin, end)
        count += int(np.count_nonzero(one))
        true += int(np.count_nonzero(other))
        common += int(np.count_nonzero(one & other))
    return MaskScores(
        count, true, common, share(2 * common, count + true), share(common, count + true - common),
        share(common, count), share(common, true),
    )  # fmt: skip


def _check(predicted: Mask, truth: Mask) -> None:
    if predicted.shape != truth.shape:
        sizes = [" × ".join(map(str, reversed(mask.shape))) for mask in (predicted, truth)]
        raise UsageError(
            f"{predicted.name} has {sizes[0]} voxels and {truth.name} {sizes[1]}; expected the same size. "
            "Compare masks of one voxel spacing, or bin the finer one."
        )
    if predicted.spacing and truth.spacing and abs(predicted.spacing / truth.spacing - 1) > _SAME:
        raise UsageError(
            f"{predicted.name} has voxels of {predicted.spacing:g} Å and {truth.name} of {truth.spacing:g} Å; expected the same."
        )
