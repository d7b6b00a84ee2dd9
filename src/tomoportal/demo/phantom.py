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
REACH = 60.0  # Å from a membrane beyond which it adds nothing
TILE = 8
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
    boxes = [(membrane, _box(membrane, lattice)) for membrane in scene.membranes]
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
    pairs = [(1 - share, share) for share in fraction.T]
    indices, weights = [], []
    for i, j, k in np.ndindex(2, 2, 2):
        weights.append(pairs[0][i] * pairs[1][j] * pairs[2][k] * mass)
        indices.append(first + np.ravel_multi_index((i, j, k), lattice.padded))
    total = np.bincount(np.concatenate(indices), np.concatenate(weights), minlength=int(shape.prod()))
    return total.reshape(lattice.padded).astype(np.float32)


def _box(membrane: Membrane, lattice: Lattice) -> tuple[slice, slice, slice]:
    """The part of the phantom (z, y, x) outside which a membrane is out of reach."""
    bounds = membrane.bounds(REACH)
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
    """Add a membrane to plane k. Its distance is worked out only in tiles whose middle is near enough to matter."""
    z, y, x = lattice.axes()
    y, x = y[box[1]], x[box[2]]
    half = (TILE - 1) / 2 * lattice.spacing
    middle = membrane.distance(x[None, ::TILE] + half, y[::TILE, None] + half, z[k])
    tiles = np.abs(middle) < REACH + 2 * half
    rows, columns = np.nonzero(tiles.repeat(TILE, axis=0).repeat(TILE, axis=1)[: len(y), : len(x)])
    distance = membrane.distance(x[columns], y[rows], z[k])
    near = np.abs(distance) < REACH
    rows, columns, distance = rows[near] + box[1].start, columns[near] + box[2].start, distance[near]
    density[rows, columns] += MEMBRANE_DENSITY * profile(distance) * grain[rows, columns]
    masked = np.abs(distance) <= MASK_HALF_THICKNESS
    labels[rows[masked], columns[masked]] = MEMBRANE


def _label_path(labels: NDArray[np.int8], filament: Filament, lattice: Lattice) -> None:
    """Mark the voxels whose centres are within the filament's radius of its path (as spheres a quarter radius apart)."""
    position, _ = path_frames(filament.path, filament.radius / 4)
    radius = filament.radius / lattice.spacing
    for point in lattice.place(position):
        box, squared = _ball(labels, point, radius)
        labels[box][squared <= radius**2] = filament.label


def _ball(volume: NDArray[Any], centre: Array, radius: float) -> tuple[tuple[slice, ...], Array]:
    """The box around a sphere (voxels z, y, x), cut to the volume, and the squared distances of its voxels."""
    low = np.clip(np.floor(centre - radius), 0, volume.shape).astype(int)
    high = np.clip(np.ceil(centre + radius) + 1, 0, volume.shape).astype(int)
    z, y, x = (np.arange(a, b) - c for a, b, c in zip(low, high, centre, strict=True))
    squared = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True)), squared


def _add_gold(density: NDArray[np.float32], centre: Array, lattice: Lattice) -> None:
    radius = GOLD_RADIUS / lattice.spacing
    box, squared = _ball(density, lattice.place(centre), radius + 1)
    density[box] += (GOLD_DENSITY * np.clip(radius - np.sqrt(squared) + 0.5, 0, 1)).astype(np.float32)
