"""Arrays in pages of their own: they go back to the system together with the array, which memory from the heap of one of
many threads does not reliably do."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence

import numpy as np


def own_pages(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """A zeroed array of `shape` in private anonymous memory."""
    size = math.prod(shape) * dtype.itemsize
    return np.ndarray(shape, dtype, mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
