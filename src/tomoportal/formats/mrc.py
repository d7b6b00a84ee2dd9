"""Reading MRC files (.mrc, .rec, .st, .ali, .mrcs, .map) by mapping them, without ever loading the whole.

Takes a local path, gives an `MrcVolume`: a read-only mapped array (z, y, x), the voxel size in Å, the raw header and one
`Problem` for every leniency. Raises `FormatError` where the data cannot be trusted. Never writes, except that a gz or bz2
wrapper is unpacked into an unlinked scratch file.
"""

from __future__ import annotations

import bz2
import gzip
import mmap
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.mrc_header import (
    HEADER_SIZE,
    IMOD_ORIGIN_AS_IN_MRC2014,
    IMOD_PACKED_NIBBLES,
    IMOD_SIGNED_BYTES,
    MrcHeader,
    decode_header,
)
from tomoportal.formats.mrc_sections import section_headers
from tomoportal.problems import Problem, Severity

_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_REFUSED = {3: "complex 16-bit integers", 4: "complex 32-bit floats"}
_UNPACKERS: dict[bytes, Callable] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
_PLACEHOLDER = 1.0
"""Å: what programs write that do not know the voxel size."""
_SAME_SIZE = 0.01
"""Relative."""

Size3 = tuple[float | None, float | None, float | None]


