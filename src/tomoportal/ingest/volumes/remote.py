"""Volumes on object stores, read by ranges: an MRC file by its rows, an OME-Zarr image by its chunks; nothing is copied.

Compressed files, TIFF stacks, DigitalMicrograph files and MRC files with turned axes cannot be read in pieces that follow each
other; they are fetched to scratch as a whole.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tomoportal.errors import SourceError, StorageError
from tomoportal.formats.mrc import MrcVolume, PackedNibbles, open_mrc
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.ingest.volumes.facts import Shape
from tomoportal.ingest.volumes.source import FETCHED, Region, Source, from_zarr, open_source

HEAD = 64 << 10
"""Bytes that are read first: the header, and most extended headers."""
ZARR = ".zarr"
_PACKED = (b"\x1f\x8b", b"BZ")


@contextmanager
def open_remote(files: DepositorFiles, path: str, size: int, scratch: Path) -> Iterator[Source]:
    """The volume at `path`, a file of `size` bytes or a folder `*.zarr`. Raises `SourceError` or `FormatError`."""
    if path.endswith(ZARR):
        yield _zarr(files, path)
        return
    head = files.read(path, 0, HEAD)
    if head[:2] not in _PACKED and head[:4] not in FETCHED:
        source = _mrc(files, path, size, head, scratch)
        if source is not None:
            yield source
            return
    with files.fetch(path, scratch) as file:
        yield open_source(file, name=path, scratch=scratch)


def _zarr(files: DepositorFiles, path: str) -> Source:
    from tomoportal.formats.ome_zarr import open_ome_zarr
    from tomoportal.ingest.volumes.zarr_store import DepositorStore

    return from_zarr(open_ome_zarr(DepositorStore(files, path), name=path), path)


def _mrc(files: DepositorFiles, path: str, size: int, head: bytes, scratch: Path) -> Source | None:
    """None when rows and sections of the file are not those of the volume."""
    volume = _described(files, path, size, head, scratch)
    turned = isinstance(volume.data, np.ndarray) and not volume.data.flags.c_contiguous
    if turned:
        return None
    z, y, x = volume.data.shape
    row = (x + 1) // 2 if isinstance(volume.data, PackedNibbles) else x * volume.data.dtype.itemsize
    packed = isinstance(volume.data, PackedNibbles)
    start = HEADER_SIZE + volume.header.nsymbt
    rows = RemoteRows(files, path, start, row, (z, y, x), volume.data.dtype, packed)
    return Source(
        path, "mrc", (z, y, x), volume.data.dtype, volume.voxel_size, rows, volume.problems,
        needs_spool=True, header=volume.header, origin=volume.origin,
    )  # fmt: skip


def _described(files: DepositorFiles, path: str, size: int, head: bytes, scratch: Path) -> MrcVolume:
    """What the headers say, as the reader of local files finds it: in an empty file of the same size."""
    if HEADER_SIZE <= len(head) < size:
        header, _ = decode_header(head[:HEADER_SIZE], size, path)
        missing = min(HEADER_SIZE + header.nsymbt, size) - len(head)
        if missing > 0:
            head += files.read(path, len(head), missing)
    try:
        with tempfile.NamedTemporaryFile(dir=scratch) as file:
            os.truncate(file.fileno(), size)
            os.pwrite(file.fileno(), head[:size], 0)
            return open_mrc(Path(file.name), name=path)
    except OSError as error:
        where, trouble = str(scratch), error.strerror or str(error)
        raise StorageError(
            where, f"no scratch file can be made here: {trouble}; TMPDIR names another folder"
        ) from error


@dataclass(frozen=True, slots=True)
class RemoteRows:
    """The data of an MRC file as a (z, y, x) array of `shape` whose rows, of `row` bytes each, begin at `start`. Every access asks
    the storage: for one range when whole sections are wanted, else for one of each section."""

    files: DepositorFiles
    path: str
    start: int
    row: int
    shape: Shape
    dtype: np.dtype
    packed: bool = False

    def __getitem__(self, region: Region) -> np.ndarray:
        z, y, x = region
        z0, z1, _ = z.indices(self.shape[0])
        y0, y1, _ = y.indices(self.shape[1])
        if y1 - y0 == self.shape[1]:
            data = self._rows(z0 * self.shape[1], (z1 - z0) * self.shape[1])
        else:
            data = b"".join(self._rows(section * self.shape[1] + y0, y1 - y0) for section in range(z0, z1))
        stored = np.frombuffer(data, np.uint8 if self.packed else self.dtype).reshape(z1 - z0, y1 - y0, -1)
        if self.packed:
            return PackedNibbles(stored, self.shape[2])[slice(None), slice(None), x]
        return stored[:, :, x]

    def _rows(self, first: int, count: int) -> bytes:
        data = self.files.read(self.path, self.start + first * self.row, count * self.row)
        if len(data) != count * self.row:
            raise SourceError(
                self.path, f"it ends early: {count * self.row} bytes were asked for, {len(data)} came.",
                "Has it changed? Run the same command again.",
            )  # fmt: skip
        return data
