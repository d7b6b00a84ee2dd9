"""Compares volumes with the demo's truth table; for the tests of every part that moves volumes or points.

Protein is dark in the demo, so density at a point is the negative of the voxel value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from tomoportal.demo.shapes import Cloud

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


def turns(facts: dict[str, Any], species: str = RIBOSOME) -> NDArray[np.float64]:
    """Rotations (n, 3, 3) from the reference into the tomogram, in the order of `centres`."""
    return np.array([p["rotation"] for p in facts["particles"] if p["species"] == species])


def likeness(
    volume: ArrayLike, xyz: ArrayLike, rotations: ArrayLike, spacing: float, particle: Cloud
) -> NDArray[np.float64]:
    """Correlation of a particle, turned by each of the rotations (n, 3, 3), with the density around each of the places (voxels).

    The density is looked up at `place + rotation @ p / spacing` for the points p of a ball in the particle's own frame. For the demo's
    ribosomes the mean is about 0.75 at the true places and rotations, and below 0.5 with inverse or other rotations.
    """
    inside, template = _template(particle)
    dark = -np.asarray(volume, float)
    found = []
    for place, rotation in zip(np.asarray(xyz), np.asarray(rotations), strict=True):
        points = place + inside @ rotation.T / spacing
        seen = ((points >= 0) & (points <= np.array(dark.shape[::-1]) - 1)).all(axis=1)
        values = map_coordinates(dark, points[seen].T[::-1], order=1)
        found.append(np.corrcoef(values, template[seen])[0, 1])
    return np.array(found)


def _template(
    particle: Cloud, step: float = 20.0, half: int = 8
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 3) in Å of a ball around the particle's origin, and its density there."""
    edges = (np.arange(2 * half + 2) - half - 0.5) * step
    density, _ = np.histogramdd(particle.points, bins=[edges] * 3, weights=particle.mass)
    axis = (np.arange(2 * half + 1) - half) * step
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.linalg.norm(points, axis=1) < half * step
    return points[inside], gaussian_filter(density, 15.0 / step).reshape(-1)[inside]
