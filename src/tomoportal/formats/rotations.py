"""Orientations of particles: rotation matrices, and the angles that packages write for them.

A matrix is (3, 3) float64 in the order x, y, z, and turns the reference (the map of the particle) into the tomogram: a point `p` of
the reference, seen from its centre, lies at `position + matrix @ p`. Its columns are the particle's own x, y and z axes in the
tomogram. Angles are in degrees, arrays of them (n, 3) in the order of the package's own columns. Rotations are counter-clockwise
when seen against the axis.

RELION    rot, tilt, psi      Z-Y'-Z'' turns the particle onto the reference (Heymann, Chagoyen, Belnap 2005), so the inverse is taken
Dynamo    tdrot, tilt, narot  z-x-z about fixed axes turns the particle onto the reference (wiki, "Euler angles convention")
STOPGAP   phi, psi, the       z-x-z about fixed axes by phi, the, psi turns the reference onto the particle (as TOM and AV3)
IMOD      x, y, z             angles of the slicer: rotating the volume about Z, then Y, then X brings the particle to the reference
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Angles = NDArray[np.float64]
Matrices = NDArray[np.float64]

TOLERANCE = 1e-2
"""How far `matrix @ matrix.T` may be from the identity: matrices are stored with three decimals sometimes."""


def from_relion(angles: Angles) -> Matrices:
    """Matrices (n, 3, 3) of rlnAngleRot, rlnAngleTilt, rlnAnglePsi."""
    return np.swapaxes(_matrices("ZYZ", angles), -1, -2)


def to_relion(matrices: Matrices) -> Angles:
    """The inverse of `from_relion`; tilt is between 0 and 180."""
    return _angles("ZYZ", np.swapaxes(matrices, -1, -2))


def from_dynamo(angles: Angles) -> Matrices:
    """Matrices (n, 3, 3) of tdrot, tilt, narot: columns 7 to 9 of a table."""
    return np.swapaxes(_matrices("zxz", angles), -1, -2)


def to_dynamo(matrices: Matrices) -> Angles:
    """The inverse of `from_dynamo`."""
    return _angles("zxz", np.swapaxes(matrices, -1, -2))


def from_stopgap(angles: Angles) -> Matrices:
    """Matrices (n, 3, 3) of phi, psi, the (in this order, that of the file)."""
    return _matrices("zxz", angles[..., [0, 2, 1]])


def to_stopgap(matrices: Matrices) -> Angles:
    """The inverse of `from_stopgap`."""
    return _angles("zxz", matrices)[..., [0, 2, 1]]


def from_slicer(angles: Angles) -> Matrices:
    """Matrices (n, 3, 3) of IMOD's slicer angles x, y, z."""
    return _matrices("xyz", -angles)


def to_slicer(matrices: Matrices) -> Angles:
    """The inverse of `from_slicer`."""
    return -_angles("xyz", matrices)


def no_rotations(matrices: Matrices) -> NDArray[np.intp]:
    """The numbers of the matrices that are no rotation: not finite, not orthonormal within `TOLERANCE`, or mirroring."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)).max(axis=(-1, -2), initial=0)
        is_rotation = (error <= TOLERANCE) & (np.linalg.det(matrices) > 0)
    return np.flatnonzero(~is_rotation)


def _matrices(sequence: str, angles: Angles) -> Matrices:
    from scipy.spatial.transform import (
        Rotation,
    )  # here: few files have angles, and every command would wait for it

    return Rotation.from_euler(sequence, angles, degrees=True).as_matrix()


def _angles(sequence: str, matrices: Matrices) -> Angles:
    """Where two angles turn about the same axis (gimbal lock), the third is zero."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(matrices).as_euler(sequence, degrees=True, suppress_warnings=True)
