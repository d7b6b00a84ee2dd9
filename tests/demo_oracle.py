"""Compares volumes with the demo's truth table; for the tests of every part that moves volumes or points.

Protein is dark in the demo, so density at a point is the negative of the voxel value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

RIBOSOME = "cytosolic ribosome"


def centres(facts: dict[str, Any], spacing: str, species: str = RIBOSOME) -> NDArray[np.float64]:
    """Centres x, y, z in voxels of a spacing (written like 10.712), from a run's entry in the truth table."""
    return np.array([p["xyz_voxel"][spacing] for p in facts["particles"] if p["species"] == species])


def darkness(
    volume: ArrayLike, xyz: ArrayLike, spacing: float | str, blur: float = 60.0
) -> NDArray[np.float64]:
    """Density of a (z, y, x) volume at points x, y, z (voxels), in standard deviations above its mean.

    The volume is blurred by `blur` Å first, about the size of a ribosome. The mean over all true ribosomes of a run is
    above 3 in every tomogram of the demo and below 1 for points with mirrored or swapped axes.
    """
    dark = -gaussian_filter(np.asarray(volume, float), blur / float(spacing))
    values = map_coordinates(dark, np.asarray(xyz, float).T[::-1], order=1, mode="nearest")
    return np.asarray((values - dark.mean()) / dark.std())
