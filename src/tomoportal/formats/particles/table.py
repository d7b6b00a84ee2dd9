"""Particles of a file: places, orientations, instances, and to which tomogram each belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError
from tomoportal.formats.rotations import Angles, Matrices
from tomoportal.formats.text import number, shortened


class Unit(StrEnum):
    """What positions are counted in."""

    PIXELS = "pixels"
    """Pixels of the file's own binning; the centre of the first is 0."""
    ANGSTROM = "Å"
    """Å from the centre of the first voxel."""
    CENTRED = "Å from the centre"
    """Å from the centre of the tomogram."""


@dataclass(frozen=True, slots=True)
class Particles:
    """n particles of one tomogram. `positions` (n, 3) x, y, z in `unit`; `rotations` (n, 3, 3) turn the reference into the tomogram (see
    `formats.rotations`); `instances` (n,) number the object each belongs to; `records` (n,) is where each stands in the file, counted
    from 1 in `record` (lines, or points of a list)."""

    name: str
    positions: NDArray[np.float64]
    unit: Unit = Unit.PIXELS
    rotations: Matrices | None = None
    instances: NDArray[np.int64] | None = None
    records: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    record: str = "line"

    def __len__(self) -> int:
        return len(self.positions)

    def repeated(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The numbers of particles that are the same as one before them in place, orientation and instance, and of those."""
        columns = [self.positions]
        if self.rotations is not None:
            columns.append(self.rotations.reshape(-1, 9))
        if self.instances is not None:
            columns.append(self.instances[:, None].astype(np.float64))
        whole = np.ascontiguousarray(np.concatenate(columns, axis=1) + 0.0)
        rows = whole.view(np.dtype((np.void, whole.shape[1] * whole.itemsize))).reshape(-1)
        _, first, which = np.unique(rows, return_index=True, return_inverse=True)
        earlier = first[which]
        again = np.flatnonzero(earlier != np.arange(len(self)))
        return again, earlier[again]

    def where(self, number: int) -> str:
        """File and place of a particle, for messages."""
        return f"{self.name}, {self.record} {self.records[number]}"


@dataclass(frozen=True, slots=True)
class ParticleTable:
    """All particles of a file. `angles` (n, 3) are turned into matrices by `convention` when they are asked for: a file may hold
    millions. `groups` are the names of tomograms, `codes` (n,) the number of each particle's group; without groups the whole file
    is one tomogram's. `grouped_by` names the column."""

    particles: Particles
    angles: Angles | None = None
    convention: Callable[[Angles], Matrices] | None = None
    outer: Angles | None = None
    """Angles of a rotation that follows (RELION's rlnTomoSubtomogram…)."""
    groups: tuple[str, ...] = ()
    codes: NDArray[np.int32] | None = None
    grouped_by: str = ""

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        whole = self.particles
        arrays = (
            whole.positions,
            whole.rotations,
            whole.instances,
            whole.records,
            self.angles,
            self.outer,
            self.codes,
        )
        return sum(array.nbytes for array in arrays if array is not None)

    def of(self, group: str | None) -> Particles:
        """The particles of one tomogram, or all without a name. Raises `FormatError` when the file does not tell tomograms apart."""
        whole = self.particles
        if group is None:
            return self._picked(slice(None))
        if self.codes is None:
            raise FormatError(
                whole.name, f"filter_value is {shortened(group)}, but this file has no column that names tomograms.",
                "Leave filter_value out.",
            )  # fmt: skip
        wanted = self._group(group)
        return self._picked(
            np.flatnonzero(self.codes == wanted) if wanted is not None else np.zeros(0, np.intp)
        )

    def _group(self, name: str) -> int | None:
        """The number of a group; names that are whole numbers may be written in any way (`01`, `1.0`)."""
        numbers = {**{whole_number(known): number for number, known in enumerate(self.groups)},
                   **{known: number for number, known in enumerate(self.groups)}}  # fmt: skip
        return numbers.get(name, numbers.get(whole_number(name)))

    def _picked(self, rows: slice | NDArray[np.intp]) -> Particles:
        whole = self.particles
        return Particles(
            whole.name,
            whole.positions[rows],
            whole.unit,
            self._rotations(rows),
            None if whole.instances is None else whole.instances[rows],
            whole.records[rows],
            whole.record,
        )

    def _rotations(self, rows: slice | NDArray[np.intp]) -> Matrices | None:
        if self.particles.rotations is not None:
            return self.particles.rotations[rows]
        if self.angles is None or self.convention is None:
            return None
        inner = self.convention(self.angles[rows]) if len(self.angles[rows]) else np.zeros((0, 3, 3))
        if self.outer is None or not len(inner):
            return inner
        return np.asarray(self.convention(self.outer[rows]) @ inner)


def whole_number(text: str) -> str:
    """`1.000000` and `01` as `1`; anything else as it is."""
    value = number(text)
    return str(int(value)) if value is not None and value == int(value) else text


def grouped(names: list[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The different names in the order of their coming, and the number of each item's name."""
    numbers: dict[str, int] = {}
    codes = np.fromiter((numbers.setdefault(name, len(numbers)) for name in names), np.int32, len(names))
    return tuple(numbers), codes
