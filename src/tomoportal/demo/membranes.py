"""Membranes as signed distance functions: negative inside, in ångström, on any set of points.

A bilayer is two leaflets 20 Å on either side of the zero surface; its mask is |distance| ≤ 30 Å.
Nothing here allocates more than the broadcast of the coordinates it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Triple = tuple[float, float, float]

LEAFLET_OFFSET = 20.0
LEAFLET_SIGMA = 7.0
MASK_HALF_THICKNESS = 30.0
JUNCTION = 90.0  # how far the bend reaches where a crista joins the inner boundary membrane


class Membrane(Protocol):
    """A closed or open surface."""

    @property
    def name(self) -> str:
        """What it is called in the truth table."""

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance (Å, exact to first order near the surface) at broadcastable coordinates in Å."""

    def bounds(self, reach: float) -> tuple[Triple, Triple] | None:
        """Corners (x, y, z in Å) of a box outside which |distance| > reach; None when the surface is unbounded."""

    def facts(self) -> dict[str, Any]:
        """The parameters, for the truth table."""


def profile(distance: Array) -> Array:
    """Density of a bilayer across its thickness: two Gaussian leaflets."""
    squared = (np.abs(distance) - LEAFLET_OFFSET) ** 2
    return np.asarray(np.exp(-squared / (2 * LEAFLET_SIGMA**2)))


@dataclass(frozen=True)
class Vesicle:
    """A sphere of `radius` Å, with smooth dents of relative size `dents` (0: an exact sphere)."""

    centre: Triple
    radius: float
    dents: float = 0.0
    phase: float = 0.0
    name: str = "vesicle"

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        dx, dy, dz = x - self.centre[0], y - self.centre[1], z - self.centre[2]
        r = np.sqrt(dx * dx + dy * dy + dz * dz)
        if self.dents == 0:
            return np.asarray(r - self.radius)
        ux, uy, uz = (d / np.maximum(r, 1.0) for d in (dx, dy, dz))
        turn = np.cos(self.phase), np.sin(self.phase)
        a, b = ux * turn[0] + uy * turn[1], uy * turn[0] - ux * turn[1]
        bump = a * a - b * b + 0.6 * a * (a * a - 3 * b * b) + 0.5 * uz * a
        return np.asarray(r - self.radius * (1 + self.dents * bump))

    def bounds(self, reach: float) -> tuple[Triple, Triple] | None:
        r = self.radius * (1 + 2.1 * self.dents) + reach
        low, high = (tuple(c + s * r for c in self.centre) for s in (-1, 1))
        return low, high  # type: ignore[return-value]

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "shape": "sphere" if self.dents == 0 else "dented sphere",
            "centre_angstrom": [round(c, 3) for c in self.centre],
            "radius_angstrom": round(self.radius, 3),
            "dents": self.dents,
        }


@dataclass(frozen=True)
class Sheet:
    """A wavy sheet: points with u = x cos(direction) + y sin(direction) below `offset` + waves are inside."""

    direction: float
    offset: float
    wave: float = 120.0
    length: float = 2600.0
    slant: float = 0.25
    name: str = "plasma membrane"

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        c, s = np.cos(self.direction), np.sin(self.direction)
        u, v = x * c + y * s, y * c - x * s
        k = 2 * np.pi / self.length
        height = (
            self.offset
            + self.wave * np.sin(k * v + 0.4)
            + 0.3 * self.wave * np.sin(2.7 * k * v)
            + self.slant * z
        )
        slope = self.wave * k * np.cos(k * v + 0.4) + 0.81 * self.wave * k * np.cos(2.7 * k * v)
        return np.asarray((u - height) / np.sqrt(1 + slope**2 + self.slant**2))

    def bounds(self, reach: float) -> tuple[Triple, Triple] | None:
        return None

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "shape": "wavy sheet",
            "direction_radian": self.direction,
            "offset_angstrom": self.offset,
            "wave_angstrom": self.wave,
        }


@dataclass(frozen=True)
class Cristae:
    """The inner membrane of a mitochondrion: `outer` shrunk by `gap`, with flat folds reaching into the matrix."""

    outer: Vesicle
    gap: float
    folds: tuple[
        tuple[Triple, Triple, Triple], ...
    ]  # (centre, unit normal, half sizes: along, across, thickness)
    name: str = "mitochondrial inner membrane"

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        inside = self.outer.distance(x, y, z) + self.gap
        for centre, normal, half in self.folds:
            fold = -self._fold(x, y, z, centre, normal, half)
            bend = np.maximum(1 - np.abs(inside - fold) / JUNCTION, 0.0)
            inside = np.maximum(inside, fold) + bend * bend * (JUNCTION / 4)
        return np.asarray(inside)

    def _fold(self, x: Array, y: Array, z: Array, centre: Triple, normal: Triple, half: Triple) -> Array:
        """Distance to a rounded slab; its plane contains z when the normal does."""
        nx, ny = normal[0], normal[1]
        dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
        along = -dx * ny + dy * nx
        bow = 60.0 * np.sin(along / 300.0)
        across = dx * nx + dy * ny + normal[2] * dz - bow
        rim = 40.0
        qa = np.maximum(np.abs(along) - half[0] + rim, 0.0)
        qz = np.maximum(np.abs(dz) - half[1] + rim, 0.0)
        qt = np.maximum(np.abs(across) - half[2] + rim, 0.0)
        outside = np.sqrt(qa * qa + qz * qz + qt * qt) - rim
        return np.asarray(np.where(outside > -rim, outside, np.abs(across) - half[2]))

    def bounds(self, reach: float) -> tuple[Triple, Triple] | None:
        return self.outer.bounds(reach)

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "gap_angstrom": self.gap,
            "folds": len(self.folds),
            "outer": self.outer.facts(),
        }
