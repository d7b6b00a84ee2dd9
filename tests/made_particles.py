"""Lists of particles as the field's packages write them, by the packages' documentation and readers and writers that are not ours.

`WRITTEN[format]` writes a file that the portal is to read; `READ[format](data, folder, about)` reads one that the portal has written.
Places are x, y, z in voxels of a tomogram, whose first voxel has its centre at 0; turns bring the reference into the tomogram.

Conventions: RELION https://relion.readthedocs.io/en/latest/Reference/Conventions.html · Dynamo
https://wiki.dynamo.biozentrum.unibas.ch ("Euler angles convention", "Table") · STOPGAP's manual ("Motivelist") · IMOD
https://bio3d.colorado.edu/imod/doc/binspec.html (SLAN) and the slicer's help · copick https://copick.github.io/copick/datamodel/.
"""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import starfile
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
PIXEL = 2.5
"""Å per pixel of the tilt series in the lists made here."""
BINS = 4
"""The tomogram's voxel in such pixels, where lists count in them."""


@dataclass(frozen=True)
class Made:
    """Particles of the run `name`: `places` (n, 3) in voxels of `spacing` Å, `turns` (n, 3, 3), `shape` (z, y, x) of the tomogram."""

    places: Array
    turns: Array
    spacing: float
    shape: tuple[int, int, int]
    name: str = "R1"
    number: int = 7

    @property
    def backwards(self) -> Rotation:
        """The turns from the particle to the reference."""
        return Rotation.from_matrix(np.swapaxes(self.turns, 1, 2))


def _axes(stem: str, values: Array, end: str = "", axes: str = "XYZ") -> pd.DataFrame:
    return pd.DataFrame({f"{stem}{axis}{end}": values[:, n] for n, axis in enumerate(axes)})


def write_relion3(path: Path, made: Made) -> None:
    """Coordinates and origins in pixels, no optics."""
    shift = np.tile([1, -1, 0.5], (len(made.places), 1))
    table = pd.concat([_axes("rlnCoordinate", made.places + shift), _axes("rlnOrigin", shift)], axis=1)
    _write_star(path, made, table, "rlnMicrographName")


def write_relion4(path: Path, made: Made) -> None:
    """Coordinates in pixels of the tilt series, `BINS` to a voxel, origins in Å."""
    pixel = made.spacing / BINS
    table = _axes("rlnCoordinate", made.places * BINS + 4)
    table = table.assign(**{f"rlnOrigin{axis}Angst": 4 * pixel for axis in "XYZ"}, rlnOpticsGroup=1)
    optics = pd.DataFrame(
        {"rlnOpticsGroup": [1], "rlnTomoTiltSeriesPixelSize": [pixel], "rlnImagePixelSize": [made.spacing]}
    )
    _write_star(path, made, table, "rlnTomoName", optics)


def write_relion5(path: Path, made: Made) -> None:
    """Å from the centre of the tomogram."""
    centred = (made.places - np.array(made.shape[::-1]) / 2) * made.spacing
    table = _axes("rlnCenteredCoordinate", centred, "Angst").assign(rlnOpticsGroup=1)
    optics = pd.DataFrame({"rlnOpticsGroup": [1], "rlnTomoTiltSeriesPixelSize": [PIXEL]})
    _write_star(path, made, table, "rlnTomoName", optics)


def _write_star(
    path: Path, made: Made, table: pd.DataFrame, name: str, optics: pd.DataFrame | None = None
) -> None:
    """Twice the particles: of another run first."""
    angles = made.backwards.as_euler("ZYZ", degrees=True)
    table = table.assign(**{f"rlnAngle{axis}": angles[:, n] for n, axis in enumerate(("Rot", "Tilt", "Psi"))})
    both = pd.concat([table.assign(**{name: "other"}), table.assign(**{name: made.name})]).reset_index(
        drop=True
    )
    starfile.write({"optics": optics, "particles": both} if optics is not None else both, path)


def write_stopgap(path: Path, made: Made) -> None:
    """Whole pixels and shifts; phi, psi, the turn the reference onto the particle."""
    angles = Rotation.from_matrix(made.turns).as_euler("zxz", degrees=True)
    whole = np.round(made.places)
    table = pd.concat(
        [_axes("orig_", whole, axes="xyz"), _axes("", made.places - whole, "_shift", "xyz")], axis=1
    )
    table = table.assign(
        phi=angles[:, 0], psi=angles[:, 2], the=angles[:, 1], motl_idx=np.arange(len(table)) + 1
    )
    both = pd.concat([table.assign(tomo_num=made.number), table.assign(tomo_num=made.number + 1)])
    starfile.write({"stopgap_motivelist": both}, path)


def write_dynamo(path: Path, made: Made) -> None:
    """Shifts in columns 4 to 6; tdrot, tilt, narot turn the particle onto the reference."""
    rows = np.zeros((len(made.places), 35))
    rows[:, 3:6], rows[:, 23:26], rows[:, 19] = 0.25, made.places - 0.25, made.number
    rows[:, 6:9] = made.backwards.as_euler("zxz", degrees=True)
    np.savetxt(path, np.concatenate([rows, rows + np.eye(35)[19]]), fmt="%.8g")


def write_copick(path: Path, made: Made) -> None:
    """Places in Å, 4 × 4 matrices."""
    points = []
    for place, turn in zip(made.places * made.spacing, made.turns, strict=True):
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        points.append(
            {"location": dict(zip("xyz", place.tolist(), strict=True)), "transformation_": matrix.tolist()}
        )
    path.write_text(json.dumps({"pickable_object_name": "ball", "unit": "angstrom", "points": points}))


