"""Planes out of MRC files, where sections (and rows of one y) lie in one piece: mapped from this machine's disk, else read by ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tomoportal.formats.mrc import open_mrc
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header
from tomoportal.storage import Storage

_PLAIN = {1: "i2", 2: "f4", 6: "u2", 12: "f2"}
"""Modes whose sections are read by ranges as they are."""


@dataclass(frozen=True, slots=True)
class Stack:
    """An MRC file at `path`."""

    storage: Storage
    path: str

    @property
    def is_local(self) -> bool:
        """Whether it can be mapped: then cuts along y are as cheap as along z."""
        return self.storage.local_path(self.path) is not None

    def planes(self, axis: int, start: int, stop: int) -> Iterator[np.ndarray] | None:
        """The planes `start` to `stop` (exclusive) along an axis (0: z, each (y, x); 1: y, each (z, x)); None where only the whole file
        would tell. Raises `FormatError`, `StorageError`."""
        local = self.storage.local_path(self.path)
        if local is not None:
            return _mapped(open_mrc(local, name=self.path).data, axis, start, stop)
        return self._by_ranges(start, stop) if axis == 0 else None

    def _by_ranges(self, start: int, stop: int) -> Iterator[np.ndarray] | None:
        size = self.storage.stat(self.path).size
        header, _ = decode_header(self.storage.read(self.path, 0, HEADER_SIZE), size, self.path)
        x, y, _ = header.size
        if header.mode not in _PLAIN or header.axes != (1, 2, 3):
            return None
        dtype = np.dtype(header.byte_order + _PLAIN[header.mode])
        length = x * y * dtype.itemsize
        begin = HEADER_SIZE + header.nsymbt
        parts = (
            self.storage.read(self.path, begin + number * length, length) for number in range(start, stop)
        )
        return (np.frombuffer(part, dtype).reshape(y, x) for part in parts)


def _mapped(data: object, axis: int, start: int, stop: int) -> Iterator[np.ndarray]:
    whole = slice(None)
    for number in range(start, stop):
        one = slice(number, number + 1)
        region = (one, whole, whole) if axis == 0 else (whole, one, whole)
        yield data[region].squeeze(axis)  # type: ignore[index]
