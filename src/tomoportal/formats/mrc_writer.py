"""Writing one MRC2014 file by positioned writes: pieces in any order from many threads, the header last.

The file is made at its full size at once and stays without a header (so: unreadable) until `finish`. No time stamp, no
name of a machine and no random byte goes into it: the same input gives the same bytes.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from tomoportal.formats.mrc_header import (
    EXTENDED_TYPES,
    HEADER_SIZE,
    IMOD_PACKED_NIBBLES,
    IMOD_SIGNED_BYTES,
    IMOD_STAMP,
    MrcHeader,
    header_dtype,
)

LABEL = b"Written by Tomoportal"
VERSION = 20141
_MODES = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6}


@dataclass(frozen=True, slots=True)
class MrcFacts:
    """What the header says about the data: extremes, mean, population standard deviation."""

    minimum: float
    maximum: float
    mean: float
    sigma: float


class MrcWriter:
    """A file of `shape` (z, y, x) and dtype int8, int16, uint16 or float32, little-endian.

    `spacing` (Å) is the voxel size on every axis; `stack` marks a tilt series (space group 0, mz 1, cell z = one pixel).
    `origin` is the header of an MRC source whose extended header and free fields are kept. Use as a context manager."""

    def __init__(
        self, path: Path, shape: tuple[int, int, int], dtype: np.dtype, *, spacing: float, stack: bool = False,
        origin: MrcHeader | None = None,
    ) -> None:  # fmt: skip
        self._shape, self._spacing, self._stack = shape, spacing, stack
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self._origin = origin if origin is not None and origin.byte_order == "<" else None
        self._extended = self._origin.extended if self._origin else b""
        self._offset = HEADER_SIZE + len(self._extended)
        self.size = self._offset + int(np.prod(shape)) * self.dtype.itemsize
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.truncate(self._fd, self.size)

    def write_rows(self, z: int, y: int, rows: np.ndarray) -> None:
        """Put full-width `rows` (n, x) at section `z`, first row `y`. Safe from many threads. Rows of zero bytes need no
        writing: the file is made of them."""
        data = np.ascontiguousarray(rows, self.dtype).data.cast("B")
        if not np.frombuffer(data, np.uint8).any():
            return
        position = self._offset + (z * self._shape[1] + y) * self._shape[2] * self.dtype.itemsize
        while data:
            written = os.pwrite(self._fd, data, position)
            data, position = data[written:], position + written

    def finish(self, facts: MrcFacts) -> None:
        """Write the header, which makes the file valid."""
        os.pwrite(self._fd, self._header(facts) + self._extended, 0)

    def _header(self, facts: MrcFacts) -> bytes:
        nz, ny, nx = self._shape
        head = np.zeros(1, header_dtype("<"))[0]
        head["size"], head["mode"] = (nx, ny, nz), _MODES[self.dtype.name]
        head["sampling"] = (nx, ny, 1 if self._stack else nz)
        head["cell"] = np.asarray(head["sampling"], np.float64) * self._spacing
        head["angles"], head["axes"] = 90.0, (1, 2, 3)
        head["dmin"], head["dmax"], head["dmean"] = facts.minimum, facts.maximum, facts.mean
        head["rms"], head["ispg"] = facts.sigma, 0 if self._stack else 1
        head["nsymbt"], head["exttyp"], head["nversion"] = len(self._extended), self._extended_type(), VERSION
        head["map_id"], head["stamp"], head["nlabl"] = b"MAP ", b"\x44\x44\0\0", 1
        head["labels"][0] = np.void(LABEL.ljust(80))
        if self._origin:
            head["extra1"], head["extra2"] = (
                np.void(self._origin.extra1),
                np.void(self._extra2(self._origin.extra2)),
            )
        return head.tobytes()

    def _extended_type(self) -> np.void:
        kept = self._origin.exttyp if self._origin and self._extended else b"MRCO"
        return np.void(kept if kept in EXTENDED_TYPES else b"MRCO")

    def _extra2(self, extra: bytes) -> bytes:
        """The source's free bytes, with IMOD's flags made true for what is written: signed bytes, nothing packed."""
        stamp, flags = struct.unpack_from("<ii", extra, 40)
        if stamp != IMOD_STAMP:
            return extra
        flags = (flags & ~IMOD_PACKED_NIBBLES) | IMOD_SIGNED_BYTES
        return extra[:44] + struct.pack("<i", flags) + extra[48:]

    def close(self) -> None:
        """Close the file; without `finish` it has no header."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> MrcWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
