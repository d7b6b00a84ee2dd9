"""Reading images of Gatan DigitalMicrograph (.dm3, .dm4): gain references, micrographs and stacks.

`dm_head` takes a function that reads byte ranges and tells what the image is and where its pixels lie; `open_dm` takes a local path
and maps them. Both raise `FormatError` for a file that is truncated, broken, or holds no grey image of two or three dimensions.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.dm_tags import DmTags, Leaf
from tomoportal.formats.tiff_pages import ReadRange
from tomoportal.problems import Problem, Severity

_DTYPES = {
    1: "i2",
    2: "f4",
    6: "u1",
    7: "i4",
    9: "i1",
    10: "u2",
    11: "u4",
    12: "f8",
    14: "u1",
    39: "i8",
    40: "u8",
}
_REFUSED = {
    3: "complex numbers",
    5: "packed complex numbers",
    8: "colours",
    13: "complex numbers",
    23: "colours",
}
_COLOURS = (8, 23)
_ANGSTROM = {"nm": 10.0, "um": 1e4, "µm": 1e4, "μm": 1e4, "å": 1.0, "a": 1.0, "ang": 1.0, "angstrom": 1.0, "pm": 0.01,
             "mm": 1e7, "m": 1e10}  # fmt: skip
_MOST_KEPT = 1 << 14

Size3 = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class DmHead:
    """What is known without the pixels. `kind` is dm3 or dm4, `shape` (z, y, x) with z = 1 for a single image, `dtype` in the file's
    byte order, `offset` the first byte of the pixels, `pixel_size` (x, y, z) in Å with None where the file gives no length, `title`
    the name that the image has inside the file."""

    kind: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    pixel_size: Size3
    title: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class DmImage:
    """An open file. `data` is a read-only mapped array (z, y, x); `release` gives its pages back to the system."""

    name: str
    head: DmHead
    data: np.ndarray
    _mapping: mmap.mmap

    def release(self) -> None:
        """Give the mapped pages back; they are read again when touched again."""
        self._mapping.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, slots=True)
class _Inside:
    """One image of the list: its values by their path below the image."""

    place: str
    tags: DmTags
    leaves: Mapping[tuple[str, ...], Leaf]

    def number(self, *path: str) -> float | None:
        leaf = self.leaves.get(path)
        return None if leaf is None else self.tags.number(leaf)

    def text(self, *path: str) -> str:
        leaf = self.leaves.get(path)
        return "" if leaf is None else self.tags.text(leaf)

    @property
    def kind(self) -> int:
        return int(self.number("ImageData", "DataType") or 0)


def open_dm(path: Path, *, name: str | None = None) -> DmImage:
    """Map the image in the file at `path`, which messages call `name`. Raises `SourceError` when it cannot be opened."""
    label = name or path.name
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if not size:
                raise FormatError(label, "the file is empty.", "Copy it again.")
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise SourceError(label, f"the file cannot be read ({error.strerror or error}).") from error
    head = dm_head(lambda start, length: mapping[start : start + length], size, label)
    data: np.ndarray = np.ndarray(head.shape, head.dtype, mapping, head.offset)
    return DmImage(label, head, data, mapping)


def dm_head(read: ReadRange, size: int, name: str) -> DmHead:
    """Look at a file of `size` bytes. Thumbnails are passed over; of several images the first is taken, which is a problem."""
    tags = DmTags(read, size, name)
    images, thumbnails = _images(tags)
    own = [image for image in images if image.place not in thumbnails]
    own = [image for image in own if image.kind not in _COLOURS] or own
    if not own:
        raise FormatError(name, "there is no image in this DM file.", "Save it again from DigitalMicrograph.")
    image, notes = own[0], []
    if len(own) > 1:
        notes.append(_warning("dm-images", name, f"the file holds {len(own)} images; the first is taken"))
    shape, dtype = _shape(image), _dtype(image)
    pixels = image.leaves.get(("ImageData", "Data"))
    if pixels is None or pixels.size != math.prod(shape) * dtype.itemsize:
        found = 0 if pixels is None else pixels.size
        sides = " × ".join(map(str, shape[::-1]))
        raise FormatError(name, f"an image of {sides} pixels of type {dtype} was expected, but its data have {found} bytes.",
            "The file is damaged: copy it again.")  # fmt: skip
    sizes, doubts = _pixel_size(image, shape)
    return DmHead(tags.kind, shape, dtype, pixels.offset, sizes, image.text("Name"), (*notes, *doubts))


def _images(tags: DmTags) -> tuple[list[_Inside], set[str]]:
    """The images of the file, and the places of those that are thumbnails."""
    found: dict[str, dict[tuple[str, ...], Leaf]] = {}
    thumbnails: set[str] = set()
    kept = 0
    for leaf in tags.leaves():
        path = leaf.path
        if path[0] == "ImageList" and len(path) > 2 and path[2] in ("ImageData", "Name"):
            kept += 1
            if kept > _MOST_KEPT:
                raise FormatError(tags.name, "there are too many images in this DM file.", "Save them apart.")
            found.setdefault(path[1], {})[path[2:]] = leaf
        elif path[0] == "Thumbnails" and path[-1] == "ImageIndex" and len(thumbnails) < _MOST_KEPT:
            thumbnails.add(str(tags.number(leaf)))
    images = [_Inside(place, tags, leaves) for place, leaves in found.items()]
    return [image for image in images if ("ImageData", "Data") in image.leaves], thumbnails


def _shape(image: _Inside) -> tuple[int, int, int]:
    sides: list[int] = []
    while (side := image.number("ImageData", "Dimensions", str(len(sides)))) is not None:
        sides.append(int(side))
    while len(sides) > 3 and sides[-1] == 1:
        sides.pop()
    if not 2 <= len(sides) <= 3 or min(sides) < 1:
        words = " × ".join(map(str, sides)) or "none"
        raise FormatError(image.tags.name, f"the image has the dimensions {words}; two or three were expected.",
            "Save the image or stack alone.")  # fmt: skip
    x, y, z = (*sides, 1)[:3]
    return z, y, x


def _dtype(image: _Inside) -> np.dtype:
    if image.kind not in _DTYPES:
        what = _REFUSED.get(image.kind, f"data of the type {image.kind}")
        raise FormatError(
            image.tags.name, f"the image holds {what}; real numbers were expected.", "Save real numbers."
        )
    return np.dtype(image.tags.order + _DTYPES[image.kind])


def _pixel_size(image: _Inside, shape: tuple[int, int, int]) -> tuple[Size3, list[Problem]]:
    """(x, y, z) in Å; a problem for an axis that has a unit which is no length."""
    sizes: list[float | None] = []
    notes = []
    for axis, place in zip("xyz", "012", strict=True):
        at = ("ImageData", "Calibrations", "Dimension", place)
        scale, unit = image.number(*at, "Scale"), image.text(*at, "Units").strip()
        factor = _ANGSTROM.get(unit.lower())
        is_length = scale is not None and factor is not None and 0 < abs(scale) < math.inf
        sizes.append(abs(scale) * factor if is_length else None)  # type: ignore[arg-type,operator]
        if unit and factor is None and not (axis == "z" and shape[0] == 1):
            notes.append(
                _warning(
                    "dm-unit", image.tags.name, f"the unit of axis {axis} is {unit!r}, which is no length"
                )
            )
    return (sizes[0], sizes[1], sizes[2] if shape[0] > 1 else None), notes


def _warning(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=name)
