"""Reading a TIFF stack as one 3-D volume, mapped where its pixels lie in one piece, else some pages at a time.

Takes a local path, gives a `TiffStack`: sections by slices (z, y, x), and the voxel size in Å from the metadata of ImageJ or OME
where these are there. Raises `FormatError` for anything but one stack of grey pages of one size, and for truncated files.
"""

from __future__ import annotations

import logging
import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.tiff_pages import tiff_pages
from tomoportal.problems import Problem, Severity

_ANGSTROM = {"nm": 10.0, "um": 1e4, "µm": 1e4, "μm": 1e4, "\\u00B5m": 1e4, "micron": 1e4, "angstrom": 1.0, "Å": 1.0, "pm": 0.01,
             "mm": 1e7, "m": 1e10}  # fmt: skip
_BROKEN = (tifffile.TiffFileError, ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError,
           MemoryError, OSError, RuntimeError, struct.error)  # fmt: skip
"""What tifffile and its codecs raise over damaged files."""
_SECTIONS = "ZQI"
"""Names of axes that tifffile gives to sections; Q and I are pages without a meaning of their own."""
_NAMES = {"T": "time points", "C": "channels", "S": "samples", "R": "tiles"}

logging.getLogger("tifffile").addHandler(logging.NullHandler())
# Otherwise tifffile's remarks on damaged tags go to the terminal beside our own sentences.

Size3 = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class TiffStack:
    """Pages as sections of a read-only (z, y, x) array; `voxel_size` is (x, y, z) in Å, None where unknown. `mapped` is the whole,
    when nothing must be decoded for it."""

    name: str
    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    voxel_size: Size3
    problems: tuple[Problem, ...] = field(default=())
    mapped: np.ndarray | None = field(default=None, repr=False)
    _mapping: mmap.mmap | None = field(default=None, repr=False)

    def __getitem__(self, region: tuple[slice, slice, slice]) -> np.ndarray:
        """The voxels of three slices (z, y, x); whole pages are decoded. Raises `FormatError` when a page is damaged."""
        if self.mapped is not None:
            return self.mapped[region]
        pages = range(*region[0].indices(self.shape[0]))
        try:
            found = tifffile.imread(self.path, key=list(pages), series=None)
        except _BROKEN as error:
            raise FormatError(
                self.name, f"page {pages.start} cannot be decoded ({error}).", "Copy the file again."
            ) from error
        return found.reshape(len(pages), *self.shape[1:])[:, region[1], region[2]]

    def release(self) -> None:
        """Give mapped pages of memory back to the system."""
        if self._mapping is not None:
            self._mapping.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, slots=True)
class _Described:
    """What the file says of itself: `axes` and `sides` of its image, type, first byte of the pixels when they lie in one piece, and how
    many sections ImageJ `promised`."""

    axes: str
    sides: tuple[int, ...]
    dtype: np.dtype
    offset: int | None
    voxel_size: Size3
    promised: int | None


def open_tiff_stack(path: Path, *, name: str | None = None) -> TiffStack:
    """Open the TIFF at `path`, which messages call `name`; every page is a section."""
    label = name or path.name
    size, pages = _pages(path, label)
    found = _described(path, label)
    if len(found.sides) < 2 or found.axes[-2:] != "YX":
        raise FormatError(
            label, f"the pages are not grey (shape {found.sides}, axes {found.axes}).", "Export a grey stack."
        )
    notes = []
    many = [axis for axis, side in zip(found.axes[:-2], found.sides[:-2], strict=True) if side > 1]
    if len(many) > 1:
        words = " and ".join(_NAMES.get(axis, "sections") for axis in many)
        raise FormatError(label, f"the file holds {words} (shape {found.sides}); one volume was expected.",
            "Export each volume alone.")  # fmt: skip
    if many and many[0] not in _SECTIONS:
        word = _NAMES.get(many[0], many[0])
        notes.append(
            _warning("tiff-sections", label, f"the pages are said to be {word}; they are taken as sections")
        )
    shape = math.prod(found.sides[:-2]), found.sides[-2], found.sides[-1]
    there = shape[0] if found.offset is not None else pages
    if there != (found.promised or shape[0]):
        raise FormatError(label, f"the metadata promise {found.promised or shape[0]} sections, but the file has {there}.",
            "It is truncated or was altered: copy or export it again.")  # fmt: skip
    if None in found.voxel_size[: 3 if shape[0] > 1 else 2]:
        notes.append(_warning("tiff-voxel-size", label, "the TIFF gives no complete voxel size"))
    mapped, mapping = _mapped(path, found, shape, size, label)
    return TiffStack(label, path, shape, found.dtype, found.voxel_size, tuple(notes), mapped, mapping)


