"""Surfaces of masks, judged by trimesh."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.viewer.surfaces import surface_net


def of(values: np.ndarray, level: float = 0.5) -> trimesh.Trimesh:
    net = surface_net(values, level)
    assert net is not None
    return trimesh.Trimesh(*net, process=False)


def test_a_ball_is_a_closed_ball_with_its_outside_outside() -> None:
    z, y, x = np.indices((40, 44, 50))
    far = np.sqrt((z - 18.0) ** 2 + (y - 20) ** 2 + (x - 27) ** 2)
    ball = of(np.clip((12.5 - far) * 8, 0, 8).astype(np.uint8), 3.5)
    assert ball.is_watertight
    assert ball.volume == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)
    assert np.allclose(ball.center_mass, (27, 20, 18), atol=1e-3)
    assert ball.euler_number == 2


def test_one_voxel_has_its_centre_where_it_is_also_at_the_rim() -> None:
    values = np.zeros((3, 4, 5), np.uint8)
    values[2, 0, 4] = 1
    voxel = of(values)
    assert (len(voxel.vertices), len(voxel.faces)) == (8, 12)
    assert voxel.is_watertight
    assert voxel.volume > 0
    assert np.allclose(voxel.center_mass, (4, 0, 2), atol=1e-6)


def test_too_large_a_surface_is_given_up() -> None:
    values = np.indices((9, 9, 9)).sum(axis=0).astype(np.uint8) % 2
    assert surface_net(values, 0.5, most=100) is None
    assert surface_net(values, 0.5, most=1000) is not None


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(st.integers(1, 40), st.integers(1, 6), st.integers(1, 6)), seed=st.integers(0, 2**16))
def test_every_surface_is_closed(shape: tuple[int, int, int], seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 2, shape, np.uint8)
    net = surface_net(values, 0.5)
    assert net is not None
    vertices, faces = net
    assert len(vertices) == 0 or faces.max() < len(vertices)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward, backward = (sorted(map(tuple, edges.tolist())) for edges in (directed, directed[:, ::-1]))
    assert forward == backward
