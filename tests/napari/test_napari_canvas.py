"""What napari draws in a window: the outer faces of the volume and the markers are where they belong, whatever level is shown."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ZOOM = 0.15
"""Pixels in an ångström; that of `canvas.py`."""
CANVAS = Path(__file__).with_name("canvas.py")


@pytest.fixture(scope="module")
def drawn(tomograms, client, tmp_path_factory):
    if shutil.which("xvfb-run") is None:
        pytest.skip("xvfb-run is not installed (tests/prepare does it)")
    out = tmp_path_factory.mktemp("canvas") / "drawn.npz"
    address = f"{client.base_url}/tomograms/{tomograms[0].id}"
    command = [
        "xvfb-run",
        "-a",
        "-s",
        "-screen 0 1600x1000x24",
        sys.executable,
        str(CANVAS),
        address,
        str(out),
    ]
    environment = os.environ | {"QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=environment)
    assert done.returncode == 0, done.stderr
    return np.load(out)


def test_the_widget_is_docked_and_the_levels_are_drawn(drawn):
    assert str(drawn["widget"]) == "PortalWidget"
    assert (drawn["level0"] != drawn["level2"]).any()


@pytest.mark.parametrize("level", [0, 2])
def test_the_outer_faces_are_at_zero_and_at_the_size(drawn, level, tomograms):
    picture = drawn[f"level{level}"][..., :3].astype(int)
    lit = picture.sum(axis=2) > 0
    for axis, extent in ((0, tomograms[0].size_y), (1, tomograms[0].size_x)):
        rows = np.flatnonzero(lit.any(axis=1 - axis))
        ends = _world(drawn, picture, axis, np.array([rows[0], rows[-1] + 1]))
        assert ends == pytest.approx([0, extent * tomograms[0].voxel_spacing], abs=1.5 / ZOOM)


def test_a_marker_is_drawn_at_its_place(drawn):
    picture = drawn["level0"][..., :3].astype(int)
    is_marked = np.abs(picture - np.round(drawn["colour"][:3] * 255)).max(axis=2) < 8
    for axis in (0, 1):
        rows = np.flatnonzero(is_marked.any(axis=1 - axis))
        middle = _world(drawn, picture, axis, (rows[0] + rows[-1] + 1) / 2)
        assert middle == pytest.approx(drawn["place"][axis + 1], abs=1.5 / ZOOM)


def _world(drawn, picture, axis, pixel):
    """Å at the edge between pixels, along y (0) or x (1)."""
    return drawn["centre"][axis + 1] + (pixel - picture.shape[axis] / 2) / ZOOM
