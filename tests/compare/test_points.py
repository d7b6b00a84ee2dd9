"""Scores of points, against an oracle that tries every assignment, and for what must hold whatever the points are."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tomoportal.compare import compare_points, matching
from tomoportal.errors import UsageError

RADIUS = 2.0
POINTS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=5).map(
    lambda rows: np.array(rows, float).reshape(-1, 3)
)


def oracle(first: np.ndarray, second: np.ndarray, radius: float) -> tuple[int, float]:
    """The largest number of pairs within the radius, and the smallest sum of distances with that many, by trying everything."""
    if len(first) > len(second):
        first, second = second, first
    best = (0, 0.0)
    for chosen in permutations(range(len(second)), len(first)):
        distances = np.linalg.norm(first - second[list(chosen)], axis=1)
        near = distances[distances <= radius]
        best = min(best, (-len(near), float(near.sum())))
    return -best[0], best[1]


@pytest.fixture(params=["dense", "sparse"])
def solver(request, monkeypatch) -> None:
    """Both ways to solve a component."""
    if request.param == "sparse":
        monkeypatch.setattr(matching, "_DENSE", 0)


@settings(max_examples=150, deadline=None)
@given(first=POINTS, second=POINTS, sparse=st.booleans())
def test_no_assignment_is_better(first: np.ndarray, second: np.ndarray, sparse: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if sparse:
            patch.setattr(matching, "_DENSE", 0)
        pairs = matching.best_pairs(first, second, RADIUS)
    count, total = oracle(first, second, RADIUS)
    assert len(pairs) == count
    assert pairs.distances.sum() == pytest.approx(total)
    assert len(set(pairs.first.tolist())) == len(set(pairs.second.tolist())) == count
    assert np.allclose(np.linalg.norm(first[pairs.first] - second[pairs.second], axis=1), pairs.distances)


def test_as_many_pairs_as_possible_before_the_nearest(solver) -> None:
    """The nearest pair is (1, 1), but with it the two others would stay alone."""
    first, second = np.array([[0.0, 0, 0], [1.9, 0, 0]]), np.array([[1.8, 0, 0], [3.8, 0, 0]])
    assert matching.best_pairs(first, second, RADIUS).second.tolist() == [0, 1]
    assert compare_points(first, second, radius=RADIUS).recall == 1


@pytest.mark.parametrize("count", [0, 1, 700])
def test_what_is_known(count: int, solver) -> None:
    """Points moved by 1 Å, every tenth left out, as many strangers far away."""
    random = np.random.default_rng(1)
    truth = random.permutation(np.argwhere(np.ones((9, 9, 9))).astype(float))[:count] * 10
    kept = truth[np.arange(count) % 10 != 9]
    strangers = random.uniform(500, 900, (count // 10, 3))
    predicted = np.concatenate([kept[::-1] + np.array([0, 0.6, 0.8]), strangers])
    scores = compare_points(predicted, truth, radius=3)
    assert (scores.predicted, scores.true, scores.found) == (len(predicted), count, len(kept))
    if count == 0:
        assert scores.precision is scores.recall is scores.f1 is scores.mean_distance is None
        return
    assert scores.precision == len(kept) / len(predicted)
    assert scores.recall == len(kept) / count
    assert scores.f1 == pytest.approx(
        2 * scores.precision * scores.recall / (scores.precision + scores.recall)
    )
    assert scores.mean_distance == pytest.approx(1)
    assert scores.mean_angle is None


def test_two_predictions_of_one_object_are_one_right_and_one_wrong() -> None:
    scores = compare_points(np.array([[0.0, 0, 0], [0.5, 0, 0]]), np.zeros((1, 3)), radius=1)
    assert (scores.found, scores.precision, scores.recall, scores.mean_distance) == (1, 0.5, 1.0, 0.0)


def test_nothing_against_something() -> None:
    scores = compare_points(np.zeros((0, 3)), np.zeros((2, 3)), radius=1)
    assert (scores.precision, scores.recall, scores.f1) == (None, 0.0, 0.0)


def test_the_radius_itself_is_within() -> None:
    assert compare_points(np.zeros((1, 3)), np.array([[3.0, 0, 4.0]]), radius=5).found == 1
    assert compare_points(np.zeros((1, 3)), np.array([[3.0, 0, 4.0]]), radius=4.999).found == 0


@settings(max_examples=40, deadline=None)
@given(first=POINTS, second=POINTS)
def test_exchanging_both_exchanges_precision_and_recall(first: np.ndarray, second: np.ndarray) -> None:
    one, other = compare_points(first, second, radius=RADIUS), compare_points(second, first, radius=RADIUS)
    assert (one.precision, one.recall, one.f1) == (other.recall, other.precision, other.f1)
    assert one.mean_distance == pytest.approx(other.mean_distance)


def test_angles() -> None:
    truth = Rotation.random(30, rng=3)
    places = np.arange(90.0).reshape(-1, 3) * 10
    about_z = truth * Rotation.from_euler("z", 25, degrees=True)
    scores = compare_points(places, places, radius=1, turns=(about_z.as_matrix(), truth.as_matrix()))
    assert scores.mean_angle == pytest.approx(25)
    assert scores.mean_axis_angle == pytest.approx(0, abs=1e-4)
    tilted = truth * Rotation.from_euler("x", 40, degrees=True)
    scores = compare_points(places, places, radius=1, turns=(tilted.as_matrix(), truth.as_matrix()))
    assert (scores.median_angle, scores.mean_axis_angle) == (pytest.approx(40), pytest.approx(40))


@pytest.mark.parametrize("radius", [0.0, -1.0, float("nan"), float("inf")])
def test_a_radius_that_is_none(radius: float) -> None:
    with pytest.raises(UsageError, match="expected a number above 0"):
        compare_points(np.zeros((1, 3)), np.zeros((1, 3)), radius=radius)


def test_a_radius_that_pairs_everything(monkeypatch) -> None:
    monkeypatch.setattr(matching, "MOST_PAIRS", 99)
    with pytest.raises(UsageError, match="100 pairs of points are within 50 Å"):
        compare_points(np.zeros((10, 3)), np.zeros((10, 3)), radius=50)
