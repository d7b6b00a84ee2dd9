"""A scene made into voxels: density and labels on one lattice, from membranes and point clouds.

Takes a `Scene` (everything in ångström, x, y, z; the centre of tomogram voxel (0, 0, 0) is the origin); gives arrays
(z, y, x) that extend `margin` voxels beyond the tomogram at both ends of y, so that a rotated detector stays filled.
Density 0 is ice, 1 is protein; dense is positive here, and only the microscope turns it dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from tomoportal.demo.membranes import MASK_HALF_THICKNESS, Membrane, profile
from tomoportal.demo.shapes import Array, Cloud, path_frames

BACKGROUND, MEMBRANE, MICROTUBULE, ACTIN = 0, 1, 2, 3
BLUR_VOXELS = 0.75
MEMBRANE_DENSITY = 1.35
GOLD_RADIUS = 50.0
GOLD_DENSITY = 9.0


@dataclass(frozen=True)
class Lattice:
    """The tomogram's voxels: `shape` (z, y, x), `spacing` in Å, and the phantom's margin in y and x."""

    shape: tuple[int, int, int]
    spacing: float
    margin: int

    @property
    def padded(self) -> tuple[int, int, int]:
        """Shape (z, y, x) of the phantom's arrays."""
        return self.shape[0], self.shape[1] + 2 * self.margin, self.shape[2] + 2 * self.margin

    @property
    def extent(self) -> Array:
        """Size of the tomogram in Å, as x, y, z."""
        return np.array(self.shape[::-1], float) * self.spacing

    def inner(self, volume: NDArray[Any]) -> NDArray[Any]:
        """The tomogram's part of a phantom array."""
        m = self.margin
        return volume[:, m : m + self.shape[1], m : m + self.shape[2]]

    def place(self, points: Array) -> Array:
        """Points x, y, z in Å as fractional indices z, y, x into a phantom array."""
        return points[..., ::-1] / self.spacing + np.array([0.0, self.margin, self.margin])

    def axes(self) -> tuple[Array, Array, Array]:
        """Coordinates in Å of the phantom's voxels along z, y and x."""
        nz, ny, nx = self.padded
        z, y, x = np.arange(nz), np.arange(ny) - self.margin, np.arange(nx) - self.margin
        return z * self.spacing, y * self.spacing, x * self.spacing


@dataclass(frozen=True)
class Particle:
    """One placed macromolecule: `centre` x, y, z in Å, `rotation` 3 x 3 from the reference to the tomogram."""

    species: str
    object_id: str
    centre: Array
    rotation: Array


@dataclass(frozen=True)
class Filament:
    """`path` (n, 3) in Å; `radius` is that of the label drawn around it."""

    kind: str
    object_id: str
    path: Array
    radius: float
    label: int


@dataclass(frozen=True)
class Scene:
    """All that is in the field of view. `cloud` holds every particle, filament and soluble protein as points."""

    membranes: tuple[Membrane, ...]
    filaments: tuple[Filament, ...]
    particles: tuple[Particle, ...]
    gold: Array  # (n, 3) centres in Å
    cloud: Cloud
    grain: float  # relative roughness of the membranes


