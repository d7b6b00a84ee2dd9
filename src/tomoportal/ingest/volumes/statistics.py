"""Count, extremes, mean and spread of a volume, gathered block by block and merged in a fixed order, in float64.

The merge is that of Chan, Golub and LeVeque (1979); merging the blocks in their order in the volume makes the result, to
the last bit, independent of which thread saw which block when.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

_PIECE = 1 << 18
_ROW = 1 << 10
_SAFE_TO_SQUARE = 1e17


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of `count` finite voxels: minimum, maximum, mean and `m2`, the sum of squared distances from the mean.
    `unusual` counts the voxels that are not finite."""

    count: int = 0
    unusual: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    mean: float = 0.0
    m2: float = 0.0

    @property
    def sigma(self) -> float:
        """The population standard deviation."""
        return math.sqrt(self.m2 / self.count) if self.count else 0.0

    def merged(self, other: Statistics) -> Statistics:
        """The statistics of both sets of voxels together."""
        count, unusual = self.count + other.count, self.unusual + other.unusual
        if not self.count or not other.count:
            known = self if self.count else other
            return Statistics(count, unusual, known.minimum, known.maximum, known.mean, known.m2)
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        m2 = self.m2 + other.m2 + apart * apart * (self.count * other.count / count)
        return Statistics(
            count, unusual, min(self.minimum, other.minimum), max(self.maximum, other.maximum), mean, m2
        )


def merge(parts: Iterable[Statistics]) -> Statistics:
    """All `parts` together, in the order given."""
    total = Statistics()
    for part in parts:
        total = total.merged(part)
    return total


def measure(block: np.ndarray) -> Statistics:
    """The statistics of a contiguous `block` of any real type."""
    flat = block.reshape(-1)
    low, high = flat.min(), flat.max()
    if low == high:
        return Statistics(flat.size, 0, float(low), float(low), float(low), 0.0)
    if flat.dtype.kind != "f":
        return merge(_integers(flat[i : i + _PIECE]) for i in range(0, flat.size, _PIECE))
    if not (low > -_SAFE_TO_SQUARE and high < _SAFE_TO_SQUARE):
        return merge(_careful(flat[i : i + _PIECE]) for i in range(0, flat.size, _PIECE))
    return _floats(flat, float(low), float(high))


def _integers(piece: np.ndarray) -> Statistics:
    total = int(piece.sum(dtype=np.int64))
    mean = total / piece.size
    apart = piece.astype(np.float64)
    apart -= mean
    m2 = float(np.einsum("i,i->", apart, apart))
    return Statistics(piece.size, 0, float(piece.min()), float(piece.max()), mean, m2)


def _floats(flat: np.ndarray, low: float, high: float) -> Statistics:
    """Distances from a value near the mean are summed in rows in single precision and over rows in double."""
    near = np.float32(flat[:_PIECE].mean(dtype=np.float64))
    work = np.empty(min(flat.size, _PIECE), np.float32)
    sums, squares = 0.0, 0.0
    for start in range(0, flat.size, _PIECE):
        apart = np.subtract(flat[start : start + _PIECE], near, out=work[: min(_PIECE, flat.size - start)])
        whole = apart.size - apart.size % _ROW
        for rows in (apart[:whole].reshape(-1, _ROW), apart[whole:].reshape(1, -1)):
            sums += float(np.add.reduce(rows, axis=1).sum(dtype=np.float64))
            squares += float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64))
    shift = sums / flat.size
    m2 = max(squares - sums * shift, 0.0)
    return Statistics(flat.size, 0, low, high, float(near) + shift, m2)


def _careful(piece: np.ndarray) -> Statistics:
    """For pieces with NaN, infinity or enormous values."""
    finite = piece[np.isfinite(piece)].astype(np.float64)
    unusual = piece.size - finite.size
    if not finite.size:
        return Statistics(0, unusual)
    mean = math.fsum(finite) / finite.size
    apart = finite - mean
    return Statistics(
        finite.size,
        unusual,
        float(finite.min()),
        float(finite.max()),
        mean,
        float(np.einsum("i,i->", apart, apart)),
    )
