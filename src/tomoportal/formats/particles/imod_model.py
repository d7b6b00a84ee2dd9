"""IMOD models (`.mod`): the points of all contours, or the centres and angles that were stored in the slicer window.

Format: "IMOD Binary File Format" (https://bio3d.colorado.edu/imod/doc/binspec.html), big-endian, version 1.2. Coordinates are pixels of the
image the model was drawn on, taken as they stand. (3dmod counts x and y from the corner of a voxel, so that the middle of the
first is drawn at 0.5; programs that write models from lists of particles mostly do not.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.formats.particles.table import Particles, ParticleTable
from tomoportal.formats.rotations import from_slicer

_MAGIC = b"IMODV1.2"
_HEADER = 240
_OBJECT = 176
_SLICER = struct.Struct(">i6f")


@dataclass(slots=True)
class _Chunks:
    """Goes through a file and never beyond its end."""

    data: bytes
    name: str
    at: int = _HEADER

    def all(self) -> Iterator[tuple[bytes, bytes]]:
        """Kind and content of every chunk. Objects, contours and meshes do not state their length, but what they hold."""
        if not self.data.startswith(_MAGIC) or len(self.data) < _HEADER:
            raise FormatError(
                self.name,
                f"this file does not begin with '{_MAGIC.decode()}' and a header; expected an IMOD model.",
            )
        while self.at < len(self.data):
            kind = self._take(4, "the name of a chunk")
            if kind == b"IEOF":
                return
            yield kind, self._content(kind)
        raise FormatError(self.name, "the model ends without its last chunk (IEOF).", "Is the copy complete?")

    def _content(self, kind: bytes) -> bytes:
        if kind == b"OBJT":
            return self._take(_OBJECT, "an object")
        if kind == b"CONT":
            points = self._number()
            return self._take(12 + 12 * points, "a contour")[12:]
        if kind == b"MESH":
            vertices, indices = self._number(), self._number()
            return self._take(8 + 12 * vertices + 4 * indices, "a mesh")
        return self._take(self._number(), f"chunk {kind!r}")

    def _number(self) -> int:
        (number,) = struct.unpack(">i", self._take(4, "a size"))
        return int(number)

    def _take(self, size: int, what: str) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise FormatError(
                self.name, f"{what} at byte {self.at} has {size} bytes, of which the file holds {len(self.data) - self.at}.",
                "Is the copy complete?",
            )  # fmt: skip
        self.at += size
        return self.data[self.at - size : self.at]


def read_model_points(data: bytes, name: str) -> ParticleTable:
    """The points of every contour of every object, in their order. Raises `FormatError`."""
    contours = [
        np.frombuffer(content, ">f4") for kind, content in _Chunks(data, name).all() if kind == b"CONT"
    ]
    points = np.concatenate([np.zeros(0), *contours]).astype(np.float64).reshape(-1, 3)
    return ParticleTable(_listed(points, name, "point"))


def read_model_slicer(data: bytes, name: str) -> ParticleTable:
    """The slicer's centres and angles. Raises `FormatError`."""
    found = [
        _SLICER.unpack(content[: _SLICER.size])[1:]
        for kind, content in _Chunks(data, name).all()
        if kind == b"SLAN" and len(content) >= _SLICER.size
    ]
    values = np.array(found, dtype=np.float64).reshape(-1, 6)
    particles = _listed(values[:, 3:], name, "slicer angle")
    if not np.isfinite(values).all():
        raise FormatError(name, "an angle of the slicer is no finite number.")
    return ParticleTable(particles, values[:, :3], from_slicer)


def _listed(points: np.ndarray, name: str, record: str) -> Particles:
    wrong = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(wrong):
        place = ", ".join(f"{value:g}" for value in points[wrong[0]])
        raise FormatError(
            f"{name}, {record} {wrong[0] + 1}", f"it lies at ({place}); expected finite coordinates."
        )
    return Particles(name, points, records=np.arange(1, len(points) + 1), record=record)