class PackedNibbles:
    """Mode 101: unsigned 4-bit values, two to a byte, the first in the low half; each row is padded to whole bytes.

    Behaves as a read-only (z, y, x) array of uint8 for indexing with three slices of step 1; only what is asked for is
    unpacked."""

    dtype = np.dtype(np.uint8)

    def __init__(self, packed: np.ndarray, columns: int) -> None:
        self._packed = packed
        self.shape: tuple[int, int, int] = (packed.shape[0], packed.shape[1], columns)

    def __getitem__(self, region: tuple[slice, slice, slice]) -> np.ndarray:
        z, y, x = region
        start, stop, _ = x.indices(self.shape[2])
        pairs = self._packed[z, y, start // 2 : (stop + 1) // 2]
        values = np.empty((*pairs.shape[:2], pairs.shape[2] * 2), np.uint8)
        values[..., 0::2] = pairs & 15
        values[..., 1::2] = pairs >> 4
        return values[..., start % 2 : start % 2 + max(0, stop - start)]


@dataclass(frozen=True)
class MrcVolume:
    """An open MRC file. `data` is (z, y, x), in the file's own byte order; `voxel_size` is (x, y, z) in Å, None where
    the header cannot tell. The mapping is released with the object, or page by page with `release`."""

    name: str
    header: MrcHeader
    data: np.ndarray | PackedNibbles
    voxel_size: Size3
    problems: tuple[Problem, ...]
    compressed: bool
    _mapping: mmap.mmap = field(repr=False)

    @property
    def origin(self) -> Size3:
        """Where the header places the first voxel, (x, y, z) in Å: its origin, or else its start times the voxel size, None where that
        is unknown. IMOD means the opposite sign, unless its flags say otherwise."""
        if any(self.header.origin) or not any(self.header.start):
            flags = self.header.imod_flags
            sign = -1.0 if flags is not None and not flags & IMOD_ORIGIN_AS_IN_MRC2014 else 1.0
            x, y, z = (sign * part for part in self.header.origin)
            return x, y, z
        start = dict(zip(self.header.axes, self.header.start, strict=True))
        along = (
            None if size is None else start.get(axis, 0) * size
            for axis, size in zip((1, 2, 3), self.voxel_size, strict=True)
        )
        return next(along), next(along), next(along)

    def release(self) -> None:
        """Give the mapped pages back to the system; they are read again when touched again."""
        self._mapping.madvise(mmap.MADV_DONTNEED)


def open_mrc(path: Path, *, name: str | None = None, scratch: Path | None = None) -> MrcVolume:
    """Map the MRC file at `path`, which messages call `name`. A gz or bz2 wrapper is unpacked below `scratch`.

    Raises `SourceError` when the file cannot be opened, `FormatError` when it is empty, truncated, complex, or no MRC."""
    label = name or path.name
    try:
        with path.open("rb") as file:
            unpack = _UNPACKERS.get(file.read(2))
            if unpack is None:
                return _open(file, label, compressed=False)
            with tempfile.TemporaryFile(dir=scratch) as spool:
                _unpack(path, unpack, spool, label)
                return _open(spool, label, compressed=True)
    except OSError as error:
        raise SourceError(label, f"the file cannot be read ({error.strerror or error}).") from error


def _unpack(path: Path, unpack: Callable, spool: IO[bytes], name: str) -> None:
    try:
        with unpack(path, "rb") as packed:
            shutil.copyfileobj(packed, spool, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise FormatError(name, f"the compressed file is damaged ({error}).", "Copy it again.") from error
    spool.flush()


def _open(file: IO[bytes], name: str, *, compressed: bool) -> MrcVolume:
    size = os.fstat(file.fileno()).st_size
    if size < HEADER_SIZE:
        found = "the file is empty" if size == 0 else f"the file has only {size} bytes"
        raise FormatError(
            name, f"{found}; an MRC header alone takes {HEADER_SIZE}.", "Copy or export the file again."
        )
    mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header, problems = decode_header(mapping[:HEADER_SIZE], size, name)
    if header.mode in _REFUSED:
        raise FormatError(name, f"mode {header.mode} ({_REFUSED[header.mode]}) is not an image; modes 0, 1, 2, 6, 12 and "
            "101 can be read.", "Export the real-space volume.")  # fmt: skip
    if header.mode == 0 and (header.imod_flags or 0) & IMOD_PACKED_NIBBLES:
        raise FormatError(name, "IMOD's flags say that each byte holds two values of 4 bits; only mode 101 is read that way.",
            "Write it as bytes, with IMOD's `newstack -mode 0`.")  # fmt: skip
    header, more = _fitted(header, size, name)
    header = replace(header, extended=mapping[HEADER_SIZE : HEADER_SIZE + header.nsymbt])
    data, notes = _mapped(header, mapping, name)
    voxel_size, doubts = _voxel_size(header, name)
    return MrcVolume(name, header, data, voxel_size, (*problems, *more, *notes, *doubts), compressed, mapping)


def _row_bytes(header: MrcHeader) -> int:
    columns = header.size[0]
    return (columns + 1) // 2 if header.mode == 101 else columns * np.dtype(_DTYPES[header.mode]).itemsize


def _fitted(header: MrcHeader, size: int, name: str) -> tuple[MrcHeader, list[Problem]]:
    """The header with an extended header length that agrees with the file's size, or `FormatError`."""
    nx, ny, nz = header.size
    data = _row_bytes(header) * ny * nz
    if not 0 <= header.nsymbt <= size - HEADER_SIZE - data and size == HEADER_SIZE + data:
        note = f"the header announces an extended header of {header.nsymbt} bytes, but the file has room for none"
        return replace(header, nsymbt=0), [_warning("mrc-nsymbt", name, note)]
    expected = HEADER_SIZE + max(header.nsymbt, 0) + data
    if header.nsymbt < 0 or size < expected:
        raise FormatError(name, f"the header promises {nx} × {ny} × {nz} voxels of mode {header.mode}, {expected} bytes with "
            f"headers, but the file has {size} bytes.", "It is truncated or its header is wrong: copy or export it again.")  # fmt: skip
    if size > expected:
        note = f"{size - expected} bytes follow the data ({expected} bytes expected, {size} found); they are ignored"
        return header, [_warning("mrc-trailing-bytes", name, note)]
    return header, []


def _mapped(
    header: MrcHeader, mapping: mmap.mmap, name: str
) -> tuple[np.ndarray | PackedNibbles, list[Problem]]:
    nx, ny, nz = header.size
    offset = HEADER_SIZE + header.nsymbt
    if header.mode == 101:
        packed: np.ndarray = np.ndarray((nz, ny, _row_bytes(header)), np.uint8, mapping, offset)
        if header.axes not in ((1, 2, 3), (0, 0, 0)):
            raise FormatError(
                name,
                f"packed 4-bit data with axis order {header.axes} cannot be read.",
                "Export it as bytes.",
            )
        return PackedNibbles(packed, nx), []
    notes = []
    dtype = np.dtype(header.byte_order + _DTYPES[header.mode])
    if header.mode == 0 and (why := _unsigned_bytes(header)):
        dtype = np.dtype(np.uint8)
        notes.append(_warning("mrc-unsigned-bytes", name, f"mode 0 is read as unsigned bytes, because {why}"))
    data: np.ndarray = np.ndarray((nz, ny, nx), dtype, mapping, offset)
    turned, more = _in_order(data, header.axes, name)
    return turned, notes + more


def _unsigned_bytes(header: MrcHeader) -> str:
    """Why mode 0 means unsigned bytes here, against MRC2014; empty when it does not."""
    if header.dmax > 127:
        return f"the header gives {header.dmax:g} as the maximum"
    flags = header.imod_flags
    if flags is not None and not flags & IMOD_SIGNED_BYTES and header.dmin >= 0:
        return "the header carries IMOD's stamp without its flag for signed bytes"
    return ""


def _in_order(data: np.ndarray, axes: tuple[int, int, int], name: str) -> tuple[np.ndarray, list[Problem]]:
    """`data` (section, row, column) seen as (z, y, x), by the header's mapc, mapr, maps."""
    if axes == (1, 2, 3):
        return data, []
    if sorted(axes) != [1, 2, 3]:
        if axes != (0, 0, 0):
            raise FormatError(name, f"the axis order (mapc, mapr, maps) is {axes}; a permutation of 1, 2, 3 was expected.",
                "Correct the header.")  # fmt: skip
        return data, [
            _warning(
                "mrc-axis-order",
                name,
                "the axis order is not given; columns, rows, sections are taken as x, y, z",
            )
        ]
    of_axis = {axis: position for position, axis in zip((2, 1, 0), axes, strict=True)}
    note = f"columns, rows and sections are the axes {', '.join('xyz'[a - 1] for a in axes)}; the data is turned to x, y, z"
    return data.transpose(of_axis[3], of_axis[2], of_axis[1]), [_warning("mrc-axis-order", name, note)]


def _voxel_size(header: MrcHeader, name: str) -> tuple[Size3, list[Problem]]:
    """(x, y, z) in Å: cell divided by sampling. The extended header of FEI's software knows the pixel size as well: it is taken where
    the main header has none, or the placeholder of 1 Å; a main header that says something else comes from later binning."""
    sides = [c / m if m > 0 else float("inf") for c, m in zip(header.cell, header.sampling, strict=True)]
    x, y, z = (side if 0 < side < float("inf") else None for side in sides)
    sections = section_headers(header)
    own = sections.pixel_size if sections else None
    if own is not None and (x is None or abs(own - x) > _SAME_SIZE * own):
        words = "nothing usable" if x is None else f"{x:.4f} Å"
        if x is None or abs(x - _PLACEHOLDER) < _SAME_SIZE:
            note = (
                f"the pixel size {own:.4f} Å comes from the FEI extended header; the main header says {words}"
            )
            return (own, own, own), [_warning("mrc-fei-pixel-size", name, note)]
        note = f"the FEI extended header gives a pixel size of {own:.4f} Å, the main header {words}, which was taken"
        return (x, y, z), [_warning("mrc-fei-pixel-size", name, note)]
    if None not in (x, y, z):
        return (x, y, z), []
    axes = ", ".join(
        f"{axis} ({side:g})" for axis, side, size in zip("xyz", sides, (x, y, z), strict=True) if size is None
    )
    note = f"the header gives no usable voxel size along {axes}"
    return (x, y, z), [_warning("mrc-voxel-size", name, note)]


def _warning(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=name)
