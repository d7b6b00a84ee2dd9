"""Scores of masks: against numpy on the whole volumes, from the files that people have."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import zarr

from tomoportal.compare import compare_masks, masks, open_mask
from tomoportal.errors import SourceError, UsageError

SHAPE = (13, 20, 17)


@pytest.fixture
def volumes() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    return random.integers(0, 4, SHAPE).astype(np.int16), random.integers(0, 3, SHAPE).astype(np.int16)


def write_mrc(path: Path, data: np.ndarray, spacing: float = 10.0) -> Path:
    with mrcfile.new(path) as file:
        file.set_data(data)
        file.voxel_size = spacing
    return path


def write_zarr(path: Path, data: np.ndarray) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=data, chunks=(4, 8, 8))
    scale = [{"type": "scale", "scale": [10.0] * 3}]
    axes = [{"name": axis, "type": "space", "unit": "angstrom"} for axis in "zyx"]
    dataset = {"path": "0", "coordinateTransformations": scale}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [dataset]}]
    return path


@pytest.mark.parametrize("slab", [1, 600, 1 << 25])
def test_mrc_against_zarr(volumes, slab: int, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(masks, "_SLAB", slab)
    first, second = volumes
    scores = compare_masks(
        open_mask(write_mrc(tmp_path / "a.mrc", first), label=2),
        open_mask(write_zarr(tmp_path / "b.zarr", second), threshold=0.5),
    )
    one, other = first == 2, second > 0.5
    common = int((one & other).sum())
    assert (scores.predicted, scores.true, scores.common) == (one.sum(), other.sum(), common)
    assert scores.dice == 2 * common / (one.sum() + other.sum())
    assert scores.iou == common / (one | other).sum()
    assert scores.precision == common / one.sum()
    assert scores.recall == common / other.sum()


def test_every_voxel_that_is_not_0_is_inside(volumes, tmp_path) -> None:
    file = write_mrc(tmp_path / "a.mrc", volumes[0] - 1)
    scores = compare_masks(open_mask(file), open_mask(file))
    assert (scores.dice, scores.iou, scores.predicted) == (1, 1, np.count_nonzero(volumes[0] - 1))


def test_two_empty_masks_have_no_scores(tmp_path) -> None:
    empty = open_mask(write_mrc(tmp_path / "a.mrc", np.zeros(SHAPE, np.int8)))
    full = open_mask(write_mrc(tmp_path / "b.mrc", np.ones(SHAPE, np.int8)))
    assert compare_masks(empty, empty).dice is None
    assert (compare_masks(empty, full).dice, compare_masks(empty, full).precision) == (0, None)


def test_what_does_not_fit_is_refused(volumes, tmp_path) -> None:
    one = open_mask(write_mrc(tmp_path / "a.mrc", volumes[0]))
    with pytest.raises(UsageError, match=r"17 × 20 × 13 voxels and .* 17 × 20 × 12; expected the same size"):
        compare_masks(one, open_mask(write_mrc(tmp_path / "b.mrc", volumes[0][1:])))
    with pytest.raises(UsageError, match=r"voxels of 10 Å and .* of 5 Å"):
        compare_masks(one, open_mask(write_mrc(tmp_path / "c.mrc", volumes[0], 5.0)))
    with pytest.raises(UsageError, match="a label or a threshold, not both"):
        open_mask(tmp_path / "a.mrc", label=1, threshold=2)
    with pytest.raises(SourceError, match="no such file"):
        open_mask(tmp_path / "none.mrc")