def write_model(path: Path, made: Made) -> None:
    """An IMOD model with the slicer's angles: the volume is turned about z, y, x to bring the particle to the reference."""
    angles = made.backwards.as_euler("zyx", degrees=True)
    chunks = b"".join(
        b"SLAN" + struct.pack(">i", 60) + struct.pack(">i6f32s", 1, x, y, z, *place, b"")
        for (z, y, x), place in zip(angles, made.places, strict=True)
    )
    path.write_bytes(b"IMODV1.2" + bytes(232) + chunks + b"IEOF")


def write_ndjson(path: Path, made: Made) -> None:
    """The portal's own lines."""
    records = [
        {
            "type": "orientedPoint",
            "location": dict(zip("xyz", place, strict=True)),
            "xyz_rotation_matrix": turn,
        }
        for place, turn in zip(made.places.tolist(), made.turns.tolist(), strict=True)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


WRITTEN: dict[str, tuple[str, Callable[[Path, Made], None], Callable[[Made], dict[str, object]]]] = {
    "relion3_star": ("p.star", write_relion3, lambda made: {"filter_value": made.name}),
    "relion4_star": ("p.star", write_relion4, lambda made: {"filter_value": made.name, "binning": BINS}),
    "relion5_star": ("p.star", write_relion5, lambda made: {"filter_value": made.name}),
    "tomoman_relion_star": ("p.star", write_relion4, lambda made: {"filter_value": made.name, "binning": BINS}),
    "stopgap_star": ("p.star", write_stopgap, lambda made: {"filter_value": str(made.number)}),
    "dynamo_tbl": ("p.tbl", write_dynamo, lambda made: {"filter_value": str(made.number)}),
    "copick": ("p.json", write_copick, lambda made: {"binning": made.spacing}),
    "mod": ("p.mod", write_model, lambda made: {}),
    "ndjson": ("p.ndjson", write_ndjson, lambda made: {}),
}  # fmt: skip
"""Format → file name, what writes it, and the parameters of its source in a deposition file."""


@dataclass(frozen=True)
class About:
    """The tomogram for which a list was exported: Å per voxel, size (x, y, z), Å per pixel of its tilt series."""

    spacing: float
    size: tuple[int, int, int]
    pixel: float


Found = tuple[Array, Array]
"""Places (n, 3) and turns (n, 3, 3), as in `Made`."""


def _star(data: bytes, folder: Path) -> pd.DataFrame:
    (folder / "p.star").write_bytes(data)
    blocks = starfile.read(folder / "p.star", always_dict=True)
    return max(blocks.values(), key=len)


def _relion_turns(table: pd.DataFrame) -> Array:
    angles = table[["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]].to_numpy()
    return Rotation.from_euler("ZYZ", angles, degrees=True).inv().as_matrix()


def read_relion5(data: bytes, folder: Path, about: About) -> Found:
    table = _star(data, folder)
    centred = table[[f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]].to_numpy()
    return centred / about.spacing + np.array(about.size) / 2, _relion_turns(table)


def read_relion4(data: bytes, folder: Path, about: About) -> Found:
    table = _star(data, folder)
    pixels = table[[f"rlnCoordinate{axis}" for axis in "XYZ"]].to_numpy()
    return pixels * about.pixel / about.spacing, _relion_turns(table)


def read_stopgap(data: bytes, folder: Path, _: About) -> Found:
    table = _star(data, folder)
    places = (
        table[["orig_x", "orig_y", "orig_z"]].to_numpy() + table[["x_shift", "y_shift", "z_shift"]].to_numpy()
    )
    angles = table[["phi", "the", "psi"]].to_numpy()
    return places, Rotation.from_euler("zxz", angles, degrees=True).as_matrix()


def read_dynamo(data: bytes, _: Path, __: About) -> Found:
    rows = np.loadtxt(io.BytesIO(data), ndmin=2)
    turns = Rotation.from_euler("zxz", rows[:, 6:9], degrees=True).inv().as_matrix()
    return rows[:, 23:26] + rows[:, 3:6], turns


def read_copick(data: bytes, _: Path, about: About) -> Found:
    points = json.loads(data)["points"]
    places = np.array([[point["location"][axis] for axis in "xyz"] for point in points]) / about.spacing
    return places, np.array([point["transformation_"] for point in points])[:, :3, :3]


def read_model(data: bytes, _: Path, __: About) -> Found:
    """The slicer's angles: chunks of 60 bytes."""
    rows, at = [], data.find(b"SLAN")
    while at >= 0:
        rows.append(struct.unpack(">6f", data[at + 12 : at + 36]))
        at = data.find(b"SLAN", at + 68)
    table = np.array(rows)
    return table[:, 3:], Rotation.from_euler("zyx", table[:, 2::-1], degrees=True).inv().as_matrix()


def read_csv(data: bytes, _: Path, __: About) -> Found:
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    places = np.array([[float(row[axis]) for axis in "xyz"] for row in rows])
    turns = np.array([[float(row[f"r{n}{m}"]) for n in (1, 2, 3) for m in (1, 2, 3)] for row in rows])
    return places, turns.reshape(-1, 3, 3)


def read_ndjson(data: bytes, _: Path | None = None, __: About | None = None) -> Found:
    records = [json.loads(line) for line in data.splitlines()]
    places = np.array([[record["location"][axis] for axis in "xyz"] for record in records])
    return places, np.array([record["xyz_rotation_matrix"] for record in records])


READ: dict[str, Callable[[bytes, Path, About], Found]] = {
    "ndjson": read_ndjson,
    "csv": read_csv,
    "relion5_star": read_relion5,
    "relion4_star": read_relion4,
    "stopgap_star": read_stopgap,
    "dynamo_tbl": read_dynamo,
    "copick": read_copick,
    "mod": read_model,
}
"""Format of an export → what reads it."""
