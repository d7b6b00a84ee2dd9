"""The levels of an OME-Zarr image on any storage, read chunk by chunk: only chunks that a plane meets are read and decoded.

Axes are z, y, x. Chunks that were decoded lately are remembered.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np

from tomoportal.errors import FormatError, NotFound
from tomoportal.exports.slices.levels import BROKEN, Level, Shape, read_levels
from tomoportal.storage import Storage

Region = tuple[slice, slice, slice]

KEPT = 256 << 20
"""Bytes of decoded chunks that are remembered: a cut across x of 512 × 1024 voxels meets 32 chunks of 8 MiB."""
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="chunks")


@dataclass(frozen=True, slots=True)
class Pyramid:
    """All levels, finest first. `version` changes with the content."""

    storage: Storage
    version: str
    levels: tuple[Level, ...]

    def blocks(self, level: Level, region: Region) -> Iterator[tuple[Region, np.ndarray]]:
        """The voxels of a region of a level in pieces, each with its place in the region."""
        grid = [
            range(part.start // side, -(-part.stop // side))
            for part, side in zip(region, level.chunks, strict=True)
        ]
        for index, chunk in _threads.map(lambda i: (i, self._chunk(level, i)), itertools.product(*grid)):
            inside, place = _overlap(index, level.chunks, region)
            yield place, chunk[inside]

    def _chunk(self, level: Level, index: Shape) -> np.ndarray:
        path = level.chunk_path(index)
        key = (f"{self.storage.url} {self.version}", path)
        known = _kept.get(key)
        if known is None:
            known = _decoded(self.storage, level, path)
            _kept.put(key, known)
        return known


def open_pyramid(storage: Storage, path: str, version: str) -> Pyramid:
    """Read the metadata of the image in the folder `path`. Raises `FormatError` for what is no such image, `StorageError`."""
    return Pyramid(storage, version, read_levels(storage, path))


def _decoded(storage: Storage, level: Level, path: str) -> np.ndarray:
    try:
        data = storage.read(path)
    except NotFound:
        return np.broadcast_to(np.array(level.fill, level.dtype), level.chunks)
    try:
        return level.decoded(data)
    except BROKEN as error:
        raise FormatError(
            path, f"this chunk cannot be decoded ({error}).", "It is damaged: copy it again."
        ) from error


def _overlap(index: Shape, chunks: Shape, region: Region) -> tuple[Region, Region]:
    """What of a chunk lies in a region, counted in the chunk and counted in the region."""
    inside, place = [], []
    for number, side, part in zip(index, chunks, region, strict=True):
        first, last = max(part.start, number * side), min(part.stop, (number + 1) * side)
        inside.append(slice(first - number * side, last - number * side))
        place.append(slice(first - part.start, last - part.start))
    return (inside[0], inside[1], inside[2]), (place[0], place[1], place[2])


class _Kept:
    """Arrays by key, the least recently used of them forgotten. Safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size, self._lock = limit, 0, Lock()
        self._arrays: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()

    def get(self, key: tuple[str, str]) -> np.ndarray | None:
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
            return self._arrays.get(key)

    def put(self, key: tuple[str, str], array: np.ndarray) -> None:
        if array.nbytes * 4 > self._limit:
            return
        with self._lock:
            if key not in self._arrays:
                self._arrays[key] = array
                self._size += array.nbytes
            while self._size > self._limit:
                self._size -= self._arrays.popitem(last=False)[1].nbytes


_kept = _Kept(KEPT)
