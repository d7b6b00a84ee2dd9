"""What was put into the phantom is drawn where it was put: the demo, served, in the state that the portal's own page opens.

In each test one layer is left on, everything else of the state but the way of looking is as served. Truth is the table of the simulation
and the depositor's files, read by other libraries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import mrcfile
import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from demo_oracle import centres, turns
from fixtures_demo import DemoPortal
from fixtures_server import serving
from fixtures_viewer import Viewer
from tomoportal import Client, Tomogram
from tomoportal.viewer.points import AXIS_LENGTH

pytestmark = pytest.mark.browser

RUN, SPACING = "TS_001", "21.424"
TOOLS = 100
"""Rows of the panel in which the viewer shows its tools."""
SCALE = 120
"""Voxels over the height of the panel in three dimensions."""
PIXELS = 5
"""Screen pixels per voxel in a slice."""


@pytest.fixture(scope="module")
def facts(demo_portal: DemoPortal) -> dict[str, Any]:
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][RUN]


@pytest.fixture(scope="module")
def url(demo_portal: DemoPortal) -> Iterator[str]:
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="module")
def served(url: str) -> dict[str, Any]:
    """The state in the address that the page of the finest raw tomogram gives to the viewer."""
    with Client(url) as client:
        wanted = [Tomogram.run.name == RUN, Tomogram.processing == "raw"]
        tomogram = Tomogram.find(client, wanted, order_by=[Tomogram.voxel_spacing.ascending()])[0]
    page = httpx.get(
        f"{url}/view/runs/{tomogram.run_id}", params={"tomogram": tomogram.id}
    ).raise_for_status()
    address = page.text.partition("<iframe")[2].partition('src="')[2].partition('"')[0]
    return json.loads(unquote(address.partition("#!")[2]))


@pytest.fixture
def viewer(chromium: Any, url: str) -> Iterator[Viewer]:
    page = chromium.new_page(viewport={"width": 960, "height": 760})
    yield Viewer(page, url)
    page.close()


def picture_of(viewer: Viewer, served: dict[str, Any], name: str, **look: Any) -> np.ndarray:
    """The panel with one layer alone."""
    shown = json.loads(json.dumps(served)) | {"showAxisLines": False, "showScaleBar": False, **look}
    shown["layers"] = [
        layer for layer in shown["layers"] if layer["type"] == "image" or layer["name"] == name
    ]
    assert len(shown["layers"]) == 2, [layer["name"] for layer in served["layers"]]
    for layer in shown["layers"]:
        layer["visible"] = layer["name"] == name
        if "pointScale" in layer.get("shaderControls", {}):
            layer["shaderControls"]["pointScale"] = (
                0.06 if name.endswith("oriented points, ground truth") else 0.5
            )
    viewer.open(shown)
    picture = viewer.picture()
    picture[:TOOLS] = 0
    return picture


def along_z(facts: dict[str, Any]) -> dict[str, Any]:
    """Everything, seen along z without perspective."""
    return {
        "layout": {"type": "3d", "orthographicProjection": True}, "showSlices": False, "projectionOrientation": [0, 0, 0, 1],
        "projectionScale": SCALE, "position": middle(facts).tolist(),
    }  # fmt: skip


def middle(facts: dict[str, Any]) -> np.ndarray:
    return np.array(facts["dimensions"][SPACING][::-1]) / 2


def projected(picture: np.ndarray, facts: dict[str, Any], places: Any) -> np.ndarray:
    """Columns and rows of places x, y(, z) in voxels, in three dimensions."""
    height, width = picture.shape[:2]
    away = np.asarray(places, float)[..., :2] - middle(facts)[:2]
    return np.array([width, height]) / 2 + away * height / SCALE


def coloured(picture: np.ndarray) -> np.ndarray:
    return picture.max(axis=2) - picture.min(axis=2) > 40


def centroid(mask: np.ndarray) -> np.ndarray:
    """Column and row of the middle of what is drawn."""
    return np.argwhere(mask).mean(axis=0)[::-1]


def pieces(mask: np.ndarray, places: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The pieces of a mask to which exactly one of the places is nearest: its number, and the piece's middle."""
    parts, count = ndimage.label(mask)
    near = ndimage.distance_transform_edt(parts == 0, return_distances=False, return_indices=True)
    rows, columns = np.clip(np.rint(places[:, ::-1]).astype(int), 0, np.array(mask.shape) - 1).T
    owners = parts[near[0][rows, columns], near[1][rows, columns]]
    for part in range(1, count + 1):
        (mine,) = np.nonzero(owners == part)
        if len(mine) == 1:
            yield int(mine[0]), centroid(parts == part)


