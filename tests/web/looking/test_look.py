"""What an address of the slice viewer means, and where everything stands in its drawing."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from tomoportal.exports.slices.layers import Drawn, Layer
from tomoportal.web.looking.look import Look, look, shown, stage

POINTS = Layer(101, "Point", "101", "ribosome", 7, True, "a.ndjson", "a.json", 10.0, True, is_visible=True)
MASK = Layer(
    102, "SegmentationMask", "102-segmentationmask", "membrane", 1, False, "b.zarr", "b.json", 10.0, True
)
OTHER = Layer(103, "Point", "103", "proteasome", 2, False, "c.ndjson", "c.json", 10.0, False)
DRAWN = Drawn(5, "TS_1", 1, (300, 200, 100), 10.0, (POINTS, MASK, OTHER), (-1.0, 2.0))
"""x, y, z: 300 × 200 × 100 voxels of 1 nm."""


def of(address: str) -> Look:
    return look(parse_qsl(address, keep_blank_values=True), DRAWN)


@pytest.mark.parametrize(
    ("address", "at"),
    [
        ("", (50, 100, 150)), ("z=3&y=4&x=5", (3, 4, 5)), ("z=-1&y=9999&x=abc", (0, 199, 150)), ("z=3&z=7", (7, 100, 150)),
        ("z=nan&x=1e400", (50, 100, 150)), ("z=12.4", (12, 100, 150)),
    ],
)  # fmt: skip
def test_positions_are_brought_into_the_volume(address, at):
    assert of(address).at == at


def test_what_makes_no_sense_is_left_out():
    found = of("slab=999&lo=3&hi=1&view=ZZ&zoom=5&show=1,2")
    assert (found.slab, found.low, found.high, found.view, found.zoom, found.show) == (
        50,
        None,
        None,
        "",
        4,
        (),
    )


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        ("", ["101"]), ("show=", []), ("show=101,102", ["101", "102-segmentationmask"]), ("show=&show=102", ["102-segmentationmask"]),
        ("show=103", []), ("show=AN-101", ["101"]),
    ],
)  # fmt: skip
def test_layers_that_are_on(address, keys):
    """Without a word those that the 3-D viewer shows; never one that does not fit."""
    assert [layer.key for layer in shown(of(address), DRAWN)] == keys


def test_an_address_made_of_a_state_gives_the_state():
    state = Look((1, 2, 3), 4, -0.5, 1.5, ("101",), "XZ", 2)
    parameters = state.parameters()
    assert look(parameters, DRAWN) == state


def test_the_drawing_puts_cuts_below_and_beside_each_other():
    drawn = stage(of("z=10&y=20&x=30"), DRAWN, "v")
    z, y, x = drawn.panels
    assert [(p.width, p.height) for p in (z, y, x)] == [(300, 200), (300, 100), (100, 200)]
    assert (y.x, x.y) == (0, 0)
    assert y.y > 200
    assert x.x > 300
    assert [(p.across, p.down) for p in (z, y, x)] == [(30, 20), (30, 10), (10, 20)]
    assert z.box == "-0.5 -0.5 300 200"
    assert dict(parse_qsl(urlsplit(y.href).query)) == {"axis": "y", "index": "20", "w": "300", "v": "v"}


def test_zoom_keeps_the_cross_hair_in_sight_and_the_volume_in_the_box():
    middle = stage(of("z=50&y=100&x=150&zoom=4"), DRAWN, "v").panels[0]
    assert middle.box == "112.5 75 75 50"
    corner = stage(of("z=0&y=0&x=299&zoom=4"), DRAWN, "v").panels[0]
    assert corner.box == "224.5 -0.5 75 50"


@pytest.mark.parametrize(("zoom", "text", "length"), [(1, "50\u202fnm", 50), (8, "5\u202fnm", 40)])
def test_the_scale_bar_is_a_round_length(zoom, text, length):
    """Voxels of 1 nm: a bar of 5 nm is 5 voxels, which are drawn eight times as large."""
    bar = stage(of(f"zoom={zoom}"), DRAWN, "v").bar
    assert (bar.text, bar.length) == (text, length)
