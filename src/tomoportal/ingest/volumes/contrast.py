"""Display limits that suit a volume, from a bounded sample of its pyramid.

Limits must not depend on a few gold beads or on empty borders, so they rest on quantiles of the sample, not on the mean:

* slices (2-D): the 1 % and 99 % quantiles of level 1, widened by 14.5 % of their distance on either side. For Gaussian noise
  that is mean ± 3 sigma of level 1, the level that a viewer shows first.
* volume rendering (3-D): median − 2.2 s to median + 0.65 s of level 2, where s is half the distance of the 15.9 % and
  84.1 % quantiles (sigma, for a Gaussian). Dense matter is dark in tomograms: the range ends just above the background.

Both stay inside the sample's extremes. The sample is every n-th voxel, n chosen by the shape alone: no random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tomoportal.ingest.volumes.facts import Limits, Shape

SAMPLE = 1 << 18
_WIDENING = 0.145
_BELOW, _ABOVE = 2.2, 0.65


def sampling_step(shape: Shape, steps: Shape) -> int:
    """Take every n-th voxel along the scaled axes, so that a level of `shape` gives about a quarter of a million voxels."""
    axes = sum(step > 1 for step in steps)
    return max(1, math.ceil((math.prod(shape) / SAMPLE) ** (1 / axes)))


def sampled(block: np.ndarray, steps: Shape, step: int) -> np.ndarray:
    """Every `step`-th voxel of `block` along the scaled axes, flat, in its own memory."""
    z, y, x = (slice(None, None, step if scaled > 1 else 1) for scaled in steps)
    return block[z, y, x].reshape(-1).copy()


def slice_limits(samples: Sequence[np.ndarray]) -> Limits:
    """Limits for slices from the samples of level 1."""
    values = _finite(samples)
    if not values.size:
        return 0.0, 1.0
    extremes = float(values.min()), float(values.max())
    low, high = _quantiles(values, (0.01, 0.99))
    margin = _WIDENING * (high - low)
    return _ordered(low - margin, high + margin, extremes)


def rendering_limits(samples: Sequence[np.ndarray]) -> Limits:
    """Limits for volume rendering from the samples of level 2."""
    values = _finite(samples)
    if not values.size:
        return 0.0, 1.0
    extremes = float(values.min()), float(values.max())
    low, median, high = _quantiles(values, (0.1587, 0.5, 0.8413))
    spread = (high - low) / 2
    return _ordered(median - _BELOW * spread, median + _ABOVE * spread, extremes)


def _finite(samples: Sequence[np.ndarray]) -> np.ndarray:
    values = np.concatenate(samples)
    fine = np.isfinite(values)
    return values if fine.all() else values[fine]


def _quantiles(values: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Quantiles by linear interpolation, in double precision; `values` is reordered."""
    values.sort()
    places = [share * (values.size - 1) for share in shares]
    pairs = [(float(values[math.floor(place)]), float(values[math.ceil(place)])) for place in places]
    return [low + (high - low) * (place % 1.0) for (low, high), place in zip(pairs, places, strict=True)]


def _ordered(low: float, high: float, extremes: Limits) -> Limits:
    """`low` and `high` inside `extremes` and apart from each other."""
    least, most = extremes
    low, high = max(low, least), min(high, most)
    if low < high:
        return low, high
    return (least, most) if least < most else (least, least + 1.0)
