"""Where layers lie in napari's world. Pure.

The world is measured in Å along z, y, x from the outer corner of the volume, since volumes of one alignment share their outer faces, not
the centres of their first voxels: voxel i of s Å has its centre at (i + 1/2) · s. So tomograms, masks and points of different voxel
spacings lie where they belong, each in its own layer's voxels, and so does every level of a pyramid. napari draws whole numbers
at the centres of voxels, as points are counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

AXES = ("z", "y", "x")


def placed(voxel_size: tuple[float, float, float]) -> dict[str, Any]:
    """What napari is told of a layer whose data count voxels of this size (Å along z, y, x)."""
    return {
        "scale": voxel_size,
        "translate": tuple(size / 2 for size in voxel_size),
        "units": ("angstrom",) * len(AXES),
        "axis_labels": AXES,
    }


def cubic(spacing: float) -> dict[str, Any]:
    """`placed` for voxels of equal edges."""
    return placed((spacing, spacing, spacing))


def zyx(xyz: ArrayLike) -> NDArray[np.float64]:
    """Places or directions (…, 3) in the order of napari."""
    return np.asarray(xyz, np.float64)[..., ::-1]
