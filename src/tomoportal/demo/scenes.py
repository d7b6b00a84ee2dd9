"""What each run shows: a few scenes, each with a look of its own.

Takes a lattice and a random generator, gives a `Scene`. Lengths are in ångström or fractions of the field of view
(w, h, d: its width, height and depth).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tomoportal.demo import shapes
from tomoportal.demo.membranes import Cristae, Sheet, Triple, Vesicle
from tomoportal.demo.phantom import ACTIN, MICROTUBULE, Filament, Lattice, Scene
from tomoportal.demo.shapes import Array
from tomoportal.demo.stage import Compartment, Stage

RIBOSOME = ("cytosolic ribosome", "GO:0022626")
PROTEASOME = ("proteasome core complex", "GO:0005839")
SYNTHASE = ("proton-transporting ATP synthase complex", "GO:0045259")
RECEPTOR = ("membrane protein complex", "GO:0098796")
TUBULE = ("microtubule", "GO:0005874")
FILAMENT = ("actin filament", "GO:0005884")


def _curve(start: Sequence[float], end: Sequence[float], bow: float) -> Array:
    """A bent line from start to end (x, y, z), up to `bow` off the chord in the plane."""
    s = np.linspace(0, 1, 60)[:, None]
    a, b = np.array(start, float), np.array(end, float)
    chord = (b - a) / np.linalg.norm(b - a)
    across = np.array([-chord[1], chord[0], 0.0])
    return np.asarray(a + s * (b - a) + bow * (np.sin(np.pi * s) + 0.3 * np.sin(3 * np.pi * s)) * across)


def _tubule(path: Array) -> Filament:
    return Filament(*TUBULE, path, 125.0, MICROTUBULE)


def _actin(path: Array) -> Filament:
    return Filament(*FILAMENT, path, 40.0, ACTIN)


def _outside(vesicles: Sequence[Vesicle], where: Compartment) -> Compartment:
    """The part of a compartment that is in none of the vesicles."""

    def compartment(points: Array) -> Array:
        free = where(points)
        for vesicle in vesicles:
            free = free & (vesicle.distance(*points.T) > 0)
        return free

    return compartment


def _core(vesicle: Vesicle, depth: float) -> Compartment:
    """The inside of a vesicle, `depth` Å away from its membrane."""
    return lambda points: np.asarray(vesicle.distance(*points.T) < -depth)


def cell_edge(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """The rim of a cell: plasma membrane, cortical actin below it, crossing microtubules, vesicles, ribosomes."""
    w, h, d = lattice.extent
    edge = Sheet(direction=-0.62, offset=0.34 * w, wave=0.03 * w, length=0.8 * w)
    tubules = (
        _tubule(_curve((-0.1 * w, 0.22 * h, 0.40 * d), (0.62 * w, 1.15 * h, 0.56 * d), -0.05 * w)),
        _tubule(_curve((0.05 * w, -0.1 * h, 0.87 * d), (0.20 * w, 1.1 * h, 0.45 * d), 0.03 * w)),
        _tubule(_curve((-0.1 * w, 0.5 * h, 0.12 * d), (0.25 * w, -0.1 * h, 0.13 * d), 0.02 * w)),
    )
    stage = Stage(lattice, rng, (edge,), (*tubules, *_cortex(edge, lattice, rng)))

    def below(points: Array) -> Array:
        return np.asarray(edge.distance(*points.T) < 0)

    def above(points: Array) -> Array:
        return ~below(points)

    inner = [stage.vesicle(size * w, below) for size in (0.085, 0.07, 0.055, 0.05)]
    outer = stage.vesicle(0.07 * w, above, 0.05, "extracellular vesicle")
    cytosol = _outside(inner, below)
    stage.place(RIBOSOME, shapes.ribosome(), stage.scatter(125, 136.0, cytosol))
    gold = stage.gold(6)
    stage.decorate(RECEPTOR, shapes.receptor(), edge, 190.0)
    stage.decorate(RECEPTOR, shapes.receptor(), outer, 120.0)
    stage.crowd(3_000_000, _core(inner[0], 60.0))
    stage.crowd(2_000_000, cytosol)
    stage.crowd(50_000, above)
    return stage.finish(gold)


def _cortex(edge: Sheet, lattice: Lattice, rng: np.random.Generator) -> list[Filament]:
    """Actin in a few layers that run along the plasma membrane."""
    w, _, d = lattice.extent
    along = np.array([-np.sin(edge.direction), np.cos(edge.direction), 0.0])
    out = np.array([np.cos(edge.direction), np.sin(edge.direction), 0.0])
    cortex = []
    for k in range(12):
        height = d * (0.25 + 0.045 * k)
        middle = (
            out * (edge.offset - (0.07 + 0.014 * (k % 5)) * w) + along * 0.42 * w + np.array([0, 0, height])
        )
        reach = (along + out * rng.normal(0, 0.05)) * 1.2 * w
        cortex.append(_actin(_curve(middle - reach, middle + reach, rng.normal(0, 0.012 * w))))
    return cortex


def mitochondrion(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """A mitochondrion with cristae and synthases, ribosomes around it, microtubules passing."""
    w, h, d = lattice.extent
    outer = Vesicle((0.60 * w, 0.42 * h, 0.5 * d), 0.36 * w, 0.07, 0.7, "mitochondrial outer membrane")
    inner = Cristae(outer, 150.0, _folds(outer.centre, w, d))
    tubules = (
        _tubule(_curve((0.02 * w, 1.1 * h, 0.42 * d), (0.30 * w, -0.1 * h, 0.55 * d), -0.09 * w)),
        _tubule(_curve((-0.1 * w, 0.93 * h, 0.68 * d), (1.1 * w, 0.97 * h, 0.40 * d), 0.03 * w)),
    )
    stage = Stage(lattice, rng, (outer, inner), tubules)

    def around(points: Array) -> Array:
        return np.asarray(outer.distance(*points.T) > 0)

    vesicles = [stage.vesicle(size * w, around) for size in (0.055, 0.045)]
    cytosol = _outside(vesicles, around)
    stage.place(RIBOSOME, shapes.ribosome(), stage.scatter(110, 134.0, cytosol))
    stage.decorate(SYNTHASE, shapes.lollipop(), inner, 150.0, lift=100.0, inward=True)
    stage.crowd(1_800_000, cytosol)
    stage.crowd(2_800_000, lambda points: np.asarray(inner.distance(*points.T) < -40))
    return stage.finish(np.zeros((0, 3)))


def _folds(centre: Triple, w: float, d: float) -> tuple[tuple[Triple, Triple, Triple], ...]:
    """Cristae from alternating sides: centre, normal and half sizes of each slab."""
    folds: list[tuple[Triple, Triple, Triple]] = []
    for k, (shift, side) in enumerate(((-0.20, 1), (-0.08, -1), (0.05, 1), (0.17, -1), (0.27, 1))):
        angle = 0.35 + 0.08 * (k - 2)
        normal = (float(np.cos(angle)), float(np.sin(angle)), 0.12)
        x = centre[0] + (shift - side * 0.14 * normal[1]) * w
        y = centre[1] + (shift * normal[1] + side * 0.17) * w
        folds.append(((x, y, centre[2]), normal, (0.24 * w, 0.34 * d, 62.0)))
    return tuple(folds)


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
        reach = along * h + np.array([0, 0, 0.05 * d * (-1) ** k])
        tubules.append(_tubule(_curve(middle - reach, middle + reach, rng.normal(0, 0.015 * w))))
    stage = Stage(lattice, rng, (low, high), tuple(tubules))

    def between(points: Array) -> Array:
        return np.asarray((low.distance(*points.T) < 0) & (high.distance(*points.T) < 0))

    vesicles = [stage.vesicle(size * w, between) for size in (0.065, 0.06, 0.055, 0.05, 0.05, 0.045, 0.045)]
    axoplasm = _outside(vesicles, between)
    stage.place(RIBOSOME, shapes.ribosome(), stage.scatter(40, 136.0, axoplasm))
    gold = stage.gold(5)
    for vesicle in vesicles:
        stage.decorate(RECEPTOR, shapes.receptor(), vesicle, 120.0)
    for vesicle in vesicles[::3]:
        stage.crowd(9_000_000, _core(vesicle, 0.4 * vesicle.radius))
    stage.crowd(1_600_000, axoplasm)
    return stage.finish(gold)


def proteoliposomes(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """Isolated vesicles in clear ice, one inside another, with proteasomes and gold between them."""
    w, h, d = lattice.extent
    vesicles = (
        Vesicle((0.34 * w, 0.36 * h, 0.5 * d), 0.20 * w),
        Vesicle((0.36 * w, 0.33 * h, 0.5 * d), 0.11 * w, 0.03, 3.3),
        Vesicle((0.76 * w, 0.66 * h, 0.5 * d), 0.15 * w, 0.04, 0.5),
        Vesicle((0.72 * w, 0.20 * h, 0.5 * d), 0.10 * w),
        Vesicle((0.22 * w, 0.80 * h, 0.5 * d), 0.125 * w, 0.05, 1.9),
        Vesicle((0.52 * w, 0.88 * h, 0.5 * d), 0.06 * w),
        Vesicle((0.93 * w, 0.40 * h, 0.5 * d), 0.055 * w),
    )
    return _preparation(Stage(lattice, rng, vesicles), vesicles, 230)


def liposome_pair(lattice: Lattice, rng: np.random.Generator) -> Scene:
    """The same preparation elsewhere: two large liposomes that nearly touch, fewer proteins."""
    w, h, d = lattice.extent
    vesicles = (
        Vesicle((0.38 * w, 0.46 * h, 0.5 * d), 0.255 * w, 0.05, 0.4),
        Vesicle((0.83 * w, 0.60 * h, 0.5 * d), 0.16 * w, 0.04, 2.1),
        Vesicle((0.30 * w, 0.42 * h, 0.5 * d), 0.09 * w),
        Vesicle((0.47 * w, 0.57 * h, 0.5 * d), 0.05 * w, 0.03, 1.0),
        Vesicle((0.80 * w, 0.16 * h, 0.5 * d), 0.07 * w),
        Vesicle((0.13 * w, 0.87 * h, 0.5 * d), 0.09 * w, 0.04, 0.9),
    )
    return _preparation(Stage(lattice, rng, vesicles), vesicles, 120)


def _preparation(stage: Stage, vesicles: tuple[Vesicle, ...], proteasomes: int) -> Scene:
    """Fill the ice around purified vesicles."""
    ice = _outside(vesicles, lambda points: np.ones(len(points), bool))
    gold = stage.gold(9)
    stage.place(PROTEASOME, shapes.proteasome(), stage.scatter(proteasomes, 95.0, ice))
    for vesicle in vesicles[:5]:
        stage.decorate(RECEPTOR, shapes.receptor(), vesicle, 170.0)
    stage.crowd(70_000, ice)
    return stage.finish(gold, grain=0.25)
