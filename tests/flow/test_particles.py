"""Lists of particles in every format, through the front door: from one table of truth into the published lines of JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fixtures_demo import settings_in
from fixtures_tiny import Tiny
from made_particles import WRITTEN, Made, write_copick, write_ndjson, write_relion3, write_stopgap
from tomoportal.cli.ingest import ingest_config

SPACING = 10.0
SHAPE = (12, 20, 24)
TRUTH = np.array([[3.5, 4.25, 5.0], [20.0, 15.5, 2.0], [12.0, 10.0, 6.0]])
"""x, y, z in voxels."""
TURNS = Rotation.random(3, rng=11).as_matrix()
"""The reference into the tomogram."""


MADE = Made(TRUTH, TURNS, SPACING, SHAPE)


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
    for kind, (name, write, parameters) in WRITTEN.items():
        (tiny.lab / kind).mkdir()
        write(tiny.lab / kind / name, MADE)
        for shape in ("OrientedPoint", "Point"):
            entry = copy.deepcopy(template)
            entry["metadata"] |= {"annotation_ingest_id": f"{kind}-{shape}"}
            entry["metadata"]["annotation_object"]["description"] = f"{kind} {shape}"
            entry["sources"] = [
                {shape: {"file_format": kind, "glob_string": f"{kind}/{name}", **parameters(MADE)}}
            ]
            tiny.config["annotations"].append(entry)
    report = ingest_config(tiny.write().file, str(tiny.source), settings_in(folder / "portal"), quiet=True)
    assert {problem.code for problem in report.sorted_problems()} <= {"no-points"}
    found = {}
    for sidecar in (folder / "portal/files").glob("20002/R1/**/Annotations/*/*-1.0.json"):
        content = json.loads(sidecar.read_text())
        lines = (folder / "portal/files" / content["files"][0]["path"]).read_text().splitlines()
        found[content["annotation_ingest_id"]] = [json.loads(line) for line in lines]
    return found


@pytest.mark.parametrize("kind", WRITTEN)
def test_oriented_points(everything, kind: str) -> None:
    records = everything[f"{kind}-OrientedPoint"]
    assert {record["type"] for record in records} == {"orientedPoint"}
    assert np.allclose(places(records), TRUTH, atol=1e-4)
    assert np.allclose([record["xyz_rotation_matrix"] for record in records], TURNS, atol=1e-4)


@pytest.mark.parametrize("kind", [kind for kind in WRITTEN if kind != "mod"])
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
    write_copick(tiny.lab / "p.json", MADE)
    write_relion3(tiny.lab / "p.star", MADE)
    (tiny.lab / "a.csv").write_text("".join(f"{x},{y},{z}\n" for x, y, z in TRUTH * SPACING))
    _, problems = ingest("Point", {"file_format": "csv", "glob_string": "a.csv"})
    assert "set `binning: 10`" in problems["points-outside"].hint
    _, problems = ingest("OrientedPoint", {"file_format": "relion3_star", "glob_string": "p.star"})
    assert "2 tomograms (other, R1)" in problems["several-tomograms"].message
    _, problems = ingest(
        "OrientedPoint", {"file_format": "relion3_star", "glob_string": "p.star", "filter_value": "R9"}
    )
    assert "with 'R9' (rlnMicrographName has other, R1)" in problems["no-points"].message


def test_points_that_are_listed_twice_are_told(tiny, ingest) -> None:
    (tiny.lab / "a.csv").write_text("x,y,z\n1,2,3\n4,5,6\n1,2,3\n7,8,9\n4,5,6\n")
    records, problems = ingest("Point", {"file_format": "csv_with_header", "glob_string": "a.csv"})
    assert len(records) == 5
    message = problems["points-repeated"].message
    assert (
        message
        == "2 of 5 points are the same as one before them, the first being that of line 4, the same as line 2"
    )


def test_one_place_with_several_orientations_is_no_repetition(tiny, ingest) -> None:
    write_ndjson(tiny.lab / "p.ndjson", Made(TRUTH[[0, 0, 0]], TURNS, SPACING, SHAPE))
    _, problems = ingest("OrientedPoint", {"file_format": "ndjson", "glob_string": "p.ndjson"})
    assert "points-repeated" not in problems


def test_meshes_at_points_are_not_drawn_and_that_is_told(tiny, ingest) -> None:
    write_ndjson(tiny.lab / "p.ndjson", MADE)
    source = {"file_format": "ndjson", "glob_string": "p.ndjson", "mesh_source_path": "ball.glb"}
    records, problems = ingest("OrientedPoint", source)
    assert len(records) == 3
    told = problems["mesh-not-drawn"]
    assert (told.severity, "ball.glb is not drawn" in told.message) == ("unsupported", True)


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
    write_stopgap(tiny.lab / "s.star", MADE)
    write_ndjson(tiny.lab / "p.ndjson", MADE)
    point = {"type": "point", "location": {"x": 1, "y": 2, "z": 3}}
    (tiny.lab / "q.ndjson").write_text(json.dumps(point))
    (tiny.lab / "m.ndjson").write_text(
        json.dumps({**point, "xyz_rotation_matrix": [[1, 0, 0], [0, 2, 0], [0, 0, 1]]})
    )
    (tiny.lab / "a.csv").write_text("1,2,3\n")
    records, problems = ingest(shape, source)
    assert records == []
    assert sentence in problems["annotation-failed"].message
