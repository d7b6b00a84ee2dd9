"""Oriented points, instances and surfaces are drawn at their places: other layers off, centres within two pixels of the projected truth."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from fixtures_viewer import BALL, INSTANCES, ORIENTED, PATIENCE, Viewer, shapes_state
from tomoportal.viewer.points import AXIS_LENGTH, instance_colours

pytestmark = pytest.mark.browser

SCALE = 76
"""Voxels over the height of the panel."""
TOOLS = 100
"""Rows of the panel in which the viewer shows its tools."""
CENTRE = np.array([40, 30, 20])


def picture_of(viewer: Viewer, name: str) -> np.ndarray:
    """The panel with one layer alone, seen along z without perspective."""
    shown: dict[str, Any] = shapes_state(viewer.url) | {
        "layout": {"type": "3d", "orthographicProjection": True}, "showSlices": False, "projectionOrientation": [0, 0, 0, 1],
        "projectionScale": SCALE, "position": CENTRE.tolist(), "showAxisLines": False, "showScaleBar": False,
    }  # fmt: skip
    for layer in shown["layers"]:
        layer["visible"] = layer["name"] == name
    viewer.open(shown)
    picture = viewer.picture()
    picture[:TOOLS] = 0
    return picture


def projected(picture: np.ndarray, place: Any) -> np.ndarray:
    """Column and row of a place in voxels."""
    height, width = picture.shape[:2]
    return np.array([width, height]) / 2 + (np.asarray(place, float) - CENTRE)[:2] * height / SCALE


def centre(mask: np.ndarray) -> np.ndarray:
    """Column and row of the middle of what is drawn."""
    assert mask.sum() > 20
    return np.argwhere(mask).mean(axis=0)[::-1]


def like(picture: np.ndarray, colour: Any, tolerance: int = 60) -> np.ndarray:
    return np.abs(picture - np.asarray(colour, int)).max(axis=2) < tolerance


def test_a_surface_lies_where_it_should(viewer: Viewer) -> None:
    picture = picture_of(viewer, "ball")
    spread = picture.max(axis=2) - picture.min(axis=2)
    place = [2 * value + 0.5 for value in BALL]
    assert np.abs(centre(spread > 5) - projected(picture, place)).max() < 2


def test_axes_point_where_the_matrix_turns_them(viewer: Viewer) -> None:
    picture = picture_of(viewer, "turned")
    length = AXIS_LENGTH * 80 / 10
    red, blue = like(picture, (255, 64, 64)), like(picture, (80, 128, 255))
    along_y, along_x = np.array([0, 1, 0]) * length, np.array([1, 0, 0]) * length
    for drawn, end in ((red, along_y), (blue, along_x)):
        far = centre(drawn) - projected(picture, ORIENTED)
        expected = projected(picture, ORIENTED + end / 2) - projected(picture, ORIENTED)
        assert np.abs(far - expected).max() < 0.15 * length * picture.shape[0] / SCALE
    ends = np.argwhere(red)
    tip = ends[ends[:, 0].argmax()][::-1]
    assert np.abs(tip - projected(picture, ORIENTED + along_y)).max() < 3


def test_instances_have_colours_of_their_own(viewer: Viewer) -> None:
    picture = picture_of(viewer, "instances")
    for place, colour in zip(INSTANCES, instance_colours(np.array([4, 9])), strict=True):
        assert np.abs(centre(like(picture, colour)) - projected(picture, place)).max() < 2


def test_every_layer_stays_on_a_slow_machine(viewer: Viewer) -> None:
    viewer.page.context.new_cdp_session(viewer.page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    shown = shapes_state(viewer.url)
    viewer.page.goto(f"{viewer.url}/viewer/v/p/#!{quote(json.dumps(shown))}")
    viewer.page.wait_for_function("() => window.viewer?.layerManager.managedLayers.length", timeout=PATIENCE)
    names = viewer.page.evaluate("() => viewer.layerManager.managedLayers.map(layer => layer.name)")
    assert names == [layer["name"] for layer in shown["layers"]]
