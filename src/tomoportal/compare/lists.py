"""Lists of particles in any format, brought into one system of Å."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError, UsageError
from tomoportal.formats.particles import ORIENTED, TABLES, Particles, TableForm, Unit, read_particles
from tomoportal.formats.star import read_star
from tomoportal.formats.text import number, text_lines

FORMATS = (*ORIENTED, *TABLES)
_ENDINGS = {".tbl": "dynamo_tbl", ".mod": "mod", ".json": "copick", ".ndjson": "ndjson", ".tsv": "tsv"}
_VOLUMES = (".mrc", ".rec", ".map", ".zarr")
_SPOKEN = 8


@dataclass(frozen=True, slots=True)
class ParticleList:
    """Particles of one tomogram as a file has them. `spacing` is Å per voxel of places in voxels, and `size` (x, y, z) that of the
    tomogram in voxels, as far as they are known."""

    particles: Particles
    spacing: float | None = None
    size: tuple[int, int, int] | None = None


def is_volume(name: str) -> bool:
    """Whether a name ends like that of a volume."""
    return name.rstrip("/").lower().endswith(_VOLUMES)


def read_list(data: bytes, name: str, *, kind: str | None = None, group: str | None = None) -> ParticleList:
    """The particles of a file of the format `kind` (else by its ending), of the tomogram called `group` in it.

    Raises `UsageError` for an ending that says nothing and for a list of several tomograms without `group`, `FormatError`.
    """
    kind = kind or _kind(data, name)
    if kind not in FORMATS:
        raise UsageError(f"{kind} is no format of particles; expected one of {', '.join(FORMATS)}.")
    oriented = kind == "mod" and b"SLAN" in data
    form = _form(data, name, kind)
    table = read_particles(data, name, kind, form, oriented=oriented)
    if group is None and len(table.groups) > 1:
        told = ", ".join(table.groups[:_SPOKEN]) + (", …" if len(table.groups) > _SPOKEN else "")
        raise UsageError(
            f"{name} holds particles of {len(table.groups)} tomograms ({told}); say which with --group."
        )
    picked = table.of(group if table.groups else None)
    if group is not None and table.groups and not len(picked):
        raise FormatError(name, f"there is no particle of '{group}' in this file.")
    return ParticleList(picked)


def in_angstrom(
    predicted: ParticleList, truth: ParticleList, spacing: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The places of both lists in Å with one origin. Voxels are those of the list's own spacing, else of `spacing`; Å from the first voxel
    and from the centre of the tomogram are brought together by what is known of either list.

    Raises `UsageError` for what is not known, and for a spacing that is not above 0.
    """
    if spacing is not None and not (0 < spacing < np.inf):
        raise UsageError(f"the voxel spacing is {spacing:g} Å; expected a number above 0.")
    lists = [replace(one, spacing=one.spacing or spacing) for one in (predicted, truth)]
    units = {one.particles.unit for one in lists}
    if len(units) == 1 and Unit.PIXELS not in units:
        return lists[0].particles.positions, lists[1].particles.positions
    return _from_the_face(lists[0], lists[1]), _from_the_face(lists[1], lists[0])


def _from_the_face(one: ParticleList, other: ParticleList) -> NDArray[np.float64]:
    """Places in Å from the outer face of the tomogram, which volumes of one alignment share: the centre of voxel c is (c + 1/2) voxels
    away from it."""
    particles = one.particles
    spacing = one.spacing or other.spacing
    if spacing is None or (particles.unit is Unit.PIXELS and one.spacing is None):
        raise UsageError(
            f"{particles.name} counts in {particles.unit}, and the voxel spacing is not known; give --voxel-spacing."
        )
    if particles.unit is Unit.PIXELS:
        return (particles.positions + 0.5) * spacing
    if particles.unit is Unit.ANGSTROM:
        return particles.positions + spacing / 2
    return particles.positions + _middle(one, other) + spacing / 2


def _middle(one: ParticleList, other: ParticleList) -> NDArray[np.float64]:
    """Where centred places are counted from, in Å from the centre of the first voxel: half the size, as RELION 5 has it."""
    known = one if one.size else other
    if known.size is None or known.spacing is None:
        raise UsageError(
            f"{one.particles.name} counts from the centre of the tomogram, whose size is not known; "
            "compare with an annotation of a portal or a list in the same unit."
        )
    return np.array(known.size, dtype=np.float64) / 2 * known.spacing


def _kind(data: bytes, name: str) -> str:
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".star":
        stopgap = any("orig_x" in block.labels for block in read_star(data, name).values())
        return "stopgap_star" if stopgap else "relion5_star"
    if ending in (".csv", ".txt"):
        return "csv_with_header" if _has_header(data, name, _delimiter(data, name)) else "csv"
    if ending not in _ENDINGS:
        raise UsageError(
            f"{name}: the ending {ending or '(none)'} says nothing about the format; give it with --format."
        )
    return _ENDINGS[ending]


def _form(data: bytes, name: str, kind: str) -> TableForm:
    if kind == "tsv":
        return TableForm(delimiter="\t", has_header=True)
    if kind in ("csv", "csv_with_header"):
        return TableForm(delimiter=_delimiter(data, name), has_header=kind == "csv_with_header")
    return TableForm()


def _delimiter(data: bytes, name: str) -> str:
    first = _first(data, name)
    return next((sign for sign in ",;\t" if sign in first), " " if " " in first else ",")


def _has_header(data: bytes, name: str, delimiter: str) -> bool:
    first = _first(data, name)
    cells = first.split() if delimiter == " " else first.split(delimiter)
    return bool(first) and all(number(cell) is None for cell in cells[:3])


def _first(data: bytes, name: str) -> str:
    lines = (line.strip() for line in text_lines(data, name))
    return next((line for line in lines if line and not line.startswith("#")), "")
