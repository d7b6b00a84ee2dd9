"""Particles of several tomograms in one STAR file, as RELION 5, RELION 4 and Warp take them.

    COLLECTED[format].write(parts, notes) → bytes

Places, angles and labels are those of `writers.star`. What the particles are is told by `rlnClassNumber`, from 1; the comments at the
beginning say which object that is. Angles of particles without orientations are 0 where others have some, and told there too.
Warp: https://warpem.github.io/warp/reference/warptools/tomogram_particle_files (RELION 3.0, a single table).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tomoportal.formats.particles.table import Particles
from tomoportal.formats.particles.writers.destination import Destination, angles_of
from tomoportal.formats.particles.writers.star import Columns, block, relion4_places, relion5_places
from tomoportal.formats.rotations import to_relion

_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
_Places = Callable[[Particles, Destination], Columns]
_Optics = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Part:
    """Particles of one object in one tomogram; `source` says in comments where they are from."""

    particles: Particles
    destination: Destination
    source: str


@dataclass(frozen=True, slots=True)
class Collected:
    """A format: its name for people, and what makes a file of it."""

    title: str
    write: Callable[[Sequence[Part]], bytes]


def _write_relion(parts: Sequence[Part], places: _Places) -> bytes:
    optics = list(dict.fromkeys(_optics(part.destination) for part in parts))
    columns = _rows(parts, places, "rlnTomoName", "")
    counts: dict[str, int] = {}
    columns["rlnTomoParticleName"] = [name for part in parts for name in _names(part, counts)]
    columns["rlnOpticsGroup"] = _repeated(
        parts, [optics.index(_optics(part.destination)) + 1 for part in parts]
    )
    return (_comments(parts) + block("optics", _table(optics)) + block("particles", columns)).encode()


def _write_warp(parts: Sequence[Part]) -> bytes:
    columns = _rows(parts, _angstrom, "rlnMicrographName", ".tomostar")
    note = "# Coordinates are in Angstrom: give WarpTools --coords_angpix 1\n"
    return (_comments(parts) + note + block("particles", columns)).encode()


COLLECTED: dict[str, Collected] = {
    "relion5_star": Collected("RELION 5", lambda parts: _write_relion(parts, relion5_places)),
    "relion4_star": Collected("RELION 4", lambda parts: _write_relion(parts, relion4_places)),
    "warp_star": Collected("Warp and M", _write_warp),
}


def _angstrom(particles: Particles, destination: Destination) -> Columns:
    """Å from the centre of the first voxel."""
    places = particles.positions * destination.spacing
    return {f"rlnCoordinate{axis}": places[:, n] for n, axis in enumerate("XYZ")}


def _rows(parts: Sequence[Part], places: _Places, label: str, ending: str) -> Columns:
    """Name of the tomogram, places, angles if any particle has some, instances likewise, and class."""
    columns: Columns = {
        label: [f"{part.destination.name}{ending}" for part in parts for _ in range(len(part.particles))]
    }
    found = [places(part.particles, part.destination) for part in parts]
    columns |= {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    if any(part.particles.rotations is not None for part in parts):
        angles = np.concatenate([_angles(part.particles) for part in parts])
        columns |= {name: angles[:, n] for n, name in enumerate(_ANGLES)}
    if any(part.particles.instances is not None for part in parts):
        columns["rlnTomoManifoldIndex"] = np.concatenate([_instances(part.particles) for part in parts])
    objects = _objects(parts)
    columns["rlnClassNumber"] = _repeated(
        parts, [objects.index(part.destination.object) + 1 for part in parts]
    )
    return columns


def _angles(particles: Particles) -> np.ndarray:
    found = angles_of(particles, to_relion)
    return np.zeros((len(particles), 3)) if found is None else found


def _instances(particles: Particles) -> np.ndarray:
    return np.zeros(len(particles), np.int64) if particles.instances is None else particles.instances


def _repeated(parts: Sequence[Part], values: Sequence[int]) -> np.ndarray:
    """The value of each part for each of its particles."""
    return np.repeat(np.array(values, np.int64), [len(part.particles) for part in parts])


def _names(part: Part, counts: dict[str, int]) -> Iterable[str]:
    """`TS_001/1`, `TS_001/2`, …: unique in the file, however many parts a tomogram has."""
    tomogram = part.destination.name
    first = counts.get(tomogram, 0) + 1
    counts[tomogram] = first + len(part.particles) - 1
    return (f"{tomogram}/{number}" for number in range(first, counts[tomogram] + 1))


def _objects(parts: Sequence[Part]) -> list[str]:
    return sorted({part.destination.object for part in parts}, key=str.casefold)


def _optics(destination: Destination) -> _Optics:
    return destination.pixel or destination.spacing, destination.voltage, destination.aberration


def _table(optics: Sequence[_Optics]) -> Columns:
    """One group for each pixel size and microscope. What is not known of all groups is left out."""
    numbers = range(1, len(optics) + 1)
    columns: Columns = {
        "rlnOpticsGroup": np.array(numbers),
        "rlnOpticsGroupName": [f"opticsGroup{number}" for number in numbers],
    }
    for label, values in (
        ("rlnVoltage", [one[1] for one in optics]),
        ("rlnSphericalAberration", [one[2] for one in optics]),
        ("rlnTomoTiltSeriesPixelSize", [one[0] for one in optics]),
    ):
        if None not in values:
            columns[label] = values
    return columns


def _comments(parts: Sequence[Part]) -> str:
    lines = [f"rlnClassNumber {number}: {name}" for number, name in enumerate(_objects(parts), start=1)]
    lines += [f"{part.destination.name}: {len(part.particles)} particles of {part.source}" for part in parts]
    if any(part.particles.rotations is not None for part in parts):
        bare = [part.source for part in parts if part.particles.rotations is None]
        lines += [f"without orientations, angles are 0: {source}" for source in bare]
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)
