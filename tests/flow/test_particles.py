"""Lists of particles in every format, through the front door: from one table of truth into the published lines of JSON."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import starfile
from scipy.spatial.transform import Rotation

from fixtures_demo import settings_in
from fixtures_tiny import Tiny
from tomoportal.cli.ingest import ingest_config

SPACING = 10.0
SHAPE = (12, 20, 24)
TRUTH = np.array([[3.5, 4.25, 5.0], [20.0, 15.5, 2.0], [12.0, 10.0, 6.0]])
"""x, y, z in voxels."""
TURNS = Rotation.random(3, rng=11).as_matrix()
"""The reference into the tomogram."""


def relion(turns: np.ndarray) -> np.ndarray:
    """RELION's three angles: Z, then the new Y, then the new Z, of the turn from the particle to the reference."""
    return Rotation.from_matrix(np.swapaxes(turns, 1, 2)).as_euler("ZYZ", degrees=True)


def write_relion3(path: Path) -> None:
    coordinates, origins = TRUTH + np.array([1, -1, 0.5]), np.tile([1, -1, 0.5], (3, 1))
    table = pd.DataFrame({f"rlnCoordinate{axis}": coordinates[:, n] for n, axis in enumerate("XYZ")})
    table = table.assign(**{f"rlnOrigin{axis}": origins[:, n] for n, axis in enumerate("XYZ")})
    _write_star(path, table, "rlnMicrographName")


def write_relion4(path: Path) -> None:
    """Coordinates in pixels of a tilt series of 2.5 Å, origins in Å."""
    coordinates = TRUTH * SPACING / 2.5
    table = pd.DataFrame({f"rlnCoordinate{axis}": coordinates[:, n] + 4 for n, axis in enumerate("XYZ")})
    table = table.assign(**{f"rlnOrigin{axis}Angst": 10.0 for axis in "XYZ"}, rlnOpticsGroup=1)
    optics = pd.DataFrame(
        {"rlnOpticsGroup": [1], "rlnTomoTiltSeriesPixelSize": [2.5], "rlnImagePixelSize": [10.0]}
    )
    _write_star(path, table, "rlnTomoName", optics)


def write_relion5(path: Path) -> None:
    centred = (TRUTH - np.array(SHAPE[::-1]) / 2) * SPACING
    table = pd.DataFrame({f"rlnCenteredCoordinate{axis}Angst": centred[:, n] for n, axis in enumerate("XYZ")})
    optics = pd.DataFrame({"rlnOpticsGroup": [1], "rlnTomoTiltSeriesPixelSize": [2.5]})
    _write_star(path, table.assign(rlnOpticsGroup=1), "rlnTomoName", optics)


def _write_star(path: Path, table: pd.DataFrame, name: str, optics: pd.DataFrame | None = None) -> None:
    angles = relion(TURNS)
    table = table.assign(**{f"rlnAngle{axis}": angles[:, n] for n, axis in enumerate(("Rot", "Tilt", "Psi"))})
    ours, others = table.assign(**{name: "R1"}), table.assign(**{name: "R2"})
    both = pd.concat([others, ours]).reset_index(drop=True)
    starfile.write({"optics": optics, "particles": both} if optics is not None else both, path)


def write_stopgap(path: Path) -> None:
    angles = Rotation.from_matrix(TURNS).as_euler("zxz", degrees=True)
    table = pd.DataFrame({"motl_idx": [1, 2, 3], "tomo_num": 7})
    table = table.assign(**{f"orig_{axis}": np.round(TRUTH[:, n]) for n, axis in enumerate("xyz")})
    table = table.assign(**{f"{axis}_shift": (TRUTH - np.round(TRUTH))[:, n] for n, axis in enumerate("xyz")})
    table = table.assign(phi=angles[:, 0], psi=angles[:, 2], the=angles[:, 1])
    starfile.write({"stopgap_motivelist": pd.concat([table, table.assign(tomo_num=8)])}, path)


def write_dynamo(path: Path) -> None:
    rows = np.zeros((3, 35))
    rows[:, 3:6], rows[:, 23:26], rows[:, 19] = 0.25, TRUTH - 0.25, 7
    rows[:, 6:9] = Rotation.from_matrix(np.swapaxes(TURNS, 1, 2)).as_euler("zxz", degrees=True)
    np.savetxt(path, np.concatenate([rows, rows + np.eye(35)[19] * 1]), fmt="%.8g")


def write_copick(path: Path) -> None:
    points = []
    for place, turn in zip(TRUTH * SPACING, TURNS, strict=True):
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        points.append(
            {"location": dict(zip("xyz", place.tolist(), strict=True)), "transformation_": matrix.tolist()}
        )
    path.write_text(json.dumps({"pickable_object_name": "ball", "unit": "angstrom", "points": points}))


