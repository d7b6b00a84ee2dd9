"""Exports of what was ingested: oriented points and instances come back as they went in, through every format; and who gets nothing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import starfile
from scipy.spatial.transform import Rotation
from starlette.testclient import TestClient

from fixtures_command import FlowPortal, ingest_tiny, tomoportal
from fixtures_demo import settings_in
from fixtures_tiny import Tiny
from tomoportal.formats.particles.writers import WRITERS
from tomoportal.server import build_app

PLACES = np.array([[3.5, 4.25, 5.0], [20.0, 15.5, 2.0], [12.0, 10.0, 6.0]])
TURNS = Rotation.random(3, rng=5).as_matrix()
SIZE = np.array([24, 20, 12])
AGAIN = {"relion4_star": 4, "copick": 10}
"""The binning with which an export is ingested again."""


def write_points(path: Path) -> None:
    records = [
        {
            "type": "orientedPoint",
            "location": dict(zip("xyz", place, strict=True)),
            "xyz_rotation_matrix": turn,
        }
        for place, turn in zip(PLACES.tolist(), TURNS.tolist(), strict=True)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def portal(tiny: Tiny, tmp_path: Path) -> FlowPortal:
    """A portal with one annotation of oriented points and one of instances."""
    write_points(tiny.lab / "p.ndjson")
    (tiny.lab / "f.csv").write_text("ID,X,Y,Z\n7,1,2,3\n4,4,5,6\n7,7,8,9\n")
    shapes = {
        "OrientedPoint": {"file_format": "ndjson", "glob_string": "p.ndjson"},
        "InstanceSegmentation": {"file_format": "tardis", "glob_string": "f.csv"},
    }
    template = tiny.config["annotations"][0]
    tiny.config["annotations"] = [annotation(template, shape, source) for shape, source in shapes.items()]
    portal = FlowPortal(tmp_path / "portal")
    assert ingest_tiny(tiny, portal).code == 0
    return portal


def annotation(
    template: dict[str, Any], name: str, source: dict[str, Any], shape: str = ""
) -> dict[str, Any]:
    made = copy.deepcopy(template)
    made["metadata"] |= {"annotation_ingest_id": name}
    made["metadata"]["annotation_object"]["description"] = name
    made["sources"] = [{shape or name: source}]
    return made


def client(portal: FlowPortal) -> httpx.Client:
    return TestClient(build_app(settings_in(portal.folder)), base_url="http://localhost")


def id_of(portal: FlowPortal, name: str) -> int:
    (found,) = [
        row["id"]
        for row in portal.rows("Annotation", "id", "annotation_ingest_id")
        if row["annotation_ingest_id"] == name
    ]
    return found


def exported(portal: FlowPortal, name: str, format: str) -> bytes:
    answer = client(portal).get(f"/api/annotations/{id_of(portal, name)}/export", params={"format": format})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_oriented_points_for_relion(portal: FlowPortal, tmp_path: Path) -> None:
    (tmp_path / "p.star").write_bytes(exported(portal, "OrientedPoint", "relion5_star"))
    blocks = starfile.read(tmp_path / "p.star", always_dict=True)
    centred = blocks["particles"][[f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]].to_numpy()
    assert np.allclose(centred / 10 + SIZE / 2, PLACES, atol=1e-5)
    angles = blocks["particles"][["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]].to_numpy()
    assert np.allclose(Rotation.from_euler("ZYZ", angles, degrees=True).inv().as_matrix(), TURNS, atol=1e-6)
    optics = blocks["optics"].iloc[0]
    assert (optics["rlnTomoTiltSeriesPixelSize"], optics["rlnVoltage"], optics["rlnSphericalAberration"]) == (
        2.5,
        300,
        2.7,
    )


def test_instances_keep_their_numbers(portal: FlowPortal) -> None:
    lines = exported(portal, "InstanceSegmentation", "csv").decode().splitlines()
    assert lines[0] == "x,y,z,instance_id"
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == ["7", "4", "7"]
    points = json.loads(exported(portal, "InstanceSegmentation", "copick"))["points"]
    assert [point["instance_id"] for point in points] == [7, 4, 7]


def test_exports_are_ingested_again_as_they_were(portal: FlowPortal, tiny: Tiny) -> None:
    template = tiny.config["annotations"][0]
    kinds = [kind for kind in WRITERS if kind != "csv"]
    for kind in kinds:
        (tiny.lab / kind).mkdir()
        (tiny.lab / kind / f"p{WRITERS[kind].ending}").write_bytes(exported(portal, "OrientedPoint", kind))
        source = {"file_format": kind, "glob_string": f"{kind}/p*", "binning": AGAIN.get(kind, 1)}
        if kind == "stopgap_star":
            source["filter_value"] = str(portal.rows("Run", "id")[0]["id"])
        tiny.config["annotations"].append(annotation(template, kind, source, "OrientedPoint"))
    assert ingest_tiny(tiny, portal).code == 0
    for kind in kinds:
        records = [json.loads(line) for line in exported(portal, kind, "ndjson").splitlines()]
        places = [[record["location"][axis] for axis in "xyz"] for record in records]
        assert np.allclose(places, PLACES, atol=1e-5), kind
        assert np.allclose([record["xyz_rotation_matrix"] for record in records], TURNS, atol=1e-6), kind


def test_who_gets_nothing(portal: FlowPortal, tiny: Tiny) -> None:
    address = f"/api/annotations/{id_of(portal, 'OrientedPoint')}/export?format=csv"
    (home,) = {path.parent for path in portal.layout.glob("20002/R1/**/Annotations/*/*_orientedpoint.ndjson")}
    other = f"/api/annotations/{id_of(portal, 'InstanceSegmentation')}/export?format=csv"
    tiny.config["annotations"][1]["metadata"]["dates"] = {
        **tiny.config["annotations"][1]["metadata"]["dates"], "release_date": "2099-01-01",
    }  # fmt: skip
    assert ingest_tiny(tiny, portal).code == 0
    answer = client(portal).get(other)
    assert (answer.status_code, "no such annotation" in answer.text) == (404, True)
    assert client(portal).get(address).status_code == 200
    folder = home.relative_to(portal.layout).as_posix()
    assert tomoportal("withdraw", folder, "--reason", "wrong sign", "--yes", *portal.options).code == 0
    answer = client(portal).get(address)
    assert answer.status_code == 410
    assert "wrong sign" in answer.json()["error"]["message"]


def test_what_is_being_replaced_is_not_given(portal: FlowPortal) -> None:
    address = f"/api/annotations/{id_of(portal, 'OrientedPoint')}/export?format=csv"
    (points,) = portal.layout.glob("20002/R1/**/Annotations/*/*_orientedpoint.ndjson")
    (sidecar,) = points.parent.glob("*-1.0.json")
    sidecar.rename(points.parent / ".replacing")
    answer = client(portal).get(address)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
