"""For which tomogram particles are written, and their places in its voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tomoportal.errors import UsageError
from tomoportal.formats.particles.table import Particles, Unit
from tomoportal.formats.rotations import Angles, Matrices


@dataclass(frozen=True, slots=True)
class Destination:
    """What packages want to know of a tomogram.

    `name` and `number` tell it apart from others; `spacing` is Å per voxel, `size` (x, y, z) in voxels; `pixel` is Å per pixel of its
    tilt series, `voltage` (kV) and `aberration` (mm) are those of the microscope; `object` names what the particles are; `user` and
    `session` say in copick's files who found them.
    """

    name: str
    number: int
    spacing: float
    size: tuple[int, int, int] | None = None
    object: str = "particle"
    pixel: float | None = None
    voltage: float | None = None
    aberration: float | None = None
    user: str = "portal"
    session: str = "0"

    def known_size(self, format: str) -> tuple[int, int, int]:
        """The size. Raises `UsageError` when it is unknown."""
        if self.size is None:
            raise UsageError(
                f"{format} needs the size of the tomogram, and there is no tomogram with the alignment and voxel spacing of "
                "these points; name one of another voxel spacing, or take another format."
            )
        return self.size


def at_spacing(particles: Particles, spacing: float, shown: float) -> Particles:
    """Places in voxels of `spacing` Å as voxels of `shown` Å of the same alignment. Volumes of one alignment share their outer faces, not
    the centres of their first voxels: voxel c lies at (c + 1/2) · spacing / shown − 1/2."""
    if particles.unit is not Unit.PIXELS:
        raise UsageError(f"{particles.name}: places in {particles.unit} are not voxels.")
    if spacing == shown:
        return particles
    return replace(particles, positions=(particles.positions + 0.5) * (spacing / shown) - 0.5)


def angles_of(particles: Particles, convention: Callable[[Matrices], Angles]) -> Angles | None:
    """The angles (n, 3) in degrees of oriented particles; None for others."""
    if particles.rotations is None:
        return None
    return convention(particles.rotations) if len(particles) else np.zeros((0, 3))
