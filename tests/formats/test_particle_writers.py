"""Lists of particles written for the field's packages: read by independent readers, and back by our own."""

from __future__ import annotations

import csv
import io
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import starfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tomoportal.errors import UsageError
from tomoportal.formats.particles import Particles, TableForm, in_voxels, read_particles
from tomoportal.formats.particles.writers import WRITERS, Destination, at_spacing

SIZE = (24, 20, 12)
PLACE = Destination("TS 1", 7, 10.0, SIZE, "80S_ribosome", pixel=2.5, voltage=300.0, aberration=2.7)
POSITIONS = np.array([[3.5, 4.25, 5.0], [20.0, 15.5, 2.0], [12.0, 10.0, 6.125]])
TURNS = Rotation.random(3, rng=11).as_matrix()
INSTANCES = np.array([4, 2, 4])
POINTS = Particles("p", POSITIONS)
ORIENTED = Particles("p", POSITIONS, rotations=TURNS)
GROUPED = Particles("p", POSITIONS, instances=INSTANCES)
NOTHING = Particles("p", np.zeros((0, 3)), rotations=np.zeros((0, 3, 3)))
BACK = {
    "relion5_star": 1,
    "relion4_star": 4,
    "stopgap_star": 1,
    "dynamo_tbl": 1,
    "copick": 10,
    "mod": 1,
    "ndjson": 1,
}
"""Format → the binning with which it comes back."""


def written(kind: str, particles: Particles, place: Destination = PLACE) -> bytes:
    return WRITERS[kind].write(particles, place)


def read_star(data: bytes, folder: Path) -> dict[str, pd.DataFrame]:
    (folder / "p.star").write_bytes(data)
    return starfile.read(folder / "p.star", always_dict=True)


def read_back(kind: str, particles: Particles) -> Particles:
    oriented = particles.rotations is not None
    table = read_particles(written(kind, particles), "p", kind, TableForm(), oriented=oriented)
    return in_voxels(table.of(None), binning=BACK[kind], spacing=10.0, shape_zyx=SIZE[::-1])


@pytest.mark.parametrize("kind", BACK)
@pytest.mark.parametrize(
    "particles", [POINTS, ORIENTED, GROUPED, NOTHING], ids=["points", "oriented", "instances", "none"]
)
def test_there_and_back(kind: str, particles: Particles) -> None:
    found = read_back(kind, particles)
    order = [1, 0, 2] if kind == "mod" and particles.instances is not None else slice(None)
    assert np.allclose(found.positions, particles.positions[order], atol=1e-5)
    if particles.instances is not None and kind in ("ndjson", "copick"):
        assert found.instances is not None
        assert found.instances.tolist() == particles.instances.tolist()
    if particles.rotations is not None and len(particles):
        assert found.rotations is not None
        assert np.allclose(found.rotations, particles.rotations, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 20))
