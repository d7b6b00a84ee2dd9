"""The viewer state as data: order, names, colours, scales."""

from __future__ import annotations

import colorsys
import json

import pytest

from tomoportal.model.fields import FILES_MARK
from tomoportal.viewer.colours import colours
from tomoportal.viewer.state import ImageLayer, MaskLayer, PointLayer, tomogram_state

TOMOGRAM = ImageLayer("TS_1", "10/TS_1/a.zarr", 10.0, (960, 928, 300), (-3.0, 3.0), (-2.0, 1.0))
POINTS = PointLayer("101 ribosome point", "10/TS_1/p", 10.0, "ribosome|point")
MASK = MaskLayer("102 membrane segmentation", "10/TS_1/m.zarr", 20.0, "membrane|mask", visible=False)


def test_layers_keep_their_order_and_flags():
    layers = tomogram_state(TOMOGRAM, [POINTS, MASK])["layers"]
    assert [layer["type"] for layer in layers] == ["image", "annotation", "segmentation"]
    assert [layer["visible"] for layer in layers] == [True, True, False]


def test_every_address_begins_with_the_mark_of_the_files():
    state = tomogram_state(TOMOGRAM, [POINTS, MASK])
    assert all(layer["source"]["url"].startswith(FILES_MARK + "10/TS_1/") for layer in state["layers"])
    assert json.dumps(state).count(FILES_MARK) == 3


def test_signs_that_end_an_address_are_escaped():
    named = PointLayer("p", "10/a#b?c%|d/layer", 1.0, "x")
    url = tomogram_state(TOMOGRAM, [named])["layers"][1]["source"]["url"]
    assert url == f"{FILES_MARK}10/a%23b%3Fc%25%7Cd/layer/|neuroglancer-precomputed:"


def test_another_voxel_spacing_is_scaled_into_the_tomograms():
    transform = tomogram_state(TOMOGRAM, [MASK])["layers"][1]["source"]["transform"]
    assert transform["inputDimensions"] == {axis: [2e-9, "m"] for axis in "zyx"}
    assert transform["outputDimensions"] == {axis: [1e-9, "m"] for axis in "zyx"}
    assert transform["matrix"] == [[1, 0, 0, 0.5], [0, 1, 0, 0.5], [0, 0, 1, 0.5]]


def test_equal_names_are_told_apart():
    layers = tomogram_state(TOMOGRAM, [POINTS, POINTS, MASK, POINTS])["layers"]
    names = [layer["name"] for layer in layers]
    assert len(set(names)) == 5
    assert names[1] == POINTS.name


def test_contrast_of_a_constant_volume_is_a_range():
    flat = ImageLayer("f", "f.zarr", 1.0, (8, 8, 8), (5.0, 5.0), (0.0, 0.0))
    low, high = tomogram_state(flat, [])["layers"][0]["shaderControls"]["contrast"]["range"]
    assert low < 5.0 < high


@pytest.mark.parametrize("count", [1, 12, 40])
def test_colours_are_bright_distinct_and_repeatable(count):
    names = [f"object {number}" for number in range(count)]
    chosen = colours(names)
    assert chosen == colours(names)
    assert len(set(chosen)) == count
    for colour in chosen:
        red, green, blue = (value / 255 for value in bytes.fromhex(colour[1:]))
        _, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        assert saturation > 0.15
        assert value > 0.25


def test_colour_depends_on_the_identity_alone_while_there_is_room():
    assert colours(["a"])[0] == colours(["a", "b"])[0]
