"""Coarse chunks in the making: pieces from finer chunks are put together until a chunk is whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tomoportal.ingest.volumes.facts import Shape, VolumeKind
from tomoportal.ingest.volumes.order import grid_of
from tomoportal.ingest.volumes.pages import own_pages


@dataclass
class _Partial:
    block: np.ndarray
    missing: int


class CoarseLevel:
    """Level `level` (1 or 2) of a volume whose finest level has `shape`; chunk shape and steps come from `kind`."""

    def __init__(self, level: int, finest: Shape, shape: Shape, kind: VolumeKind, dtype: np.dtype) -> None:
        self.level, self._shape, self._dtype = level, shape, dtype
        self._chunks = kind.chunks
        self._factors = tuple(step**level for step in kind.steps)
        self._grid = grid_of(finest, kind.chunks)
        self._partial: dict[Shape, _Partial] = {}

    def add(self, index: Shape, piece: np.ndarray) -> tuple[Shape, np.ndarray] | None:
        """Put in `piece`, made from the finest chunk `index`; gives (index, block) of a chunk that is whole with it."""
        z, y, x = (i // factor for i, factor in zip(index, self._factors, strict=True))
        place = (z, y, x)
        partial = self._partial.get(place)
        if partial is None:
            partial = self._partial[place] = self._begun(place)
        partial.block[self._region(index, piece.shape)] = piece
        partial.missing -= 1
        if partial.missing:
            return None
        del self._partial[place]
        return place, partial.block

    def _begun(self, place: Shape) -> _Partial:
        sides = [
            min(chunk, side - i * chunk)
            for i, chunk, side in zip(place, self._chunks, self._shape, strict=True)
        ]
        parts = [
            min(factor, side - i * factor)
            for i, factor, side in zip(place, self._factors, self._grid, strict=True)
        ]
        return _Partial(own_pages(sides, self._dtype), int(np.prod(parts)))

    def _region(self, index: Shape, shape: tuple[int, ...]) -> tuple[slice, ...]:
        starts = [
            (i % factor) * (chunk // factor)
            for i, factor, chunk in zip(index, self._factors, self._chunks, strict=True)
        ]
        return tuple(slice(start, start + side) for start, side in zip(starts, shape, strict=True))