@pytest.mark.parametrize("kind", BACK)
def test_any_particles_there_and_back(kind: str, seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    particles = Particles(
        "p", random.uniform(-5, 4000, (count, 3)), rotations=Rotation.random(count, rng=random).as_matrix()
    )
    found = read_back(kind, particles)
    assert np.allclose(found.positions, particles.positions, atol=3e-4 if kind == "mod" else 1e-5)
    assert found.rotations is not None
    assert np.allclose(found.rotations, particles.rotations, atol=1e-6)


def test_relion_5_by_starfile(tmp_path) -> None:
    blocks = read_star(written("relion5_star", ORIENTED), tmp_path)
    optics, particles = blocks["optics"], blocks["particles"]
    assert optics.iloc[0].to_dict() == {
        "rlnOpticsGroup": 1, "rlnOpticsGroupName": "opticsGroup1", "rlnVoltage": 300.0,
        "rlnSphericalAberration": 2.7, "rlnTomoTiltSeriesPixelSize": 2.5,
    }  # fmt: skip
    assert set(particles["rlnTomoName"]) == {"TS 1"}
    assert set(particles["rlnOpticsGroup"]) == {1}
    centred = particles[[f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]].to_numpy()
    assert np.allclose(centred, (POSITIONS - np.array([12, 10, 6])) * 10)
    angles = particles[["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]].to_numpy()
    assert np.allclose(Rotation.from_euler("ZYZ", angles, degrees=True).inv().as_matrix(), TURNS, atol=1e-6)


def test_relion_4_counts_in_pixels_of_the_tilt_series(tmp_path) -> None:
    particles = read_star(written("relion4_star", POINTS), tmp_path)["particles"]
    assert np.allclose(particles[[f"rlnCoordinate{axis}" for axis in "XYZ"]], POSITIONS * 4)
    assert "rlnAngleRot" not in particles
    alone = read_star(written("relion4_star", GROUPED, replace(PLACE, pixel=None, voltage=None)), tmp_path)
    assert np.allclose(alone["particles"][[f"rlnCoordinate{axis}" for axis in "XYZ"]], POSITIONS)
    assert alone["particles"]["rlnTomoManifoldIndex"].tolist() == INSTANCES.tolist()
    assert alone["optics"]["rlnTomoTiltSeriesPixelSize"].tolist() == [10.0]


def test_stopgap_by_starfile(tmp_path) -> None:
    table = read_star(written("stopgap_star", replace(ORIENTED, instances=INSTANCES)), tmp_path)[
        "stopgap_motivelist"
    ]
    whole = table[["orig_x", "orig_y", "orig_z"]]
    assert all(kind.kind == "i" for kind in whole.dtypes)
    assert np.allclose(whole.to_numpy() + table[["x_shift", "y_shift", "z_shift"]].to_numpy(), POSITIONS)
    assert table["tomo_num"].tolist() == [7, 7, 7]
    assert table["object"].tolist() == INSTANCES.tolist()
    angles = table[["phi", "the", "psi"]].to_numpy()
    assert np.allclose(Rotation.from_euler("zxz", angles, degrees=True).as_matrix(), TURNS, atol=1e-6)


def test_dynamo_by_numpy() -> None:
    table = np.loadtxt(io.BytesIO(written("dynamo_tbl", replace(ORIENTED, instances=INSTANCES))))
    assert table.shape == (3, 35)
    assert np.allclose(table[:, 23:26], POSITIONS)
    assert not table[:, 3:6].any()
    assert table[:, 19].tolist() == [7, 7, 7]
    assert table[:, 20].tolist() == INSTANCES.tolist()
    turns = Rotation.from_euler("zxz", table[:, 6:9], degrees=True).inv().as_matrix()
    assert np.allclose(turns, TURNS, atol=1e-6)


def test_csv_by_the_standard_library() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", ORIENTED).decode())))
    assert [[float(row[axis]) for axis in "xyz"] for row in rows] == POSITIONS.tolist()
    matrix = [[[float(row[f"r{i}{j}"]) for j in (1, 2, 3)] for i in (1, 2, 3)] for row in rows]
    assert matrix == TURNS.tolist()
    form = TableForm(has_header=True, instance="instance_id")
    back = read_particles(written("csv", GROUPED), "p", "csv_with_header", form).of(None)
    assert back.positions.tolist() == POSITIONS.tolist()
    assert back.instances is not None
    assert back.instances.tolist() == INSTANCES.tolist()


def test_copick_by_json() -> None:
    content = json.loads(written("copick", replace(ORIENTED, instances=INSTANCES)))
    assert (content["pickable_object_name"], content["unit"]) == ("80S-ribosome", "angstrom")
    assert content["trust_orientation"] is True
    assert [[point["location"][axis] for axis in "xyz"] for point in content["points"]] == (
        POSITIONS * 10
    ).tolist()
    assert [point["instance_id"] for point in content["points"]] == INSTANCES.tolist()
    matrix = np.array(content["points"][1]["transformation_"])
    assert np.allclose(matrix[:3, :3], TURNS[1])
    assert matrix[3].tolist() == [0, 0, 0, 1]
    assert json.loads(written("copick", POINTS))["trust_orientation"] is False


def test_the_model_by_its_specification() -> None:
    """Offsets are those of the page "IMOD Binary File Format"."""
    data = written("mod", replace(GROUPED, rotations=TURNS))
    assert data[:8] == b"IMODV1.2"
    assert data[8:136].rstrip(b"\0") == b"TS 1"
    assert struct.unpack_from(">4i", data, 136) == (*SIZE, 1)
    assert struct.unpack_from(">f", data, 216)[0] == 10.0
    assert struct.unpack_from(">i", data, 220)[0] == -10
    assert data[240:244] == b"OBJT"
    assert data[244:308].rstrip(b"\0") == b"80S_ribosome"
    assert struct.unpack_from(">i", data, 244 + 128)[0] == 2
    at = 244 + 176
    assert data[at : at + 4] == b"CONT"
    assert struct.unpack_from(">i", data, at + 4)[0] == 1
    assert np.allclose(struct.unpack_from(">3f", data, at + 20), POSITIONS[1])
    slicer = data.index(b"SLAN")
    assert struct.unpack_from(">i", data, slicer + 4)[0] == 60
    x, y, z = struct.unpack_from(">3f", data, slicer + 12)
    turn = Rotation.from_euler("zyx", [z, y, x], degrees=True).inv().as_matrix()
    assert np.allclose(turn, TURNS[0], atol=1e-6)
    assert data.endswith(b"IEOF")


def test_volumes_of_one_alignment_share_their_outer_faces() -> None:
    moved = at_spacing(Particles("p", np.array([[-0.5, 0.0, 9.5]])), 10.0, 5.0)
    assert moved.positions.tolist() == [[-0.5, 0.5, 19.5]]
    assert at_spacing(moved, 5.0, 10.0).positions.tolist() == [[-0.5, 0.0, 9.5]]


@pytest.mark.parametrize("name", ["a b", "data_x", "_x", "it's", 'say "x y"', "#1", ""])
def test_names_of_tomograms_come_through_star_files(name: str, tmp_path) -> None:
    data = written("relion4_star", POINTS, replace(PLACE, name=name))
    table = read_particles(data, "p", "relion4_star", TableForm())
    assert table.groups == (name,)
    assert np.allclose(table.particles.positions, POSITIONS * 4)


def test_what_needs_a_size_says_so() -> None:
    with pytest.raises(UsageError, match="RELION 5 needs the size of the tomogram"):
        written("relion5_star", POINTS, replace(PLACE, size=None))
    assert struct.unpack_from(">3i", written("mod", POINTS, replace(PLACE, size=None)), 136) == (21, 17, 8)
