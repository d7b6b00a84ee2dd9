"""Particles as an IMOD model: scattered points, one contour for each instance, with the slicer's angles of oriented ones.

Format: "IMOD Binary File Format" (https://bio3d.colorado.edu/imod/doc/binspec.html), big-endian, version 1.2. Coordinates are pixels as the
reader takes them (`formats.particles.imod_model`), in single precision.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tomoportal.formats.particles.table import Particles
from tomoportal.formats.particles.writers.destination import Destination, angles_of
from tomoportal.formats.rotations import to_slicer

_HEADER = struct.Struct(">8s128s4i I4i 6f 5i f2i 3f")
_OBJECT = struct.Struct(">64s64s i I 2i 3f i 8B 2i")
_CONTOUR = struct.Struct(">iIii")
_SLICER = struct.Struct(">i6f32s")
_OPEN, _SCATTERED = 1 << 3, 1 << 9
_ANGSTROM = -10
"""IMOD's units are powers of ten of a metre."""
_RADIUS, _CIRCLE = 5, 0
_COLOUR = (0.0, 1.0, 0.0)


def write_model(particles: Particles, destination: Destination) -> bytes:
    """One object. Its size is that of the tomogram, or what holds all points where that is unknown."""
    contours = list(_contours(particles))
    parts = [_header(particles, destination), b"OBJT", _object(destination, len(contours))]
    for contour in contours:
        parts += [b"CONT", _CONTOUR.pack(len(contour), 0, 0, 0), contour.astype(">f4").tobytes()]
    parts += _slicer(particles)
    return b"".join([*parts, b"IEOF"])


def _header(particles: Particles, destination: Destination) -> bytes:
    reach = np.ceil(particles.positions.max(axis=0, initial=0)).astype(int).tolist()
    x, y, z = destination.size or [side + 1 for side in reach]
    return _HEADER.pack(
        b"IMODV1.2", _name(destination.name, 128), x, y, z, 1, 0, 1, 1, 0, 255,
        0, 0, 0, 1, 1, 1, 0, 0, 0, 3, 128, destination.spacing, _ANGSTROM, 0, 0, 0, 0,
    )  # fmt: skip


def _object(destination: Destination, contours: int) -> bytes:
    flags = _OPEN | _SCATTERED
    look = (_CIRCLE, 3, 1, 1, 0, 0, 0, 0)
    return _OBJECT.pack(
        _name(destination.object, 64), b"", contours, flags, 0, 1, *_COLOUR, _RADIUS, *look, 0, 0
    )


def _name(text: str, size: int) -> bytes:
    """At most `size` bytes, the last one being 0, cut between characters."""
    return text.encode()[: size - 1].decode(errors="ignore").encode()


def _contours(particles: Particles) -> Iterator[NDArray[np.float64]]:
    if particles.instances is None:
        yield particles.positions
        return
    order = np.argsort(particles.instances, kind="stable")
    ends = np.flatnonzero(np.diff(particles.instances[order])) + 1
    yield from np.split(particles.positions[order], ends)


def _slicer(particles: Particles) -> list[bytes]:
    angles = angles_of(particles, to_slicer)
    if angles is None:
        return []
    size = struct.pack(">i", _SLICER.size)
    return [
        b"SLAN" + size + _SLICER.pack(1, *turn, *place, b"")
        for turn, place in zip(angles.tolist(), particles.positions.tolist(), strict=True)
    ]
