"""Particles and filaments as clouds of weighted points, in ångström, around their own origin.

Gives (n, 3) arrays of x, y, z and (n,) masses (density times volume, Å³). The shapes are invented from the
dimensions that the literature gives for the real assemblies; they are not derived from any deposited structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Cloud:
    """`points` (n, 3) in x, y, z ångström and `mass` (n,) in Å³ of density 1."""

    points: Array
    mass: Array

    def placed(self, rotations: Array, centres: Array) -> Cloud:
        """One copy per rotation matrix (k, 3, 3; reference to tomogram, column vectors) and centre (k, 3)."""
        turned = np.einsum("kij,nj->kni", rotations, self.points) + centres[:, None, :]
        return Cloud(turned.reshape(-1, 3), np.tile(self.mass, len(centres)))


def joined(clouds: list[Cloud]) -> Cloud:
    """All points of several clouds."""
    if not clouds:
        return Cloud(np.zeros((0, 3)), np.zeros(0))
    return Cloud(np.concatenate([c.points for c in clouds]), np.concatenate([c.mass for c in clouds]))


def _ball(rng: np.random.Generator, count: int) -> Array:
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return np.asarray(direction * rng.random((count, 1)) ** (1 / 3))


def _blob(
    rng: np.random.Generator,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
    density: float,
    step: float = 11.0,
) -> Cloud:
    """An ellipsoid filled with about one point per `step`³, half of them clumped, so that it is not a smooth egg."""
    volume = 4 / 3 * np.pi * float(np.prod(radii))
    count = max(int(volume / step**3), 8)
    clumps = _ball(rng, max(count // 16, 3))
    clumped = clumps[rng.integers(len(clumps), size=count // 2)] * 0.94 + _ball(rng, count // 2) * 0.22
    points = np.concatenate([clumped, _ball(rng, count - count // 2)])
    mass = np.full(count, density * volume / count)
    return Cloud(points * np.array(radii) + np.array(centre), mass)


def ribosome() -> Cloud:
    """A cytosolic ribosome: large subunit (+z) with stalks and central protuberance, small subunit (-z) with head, cleft between."""
    rng = np.random.default_rng(80)
    rna = 1.9
    large = [
        _blob(rng, (0, 0, 52), (112, 104, 74), rna),
        _blob(rng, (-118, 34, 30), (26, 22, 22), rna * 0.7),
        _blob(rng, (116, 40, 26), (30, 18, 18), rna * 0.7),
        _blob(rng, (6, 96, 22), (26, 30, 24), rna * 0.9),
    ]
    small = [
        _blob(rng, (6, -32, -70), (96, 62, 42), rna),
        _blob(rng, (-2, 66, -62), (54, 40, 40), rna),
        _blob(rng, (70, -76, -62), (30, 26, 26), rna * 0.8),
    ]
    whole = joined(large + small)
    centre = (whole.points * whole.mass[:, None]).sum(0) / whole.mass.sum()
    return Cloud(whole.points - centre, whole.mass)


def proteasome() -> Cloud:
    """A 20S core particle: four stacked rings of seven subunits, 150 Å long, 115 Å wide, hollow."""
    rng = np.random.default_rng(20)
    subunits = []
    for z, radius, turn in ((-56, 38, 0.0), (-19, 42, 0.3), (19, 42, 0.3), (56, 38, 0.0)):
        for k in range(7):
            angle = 2 * np.pi * (k + turn) / 7
            centre = (radius * np.cos(angle), radius * np.sin(angle), z)
            subunits.append(_blob(rng, centre, (17, 17, 20), 1.7, 11.0))
    return joined(subunits)


def globule(rng: np.random.Generator, radius: float) -> Cloud:
    """A small soluble protein: one or two lumps."""
    lumps = [_blob(rng, (0, 0, 0), (radius, radius * 0.8, radius * 0.7), 1.3, 18.0)]
    if radius > 24:
        lumps.append(_blob(rng, (radius, radius * 0.4, 0), (radius * 0.7,) * 3, 1.3, 18.0))
    return joined(lumps)


def lollipop() -> Cloud:
    """An ATP-synthase-like head around the origin, on a stalk along -z whose foot is in the membrane 100 Å below."""
    rng = np.random.default_rng(13)
    return joined(
        [
            _blob(rng, (0, 0, 0), (52, 52, 46), 1.5, 12.0),
            _blob(rng, (0, 0, -60), (12, 12, 30), 1.2, 10.0),
            _blob(rng, (0, 0, -100), (30, 30, 20), 0.6, 12.0),
        ]
    )


def receptor() -> Cloud:
    """A membrane protein standing out of the bilayer on its outside (+z) by about 90 Å."""
    rng = np.random.default_rng(31)
    return joined(
        [
            _blob(rng, (0, 0, 68), (34, 26, 30), 1.4, 11.0),
            _blob(rng, (0, 0, 0), (22, 22, 26), 0.7, 11.0),
            _blob(rng, (8, 0, -40), (16, 16, 14), 1.2, 11.0),
        ]
    )


def path_frames(path: Array, step: float) -> tuple[Array, Array]:
    """Resample a polyline (n, 3) every `step` Å; returns positions (k, 3) and frames (k, 3, 3), whose last column is the tangent."""
    legs = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    stops = np.arange(0.0, along[-1], step)
    position = np.stack([np.interp(stops, along, path[:, axis]) for axis in range(3)], axis=1)
    tangent = np.gradient(position, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent, np.array([0.31, 0.17, 0.93]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    return position, np.stack([side, np.cross(tangent, side), tangent], axis=2)


def microtubule(path: Array, rng: np.random.Generator) -> Cloud:
    """Thirteen protofilaments of tubulin (40 Å apart, three-start helix), wall centred on a radius of 105 Å."""
    position, frame = path_frames(path, 40.0)
    turns = 2 * np.pi * np.arange(13) / 13
    local = np.stack([105 * np.cos(turns), 105 * np.sin(turns), np.arange(13) * 3 * 40 / 13], axis=1)
    centres = (np.einsum("kij,nj->kni", frame, local) + position[:, None, :]).reshape(-1, 3)
    return _beads(centres, 20.0, 1.6, 6, rng)


def actin(path: Array, rng: np.random.Generator) -> Cloud:
    """A helix of subunits, 27.5 Å rise and -166.6° twist, 18 Å off the axis."""
    position, frame = path_frames(path, 27.5)
    turn = np.deg2rad(-166.6) * np.arange(len(position))
    local = np.stack([18 * np.cos(turn), 18 * np.sin(turn), np.zeros_like(turn)], axis=1)
    return _beads(np.einsum("kij,kj->ki", frame, local) + position, 24.0, 1.9, 7, rng)


def _beads(centres: Array, radius: float, density: float, per_bead: int, rng: np.random.Generator) -> Cloud:
    points = centres[:, None, :] + _ball(rng, len(centres) * per_bead).reshape(-1, per_bead, 3) * radius
    mass = density * 4 / 3 * np.pi * radius**3 / per_bead
    return Cloud(points.reshape(-1, 3), np.full(len(centres) * per_bead, mass))
