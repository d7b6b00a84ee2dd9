"""Masks as they are published, in a real browser: objects in their own colours, and the surface of a mask in 3-D, both at their places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest

from fixtures_catalog import small_portal
from fixtures_server import make_file, serving
from fixtures_viewer import Viewer, write_ome_zarr
from tomoportal.ingest.volumes import VolumeFacts, VolumeKind, open_source, write_volume
from tomoportal.ingest.volumes.surface import mask_surface
from tomoportal.model.fields import FILES_MARK
from tomoportal.settings import Settings
from tomoportal.viewer.meshes import write_mesh_layer
from tomoportal.viewer.points import instance_colours
from tomoportal.viewer.state import ImageLayer, MaskLayer, tomogram_state

pytestmark = pytest.mark.browser

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
SIZE = (80, 60, 40)
"""x, y, z in voxels of 10 Å; the masks have voxels of 20 Å."""
CENTRE = np.array([40, 30, 20])
OBJECTS = {4: ((5, 10), (6, 12), (8, 12)), 70_000: ((25, 31), (18, 24), (8, 12))}
"""Label → voxels (from, to) along x, y, z."""
BALL = (12.0, 18.0, 9.0)
TOOLS = 100
"""Rows of the panel in which the viewer shows its tools."""
SCALE = 76
"""Voxels over the height of the panel."""


def published(folder: Path, name: str, data: np.ndarray, kind: VolumeKind) -> tuple[Path, VolumeFacts]:
    source = folder / f"{name}.mrc"
    with mrcfile.new(source, data) as file:
        file.voxel_size = 20.0
    home = folder / f"files/{HOME}/Annotations/101/{name}.zarr"
    facts, _ = write_volume(open_source(source), spacing=20.0, kind=kind, zarr_dir=home, mrc_file=None)
    return home, facts


def objects() -> np.ndarray:
    x, y, z = (side // 2 for side in SIZE)
    data = np.zeros((z, y, x), np.float32)
    for label, ((x0, x1), (y0, y1), (z0, z1)) in OBJECTS.items():
        data[z0:z1, y0:y1, x0:x1] = label
    return data


def ball() -> np.ndarray:
    z, y, x = np.indices([side // 2 for side in SIZE[::-1]])
    far = (x - BALL[0]) ** 2 + (y - BALL[1]) ** 2 + (z - BALL[2]) ** 2
    return (far <= 5.5**2).astype(np.int8)


@pytest.fixture(scope="module")
def viewer_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("masks")
    small_portal(folder).close()
    root = folder / "files"
    write_ome_zarr(root / f"{HOME}/Tomograms/100/v.zarr", np.zeros(SIZE[::-1], np.float32), 10.0, 2)
    published(folder, "objects", objects(), VolumeKind.INSTANCE_MASK)
    mask, facts = published(folder, "ball", ball(), VolumeKind.SEMANTIC_MASK)
    assert facts.bounding_box is not None
    net = mask_surface(mask, facts.bounding_box, float(ball().sum()))
    for path, content in write_mesh_layer(*net, label="ball").items():
        make_file(root, f"{HOME}/NeuroglancerPrecompute/101-segmentationmask_precompute/{path}", content)
    with serving(Settings(storage=str(root), database=f"sqlite:///{folder / 'catalog.sqlite'}")) as url:
        yield url


def picture_of(viewer: Viewer, name: str, **more: Any) -> np.ndarray:
    """The panel with one layer alone, seen along z."""
    tomogram = ImageLayer("TS_01", f"{HOME}/Tomograms/100/v.zarr", 10.0, SIZE, (0.0, 1.0), (0.0, 1.0))
    surface = f"{HOME}/NeuroglancerPrecompute/101-segmentationmask_precompute"
    layers = [
        MaskLayer("objects", f"{HOME}/Annotations/101/objects.zarr", 20.0, "a", instances=tuple(OBJECTS)),
        MaskLayer("ball", f"{HOME}/Annotations/101/ball.zarr", 20.0, "b", surface=surface),
    ]
    text = json.dumps(tomogram_state(tomogram, layers)).replace(FILES_MARK, f"{viewer.url}/files/")
    shown: dict[str, Any] = json.loads(text) | {
        "projectionOrientation": [0, 0, 0, 1], "projectionScale": SCALE, "position": CENTRE.tolist(), "showAxisLines": False,
        "showScaleBar": False, "showSlices": False, **more,
    }  # fmt: skip
    for layer in shown["layers"]:
        layer["visible"] = layer["name"] == name
        if layer["type"] == "segmentation":
            layer["selectedAlpha"] = 1
    viewer.open(shown)
    picture = viewer.picture()
    picture[:TOOLS] = 0
    return picture


def projected(picture: np.ndarray, place: Any, scale: float) -> np.ndarray:
    """Column and row of a place (x, y, …) in voxels of the tomogram, of which one has `scale` pixels."""
    height, width = picture.shape[:2]
    return np.array([width, height]) / 2 + (np.asarray(place, float)[:2] - CENTRE[:2]) * scale


def centre(mask: np.ndarray) -> np.ndarray:
    """Column and row of the middle of what is drawn."""
    assert mask.sum() > 20
    return np.argwhere(mask).mean(axis=0)[::-1]


def test_objects_lie_at_their_places_in_their_colours(viewer: Viewer) -> None:
    picture = picture_of(viewer, "objects", layout="xy", crossSectionScale=0.125)
    for (label, spans), colour in zip(
        OBJECTS.items(), instance_colours(np.array(list(OBJECTS))), strict=True
    ):
        place = [(begin + end - 1) + 0.5 for begin, end in spans]
        drawn = np.abs(picture - colour.astype(int)).max(axis=2) < 30
        assert np.abs(centre(drawn) - projected(picture, place, 8)).max() < 2, label
        assert drawn.sum() == pytest.approx(
            (spans[0][1] - spans[0][0]) * (spans[1][1] - spans[1][0]) * 16**2, rel=0.05
        )


def test_the_surface_of_a_mask_is_drawn_around_it(viewer: Viewer) -> None:
    picture = picture_of(viewer, "ball", layout={"type": "3d", "orthographicProjection": True})
    drawn = picture.max(axis=2) - picture.min(axis=2) > 5
    scale = picture.shape[0] / SCALE
    place = [2 * value + 0.5 for value in BALL]
    assert np.abs(centre(drawn) - projected(picture, place, scale)).max() < 2
    assert drawn.sum() == pytest.approx(np.pi * (11.0 * scale) ** 2, rel=0.1)
