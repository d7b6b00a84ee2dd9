"""The vendored client draws what the state says, where it says: volume, mask and points overlay to a fraction of a voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fixtures_viewer import MANY, POINTS, Viewer, state

pytestmark = pytest.mark.browser

PIXELS = 10
"""Screen pixels per voxel of the tomogram."""
CENTRE = (40, 30, 21)


def xy_state(url: str) -> dict[str, Any]:
    shown = state(url)
    return shown | {
        "layout": "xy", "position": list(CENTRE), "crossSectionScale": 1 / PIXELS, "showAxisLines": False,
        "showScaleBar": False,
    }  # fmt: skip


def colour_at(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """RGB at a place given in voxels."""
    height, width = picture.shape[:2]
    column = width / 2 + (x - CENTRE[0]) * PIXELS
    row = height / 2 + (y - CENTRE[1]) * PIXELS
    return picture[round(row), round(column)]


def is_white(colour: np.ndarray) -> bool:
    return bool(colour.min() > 200)


def is_black(colour: np.ndarray) -> bool:
    return bool(colour.max() < 30)


def is_coloured(colour: np.ndarray) -> bool:
    return bool(colour.max() - colour.min() > 60)


def test_layers_lie_where_the_data_says(viewer: Viewer):
    viewer.open(xy_state(viewer.url))
    picture = viewer.picture()
    low, high = (59.5, 9.5), (63.5, 13.5)
    for x, y in ((low[0], low[1]), (high[0], low[1]), (low[0], high[1]), (high[0], high[1])):
        inwards = (0.3 if x == low[0] else -0.3, 0.3 if y == low[1] else -0.3)
        assert is_white(colour_at(picture, x + inwards[0], y + inwards[1]))
        assert is_black(colour_at(picture, x - inwards[0], y - inwards[1]))
    for x, y, _ in POINTS:
        assert is_coloured(colour_at(picture, x, y))
    assert is_black(colour_at(picture, 32.0, 40.0))
    for x, y, inside in ((9.8, 39.8, True), (13.2, 43.2, True), (9.2, 41.0, False), (13.8, 41.0, False)):
        assert is_coloured(colour_at(picture, x, y)) is inside
        assert is_black(colour_at(picture, x, y)) is not inside


def test_coarse_levels_lie_on_the_fine_one(viewer: Viewer):
    viewer.open(xy_state(viewer.url))
    bounds = viewer.page.evaluate(
        "() => { const b = viewer.coordinateSpace.value.bounds; return [...b.lowerBounds, ...b.upperBounds]; }"
    )
    assert bounds == [-0.5, -0.5, -0.5, 79.5, 59.5, 39.5]


def test_another_slice_is_empty(viewer: Viewer):
    viewer.open(xy_state(viewer.url) | {"position": [40, 30, 30]})
    picture = viewer.picture()
    assert is_black(colour_at(picture, 61.5, 11.5))
    assert is_black(colour_at(picture, 11.0, 41.0))


def test_three_dimensions_show_points_and_volume(viewer: Viewer):
    shown = xy_state(viewer.url) | {
        "layout": "3d", "showSlices": False, "projectionOrientation": [0, 0, 0, 1], "projectionScale": 76,
    }  # fmt: skip
    image = shown["layers"][0]
    image |= {"volumeRendering": "on", "volumeRenderingGain": 2}
    image["shaderControls"]["invert_contrast_3D"] = False
    viewer.open(shown)
    picture = viewer.picture()[100:]
    spread = picture.max(axis=2) - picture.min(axis=2)
    points, volume = spread > 60, (spread < 40) & (picture.max(axis=2) > 60)
    assert points.sum() > 100
    assert volume.sum() > 100
    right, below = np.argwhere(volume).mean(axis=0)[::-1] / picture.shape[1::-1]
    assert right > 0.6
    assert below < 0.4


def test_large_sets_are_drawn_whole_and_found_by_id(viewer: Viewer):
    shown = state(viewer.url)
    points = shown["layers"][1]
    points["source"]["url"] = points["source"]["url"].replace("100-point", "101-point")
    shown["layers"] = shown["layers"][:2]
    chosen = {"annotationId": "13337", "annotationSource": 0}
    shown["selection"] = {"layers": {points["name"]: chosen}, "visible": True, "row": 0}
    viewer.open(shown)
    viewer.page.wait_for_selector("text=point_index")
    text = viewer.page.inner_text("body")
    place = [str(int(value)) for value in MANY[13337]]
    assert "13337" in text
    assert all(part in text for part in place)
    asked = {url.partition("_precompute/")[2] for status, url in viewer.requests if status in (200, 206)}
    assert {"info", "by_id/0.shard", "spatial0/0_0_0", "spatial1/0_0_0", "spatial1/1_1_0"} <= asked


def test_client_asks_nobody_else_and_complains_about_nothing(viewer: Viewer):
    viewer.open(state(viewer.url))
    assert all(url.startswith((viewer.url, "blob:", "data:")) for _, url in viewer.requests)
    missing = [url for status, url in viewer.requests if status != 200]
    assert [url for url in missing if not url.split("/")[-1].isdecimal()] == [
        url for url in missing if url.endswith(".zarr/.zarray")
    ]
    assert [line for line in viewer.console if "404" not in line] == []
    errors = viewer.page.evaluate(
        "() => viewer.layerManager.managedLayers.flatMap(l => l.layer.dataSources.map(d => d.loadState?.error?.message ?? ''))"
    )
    assert errors == ["", "", ""]
    assert "Python" not in viewer.page.inner_text("body")
