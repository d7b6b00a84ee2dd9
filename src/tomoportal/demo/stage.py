"""A stage on which a scene is built by chance: finds room for things and puts them there.

Everything is in ångström, x, y, z. Compartments (cytosol, lumen, matrix) are conditions on points, usually on their
signed distances to membranes. The order of calls matters: what is placed first takes the room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from tomoportal.demo import shapes
from tomoportal.demo.membranes import Membrane, Vesicle
from tomoportal.demo.phantom import MICROTUBULE, Filament, Lattice, Particle, Scene
from tomoportal.demo.shapes import Array, Cloud

Compartment = Callable[[Array], Array]  # (n, 3) points → (n,) bool


@dataclass
class Stage:
    """A scene being built: what is already there decides where the next thing fits."""

    lattice: Lattice
    rng: np.random.Generator
    membranes: tuple[Membrane, ...] = ()
    filaments: tuple[Filament, ...] = ()

    def __post_init__(self) -> None:
        self.particles: list[Particle] = []
        self.clouds: list[Cloud] = []
        self.taken: list[tuple[Array, float]] = []
        for filament in self.filaments:
            position, _ = shapes.path_frames(filament.path, 40.0)
            self.taken.append((position, filament.radius))
            draw = shapes.microtubule if filament.label == MICROTUBULE else shapes.actin
            self.clouds.append(draw(filament.path, self.rng))

    def uniform(self, count: int, inset: float = 0.0) -> Array:
        """Random points of the phantom (margins included), `inset` away from its top and bottom."""
        size, margin = self.lattice.extent, self.lattice.margin * self.lattice.spacing
        low = np.array([-margin, -margin, inset])
        high = np.array([size[0] + margin, size[1] + margin, size[2] - inset])
        return self.rng.uniform(low, high, (count, 3))

    def in_view(self, points: Array) -> Array:
        """Is each point inside the tomogram's field of view, at least 80 Å from its sides?"""
        size = self.lattice.extent
        return np.asarray(((points > 80) & (points < size - 80))[:, :2].all(axis=1))

    def clearance(self, points: Array) -> Array:
        """Distance from each point to the nearest membrane or thing placed before."""
        x, y, z = points.T
        free = np.full(len(points), 1e9)
        for membrane in self.membranes:
            free = np.minimum(free, np.abs(membrane.distance(x, y, z)))
        for centres, radius in self.taken:
            free = np.minimum(free, cKDTree(centres).query(points)[0] - radius)
        return free

    def scatter(self, count: int, radius: float, where: Compartment) -> Array:
        """Up to `count` centres in a compartment that keep `radius` clear of everything and 2 x `radius` of each other."""
        candidates = self.uniform(count * 25, radius)
        candidates = candidates[where(candidates)]
        candidates = candidates[self.clearance(candidates) > radius]
        centres = _spread(candidates, 2 * radius, count)
        if len(centres):
            self.taken.append((centres, radius))
        return centres

    def vesicle(
        self, radius: float, where: Compartment, dents: float = 0.03, name: str = "vesicle"
    ) -> Vesicle:
        """Add a vesicle near mid-height where there is room, of `radius` or as much smaller as it must be."""
        depth = self.lattice.extent[2]
        while True:
            points = self.uniform(3000)
            points[:, 2] = depth * self.rng.uniform(0.42, 0.58, len(points))
            points = points[where(points) & self.in_view(points)]
            points = points[self.clearance(points) > radius * (1 + 2 * dents) + 45.0]
            if len(points):
                break
            radius *= 0.9
        x, y, z = (float(v) for v in points[0])
        found = Vesicle((x, y, z), radius, dents, float(self.rng.uniform(0, 6)), name)
        self.membranes = (*self.membranes, found)
        return found

    def gold(self, count: int) -> Array:
        """Beads in the field of view, away from everything."""
        return self.scatter(count, 75.0, self.in_view)

    def place(
        self, what: tuple[str, str], cloud: Cloud, centres: Array, rotations: Array | None = None
    ) -> None:
        """Put one copy at each centre, turned at random unless rotations (n, 3, 3) are given."""
        if not len(centres):
            return
        if rotations is None:
            rotations = Rotation.random(len(centres), rng=self.rng).as_matrix()
        self.clouds.append(cloud.placed(rotations, centres))
        self.particles += [Particle(*what, c, r) for c, r in zip(centres, rotations, strict=True)]

    def crowd(self, per_um3: float, where: Compartment) -> None:
        """Soluble proteins of several sizes, `per_um3` in a cubic micrometre of the compartment."""
        volume = float(np.prod(self.lattice.padded)) * self.lattice.spacing**3 * 1e-12
        kinds = [shapes.globule(self.rng, radius) for radius in (18.0, 22.0, 26.0, 32.0)]
        points = self.uniform(int(per_um3 * volume))
        points = points[where(points)]
        points = points[self.clearance(points) > 35.0]
        sort = self.rng.choice(len(kinds), len(points), p=[0.4, 0.3, 0.2, 0.1])
        for k, kind in enumerate(kinds):
            chosen = points[sort == k]
            if len(chosen):
                self.clouds.append(
                    kind.placed(Rotation.random(len(chosen), rng=self.rng).as_matrix(), chosen)
                )

    def decorate(
        self,
        what: tuple[str, str],
        cloud: Cloud,
        membrane: Membrane,
        spacing: float,
        lift: float = 0.0,
        inward: bool = False,
    ) -> None:
        """Membrane proteins at least `spacing` apart, origin `lift` Å above the membrane, +z along the normal."""
        points = self.uniform(90_000, 60.0)
        points = points[np.abs(membrane.distance(*points.T)) < 25.0]
        centres = _spread(points, spacing, len(points))
        if not len(centres):
            return
        normals = _normals(membrane, centres)
        centres = centres - normals * membrane.distance(*centres.T)[:, None]
        normals = -normals if inward else normals
        self.place(what, cloud, centres + lift * normals, _facing(normals, self.rng))

    def finish(self, gold: Array, grain: float = 0.35) -> Scene:
        """The scene as it stands."""
        cloud = shapes.joined(self.clouds)
        return Scene(tuple(self.membranes), tuple(self.filaments), tuple(self.particles), gold, cloud, grain)


def _spread(points: Array, spacing: float, count: int) -> Array:
    """The first `count` points that keep `spacing` from all earlier ones."""
    kept = np.empty_like(points)
    n = 0
    for point in points:
        if n == count:
            break
        if n == 0 or ((kept[:n] - point) ** 2).sum(axis=1).min() > spacing**2:
            kept[n] = point
            n += 1
    return kept[:n]


def _normals(membrane: Membrane, points: Array) -> Array:
    step = 4.0
    slopes = [
        membrane.distance(*(points + step * axis).T) - membrane.distance(*(points - step * axis).T)
        for axis in np.eye(3)
    ]
    normal = np.stack(slopes, axis=1)
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _facing(normals: Array, rng: np.random.Generator) -> Array:
    """Rotations that turn +z onto each normal, with a random spin."""
    helper = np.where(np.abs(normals[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    side = np.cross(helper, normals)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    frame = np.stack([side, np.cross(normals, side), normals], axis=2)
    spin = Rotation.from_euler("z", rng.uniform(0, 2 * np.pi, (len(normals), 1))).as_matrix()
    return np.asarray(frame @ spin)
