"""Exports of annotations over HTTP: the right places for every tomogram, as independent readers find them, and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import starfile
from starlette.testclient import TestClient

from demo_oracle import centres
from fixtures_demo import DemoPortal
from fixtures_server import serving
from tomoportal import Annotation, Client, Tomogram
from tomoportal.api import exports
from tomoportal.errors import RemoteError
from tomoportal.server import build_app

RUN, RIBOSOME = "TS_001", "cytosolic ribosome"


@pytest.fixture(scope="module")
def url(demo_portal: DemoPortal) -> Iterator[str]:
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


@pytest.fixture(scope="module")
def annotation(client: Client) -> Any:
    """The true ribosomes of one run."""
    wanted = [
        Annotation.run.name == RUN,
        Annotation.object_name == RIBOSOME,
        Annotation.ground_truth_status == True,  # noqa: E712
    ]
    return Annotation.find(client, wanted)[0]


@pytest.fixture(scope="module")
def tomograms(client: Client, annotation: Any) -> dict[float, Any]:
    """One tomogram for each voxel spacing of the alignment of the annotation."""
    (file, *_) = annotation.annotation_shapes[0].annotation_files
    found = Tomogram.find(client, [Tomogram.run.name == RUN, Tomogram.alignment_id == file.alignment_id])
    return {tomogram.voxel_spacing: tomogram for tomogram in found}


@pytest.fixture
def export(url: str, annotation: Any):
    def get(
        method: str = "GET", id: object = None, headers: dict[str, str] | None = None, **asked: object
    ) -> httpx.Response:
        address = f"{url}/api/annotations/{annotation.id if id is None else id}/export"
        return httpx.request(
            method, address, params={k: str(v) for k, v in asked.items()}, headers=headers, timeout=60
        )

    return get


@pytest.fixture(scope="module")
def truth(demo_portal: DemoPortal) -> dict[str, Any]:
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][RUN]


def furthest(places: np.ndarray, true: np.ndarray) -> float:
    """The largest distance between points of two lists in the same order of magnitude: each to its nearest."""
    between = np.linalg.norm(places[:, None] - true[None], axis=2)
    return max(between.min(axis=0).max(), between.min(axis=1).max())


def test_there_are_tomograms_of_two_voxel_spacings(tomograms) -> None:
    assert len(tomograms) == 2


def test_relion_5_has_the_truth_for_every_tomogram(export, tomograms, truth, tmp_path) -> None:
    for spacing, tomogram in tomograms.items():
        answer = export(format="relion5_star", tomogram=tomogram.id)
        assert answer.status_code == 200
        (tmp_path / "p.star").write_bytes(answer.content)
        table = starfile.read(tmp_path / "p.star")["particles"]
        centred = table[[f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]].to_numpy()
        size = np.array([tomogram.size_x, tomogram.size_y, tomogram.size_z])
        assert set(table["rlnTomoName"]) == {RUN}
        assert furthest(centred / spacing + size / 2, centres(truth, f"{spacing:.3f}")) < 0.51


@pytest.mark.parametrize("format", ["csv", "dynamo_tbl", "copick", "ndjson"])
def test_other_formats_have_it_too(format: str, export, tomograms, truth) -> None:
    for spacing, tomogram in tomograms.items():
        data = export(format=format, tomogram=tomogram.id).content
        if format == "csv":
            places = np.loadtxt(io.BytesIO(data), delimiter=",", skiprows=1)[:, :3]
        elif format == "dynamo_tbl":
            places = np.loadtxt(io.BytesIO(data))[:, 23:26]
        elif format == "copick":
            points = json.loads(data)["points"]
            places = np.array([[point["location"][axis] for axis in "xyz"] for point in points]) / spacing
        else:
            points = [json.loads(line) for line in data.splitlines()]
            places = np.array([[point["location"][axis] for axis in "xyz"] for point in points])
        assert furthest(places, centres(truth, f"{spacing:.3f}")) < 0.51


def test_without_a_tomogram_it_is_what_was_published(export, annotation, client) -> None:
    (file,) = [
        one
        for shape in annotation.annotation_shapes
        for one in shape.annotation_files
        if one.format == "ndjson" and shape.shape_type == "OrientedPoint"
    ]
    with client.stream(file.https_path) as response:
        assert export(format="ndjson").content == response.read()


def test_headers(export, annotation) -> None:
    answer = export(format="stopgap_star")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    name = f"TS_001_AN-{annotation.id}_cytosolic_ribosome.star"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert int(answer.headers["content-length"]) == len(answer.content) > 0
    assert answer.headers["access-control-allow-origin"] == "*"
    head = export("HEAD", format="stopgap_star")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == answer.headers["etag"]


def test_what_has_not_changed_is_not_sent_again(export, tomograms) -> None:
    tag = export(format="csv").headers["etag"]
    assert export(format="csv", headers={"If-None-Match": tag}).status_code == 304
    others = {export(format="csv", tomogram=one.id).headers["etag"] for one in tomograms.values()}
    assert export(format="dynamo_tbl", headers={"If-None-Match": tag}).status_code == 200
    assert len(others) == 2
    assert export(format="csv", headers={"If-Match": '"other"'}).status_code == 412


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        ({}, 400, "nothing is no format of exports; expected one of ndjson, csv"),
        ({"format": "pdf"}, 400, "pdf is no format"),
        ({"format": "csv", "shape": "SegmentationMask"}, 400, "no shape of points"),
        ({"format": "csv", "shape": "InstanceSegmentation"}, 400, "it has no InstanceSegmentation"),
        ({"format": "csv", "tomogramm": "1"}, 400, "tomogramm is not understood"),
        ({"format": "csv", "tomogram": "x"}, 400, "'x' is no id of tomograms"),
        ({"format": "csv", "tomogram": "999999"}, 404, "no such tomogram"),
        ({"format": "csv", "id": "999999"}, 404, "no such annotation"),
        ({"format": "csv", "id": "1e9"}, 400, "no id of annotations"),
    ],
)
def test_what_is_refused(asked, status: int, sentence: str, export) -> None:
    answer = export(**asked)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert sentence in answer.json()["error"]["message"]


def test_a_tomogram_of_another_run_or_alignment_is_refused(export, client, tomograms) -> None:
    other = Tomogram.find(client, [Tomogram.run.name != RUN])[0]
    assert "of another run" in export(format="csv", tomogram=other.id).json()["error"]["message"]
    known = {tomogram.alignment_id for tomogram in tomograms.values()}
    strange = [
        one for one in Tomogram.find(client, [Tomogram.run.name == RUN]) if one.alignment_id not in known
    ]
    for one in strange:
        assert "another alignment" in export(format="csv", tomogram=one.id).json()["error"]["message"]


def test_masks_are_no_points(export, client) -> None:
    wanted = Annotation.annotation_shapes.shape_type == "SegmentationMask"
    masks = [
        one
        for one in Annotation.find(client, wanted)
        if {s.shape_type for s in one.annotation_shapes} == {"SegmentationMask"}
    ]
    assert masks
    assert "only points can be exported" in export(id=masks[0].id, format="csv").json()["error"]["message"]


def test_the_client_writes_files_of_their_names(annotation, tomograms, export, tmp_path) -> None:
    coarse = tomograms[max(tomograms)]
    path = annotation.export(tmp_path, format="dynamo_tbl", tomogram=coarse)
    assert path == tmp_path / f"TS_001_AN-{annotation.id}_cytosolic_ribosome_TM-{coarse.id}.tbl"
    assert path.read_bytes() == export(format="dynamo_tbl", tomogram=coarse.id).content
    assert annotation.export(tmp_path, format="dynamo_tbl", tomogram=coarse.id) == path
    with pytest.raises(RemoteError, match="pdf is no format of exports"):
        annotation.export(tmp_path, format="pdf")


def test_larger_lists_than_are_converted_on_request(demo_portal, annotation, monkeypatch) -> None:
    monkeypatch.setattr(exports, "LARGEST", 100)
    answer = in_process(demo_portal).get(f"/api/annotations/{annotation.id}/export?format=csv")
    assert answer.status_code == 413
    assert "_orientedpoint.ndjson has" in answer.json()["error"]["message"]
    assert "tomoportal export annotation" in answer.json()["error"]["message"]


def test_exports_wait_for_their_turn_but_not_in_a_crowd(export, demo_portal, annotation, monkeypatch) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: export(format="dynamo_tbl"), range(32)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    monkeypatch.setattr(exports, "WAITING", 0)
    answer = in_process(demo_portal).get(f"/api/annotations/{annotation.id}/export?format=csv")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def in_process(demo_portal: DemoPortal) -> TestClient:
    return TestClient(build_app(demo_portal.settings), base_url="http://localhost")