def write_model(path: Path) -> None:
    """An IMOD model with the slicer's angles: the volume is turned about z, y, x to bring the particle to the reference."""
    angles = Rotation.from_matrix(np.swapaxes(TURNS, 1, 2)).as_euler("zyx", degrees=True)
    chunks = b"".join(
        b"SLAN" + struct.pack(">i", 60) + struct.pack(">i6f32s", 1, x, y, z, *place, b"")
        for (z, y, x), place in zip(angles, TRUTH, strict=True)
    )
    path.write_bytes(b"IMODV1.2" + bytes(232) + chunks + b"IEOF")


def write_ndjson(path: Path) -> None:
    records = [
        {
            "type": "orientedPoint",
            "location": dict(zip("xyz", place, strict=True)),
            "xyz_rotation_matrix": turn,
        }
        for place, turn in zip(TRUTH.tolist(), TURNS.tolist(), strict=True)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


FORMATS: dict[str, tuple[str, Callable[[Path], None], dict[str, Any]]] = {
    "relion3_star": ("p.star", write_relion3, {"filter_value": "{run_name}"}),
    "relion4_star": ("p.star", write_relion4, {"filter_value": "{run_name}", "binning": 4}),
    "relion5_star": ("p.star", write_relion5, {"filter_value": "{run_name}"}),
    "tomoman_relion_star": ("p.star", write_relion4, {"filter_value": "{run_name}", "binning": 4}),
    "stopgap_star": ("p.star", write_stopgap, {"filter_value": "7"}),
    "dynamo_tbl": ("p.tbl", write_dynamo, {"filter_value": "7"}),
    "copick": ("p.json", write_copick, {"binning": 10}),
    "mod": ("p.mod", write_model, {}),
    "ndjson": ("p.ndjson", write_ndjson, {}),
}


@pytest.fixture
def ingest(tiny, tmp_path):
    """Ingest one annotation with one source; gives the published records and the problems' codes."""

    def run(shape: str, source: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        tiny.config["annotations"] = tiny.config["annotations"][:1]
        tiny.config["annotations"][0]["sources"] = [{shape: source}]
        report = ingest_config(
            tiny.write().file, str(tiny.source), settings_in(tmp_path / "portal"), quiet=True
        )
        problems = {problem.code: problem for problem in report.sorted_problems()}
        home = tmp_path / "portal/files/20002/R1/Reconstructions/VoxelSpacing10.000/Annotations"
        records = [
            json.loads(line) for file in home.glob("*/*.ndjson") for line in file.read_text().splitlines()
        ]
        return records, problems

    return run


def places(records: list[dict[str, Any]]) -> list[list[float]]:
    return [[record["location"][axis] for axis in "xyz"] for record in records]


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> dict[str, list[dict[str, Any]]]:
    """Every format as oriented points and as points, in one deposition: file stem of the annotation → published records."""
    folder = tmp_path_factory.mktemp("formats")
    tiny = Tiny(folder / "tiny").run("R1")
    (template, _) = tiny.config["annotations"]
    tiny.config["annotations"] = []
    for kind, (name, write, parameters) in FORMATS.items():
        (tiny.lab / kind).mkdir()
        write(tiny.lab / kind / name)
        for shape in ("OrientedPoint", "Point"):
            entry = copy.deepcopy(template)
            entry["metadata"] |= {"annotation_ingest_id": f"{kind}-{shape}"}
            entry["metadata"]["annotation_object"]["description"] = f"{kind} {shape}"
            entry["sources"] = [{shape: {"file_format": kind, "glob_string": f"{kind}/{name}", **parameters}}]
            tiny.config["annotations"].append(entry)
    report = ingest_config(tiny.write().file, str(tiny.source), settings_in(folder / "portal"), quiet=True)
    assert {problem.code for problem in report.sorted_problems()} <= {"no-points"}
    found = {}
    for sidecar in (folder / "portal/files").glob("20002/R1/**/Annotations/*/*-1.0.json"):
        content = json.loads(sidecar.read_text())
        lines = (folder / "portal/files" / content["files"][0]["path"]).read_text().splitlines()
        found[content["annotation_ingest_id"]] = [json.loads(line) for line in lines]
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_oriented_points(everything, kind: str) -> None:
    records = everything[f"{kind}-OrientedPoint"]
    assert {record["type"] for record in records} == {"orientedPoint"}
    assert np.allclose(places(records), TRUTH, atol=1e-4)
    assert np.allclose([record["xyz_rotation_matrix"] for record in records], TURNS, atol=1e-4)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "mod"])
