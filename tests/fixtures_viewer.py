"""A volume, a mask of another voxel size and points whose place is known, on the real server, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from fixtures_catalog import small_portal
from fixtures_server import make_file, serving
from tomoportal.model.fields import FILES_MARK
from tomoportal.settings import Settings
from tomoportal.viewer.meshes import write_mesh_layer
from tomoportal.viewer.points import write_instance_layer, write_oriented_layer, write_point_layer
from tomoportal.viewer.state import ImageLayer, MaskLayer, MeshLayer, PointLayer, tomogram_state

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
SIZE = (80, 60, 40)
"""x, y, z in voxels of 10 Å."""
CUBE = ((60, 64), (10, 14), (19, 24))
"""Bright voxels (from, to) along x, y, z."""
MASK_CUBE = ((5, 7), (20, 22), (9, 12))
"""Labelled voxels of the mask, whose voxels measure 20 Å: from 9.5 to 13.5, 39.5 to 43.5 and 17.5 to 23.5 in the tomogram's."""
MANY = np.random.default_rng(1).uniform((0, 0, 0), (79, 59, 39), (20_000, 3))
"""More points than one cell of the spatial index takes."""
ORIENTED = np.array([25.0, 20.0, 20.0])
TURN = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""The particle's x axis points along the tomogram's y, its y along z, its z along x."""
INSTANCES = [[60.0, 45.0, 20.0], [70.0, 45.0, 20.0]]
BALL = (10.0, 20.0, 10.0)
"""In voxels of 20 Å: (20.5, 40.5, 20.5) in the tomogram's."""
POINTS = np.array([[61.5, 11.5, 21.0], [30.0, 40.0, 21.0]])


