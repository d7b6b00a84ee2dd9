"""Halving a block: means over the voxels that exist; for masks "any voxel set"; for labels every second voxel.

A block that is not the last along an axis must be even along it; the odd last voxel stands alone (it is counted twice on
both sides of the fraction, so that the mean is exact)."""

from __future__ import annotations

import numpy as np

from tomoportal.ingest.volumes.facts import Shape

_SAFE_TO_ADD = 1e37


def halved_shape(shape: Shape, steps: Shape) -> Shape:
    """Shape of the next coarser level."""
    z, y, x = (-(-side // step) for side, step in zip(shape, steps, strict=True))
    return z, y, x


def level_shapes(shape: Shape, steps: Shape, count: int = 3) -> tuple[Shape, ...]:
    """Shapes of `count` levels, finest first."""
    shapes = [shape]
    while len(shapes) < count:
        shapes.append(halved_shape(shapes[-1], steps))
    return tuple(shapes)


def halve(block: np.ndarray, steps: Shape, *, largest: float = 0.0) -> np.ndarray:
    """Means over boxes of `steps` (each 1 or 2), in the type of `block`; integers round half to even.

    `largest` is the largest absolute value, if it may be so large that adding would overflow."""
    count = int(np.prod(steps))
    if block.dtype.kind == "f":
        wide = largest > _SAFE_TO_ADD
        total = _summed(block.astype(np.float64) if wide else block, steps)
        total *= total.dtype.type(1 / count)
        return total.astype(block.dtype, copy=False)
    total = _summed(block.astype(np.int32), steps)
    bits = count.bit_length() - 1
    if bits:
        total += ((total >> bits) & 1) + (count // 2 - 1)
        total >>= bits
    return total.astype(block.dtype)


def halve_mask(block: np.ndarray, steps: Shape) -> np.ndarray:
    """1 where any voxel of the box is set, for blocks of 0 and 1."""
    return _combined(block, steps, np.bitwise_or)


def halve_labels(block: np.ndarray, steps: Shape) -> np.ndarray:
    """The first voxel of every box: labels are kept and never mixed."""
    z, y, x = steps
    return np.ascontiguousarray(block[::z, ::y, ::x])


def _summed(block: np.ndarray, steps: Shape) -> np.ndarray:
    return _combined(block, steps, np.add)


def _combined(block: np.ndarray, steps: Shape, pair: np.ufunc) -> np.ndarray:
    for axis, step in enumerate(steps):
        if step == 2:
            block = _pairs(block, axis, pair)
    return block.copy() if steps == (1, 1, 1) else block


def _pairs(block: np.ndarray, axis: int, pair: np.ufunc) -> np.ndarray:
    before = (slice(None),) * axis
    even, odd = block[(*before, slice(0, None, 2))], block[(*before, slice(1, None, 2))]
    if even.shape == odd.shape:
        return pair(even, odd)
    combined = np.empty_like(even)
    body, last = (*before, slice(0, odd.shape[axis])), (*before, slice(odd.shape[axis], None))
    pair(even[body], odd, out=combined[body])
    pair(even[last], even[last], out=combined[last])
    return combined
