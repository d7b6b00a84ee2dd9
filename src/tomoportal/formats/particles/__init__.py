"""Lists of particles: points, oriented points and points of instances, in the formats of the field's packages.

    read_particles(data, name, kind, form) → ParticleTable      all of the file, by tomogram
    table.of(group) → Particles                                 those of one tomogram
    in_voxels(particles, …) → Particles                         in voxels of a tomogram

Positions are x, y, z; rotations turn the reference into the tomogram (`formats.rotations`).
"""

from __future__ import annotations

from collections.abc import Callable

from tomoportal.formats.particles.delimited import TARDIS, TableForm, header_problems, read_delimited
from tomoportal.formats.particles.imod_model import read_model_points, read_model_slicer
from tomoportal.formats.particles.json_lists import read_copick, read_ndjson, to_ndjson
from tomoportal.formats.particles.lists import read_dynamo, read_stopgap
from tomoportal.formats.particles.place import in_voxels, outside, turned
from tomoportal.formats.particles.relion import read_relion
from tomoportal.formats.particles.table import Particles, ParticleTable, Unit

__all__ = [
    "ORIENTED",
    "TABLES",
    "ParticleTable",
    "Particles",
    "TableForm",
    "Unit",
    "header_problems",
    "in_voxels",
    "outside",
    "read_ndjson",
    "read_particles",
    "to_ndjson",
    "turned",
]  # fmt: skip

ORIENTED: dict[str, Callable[[bytes, str], ParticleTable]] = {
    "relion3_star": lambda data, name: read_relion(data, name),
    "relion4_star": lambda data, name: read_relion(data, name),
    "relion5_star": lambda data, name: read_relion(data, name),
    "tomoman_relion_star": lambda data, name: read_relion(data, name, "rlnTomoName"),
    "stopgap_star": read_stopgap,
    "dynamo_tbl": read_dynamo,
    "mod": read_model_slicer,
    "copick": read_copick,
    "ndjson": read_ndjson,
}
"""Formats whose particles have orientations."""

TABLES = ("csv", "csv_with_header", "tsv", "tardis")
"""Formats whose form the deposition file describes further."""


def read_particles(
    data: bytes, name: str, kind: str, form: TableForm, *, oriented: bool = False
) -> ParticleTable:
    """All particles of a file of the format `kind`; `form` matters for tables. Raises `FormatError`."""
    if kind in TABLES:
        return read_delimited(data, name, TARDIS if kind == "tardis" else form)
    if kind == "mod" and not oriented:
        return read_model_points(data, name)
    return ORIENTED[kind](data, name)