def _pages(path: Path, name: str) -> tuple[int, int]:
    """Bytes of the file, and its pages, all of which are whole."""
    try:
        with path.open("rb") as file:

            def read(start: int, length: int) -> bytes:
                file.seek(start)
                return file.read(length)

            size = path.stat().st_size
            return size, sum(1 for _ in tiff_pages(read, size, name))
    except OSError as error:
        raise SourceError(name, f"the file cannot be read ({error.strerror or error}).") from error


def _described(path: Path, name: str) -> _Described:
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series
            first = file.pages.first
            imagej = dict(file.imagej_metadata or {})
            size = _imagej_size(imagej, first.tags) or _ome_size(file.ome_metadata) or (None, None, None)
            if len(series) != 1:
                raise FormatError(
                    name, f"the pages differ, or are {len(series)} images.", "Export a grey stack."
                )
            image = series[0]
            if image.dtype is None:
                raise FormatError(name, "the type of its pixels is unknown.", "Export a grey stack.")
            dtype = np.dtype(image.dtype)
            if image.dataoffset is not None:
                dtype = dtype.newbyteorder(file.byteorder)
            sides, images = tuple(image.shape), imagej.get("images")
            return _Described(image.axes, sides, dtype, image.dataoffset, size, images)
    except FormatError:
        raise
    except _BROKEN as error:
        raise FormatError(name, f"this is not a readable TIFF file ({error}).", "Export it again.") from error


def _mapped(
    path: Path, found: _Described, shape: tuple[int, int, int], size: int, name: str
) -> tuple[np.ndarray, mmap.mmap] | tuple[None, None]:
    if found.offset is None:
        return None, None
    end = found.offset + math.prod(shape) * found.dtype.itemsize
    if end > size:
        raise FormatError(name, f"the pixels end at byte {end}, but the file has {size} bytes.",
            "It is truncated: copy it again.")  # fmt: skip
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.ndarray(shape, found.dtype, mapping, found.offset), mapping


def _imagej_size(metadata: Mapping[str, Any], tags: tifffile.TiffTags) -> Size3 | None:
    """From ImageJ: pixels per unit as a fraction in the baseline tags, unit and spacing in its own."""
    factor = _ANGSTROM.get(str(metadata.get("unit", "")))
    if factor is None:
        return None
    across = [
        value[1] / value[0] * factor if value and value[0] else None
        for value in (tags.valueof("XResolution"), tags.valueof("YResolution"))
    ]
    spacing = metadata.get("spacing")
    return across[0], across[1], float(spacing) * factor if spacing else None


def _ome_size(text: str | None) -> Size3 | None:
    """From the OME-XML of the first page."""
    if not text:
        return None
    image = tifffile.xml2dict(text)["OME"]["Image"]
    pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
    sizes = [
        (pixels.get(f"PhysicalSize{axis}"), _ANGSTROM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm")))
        for axis in "XYZ"
    ]
    x, y, z = (float(size) * factor if size and factor else None for size, factor in sizes)
    return x, y, z


def _warning(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=name)
