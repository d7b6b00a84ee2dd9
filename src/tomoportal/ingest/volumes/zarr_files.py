"""The files of one OME-Zarr image (NGFF 0.4, Zarr v2): chunks encoded and put, from many threads; metadata last.

No Zarr library takes part in writing: a chunk is one blosc frame in one file.
"""

from __future__ import annotations

import itertools
import math
import os
import threading
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numcodecs import blosc

from tomoportal.formats.ome_zarr_metadata import (
    BIT_SHUFFLE,
    BYTE_SHUFFLE,
    COMPRESSOR,
    LEVEL,
    array_metadata,
    group_metadata,
    image_metadata,
)
from tomoportal.ingest.volumes.facts import Shape, VolumeKind
from tomoportal.ingest.volumes.order import grid_of


class ZarrFiles:
    """The folder `root` with the levels `shapes` (z, y, x) of `dtype`. Counts what it writes in `size` and `files`, and
    keeps the CRC-32 of each file by its path below `root` in `sums`."""

    def __init__(self, root: Path, shapes: Sequence[Shape], dtype: np.dtype, kind: VolumeKind) -> None:
        self._root, self._shapes, self._kind = root, shapes, kind
        self._dtype = dtype.newbyteorder("<")
        self._shuffle = BYTE_SHUFFLE if kind.is_mask else BIT_SHUFFLE
        self._lock = threading.Lock()
        self.size = self.files = 0
        self.sums: dict[str, int] = {}
        for level, shape in enumerate(shapes):
            for z, y in itertools.product(*map(range, grid_of(shape, kind.chunks)[:2])):
                (root / str(level) / str(z) / str(y)).mkdir(parents=True, exist_ok=True)

    def put_chunk(self, level: int, index: Shape, block: np.ndarray, *, blank: bool = False) -> None:
        """Encode and write `block`, which may be smaller than a chunk at the far edges. `blank`: it is all zero."""
        data = self._blank if blank else self._encoded(self._padded(block))
        self._put(self._root / str(level) / str(index[0]) / str(index[1]) / str(index[2]), data)

    def put_metadata(self, spacing: float, image_label: Mapping[str, object] | None = None) -> None:
        """Write `.zarray`, `.zattrs` and `.zgroup`; the voxel size (Å) is rounded to 3 decimals before it is scaled. `image_label`
        describes the labels of a mask."""
        for level, shape in enumerate(self._shapes):
            text = array_metadata(shape, self._kind.chunks, self._dtype.str, self._shuffle)
            self._put(self._root / str(level) / ".zarray", text)
        base = round(spacing, 3)
        scales = [
            [round(base * step**level, 6) for step in self._kind.steps] for level in range(len(self._shapes))
        ]
        self._put(self._root / ".zattrs", image_metadata(scales, image_label))
        self._put(self._root / ".zgroup", group_metadata())

    @cached_property
    def _blank(self) -> bytes:
        return self._encoded(np.zeros(self._kind.chunks, self._dtype))

    def _padded(self, block: np.ndarray) -> np.ndarray:
        if block.shape == self._kind.chunks:
            return np.ascontiguousarray(block, self._dtype)
        whole = np.zeros(self._kind.chunks, self._dtype)
        z, y, x = block.shape
        whole[:z, :y, :x] = block
        return whole

    def _encoded(self, chunk: np.ndarray) -> bytes:
        return blosc.compress(chunk, COMPRESSOR.encode(), LEVEL, self._shuffle, 0)

    def _put(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)
        known = path.relative_to(self._root).as_posix(), zlib.crc32(data)
        with self._lock:
            self.size += len(data)
            self.files += 1
            self.sums[known[0]] = known[1]


def chunk_bytes(kind: VolumeKind, dtype: np.dtype) -> int:
    """Bytes of one decoded chunk."""
    return math.prod(kind.chunks) * dtype.itemsize
