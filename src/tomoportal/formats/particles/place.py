"""Positions of a file → voxels of a tomogram: binning, order of the axes, units; and what does not fit the volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError
from tomoportal.formats.particles.table import Particles, Unit
from tomoportal.formats.rotations import no_rotations

FARTHEST = 1e7
"""Voxels from the first one; no volume is as large, and beside it numbers of 32 bits lose half voxels."""


def turned(particles: Particles) -> Particles:
    """The same particles where the file counts z, y, x: places and both axes of the matrices are turned round."""
    rotations = None if particles.rotations is None else particles.rotations[:, ::-1, ::-1]
    return replace(particles, positions=particles.positions[:, ::-1], rotations=rotations)


def in_voxels(
    particles: Particles, *, binning: float, spacing: float, shape_zyx: Sequence[int] | None
) -> Particles:
    """Positions in voxels of a tomogram, whose first voxel has its centre at 0.

    Pixels and Å from the first voxel are divided by `binning` (which for Å is the voxel spacing; left at 1 they are divided by
    `spacing`). Å from the centre need `shape_zyx`; the centre is half the size, as RELION 5 has it. Raises `FormatError` when that is
    unknown, for matrices that are no rotations, and for positions farther away than `FARTHEST`.
    """
    wrong = no_rotations(particles.rotations).tolist() if particles.rotations is not None else []
    if wrong:
        others = f" (nor are {len(wrong) - 1} others)" if len(wrong) > 1 else ""
        raise FormatError(
            particles.where(wrong[0]),
            f"its matrix is no rotation{others}; expected orthonormal rows that do not mirror.",
        )
    with np.errstate(over="ignore"):
        match particles.unit:
            case Unit.PIXELS:
                positions = particles.positions / binning
            case Unit.ANGSTROM:
                positions = particles.positions / (spacing if binning == 1 else binning)
            case Unit.CENTRED:
                positions = particles.positions / spacing + _centre(particles.name, shape_zyx)
    _check_reach(particles, positions, binning)
    return replace(particles, positions=positions, unit=Unit.PIXELS)


def _check_reach(particles: Particles, positions: NDArray[np.float64], binning: float) -> None:
    far = np.flatnonzero(~(np.abs(positions) <= FARTHEST).all(axis=1))
    if len(far):
        place = ", ".join(f"{value:g}" for value in positions[far[0]])
        others = f" (as do {len(far) - 1} others)" if len(far) > 1 else ""
        raise FormatError(
            particles.where(far[0]),
            f"with binning {binning:g} this point lies at ({place}) in voxels, farther away than {FARTHEST:,.0f}{others}.",
            "Correct `binning`, or the coordinates.",
        )


def outside(positions: NDArray[np.float64], shape_zyx: Sequence[int]) -> NDArray[np.intp]:
    """The numbers of the positions outside a volume: below -0.5 or above n - 0.5 along an axis of n voxels."""
    size = np.array(tuple(shape_zyx)[::-1], dtype=np.float64)
    inside = (positions >= -0.5) & (positions <= size - 0.5)
    return np.flatnonzero(~inside.all(axis=1))


def _centre(name: str, shape_zyx: Sequence[int] | None) -> NDArray[np.float64]:
    if shape_zyx is None:
        raise FormatError(
            name, "places are counted from the centre of the tomogram, whose size is unknown.",
            "Give the tomogram in this deposition file, or refer to one that is published.",
        )  # fmt: skip
    return np.array(tuple(shape_zyx)[::-1], dtype=np.float64) / 2
