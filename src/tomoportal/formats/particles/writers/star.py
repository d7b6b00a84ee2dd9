"""Particles as STAR files of RELION 5, RELION 4 and STOPGAP.

Labels: see the readers (`formats.particles.relion`, `formats.particles.lists`). Points without orientations get no columns of angles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tomoportal.formats.particles.table import Particles
from tomoportal.formats.particles.writers.destination import Destination, angles_of
from tomoportal.formats.rotations import to_relion, to_stopgap

Columns = dict[str, Sequence[object] | NDArray]
_PLAIN = re.compile(r"""[^\s"'#_$;\[\]][^\s"'#]*""")
_RESERVED = ("data_", "loop_", "save_", "stop_", "global_")


def write_relion5(particles: Particles, destination: Destination) -> bytes:
    """Å from the centre of the tomogram (half its size), with the optics. Raises `UsageError` without a size."""
    return _relion(particles, destination, relion5_places(particles, destination))


def write_relion4(particles: Particles, destination: Destination) -> bytes:
    """Pixels of the tilt series, which are those of the tomogram where the tilt series is unknown; with the optics."""
    return _relion(particles, destination, relion4_places(particles, destination))


def write_stopgap(particles: Particles, destination: Destination) -> bytes:
    """A motive list: whole pixels and the shifts from them; instances are `object`, halfset and class are not decided."""
    whole = np.round(particles.positions)
    count = len(particles)
    numbers = np.arange(1, count + 1)
    angles = angles_of(particles, to_stopgap)
    angles = np.zeros((count, 3)) if angles is None else angles
    columns: Columns = {
        "motl_idx": numbers,
        "tomo_num": np.full(count, destination.number),
        "object": np.ones(count, np.int64) if particles.instances is None else particles.instances,
        "subtomo_num": numbers,
        "halfset": ["A" if number % 2 else "B" for number in numbers.tolist()],
        **{f"orig_{axis}": whole[:, n].astype(np.int64) for n, axis in enumerate("xyz")},
        "score": np.zeros(count),
        **{f"{axis}_shift": (particles.positions - whole)[:, n] for n, axis in enumerate("xyz")},
        **{name: angles[:, n] for n, name in enumerate(("phi", "psi", "the"))},
        "class": np.ones(count, np.int64),
    }
    return block("stopgap_motivelist", columns).encode()


def relion5_places(particles: Particles, destination: Destination) -> Columns:
    """The columns of places for RELION 5. Raises `UsageError` without a size."""
    size = np.array(destination.known_size("RELION 5"), dtype=np.float64)
    centred = (particles.positions - size / 2) * destination.spacing
    return {f"rlnCenteredCoordinate{axis}Angst": centred[:, n] for n, axis in enumerate("XYZ")}


def relion4_places(particles: Particles, destination: Destination) -> Columns:
    """The columns of places for RELION 4."""
    pixels = particles.positions * (destination.spacing / (destination.pixel or destination.spacing))
    return {f"rlnCoordinate{axis}": pixels[:, n] for n, axis in enumerate("XYZ")}


def _relion(particles: Particles, destination: Destination, places: Columns) -> bytes:
    count = len(particles)
    angles = angles_of(particles, to_relion)
    columns: Columns = {"rlnTomoName": [destination.name] * count, **places}
    if angles is not None:
        columns |= {f"rlnAngle{name}": angles[:, n] for n, name in enumerate(("Rot", "Tilt", "Psi"))}
    if particles.instances is not None:
        columns["rlnTomoManifoldIndex"] = particles.instances
    columns["rlnTomoParticleName"] = [f"{destination.name}/{number}" for number in range(1, count + 1)]
    columns["rlnOpticsGroup"] = np.ones(count, np.int64)
    return (block("optics", _optics(destination)) + block("particles", columns)).encode()


def _optics(destination: Destination) -> Columns:
    columns: Columns = {"rlnOpticsGroup": [1], "rlnOpticsGroupName": ["opticsGroup1"]}
    known = {"rlnVoltage": destination.voltage, "rlnSphericalAberration": destination.aberration}
    columns |= {label: [value] for label, value in known.items() if value is not None}
    return columns | {"rlnTomoTiltSeriesPixelSize": [destination.pixel or destination.spacing]}


def block(name: str, columns: Columns) -> str:
    """A data block with one loop: labels, and columns of the same length."""
    head = "".join(f"_{label} #{number}\n" for number, label in enumerate(columns, start=1))
    rows = zip(*(_texts(values) for values in columns.values()), strict=True)
    body = "".join(" ".join(row) + "\n" for row in rows)
    return f"\ndata_{name}\n\nloop_\n{head}{body}\n"


def _texts(values: Sequence[object] | NDArray) -> list[str]:
    if isinstance(values, np.ndarray):
        form = "d" if values.dtype.kind in "iu" else ".6f"
        return [format(value, form) for value in values.tolist()]
    known: dict[object, str] = {}
    return [known.get(value) or known.setdefault(value, _quoted(str(value))) for value in values]


def _quoted(text: str) -> str:
    """`text` as one value: in quotes when it has blanks or means something else without them."""
    if _PLAIN.fullmatch(text) and not text.lower().startswith(_RESERVED):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'
