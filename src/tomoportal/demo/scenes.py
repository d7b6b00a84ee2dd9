"""What each run shows: a few scenes drawn by chance inside a lattice, each with a look of its own.

Takes a lattice and a random generator, gives a `Scene`. All lengths are in ångström; compartments (cytosol, lumen,
matrix) are conditions on the signed distances to the membranes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from tomoportal.demo import shapes
from tomoportal.demo.membranes import Cristae, Membrane, Sheet, Triple, Vesicle
from tomoportal.demo.phantom import ACTIN, MICROTUBULE, Filament, Lattice, Particle, Scene
from tomoportal.demo.shapes import Array, Cloud

Compartment = Callable[[Array], Array]  # (n, 3) points → (n,) bool

RIBOSOME = ("cytosolic ribosome", "GO:0022626")
PROTEASOME = ("proteasome core complex", "GO:0005839")
SYNTHASE = ("proton-transporting ATP synthase complex", "GO:0045259")
RECEPTOR = ("membrane protein", "GO:0098796")
TUBULE = ("microtubule", "GO:0005874")
FILAMENT = ("actin filament", "GO:0005884")


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

    def clearance(self, points: Array) -> Array:
        """Distance from each point to the nearest membrane or thing placed before."""
        x, y, z = points.T
        free = np.full(len(points), 1e9)
        for membrane in self.membranes:
            free = np.minimum(free, np.abs(membrane.distance(x, y, z)))
        for centres, radius in self.taken:
            free = np.minimum(free, cKDTree(centres).query(points)[0] - radius)
        return free

    def scatter(self, count: int, radius: float, where: Compartment, inset: float = 0.0) -> Array:
        """Up to `count` centres in a compartment that keep `radius` clear of everything and 2 x `radius` of each other."""
        candidates = self.uniform(count * 25, max(radius, inset))
        candidates = candidates[where(candidates)]
        candidates = candidates[self.clearance(candidates) > radius]
        centres = _spread(candidates, 2 * radius, count)
        if len(centres):
            self.taken.append((centres, radius))
        return centres

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
            self.clouds.append(kind.placed(Rotation.random(len(chosen), rng=self.rng).as_matrix(), chosen))

    def decorate(
        self, what: tuple[str, str], cloud: Cloud, membrane: Membrane, spacing: float, inward: bool
    ) -> None:
        """Membrane proteins at least `spacing` apart, their +z along the surface normal."""
        points = self.uniform(200_000, 60.0)
        points = points[np.abs(membrane.distance(*points.T)) < 25.0]
        if not len(points):
            return
        centres = _spread(points, spacing, len(points))
        normals = _normals(membrane, centres)
        centres = centres - normals * membrane.distance(*centres.T)[:, None]
        self.place(what, cloud, centres, _facing(-normals if inward else normals, self.rng))

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


def _curve(start: Sequence[float], end: Sequence[float], bow: float, sideways: float = 0.0) -> Array:
    """A bent line from start to end (x, y, z), `bow` off the chord in the plane and `sideways` in z."""
    s = np.linspace(0, 1, 60)[:, None]
    a, b = np.array(start, float), np.array(end, float)
    chord = (b - a) / np.linalg.norm(b - a)
    across = np.array([-chord[1], chord[0], 0.0])
    line = a + s * (b - a) + np.sin(np.pi * s) * bow * across + 0.3 * bow * np.sin(3 * np.pi * s) * across
    return np.asarray(line + np.sin(np.pi * s) * np.array([0, 0, sideways]))


def _tubule(path: Array) -> Filament:
    return Filament(*TUBULE, path, 125.0, MICROTUBULE)


def _actin(path: Array) -> Filament:
    return Filament(*FILAMENT, path, 40.0, ACTIN)


def _gold(stage: Stage, count: int) -> Array:
    """Beads near the lower surface of the ice, away from everything."""
    depth = stage.lattice.extent[2]
    return stage.scatter(count, 75.0, lambda p: (p[:, 2] < 0.3 * depth) & _in_view(stage.lattice, p))


def _in_view(lattice: Lattice, points: Array) -> Array:
    size = lattice.extent
    return np.asarray(((points > 80) & (points < size - 80))[:, :2].all(axis=1))


def cell_edge(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """The rim of a cell: plasma membrane, cortical actin below it, crossing microtubules, vesicles, ribosomes."""
    w, h, d = lattice.extent
    edge = Sheet(direction=-0.62, offset=0.34 * w, wave=0.03 * w, length=0.8 * w)
    vesicles = (
        Vesicle((0.36 * w, 0.64 * h, 0.52 * d), 0.085 * w, 0.05, 1.0),
        Vesicle((0.13 * w, 0.87 * h, 0.45 * d), 0.07 * w, 0.0),
        Vesicle((0.80 * w, 0.84 * h, 0.50 * d), 0.055 * w, 0.04, 2.0, "extracellular vesicle"),
    )
    tubules = (
        _tubule(_curve((-0.1 * w, 0.22 * h, 0.40 * d), (0.62 * w, 1.15 * h, 0.62 * d), -0.05 * w)),
        _tubule(_curve((0.05 * w, -0.1 * h, 0.66 * d), (0.20 * w, 1.1 * h, 0.30 * d), 0.03 * w)),
        _tubule(_curve((-0.1 * w, 0.5 * h, 0.24 * d), (0.25 * w, -0.1 * h, 0.3 * d), 0.02 * w)),
    )
    direction = edge.direction
    along = np.array([-np.sin(direction), np.cos(direction), 0.0])
    out = np.array([np.cos(direction), np.sin(direction), 0.0])
    cortex = []
    for k in range(9):
        middle = out * (edge.offset - 0.055 * w - 0.012 * w * (k % 5)) + np.array(
            [0, 0, d * (0.25 + 0.06 * k)]
        )
        middle = middle + along * 0.42 * w
        tilt = rng.normal(0, 0.05)
        reach = (along + out * tilt) * 0.8 * w
        cortex.append(_actin(_curve(middle - reach, middle + reach, rng.normal(0, 0.012 * w))))
    stage = Stage(lattice, rng, (edge, *vesicles), (*tubules, *cortex))

    def cytosol(p: Array) -> Array:
        inside = edge.distance(*p.T) < 0
        for vesicle in vesicles:
            inside &= vesicle.distance(*p.T) > 0
        return np.asarray(inside)

    stage.place(RIBOSOME, shapes.ribosome(), stage.scatter(70, 140.0, cytosol))
    gold = _gold(stage, 6)
    stage.decorate(RECEPTOR, shapes.receptor(), edge, 190.0, inward=False)
    stage.crowd(1_300_000, cytosol)
    stage.crowd(60_000, lambda p: ~cytosol(p))
    return stage.finish(gold)


def mitochondrion(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """A mitochondrion with cristae and synthases, ribosomes around it, one microtubule passing."""
    w, h, d = lattice.extent
    centre = (0.60 * w, 0.42 * h, 0.5 * d)
    outer = Vesicle(centre, 0.36 * w, 0.07, 0.7, "mitochondrial outer membrane")
    folds: list[tuple[Triple, Triple, Triple]] = []
    for k, (shift, side) in enumerate(((-0.20, 1), (-0.08, -1), (0.05, 1), (0.17, -1), (0.27, 1))):
        angle = 0.35 + 0.08 * (k - 2)
        normal = (float(np.cos(angle)), float(np.sin(angle)), 0.12)
        middle = (
            centre[0] + shift * w - side * 0.14 * w * normal[1],
            centre[1] + shift * w * normal[1] + side * 0.17 * w,
            centre[2],
        )
        folds.append((middle, normal, (0.24 * w, 0.34 * d, 62.0)))
    inner = Cristae(outer, 150.0, tuple(folds))
    vesicle = Vesicle((0.13 * w, 0.30 * h, 0.5 * d), 0.06 * w, 0.04, 0.2)
    tubule = _tubule(_curve((0.02 * w, 1.1 * h, 0.42 * d), (0.30 * w, -0.1 * h, 0.55 * d), -0.09 * w))
    second = _tubule(_curve((-0.1 * w, 0.93 * h, 0.68 * d), (1.1 * w, 0.97 * h, 0.40 * d), 0.03 * w))
    stage = Stage(lattice, rng, (outer, inner, vesicle), (tubule, second))

    def cytosol(p: Array) -> Array:
        return np.asarray((outer.distance(*p.T) > 0) & (vesicle.distance(*p.T) > 0))

    stage.place(RIBOSOME, shapes.ribosome(), stage.scatter(80, 138.0, cytosol))
    gold = np.zeros((0, 3))
    stage.decorate(SYNTHASE, shapes.lollipop(), inner, 150.0, inward=True)
    stage.crowd(1_100_000, cytosol)
    stage.crowd(2_600_000, lambda p: inner.distance(*p.T) < -40)
    return stage.finish(gold)


def neurite(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """A thin process: a bundle of microtubules, transport vesicles between them, membrane on both sides."""
    w, h, d = lattice.extent
    angle = 0.5
    low = Sheet(angle + np.pi, -0.24 * w, 0.02 * w, 0.9 * w, 0.15)
    high = Sheet(angle, 1.04 * w, 0.025 * w, 0.7 * w, -0.12)
    along = np.array([-np.sin(angle), np.cos(angle), 0.0])
    out = np.array([np.cos(angle), np.sin(angle), 0.0])
    tubules = []
    for k, (place, depth) in enumerate(
        ((0.40, 0.35), (0.515, 0.62), (0.60, 0.30), (0.78, 0.5), (0.90, 0.66))
    ):
        middle = out * place * w + along * 0.2 * h + np.array([0, 0, depth * d])
        tilt = np.array([0, 0, 0.05 * d * (-1) ** k])
        tubules.append(
            _tubule(_curve(middle - along * h - tilt, middle + along * h + tilt, rng.normal(0, 0.015 * w)))
        )
    vesicles = []
    for place, up, size in (
        (0.69, 0.02, 0.062),
        (0.69, 0.30, 0.055),
        (0.32, 0.42, 0.05),
        (0.86, -0.22, 0.05),
        (0.32, 0.06, 0.045),
    ):
        c = out * place * w + along * (0.2 + up) * h
        vesicles.append(Vesicle((float(c[0]), float(c[1]), 0.5 * d), size * w, 0.03, up * 9))
    stage = Stage(lattice, rng, (low, high, *vesicles), tuple(tubules))

    def axoplasm(p: Array) -> Array:
        inside = (low.distance(*p.T) < 0) & (high.distance(*p.T) < 0)
        for vesicle in vesicles:
            inside &= vesicle.distance(*p.T) > 0
        return np.asarray(inside)

    stage.place(RIBOSOME, shapes.ribosome(), stage.scatter(26, 140.0, axoplasm))
    gold = _gold(stage, 5)
    for vesicle in vesicles:
        stage.decorate(RECEPTOR, shapes.receptor(), vesicle, 120.0, inward=False)
    stage.crowd(900_000, axoplasm)
    return stage.finish(gold)


def proteoliposomes(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """Isolated vesicles in clear ice, one inside another, with proteasomes and gold between them."""
    w, h, d = lattice.extent
    wanted = [
        (0.34, 0.36, 0.20, 0.0),
        (0.36, 0.33, 0.11, 0.03),
        (0.76, 0.66, 0.15, 0.04),
        (0.72, 0.20, 0.10, 0.0),
        (0.22, 0.80, 0.125, 0.05),
        (0.52, 0.88, 0.06, 0.0),
        (0.93, 0.40, 0.055, 0.0),
    ]
    turn = rng.uniform(0, 2 * np.pi, len(wanted))
    vesicles = tuple(
        Vesicle((x * w, y * h, 0.5 * d), r * w, dent, t)
        for (x, y, r, dent), t in zip(wanted, turn, strict=True)
    )
    return _preparation(Stage(lattice, rng, vesicles), vesicles, 110)


def _preparation(stage: Stage, vesicles: tuple[Vesicle, ...], proteasomes: int) -> Scene:
    """Fill the ice around purified vesicles."""

    def outside(p: Array) -> Array:
        return np.asarray(np.all([v.distance(*p.T) > 0 for v in vesicles], axis=0))

    gold = _gold(stage, 9)
    stage.place(PROTEASOME, shapes.proteasome(), stage.scatter(proteasomes, 95.0, outside))
    for vesicle in vesicles[:5]:
        stage.decorate(RECEPTOR, shapes.receptor(), vesicle, 170.0, inward=False)
    stage.crowd(70_000, outside)
    return stage.finish(gold, grain=0.25)


def liposome_pair(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """The same preparation elsewhere: two large liposomes that touch, and few proteins."""
    w, h, d = lattice.extent
    vesicles = (
        Vesicle((0.38 * w, 0.46 * h, 0.5 * d), 0.255 * w, 0.05, 0.4),
        Vesicle((0.83 * w, 0.60 * h, 0.5 * d), 0.16 * w, 0.04, 2.1),
        Vesicle((0.30 * w, 0.42 * h, 0.5 * d), 0.09 * w, 0.0),
        Vesicle((0.47 * w, 0.57 * h, 0.5 * d), 0.05 * w, 0.03, 1.0),
        Vesicle((0.80 * w, 0.16 * h, 0.5 * d), 0.07 * w, 0.0),
        Vesicle((0.13 * w, 0.87 * h, 0.5 * d), 0.09 * w, 0.04, 0.9),
    )
    return _preparation(Stage(lattice, rng, vesicles), vesicles, 40)
