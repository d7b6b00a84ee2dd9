"""Scores of predicted points, by the best one-to-one pairs with the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomoportal.compare.matching import Pairs, best_pairs
from tomoportal.errors import UsageError
from tomoportal.formats.rotations import Matrices


@dataclass(frozen=True, slots=True)
class PointScores:
    """`found` pairs of `predicted` and `true` points. What cannot be said, as the precision of nothing, is None.

    Distances are in Å, angles in degrees: `angle` by which a predicted particle must be turned to lie like its partner, `axis_angle`
    between their z axes (the first counts a turn about z, which means nothing for a particle that is symmetric about it).
    """

    radius: float
    predicted: int
    true: int
    found: int
    precision: float | None
    recall: float | None
    f1: float | None
    mean_distance: float | None
    median_distance: float | None
    mean_angle: float | None
    median_angle: float | None
    mean_axis_angle: float | None


def compare_points(
    predicted: NDArray[np.float64],
    truth: NDArray[np.float64],
    *,
    radius: float,
    turns: tuple[Matrices, Matrices] | None = None,
) -> PointScores:
    """Scores of points (n, 3) against points (m, 3), x, y, z in Å with one origin: a predicted point is right when it is the partner of a
    true one in the best pairs within `radius` Å (`compare.matching`). `turns` are the rotations (n, 3, 3) and (m, 3, 3) of both.

    Raises `UsageError` for a radius that is not above 0 or makes too many candidates.
    """
    if not (0 < radius < np.inf):
        raise UsageError(f"the radius is {radius:g} Å; expected a number above 0.")
    pairs = best_pairs(predicted, truth, radius)
    found, count, true = len(pairs), len(predicted), len(truth)
    angles, axes = _angles(pairs, turns) if turns is not None and found else (None, None)
    return PointScores(
        radius, count, true, found,
        share(found, count), share(found, true), share(2 * found, count + true),
        _mean(pairs.distances), _median(pairs.distances), _mean(angles), _median(angles), _mean(axes),
    )  # fmt: skip


def share(part: int, whole: int) -> float | None:
    """part / whole; None of nothing."""
    return part / whole if whole else None


def _angles(
    pairs: Pairs, turns: tuple[Matrices, Matrices]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, other = turns[0][pairs.first], turns[1][pairs.second]
    between = (np.einsum("nij,nij->n", one, other) - 1) / 2
    axes = np.einsum("ni,ni->n", one[:, :, 2], other[:, :, 2])
    return np.degrees(np.arccos(np.clip(between, -1, 1))), np.degrees(np.arccos(np.clip(axes, -1, 1)))


def _mean(values: NDArray[np.float64] | None) -> float | None:
    return float(values.mean()) if values is not None and len(values) else None


def _median(values: NDArray[np.float64] | None) -> float | None:
    return float(np.median(values)) if values is not None and len(values) else None
