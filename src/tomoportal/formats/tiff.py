"""Reading a TIFF stack as one 3-D volume, one page at a time.

Takes a local path, gives a `TiffStack`: sections by slices (z, y, x), and the voxel size in Å from ImageJ's metadata where
that is there. Raises `FormatError` for anything but grey pages of one size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile

from tomoportal.errors import FormatError
from tomoportal.problems import Problem, Severity

_ANGSTROM = {"nm": 10.0, "um": 1e4, "µm": 1e4, "\\u00B5m": 1e4, "micron": 1e4, "angstrom": 1.0, "Å": 1.0}
_BROKEN = (tifffile.TiffFileError, ValueError, KeyError, IndexError, OSError, RuntimeError)

Size3 = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class TiffStack:
    """Pages as sections of a read-only (z, y, x) array; `voxel_size` is (x, y, z) in Å, None where unknown."""

    name: str
    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    voxel_size: Size3
    problems: tuple[Problem, ...] = field(default=())

    def __getitem__(self, region: tuple[slice, slice, slice]) -> np.ndarray:
        """The voxels of three slices (z, y, x); whole pages are decoded. Raises `FormatError` when a page is damaged."""
        pages = range(*region[0].indices(self.shape[0]))
        try:
            found = tifffile.imread(self.path, key=list(pages), series=None)
        except _BROKEN as error:
            raise FormatError(
                self.name, f"page {pages.start} cannot be decoded ({error}).", "Copy the file again."
            ) from error
        return found.reshape(len(pages), *self.shape[1:])[:, region[1], region[2]]


def open_tiff_stack(path: Path, *, name: str | None = None) -> TiffStack:
    """Open the TIFF at `path`, which messages call `name`; every page is a section."""
    label = name or path.name
    try:
        with tifffile.TiffFile(path) as file:
            first, count = file.pages.first, len(file.pages)
            shapes = {(page.shape, page.dtype) for page in file.pages}
            imagej = dict(file.imagej_metadata or {})
            resolution = first.tags.valueof("XResolution"), first.tags.valueof("YResolution")
    except _BROKEN as error:
        raise FormatError(
            label, f"this is not a readable TIFF file ({error}).", "Export it again."
        ) from error
    if len(shapes) != 1 or len(first.shape) != 2 or first.dtype is None:
        raise FormatError(
            label, f"the pages differ or are not grey (first page: {first.shape}).", "Export a grey stack."
        )
    size = _voxel_size(imagej, resolution)
    notes = () if None not in size else (Problem("tiff-voxel-size", "the TIFF gives no complete voxel size.",
        Severity.WARNING, file=label),)  # fmt: skip
    return TiffStack(label, path, (count, *first.shape), np.dtype(first.dtype), size, notes)


def _voxel_size(imagej: dict, resolution: tuple) -> Size3:
    factor = _ANGSTROM.get(str(imagej.get("unit", "")))
    if factor is None:
        return None, None, None
    across = [value[1] / value[0] * factor if value and value[0] else None for value in resolution]
    spacing = imagej.get("spacing")
    return across[0], across[1], float(spacing) * factor if spacing else None
