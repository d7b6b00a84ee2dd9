"""Overlays against the truth table of the demo, in every voxel spacing; and what nobody may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from demo_oracle import RIBOSOME, centres, turns
from fixtures_demo import DemoPortal
from tomoportal.catalog.tables import RELEASE
from tomoportal.layout.paths import owner
from tomoportal.layout.tree import marker_of
from tomoportal.server import build_app

RUN = "TS_001"


@pytest.fixture(scope="module")
def site(demo_portal: DemoPortal) -> Iterator[TestClient]:
    with TestClient(build_app(demo_portal.settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def truth(demo_portal: DemoPortal) -> dict[str, Any]:
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][RUN]


def asked(site: TestClient, query: str) -> Any:
    answer = site.post("/graphql", json={"query": query}).json()
    assert "errors" not in answer, answer
    return answer["data"]


def shapes(site: TestClient, shape: str) -> list[dict[str, Any]]:
    """Annotations of the run with a shape, and the alignment whose coordinates they have."""
    where = f'where: {{shapeType: {{_eq: {shape}}}, annotation: {{run: {{name: {{_eq: "{RUN}"}}}}}}}}'
    fields = "annotation { id objectName groundTruthStatus alignmentId run { id } }"
    return [
        row["annotation"]
        for row in asked(site, f"{{ annotationShapes({where}) {{ {fields} }} }}")["annotationShapes"]
    ]


def tomograms(site: TestClient, **where: Any) -> list[dict[str, Any]]:
    given = ", ".join(f"{name}: {{_eq: {value}}}" for name, value in where.items())
    fields = "id voxelSpacing sizeX sizeY sizeZ alignmentId httpsMrcFile"
    return asked(site, f"{{ tomograms(where: {{{given}}}) {{ {fields} }} }}")["tomograms"]


def true_ribosomes(site: TestClient, shape: str) -> dict[str, Any]:
    return next(
        row for row in shapes(site, shape) if row["objectName"] == RIBOSOME and row["groundTruthStatus"]
    )


def test_points_are_true_in_tomograms_of_every_spacing(site, truth):
    annotation = true_ribosomes(site, "Point")
    fitting = tomograms(site, alignmentId=annotation["alignmentId"])
    assert len({row["voxelSpacing"] for row in fitting}) > 1
    for row in fitting:
        address = f"/annotations/{annotation['id']}/points.json?tomogram={row['id']}&shape=Point"
        found = np.array(site.get(address).json()["points"])
        true = centres(truth, f"{row['voxelSpacing']:.3f}")
        between = np.linalg.norm(found[:, None] - true[None], axis=2)
        assert between.min(axis=1).max() < 0.05
        assert between.min(axis=0).max() < 0.05


def test_directions_are_the_true_axes(site, truth):
    annotation = true_ribosomes(site, "OrientedPoint")
    (row, *_) = tomograms(site, alignmentId=annotation["alignmentId"])
    told = site.get(
        f"/annotations/{annotation['id']}/points.json?tomogram={row['id']}&shape=OrientedPoint"
    ).json()
    true, axes = centres(truth, f"{row['voxelSpacing']:.3f}"), turns(truth)[:, :, 2]
    for place, direction in zip(told["points"], told["directions"], strict=True):
        nearest = np.linalg.norm(true - place, axis=1).argmin()
        assert np.dot(direction, axes[nearest]) > 0.999


def test_instances_have_numbers_and_colours(site):
    annotation = shapes(site, "InstanceSegmentation")[0]
    (row, *_) = tomograms(site, alignmentId=annotation["alignmentId"])
    told = site.get(
        f"/annotations/{annotation['id']}/points.json?tomogram={row['id']}&shape=InstanceSegmentation"
    ).json()
    assert len(told["instances"]) == len(told["colours"]) == len(told["points"])
    by_number = {
        number: {c for n, c in zip(told["instances"], told["colours"], strict=True) if n == number}
        for number in told["instances"]
    }
    assert all(len(colours) == 1 for colours in by_number.values())


def test_tomograms_of_another_run_and_alignment_are_refused(site):
    annotation = true_ribosomes(site, "Point")
    others = [row for row in tomograms(site) if row["alignmentId"] != annotation["alignmentId"]]
    assert others
    messages = set()
    for row in others:
        answer = site.get(f"/annotations/{annotation['id']}/points.json?tomogram={row['id']}&shape=Point")
        assert answer.status_code == 400
        messages.add("another" in answer.json()["error"]["message"])
    assert messages == {True}


def test_circles_of_the_drawing_are_those_that_the_slab_cuts(site):
    annotation = true_ribosomes(site, "Point")
    (row, *_) = tomograms(site, alignmentId=annotation["alignmentId"])
    base = f"/annotations/{annotation['id']}"
    told = site.get(f"{base}/points.json?tomogram={row['id']}&shape=Point").json()
    answer = site.get(f"{base}/points.svg?tomogram={row['id']}&axis=y&index=20&slab=2&shape=Point")
    drawn = ElementTree.fromstring(answer.content)
    assert drawn.get("viewBox") == f"-0.5 -0.5 {row['sizeX']} {row['sizeZ']}"
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in drawn if c.tag.endswith("circle")]
    cut = [(x, z) for x, y, z in told["points"] if max(abs(y - 20) - 2, 0) <= told["diameter"] / 2]
    assert circles
    assert np.allclose(sorted(circles), sorted(cut), atol=0.011)


def test_nothing_is_shown_of_what_is_being_replaced_or_not_released(demo_copy):
    """The marker of a replacement answers 503; a release in the future hides pictures as it hides rows."""
    with TestClient(build_app(demo_copy.settings), base_url="http://localhost") as site:
        (row, *_) = tomograms(site)
        path = row["httpsMrcFile"].partition("/files/")[2]
        marker = demo_copy.layout / marker_of(owner(path))
        marker.write_text("{}")
        answer = site.get(f"/tomograms/{row['id']}/slice.jpg")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        marker.unlink()
        assert site.get(f"/tomograms/{row['id']}/slice.jpg").status_code == 200
    engine = create_engine(demo_copy.settings.database)
    with engine.begin() as connection:
        connection.execute(text(f"update tomogram set {RELEASE} = '2999-01-01T00:00:00+00:00'"))
    engine.dispose()
    with TestClient(build_app(demo_copy.settings), base_url="http://localhost") as site:
        assert site.get(f"/tomograms/{row['id']}/slice.jpg").status_code == 404
        assert site.get(f"/tomograms/{row['id']}").status_code == 404
