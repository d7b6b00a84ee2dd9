"""Lists of particles in the formats of the field's packages, written from particles in voxels of one tomogram.

    WRITERS[format].write(particles, destination) → bytes

Each is the inverse of the reader of that name: what a package counts in, and from where, is told there. Tables and models count as the
published points do, the first voxel's centre being 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tomoportal.formats.particles.json_lists import to_ndjson
from tomoportal.formats.particles.table import Particles
from tomoportal.formats.particles.writers.copick import write_copick
from tomoportal.formats.particles.writers.destination import Destination, at_spacing
from tomoportal.formats.particles.writers.imod_model import write_model
from tomoportal.formats.particles.writers.star import write_relion4, write_relion5, write_stopgap
from tomoportal.formats.particles.writers.tables import write_csv, write_dynamo

__all__ = ["WRITERS", "Destination", "Writer", "at_spacing"]

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Writer:
    """A format: its name for people, the ending and content type of its files, and what makes them."""

    title: str
    ending: str
    media_type: str
    write: Callable[[Particles, Destination], bytes]


def _write_ndjson(particles: Particles, _: Destination) -> bytes:
    return to_ndjson(particles)


WRITERS: dict[str, Writer] = {
    "ndjson": Writer("JSON lines", ".ndjson", "application/x-ndjson", _write_ndjson),
    "csv": Writer("CSV", ".csv", "text/csv; charset=utf-8", write_csv),
    "relion5_star": Writer("RELION 5", ".star", _TEXT, write_relion5),
    "relion4_star": Writer("RELION 4", ".star", _TEXT, write_relion4),
    "stopgap_star": Writer("STOPGAP", ".star", _TEXT, write_stopgap),
    "dynamo_tbl": Writer("Dynamo", ".tbl", _TEXT, write_dynamo),
    "copick": Writer("copick", ".json", "application/json", write_copick),
    "mod": Writer("IMOD model", ".mod", "application/octet-stream", write_model),
}
"""By the names that deposition files use for the same formats."""
