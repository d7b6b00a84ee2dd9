"""Angles of every package: against matrices and pairs that others have published, and there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tomoportal.formats import rotations

PACKAGES = {
    "relion": (rotations.from_relion, rotations.to_relion),
    "dynamo": (rotations.from_dynamo, rotations.to_dynamo),
    "stopgap": (rotations.from_stopgap, rotations.to_stopgap),
    "imod": (rotations.from_slicer, rotations.to_slicer),
}


def axis(name: str, degrees: float) -> np.ndarray:
    """The textbook matrix of a counter-clockwise rotation about one axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[name]


def test_one_orientation_in_relion_and_dynamo() -> None:
    """The pair of the tests of `eulerangles`, which gave one reconstruction in both packages."""
    relion = rotations.from_relion(np.array([[137.7000, 1.1777, 42.7270]]))
    dynamo = rotations.from_dynamo(np.array([[-47.2730, 1.1777, -132.3000]]))
    assert np.allclose(relion, dynamo, atol=1e-9)


def test_the_matrix_of_dynamo() -> None:
    """What `dynamo_euler2matrix` gives for these angles turns the particle onto the template, so ours is its transpose."""
    published = [[-0.0173, -0.5477, 0.8365], [0.9012, -0.3709, -0.2241], [0.4330, 0.7500, 0.5000]]
    ours = rotations.from_dynamo(np.array([[30.0, 60.0, 75.0]]))[0]
    assert np.allclose(ours.T, published, atol=1e-4)


def test_the_matrix_of_relion() -> None:
    """The closed form of Heymann, Chagoyen and Belnap (2005), which RELION calls A: it turns the reference onto the particle."""
    rot, tilt, psi = np.radians([20.0, 50.0, -70.0])
    ca, sa, cb, sb, cg, sg = np.cos(rot), np.sin(rot), np.cos(tilt), np.sin(tilt), np.cos(psi), np.sin(psi)
    published = [
        [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
        [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
        [sb * ca, sb * sa, cb],
    ]
    ours = rotations.from_relion(np.array([[20.0, 50.0, -70.0]]))[0]
    assert np.allclose(ours, published, atol=1e-12)


def test_stopgap_turns_the_reference_by_phi_then_the_then_psi() -> None:
    ours = rotations.from_stopgap(np.array([[10.0, 20.0, 30.0]]))[0]
    assert np.allclose(ours, axis("z", 20) @ axis("x", 30) @ axis("z", 10))


def test_the_slicer_turns_the_volume_about_z_then_y_then_x() -> None:
    ours = rotations.from_slicer(np.array([[10.0, 20.0, 30.0]]))[0]
    of_the_volume = axis("x", 10) @ axis("y", 20) @ axis("z", 30)
    assert np.allclose(ours @ of_the_volume, np.eye(3))


@pytest.mark.parametrize("package", PACKAGES)
@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_there_and_back(package: str, quaternion: list[float]) -> None:
    read, write = PACKAGES[package]
    matrices = Rotation.from_quat([quaternion]).as_matrix()
    assert np.allclose(read(write(matrices)), matrices, atol=1e-6)


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("tilt", [0.0, 90.0, 180.0])
def test_there_and_back_where_two_axes_agree(package: str, tilt: float) -> None:
    read, write = PACKAGES[package]
    matrices = (axis("z", 25) @ axis("y", tilt) @ axis("z", 40))[None]
    assert np.allclose(read(write(matrices)), matrices, atol=1e-6)


def test_what_is_no_rotation() -> None:
    good = Rotation.random(5, rng=1).as_matrix()
    bad = good.copy()
    bad[1] *= 1.2
    bad[2, :, 0] *= -1
    bad[4, 0, 0] = np.nan
    assert rotations.no_rotations(good).tolist() == []
    assert rotations.no_rotations(good.round(3)).tolist() == []
    assert rotations.no_rotations(bad).tolist() == [1, 2, 4]