def render(
    scene: Scene, lattice: Lattice, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Density (float32) and labels (int8), both of `lattice.padded` shape."""
    density = splat(scene.cloud, lattice)
    labels = np.zeros(lattice.padded, np.int8)
    for filament in scene.filaments:
        _label_path(labels, filament, lattice)
    boxes = [(membrane, _box(membrane, lattice, reach=60.0)) for membrane in scene.membranes]
    for k in range(lattice.shape[0]):
        grain = 1 + scene.grain * rng.standard_normal(lattice.padded[1:], np.float32)
        for membrane, box in boxes:
            if box[0].start <= k < box[0].stop:
                _add_membrane(density[k], labels[k], grain, membrane, box, lattice, k)
    for centre in scene.gold:
        _add_gold(density, centre, lattice)
    return gaussian_filter(density, BLUR_VOXELS, truncate=3.0), labels


def splat(cloud: Cloud, lattice: Lattice) -> NDArray[np.float32]:
    """Deposit the points' masses on the eight voxels around each (trilinear); points outside are left out."""
    shape = np.array(lattice.padded)
    place = lattice.place(cloud.points)
    base = np.floor(place).astype(np.int64)
    kept = ((base >= 0) & (base < shape - 1)).all(axis=1)
    base, fraction, mass = base[kept], (place - base)[kept], cloud.mass[kept] / lattice.spacing**3
    first = np.ravel_multi_index(tuple(base.T), lattice.padded)
    indices, weights = [], []
    for corner in np.ndindex(2, 2, 2):
        weights.append(np.prod(np.where(corner, fraction, 1 - fraction), axis=1) * mass)
        indices.append(first + np.ravel_multi_index(corner, lattice.padded))
    total = np.bincount(np.concatenate(indices), np.concatenate(weights), minlength=int(shape.prod()))
    return total.reshape(lattice.padded).astype(np.float32)


def _box(membrane: Membrane, lattice: Lattice, reach: float) -> tuple[slice, slice, slice]:
    """The part of the phantom (z, y, x) outside which a membrane is farther than `reach` Å."""
    bounds = membrane.bounds(reach)
    if bounds is None:
        nz, ny, nx = lattice.padded
        return slice(0, nz), slice(0, ny), slice(0, nx)
    edges = [
        np.searchsorted(axis, ends)
        for axis, ends in zip(lattice.axes(), np.array(bounds).T[::-1], strict=True)
    ]
    z, y, x = (slice(int(first), int(last)) for first, last in edges)
    return z, y, x


def _add_membrane(
    density: NDArray[np.float32],
    labels: NDArray[np.int8],
    grain: NDArray[np.float32],
    membrane: Membrane,
    box: tuple[slice, slice, slice],
    lattice: Lattice,
    k: int,
) -> None:
    """Add a membrane to plane k: plane by plane its distances fit into the processor's cache."""
    z, y, x = (axis.astype(np.float32) for axis in lattice.axes())
    window = box[1:]
    distance = membrane.distance(x[None, box[2]], y[box[1], None], z[k])
    near = np.abs(distance) < 60.0
    density[window][near] += MEMBRANE_DENSITY * profile(distance[near]) * grain[window][near]
    labels[window][np.abs(distance) <= MASK_HALF_THICKNESS] = MEMBRANE


def _label_path(labels: NDArray[np.int8], filament: Filament, lattice: Lattice) -> None:
    """Mark the voxels whose centres are within the filament's radius of its path (as spheres a quarter radius apart)."""
    step = lattice.spacing
    reach = int(np.ceil(filament.radius / step)) + 1
    cube = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    position, _ = path_frames(filament.path, filament.radius / 4)
    for point in lattice.place(position):
        voxels = np.rint(point).astype(int) + cube
        near = ((voxels - point) ** 2).sum(axis=1) <= (filament.radius / step) ** 2
        inside = ((voxels >= 0) & (voxels < labels.shape)).all(axis=1)
        z, y, x = voxels[near & inside].T
        labels[z, y, x] = filament.label


def _add_gold(density: NDArray[np.float32], centre: Array, lattice: Lattice) -> None:
    place = lattice.place(centre)
    reach = GOLD_RADIUS / lattice.spacing + 1
    low = np.maximum(np.floor(place - reach), 0).astype(int)
    high = np.minimum(np.ceil(place + reach) + 1, density.shape).astype(int)
    z, y, x = (np.arange(a, b) - p for a, b, p in zip(low, high, place, strict=True))
    r = np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2) * lattice.spacing
    soft = np.clip((GOLD_RADIUS - r) / lattice.spacing + 0.5, 0, 1)
    density[low[0] : high[0], low[1] : high[1], low[2] : high[2]] += (GOLD_DENSITY * soft).astype(np.float32)