def write_ome_zarr(folder: Path, data: np.ndarray, spacing: float, levels: int) -> None:
    """NGFF 0.4 on Zarr v2 by zarr-python; coarser levels by averaging blocks of 2 x 2 x 2 voxels."""
    import zarr

    group = zarr.open_group(folder, mode="w", zarr_format=2)
    datasets = []
    for level in range(levels):
        step = 2**level
        sides = [side // step for side in data.shape]
        blocks = data.reshape(sides[0], step, sides[1], step, sides[2], step)
        coarse = blocks.mean(axis=(1, 3, 5)).astype(data.dtype)
        array = group.create_array(
            str(level), shape=coarse.shape, chunks=(32, 32, 32), dtype=coarse.dtype, chunk_key_encoding={"name": "v2", "separator": "/"},
        )  # fmt: skip
        array[:] = coarse
        scale = {"type": "scale", "scale": [spacing * step] * 3}
        shift = {"type": "translation", "translation": [spacing * (step - 1) / 2] * 3}
        datasets.append({"path": str(level), "coordinateTransformations": [scale, shift]})
    axes = [{"name": axis, "type": "space", "unit": "angstrom"} for axis in "zyx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]


def block(shape: tuple[int, ...], spans: tuple[tuple[int, int], ...], dtype: type) -> np.ndarray:
    """Ones in a block given along x, y, z; zeros elsewhere."""
    data = np.zeros(shape, dtype)
    (x0, x1), (y0, y1), (z0, z1) = spans
    data[z0:z1, y0:y1, x0:x1] = 1
    return data


@pytest.fixture(scope="module")
def viewer_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server with the three layers."""
    folder = tmp_path_factory.mktemp("viewer")
    small_portal(folder).close()
    root = folder / "files"
    x, y, z = SIZE
    write_ome_zarr(root / f"{HOME}/Tomograms/100/v.zarr", block((z, y, x), CUBE, np.float32), 10.0, 2)
    mask = block((z // 2, y // 2, x // 2), MASK_CUBE, np.int8)
    write_ome_zarr(root / f"{HOME}/Annotations/101/m.zarr", mask, 20.0, 1)
    for number, points in ((100, POINTS), (101, MANY)):
        layer = write_point_layer(points, spacing=10.0, label="thing", diameter=200.0)
        for path, content in layer.items():
            make_file(root, f"{HOME}/NeuroglancerPrecompute/{number}-point_precompute/{path}", content)
    for number, layer in _shapes().items():
        for path, content in layer.items():
            make_file(root, f"{HOME}/NeuroglancerPrecompute/{number}_precompute/{path}", content)
    with serving(Settings(storage=str(root), database=f"sqlite:///{folder / 'catalog.sqlite'}")) as url:
        yield url


def _shapes() -> dict[str, dict[str, bytes]]:
    """An oriented point, two instances, and a small ball in voxels of 20 Å."""
    drawn: dict[str, Any] = {"spacing": 10.0, "label": "thing", "diameter": 80.0}
    return {
        "100-orientedpoint": write_oriented_layer(ORIENTED[None], TURN[None], **drawn),
        "100-instancesegmentation": write_instance_layer(np.array(INSTANCES), np.array([4, 9]), **drawn),
        "100-triangularmesh": write_mesh_layer(*_ball(BALL, 2.0), label="thing"),
    }


def _ball(centre: tuple[float, float, float], radius: float) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    return ball.vertices + centre, ball.faces


def shapes_state(url: str) -> dict[str, Any]:
    """The tomogram with the three layers of `_shapes`."""
    tomogram = ImageLayer("TS_01", f"{HOME}/Tomograms/100/v.zarr", 10.0, SIZE, (0.0, 1.0), (0.0, 1.0))
    home = f"{HOME}/NeuroglancerPrecompute"
    layers = [
        PointLayer("turned", f"{home}/100-orientedpoint_precompute", 10.0, "a", True, "OrientedPoint"),
        PointLayer(
            "instances",
            f"{home}/100-instancesegmentation_precompute",
            10.0,
            "b",
            True,
            "InstanceSegmentation",
        ),
        MeshLayer("ball", f"{home}/100-triangularmesh_precompute", 20.0, "c"),
    ]
    return json.loads(json.dumps(tomogram_state(tomogram, layers)).replace(FILES_MARK, f"{url}/files/"))


def state(url: str) -> dict[str, Any]:
    """The state that a page would open, with the addresses of this server."""
    tomogram = ImageLayer("TS_01", f"{HOME}/Tomograms/100/v.zarr", 10.0, SIZE, (0.0, 1.0), (0.0, 1.0))
    points = PointLayer("100 thing", f"{HOME}/NeuroglancerPrecompute/100-point_precompute", 10.0, "thing")
    mask = MaskLayer("101 membrane", f"{HOME}/Annotations/101/m.zarr", 20.0, "membrane")
    text = json.dumps(tomogram_state(tomogram, [points, mask]))
    return json.loads(text.replace(FILES_MARK, f"{url}/files/"))


LOADED = """count => window.viewer && viewer.layerManager.managedLayers.length === count
    && viewer.layerManager.managedLayers.every(l => l.layer?.dataSources.every(d => d.loadState) && l.layer.dataSources.length)
    && viewer.isReady()"""


STUCK = """() => window.viewer ? {
    layers: viewer.layerManager.managedLayers.map(l => [l.name, l.visible, l.isReady(),
        (l.layer?.dataSources ?? []).map(d => d.loadState?.error ? String(d.loadState.error) : Boolean(d.loadState))]),
    panels: [...viewer.display.panels].map(p => [p.constructor.name, p.visible, p.isReady()]),
    lost: viewer.display.gl.isContextLost(),
    hidden: document.hidden,
} : document.readyState"""
PATIENCE = 150_000
"""Milliseconds in which a state is drawn, also without a graphics card on a busy machine."""


class Viewer:
    """A browser page with the viewer. `requests` and `console` hold what it asked for and complained about."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.unanswered: dict[Any, str] = {}
        page.on("request", lambda asked: self.unanswered.update({asked: asked.url}))
        page.on("requestfinished", lambda asked: self.unanswered.pop(asked, None))
        page.on("requestfailed", lambda asked: self.unanswered.pop(asked, None))
        self.requests: list[tuple[int, str]] = []
        self.console: list[str] = []
        page.on("response", lambda answer: self.requests.append((answer.status, answer.url)))
        page.on("console", lambda line: self.console.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.console.append(str(error)))

    def open(self, shown: dict[str, Any]) -> None:
        """Load a state and wait until everything is drawn."""
        assert self._drawn(shown), f"the viewer is not ready: {self._stuck()}"
        self.page.wait_for_timeout(1000)

    def _drawn(self, shown: dict[str, Any]) -> bool:
        from playwright.sync_api import TimeoutError as Waited

        self.page.goto(f"{self.url}/viewer/v/p/#!{quote(json.dumps(shown))}")
        try:
            self.page.wait_for_function(LOADED, arg=len(shown["layers"]), polling=200, timeout=PATIENCE)
        except Waited:
            return False
        return True

    def _stuck(self) -> dict[str, Any]:
        """What a page that is not ready waits for."""
        return {
            "page": self.page.evaluate(STUCK), "unanswered": [*self.unanswered.values()], "console": self.console,
            "refused": [answer for answer in self.requests if answer[0] >= 400],
        }  # fmt: skip

    def picture(self) -> np.ndarray:
        """RGB of the data panel, (height, width, 3)."""
        from io import BytesIO

        from PIL import Image

        panel = self.page.locator(".neuroglancer-rendered-data-panel").first
        box = panel.bounding_box()
        image = Image.open(BytesIO(self.page.screenshot(clip=box))).convert("RGB")
        return np.asarray(image).astype(int)


@pytest.fixture
def viewer(chromium: Any, viewer_portal: str) -> Iterator[Viewer]:
    page = chromium.new_page(viewport={"width": 960, "height": 760})
    yield Viewer(page, viewer_portal)
    page.close()