def overlap(drawn: np.ndarray, expected: np.ndarray) -> float:
    return float((drawn & expected).sum() / (drawn | expected).sum())


def test_points_lie_where_ribosomes_were_put(viewer, served, facts) -> None:
    picture = picture_of(viewer, served, "cytosolic ribosome, points, ground truth", **along_z(facts))
    places = projected(picture, facts, centres(facts, SPACING))
    places = places[places[:, 1] > TOOLS + 20]
    found = list(pieces(coloured(picture), places))
    assert len(found) > 8
    for number, middle in found:
        assert np.abs(middle - places[number]).max() < 2


def test_axes_of_ribosomes_point_as_they_were_turned(viewer, served, facts) -> None:
    picture = picture_of(
        viewer, served, "cytosolic ribosome, oriented points, ground truth", **along_z(facts)
    )
    there, length = centres(facts, SPACING), AXIS_LENGTH * 100 / float(SPACING)
    colours = {0: (255, 64, 64), 2: (80, 128, 255)}
    for axis, colour in colours.items():
        ends = there + turns(facts)[:, :, axis] * length
        from_, to = projected(picture, facts, there), projected(picture, facts, ends)
        long = (np.linalg.norm(to - from_, axis=1) > 15) & (np.minimum(from_, to)[:, 1] > TOOLS + 10)
        drawn = np.abs(picture - np.array(colour)).max(axis=2) < 70
        halves = ((from_ + to) / 2)[long]
        found = list(pieces(drawn, halves))
        assert len(found) > 5
        off = [np.abs(middle - halves[number]).max() for number, middle in found]
        assert np.median(off) < 2
        backwards = (from_ - (to - from_) / 2)[long]
        assert all(np.linalg.norm(m - halves[n]) < np.linalg.norm(m - backwards[n]) for n, m in found)


def test_a_mask_covers_the_voxels_that_were_labelled(viewer, served, facts, demo_portal) -> None:
    labels = mrcfile.read(demo_portal.files.source / "cell_periphery" / facts["files"]["labels"])
    z = int((labels == 1).sum(axis=(1, 2)).argmax())
    position = [*middle(facts)[:2].tolist(), z]
    look = {"layout": "xy", "position": position, "crossSectionScale": 1 / PIXELS}
    picture = picture_of(viewer, served, "membrane, segmentation, ground truth", **look)
    drawn = coloured(picture)
    rows, columns = np.indices(drawn.shape)
    x = np.rint((columns + 0.5 - drawn.shape[1] / 2) / PIXELS + position[0]).astype(int)
    y = np.rint((rows + 0.5 - drawn.shape[0] / 2) / PIXELS + position[1]).astype(int)
    inside = (x >= 0) & (x < labels.shape[2]) & (y >= 0) & (y < labels.shape[1]) & (rows >= TOOLS)
    expected = inside & (labels[z][y.clip(0, labels.shape[1] - 1), x.clip(0, labels.shape[2] - 1)] == 1)
    assert np.abs(centroid(drawn) - centroid(expected)).max() < 2
    assert overlap(drawn, expected) > 0.95


def test_surfaces_of_vesicles_lie_where_they_were_drawn(viewer, served, facts, demo_portal) -> None:
    picture = picture_of(viewer, served, "membrane, surface, ground truth", **along_z(facts))
    vertices, faces = wavefront(demo_portal.files.source / "cell_periphery" / facts["files"]["surfaces"])
    flat = projected(picture, facts, vertices / float(SPACING))
    image = Image.new("1", picture.shape[1::-1])
    draw = ImageDraw.Draw(image)
    for face in faces:
        draw.polygon([tuple(flat[corner]) for corner in face], fill=1)
    expected = np.array(image)
    expected[:TOOLS] = False
    drawn = picture.max(axis=2) - picture.min(axis=2) > 8
    assert np.abs(centroid(drawn) - centroid(expected)).max() < 2
    assert overlap(drawn, expected) > 0.9


def wavefront(path: Any) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and faces (m, 3), counted from 0, of an OBJ file."""
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = np.array([line[1:] for line in lines if line[0] == "v"], float)
    return vertices, np.array([line[1:] for line in lines if line[0] == "f"], int) - 1
