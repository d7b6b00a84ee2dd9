"""The surface of a mask that has been written, judged by trimesh."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from tomoportal.ingest.volumes import VolumeKind, surface
from tomoportal.ingest.volumes.surface import mask_surface, object_surfaces

MASK = VolumeKind.SEMANTIC_MASK
CENTRE = np.array([130.0, 127.5, 66.0])


def ball(radius: float) -> np.ndarray:
    z, y, x = np.ogrid[:133, :260, :270]
    far = (z - CENTRE[2]) ** 2 + (y - CENTRE[1]) ** 2 + (x - CENTRE[0]) ** 2
    return (far <= radius**2).astype(np.int8)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4])
def test_the_surface_lies_where_the_mask_is_at_every_step(mrc, written, monkeypatch, steps: int) -> None:
    monkeypatch.setattr(surface, "FULL", 1 << 30 if steps == 0 else 0)
    monkeypatch.setattr(surface, "MOST", {1: 1 << 30, 2: 100_000}.get(steps, 1))
    monkeypatch.setattr(surface, "MOST_VERTICES", 250 if steps == 4 else 500_000)
    data = ball(60)
    out = written(mrc(data), MASK)
    found = trimesh.Trimesh(
        *mask_surface(out.zarr_dir, out.facts.bounding_box, float(data.sum())), process=False
    )
    assert found.is_watertight
    assert np.allclose(found.center_mass, CENTRE, atol=0.1 * 2**steps)
    assert found.volume == pytest.approx(data.sum(), rel=(0.01, 0.01, 0.02, 0.08, 0.15)[steps])


def test_a_thin_membrane_stays(mrc, written, monkeypatch) -> None:
    monkeypatch.setattr(surface, "FULL", 0)
    data = np.zeros((60, 70, 80), np.int8)
    data[30, 10:60, 10:70] = 1
    data[5, 5, 5] = 1
    out = written(mrc(data), MASK)
    found = trimesh.Trimesh(
        *mask_surface(out.zarr_dir, out.facts.bounding_box, float(data.sum())), process=False
    )
    (sheet,) = [part for part in found.split() if part.extents.max() > 20]
    assert sheet.is_watertight
    assert np.allclose(sheet.extents[:2], (60, 50), atol=2)
    assert np.allclose(sheet.center_mass, (39.5, 34.5, 30), atol=0.6)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_every_object_has_a_surface_of_its_own(mrc, written, monkeypatch, steps: int) -> None:
    monkeypatch.setattr(surface, "MOST_OF_OBJECTS", (1 << 30, 1_000_000, 150_000, 20_000)[steps])
    data = np.zeros((133, 260, 270), np.uint16)
    spans = {
        3: ((10, 58), (140, 200), (150, 190)),
        700: ((60, 100), (20, 68), (120, 248)),
        9: ((101, 102), (1, 2), (3, 4)),
    }
    for label, (z, y, x) in spans.items():
        data[slice(*z), slice(*y), slice(*x)] = label
    out = written(mrc(data), VolumeKind.INSTANCE_MASK)
    found = object_surfaces(out.zarr_dir, out.facts.bounding_box, [3, 9, 700])
    assert set(found) == ({3, 9, 700} if steps == 0 else {3, 700})
    for label in (3, 700):
        body = trimesh.Trimesh(*found[label], process=False)
        ends = np.array([[side[0] - 0.5, side[1] - 0.5] for side in reversed(spans[label])]).T
        assert body.is_watertight
        assert np.abs(body.bounds - ends).max() <= 0.75 * 2**steps


def test_too_many_vertices_make_a_longer_step(mrc, written, monkeypatch) -> None:
    data = np.zeros((40, 64, 64), np.uint16)
    data[3:35, 5:37, 7:39] = 5
    out = written(mrc(data), VolumeKind.INSTANCE_MASK)
    sizes = []
    for most in (500_000, 2_000):
        monkeypatch.setattr(surface, "MOST_VERTICES", most)
        vertices, _ = object_surfaces(out.zarr_dir, out.facts.bounding_box, [5])[5]
        sizes.append(len(vertices))
        assert np.abs(vertices.min(axis=0) - (6.5, 4.5, 2.5)).max() <= 1.5
    assert sizes[0] > 3 * sizes[1]
