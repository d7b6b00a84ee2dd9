"""A volume that passes through scratch files: only the rows that are worked on, and the next ones, are on this machine.

For sources whose pieces cost a request or a decoding. The chunks of a volume are visited band by band (`order.py`); a band is
fetched block by block while the one before it is worked on, and its file is unlinked from the beginning, so that nothing of
it outlives the process. Each voxel is fetched once. Private memory: the blocks that are fetched at the same time.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tomoportal.ingest.volumes.facts import Shape
from tomoportal.ingest.volumes.order import grid_of, octant_order
from tomoportal.ingest.volumes.source import Region, Source
from tomoportal.ingest.volumes.spool import scratch_array

AHEAD = 64 << 20
"""Bytes of bands that are fetched before they are asked for; one band in any case."""
AT_ONCE = 8
FETCHED = 4 << 20
"""Bytes of one block where the source can be read in any piece."""
LOW = 128 << 20
"""Bytes of a band of whole sections up to which it is not divided along y: it is then one range of an MRC file."""
IN_FLIGHT = 64 << 20
"""Decoded bytes of the blocks that are fetched at the same time; one block in any case."""


@dataclass(slots=True)
class _Band:
    """Rows `y` of the sections `z`, over the whole width."""

    z: slice
    y: slice
    missing: int
    """Chunks that have not been worked on."""
    array: np.ndarray | None = None
    parts: tuple[Future[None], ...] = ()

    def size(self, source: Source) -> int:
        rows = (self.z.stop - self.z.start) * (self.y.stop - self.y.start)
        return rows * source.shape[2] * source.dtype.itemsize


class Bands:
    """The array of `source` for a pass in octant order over `chunks` with `steps`: `self[z, y, x]` waits for the data, which is
    dropped when all chunks of a band have been told to `passed`. A region lies in one band."""

    def __init__(self, source: Source, chunks: Shape, steps: Shape, scratch: Path | None) -> None:
        self.dtype = source.dtype.newbyteorder("=")
        self._source, self._scratch = source, scratch
        self._sides = _sides(source, chunks, steps)
        self._chunks = chunks
        self._order: list[tuple[int, int]] = []
        self._bands: dict[tuple[int, int], _Band] = {}
        for index in octant_order(grid_of(source.shape, chunks), steps):
            self._note(self._place(index))
        self._lock = threading.Lock()
        self._begun = 0
        blocks = _blocks_of(source)
        most = IN_FLIGHT // (math.prod(blocks) * source.dtype.itemsize)
        self._pool = ThreadPoolExecutor(max(1, min(AT_ONCE, most)), thread_name_prefix="band")

    def __enter__(self) -> Bands:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __getitem__(self, region: Region) -> np.ndarray:
        z, y, x = region
        band = self._present((z.start // self._sides[0], y.start // self._sides[1]))
        for part in band.parts:
            part.result()
        band.parts = ()
        assert band.array is not None
        own_z, own_y = (
            slice(part.start - whole.start, part.stop - whole.start)
            for part, whole in ((z, band.z), (y, band.y))
        )
        return band.array[own_z, own_y, x]

    def passed(self, index: Shape) -> None:
        """The chunk `index` has been worked on."""
        band = self._bands[self._place(index)]
        band.missing -= 1
        if not band.missing:
            band.array = None

    def _place(self, index: Shape) -> tuple[int, int]:
        z, y = (i * chunk // side for i, chunk, side in zip(index, self._chunks, self._sides, strict=False))
        return z, y

    def _note(self, place: tuple[int, int]) -> None:
        if place not in self._bands:
            z, y = (
                slice(i * side, min((i + 1) * side, end))
                for i, side, end in zip(place, self._sides, self._source.shape, strict=False)
            )
            self._bands[place] = _Band(z, y, 0)
            self._order.append(place)
        self._bands[place].missing += 1

    def _present(self, place: tuple[int, int]) -> _Band:
        """The band at `place`, begun; those after it are begun as far as there is room for them."""
        with self._lock:
            number = self._order.index(place)
            while self._begun <= number:
                self._begin()
            ahead = 0
            for following in self._order[number + 1 :]:
                ahead += self._bands[following].size(self._source)
                if ahead > AHEAD and following != self._order[number + 1]:
                    break
                if self._order.index(following) == self._begun:
                    self._begin()
            return self._bands[place]

    def _begin(self) -> None:
        band = self._bands[self._order[self._begun]]
        shape = (band.z.stop - band.z.start, band.y.stop - band.y.start, self._source.shape[2])
        array, _ = scratch_array(shape, self.dtype, self._scratch)
        self._begun += 1
        band.array = array
        band.parts = tuple(self._pool.submit(self._fetch, array, band, block) for block in self._blocks(band))

    def _fetch(self, array: np.ndarray, band: _Band, block: Region) -> None:
        z, y, x = block
        inside = (
            slice(z.start - band.z.start, z.stop - band.z.start),
            slice(y.start - band.y.start, y.stop - band.y.start),
        )
        array[(*inside, x)] = self._source.array[block]

    def _blocks(self, band: _Band) -> Iterator[Region]:
        blocks = _blocks_of(self._source)
        whole = (band.z, band.y, slice(0, self._source.shape[2]))
        cut = (
            [slice(i, min(i + size, side.stop)) for i in range(side.start, side.stop, size)]
            for side, size in zip(whole, blocks, strict=True)
        )
        yield from itertools.product(*cut)


def _sides(source: Source, chunks: Shape, steps: Shape) -> tuple[int, int]:
    """Sections and rows of a band: one octant, or whole sections where these are small."""
    z = chunks[0] * steps[0]
    small = min(z, source.shape[0]) * math.prod(source.shape[1:]) * source.dtype.itemsize <= LOW
    return z, max(chunks[1], source.shape[1]) if small else chunks[1] * steps[1]


def _blocks_of(source: Source) -> Shape:
    """The shape in which `source` is fetched."""
    if source.blocks is not None:
        return source.blocks
    _, rows, columns = source.shape
    row = columns * source.dtype.itemsize
    if rows * row <= FETCHED:
        return FETCHED // (rows * row), rows, columns
    return 1, max(1, FETCHED // row), columns


def fits(source: Source, chunks: Shape, steps: Shape) -> bool:
    """Whether the stored blocks of `source` lie in one band each, so that none would be fetched twice."""
    blocks = source.blocks
    if blocks is None:
        return True
    sides = _sides(source, chunks, steps)
    return all(
        side % block == 0 or (block >= end and side >= end)
        for side, block, end in zip(sides, blocks, source.shape, strict=False)
    )