def test_the_same_as_points(everything, kind: str) -> None:
    records = everything[f"{kind}-Point"]
    assert {(record["type"], len(record)) for record in records} == {("point", 2)}
    assert np.allclose(places(records), TRUTH, atol=1e-4)


def test_instances_are_counted_and_kept(tiny, ingest, tmp_path) -> None:
    (tiny.lab / "f.csv").write_text("ID,X,Y,Z\n" + "".join(f"{n // 2},{n + 1},2,3\n" for n in range(6)))
    records, _ = ingest("InstanceSegmentation", {"file_format": "tardis", "glob_string": "f.csv"})
    assert [record["instance_id"] for record in records] == [0, 0, 1, 1, 2, 2]
    (sidecar,) = (tmp_path / "portal/files").glob("20002/R1/**/Annotations/*/*-1.0.json")
    assert json.loads(sidecar.read_text())["object_count"] == 3


def test_z_first(tiny, ingest) -> None:
    flipped = [{"type": "orientedPoint", "location": dict(zip("xyz", place[::-1], strict=True)),
                "xyz_rotation_matrix": turn[::-1, ::-1].tolist()} for place, turn in zip(TRUTH.tolist(), TURNS, strict=True)]  # fmt: skip
    (tiny.lab / "p.ndjson").write_text("".join(json.dumps(record) + "\n" for record in flipped))
    records, _ = ingest("OrientedPoint", {"file_format": "ndjson", "glob_string": "p.ndjson", "order": "zyx"})
    assert np.allclose(places(records), TRUTH)
    assert np.allclose([record["xyz_rotation_matrix"] for record in records], TURNS)


def test_columns_by_name_and_rows_of_a_run(tiny, ingest) -> None:
    (tiny.lab / "all.tsv").write_text("tomo\tpz\tpy\tpx\nR1\t3\t2\t1\nR2\t6\t5\t4\n")
    form = {
        "file_format": "tsv",
        "column_names": ["px", "py", "pz"],
        "filter_column": "tomo",
        "filter_value": "{run_name}",
    }
    records, _ = ingest("Point", {"glob_string": "all.tsv", **form})
    assert places(records) == [[1, 2, 3]]


def test_what_is_told(tiny, ingest) -> None:
    write_copick(tiny.lab / "p.json")
    write_relion3(tiny.lab / "p.star")
    (tiny.lab / "a.csv").write_text("".join(f"{x},{y},{z}\n" for x, y, z in TRUTH * SPACING))
    _, problems = ingest("Point", {"file_format": "csv", "glob_string": "a.csv"})
    assert "set `binning: 10`" in problems["points-outside"].hint
    _, problems = ingest("OrientedPoint", {"file_format": "relion3_star", "glob_string": "p.star"})
    assert "2 tomograms (R2, R1)" in problems["several-tomograms"].message
    _, problems = ingest(
        "OrientedPoint", {"file_format": "relion3_star", "glob_string": "p.star", "filter_value": "R9"}
    )
    assert "with 'R9' (rlnMicrographName has R2, R1)" in problems["no-points"].message


@pytest.mark.parametrize(
    ("shape", "source", "sentence"),
    [
        (
            "OrientedPoint",
            {"file_format": "stopgap_star", "glob_string": "s.star"},
            "no filter_value says which",
        ),
        ("OrientedPoint", {"file_format": "mod", "glob_string": "a.csv"}, "expected an IMOD model"),
        ("InstanceSegmentation", {"file_format": "ndjson", "glob_string": "p.ndjson"}, "which instance"),
        ("OrientedPoint", {"file_format": "ndjson", "glob_string": "q.ndjson"}, "no orientations"),
        (
            "OrientedPoint",
            {"file_format": "ndjson", "glob_string": "m.ndjson"},
            "line 1: its matrix is no rotation",
        ),
    ],
)
def test_what_is_refused(tiny, ingest, shape: str, source: dict[str, Any], sentence: str) -> None:
    write_stopgap(tiny.lab / "s.star")
    write_ndjson(tiny.lab / "p.ndjson")
    point = {"type": "point", "location": {"x": 1, "y": 2, "z": 3}}
    (tiny.lab / "q.ndjson").write_text(json.dumps(point))
    (tiny.lab / "m.ndjson").write_text(
        json.dumps({**point, "xyz_rotation_matrix": [[1, 0, 0], [0, 2, 0], [0, 0, 1]]})
    )
    (tiny.lab / "a.csv").write_text("1,2,3\n")
    records, problems = ingest(shape, source)
    assert records == []
    assert sentence in problems["annotation-failed"].message
