"""Masks: labels, thresholds and other grids, against the slow and obvious way."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import zarr

from tomoportal.errors import FormatError
from tomoportal.ingest.volumes import MaskRecipe, VolumeKind, open_source, write_volume

MASK = VolumeKind.SEMANTIC_MASK


def labels(shape=(40, 140, 150), dtype="int8") -> np.ndarray:
    data = np.zeros(shape, dtype)
    data[5:30, 20:135, 30:60] = 1
    data[10:12, 100:139, 100:149] = 2
    data[-1, -1, -1] = 7
    return data


def any_of(data: np.ndarray) -> np.ndarray:
    padded = np.pad(data, [(0, side % 2) for side in data.shape])
    z, y, x = (side // 2 for side in padded.shape)
    return padded.reshape(z, 2, y, 2, x, 2).max(axis=(1, 3, 5))


def averaged(data: np.ndarray, target: tuple[int, ...]) -> np.ndarray:
    """Mean over the source box of every target voxel, by a common fine grid."""
    for axis, side in enumerate(target):
        fine = np.repeat(data.astype(np.float64), side, axis=axis)
        split = (*fine.shape[:axis], side, fine.shape[axis] // side, *fine.shape[axis + 1 :])
        data = fine.reshape(split).mean(axis=axis + 1)
    return data


@pytest.mark.parametrize("label", [1, 2, 7])
@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
def test_a_label_becomes_a_binary_mask(mrc, written, label: int, dtype: str) -> None:
    data = labels(dtype=dtype)
    out = written(mrc(data), MASK, recipe=MaskRecipe(label))
    expected = (data == label).astype(np.int8)
    assert np.array_equal(out.level(0), expected)
    assert np.array_equal(out.mrc(), expected)
    assert np.array_equal(out.level(1), any_of(expected))
    assert np.array_equal(out.level(2), any_of(any_of(expected)))
    assert out.level(2).dtype == out.mrc().dtype == np.int8
    assert out.facts.labels == (None if dtype == "float32" else (0, 1, 2, 7))
    assert (out.facts.mean, out.facts.sigma) == pytest.approx((expected.mean(), expected.std()))
    where = np.argwhere(expected)
    assert out.facts.bounding_box == (*where.min(axis=0), *(where.max(axis=0) + 1))


def test_the_slab_shows_where_the_mask_is(mrc, written) -> None:
    data = labels()
    out = written(mrc(data), MASK)
    assert np.array_equal(out.slab.image > 0, (data == 1).any(axis=0))
    assert (out.slab.start, out.slab.stop) == (0, 40)


def test_a_threshold_cuts_probabilities(mrc, written) -> None:
    data = np.random.default_rng(2).random((20, 30, 40)).astype(np.float32)
    out = written(mrc(data), MASK, recipe=MaskRecipe(threshold=0.75))
    assert np.array_equal(out.level(0), (data >= np.float32(0.75)).astype(np.int8))


def test_many_labels_are_all_found(mrc, written) -> None:
    data = np.arange(3000, dtype=np.int16).reshape(10, 10, 30) * 3 - 1000
    assert written(mrc(data), MASK, recipe=MaskRecipe(label=2)).facts.labels == tuple(range(-1000, 8000, 3))


@pytest.mark.parametrize(
    "target", [(10, 30, 32), (7, 23, 13), (40, 60, 128), (21, 59, 65), (1, 1, 1), (20, 60, 64)]
)
def test_a_label_on_another_grid_keeps_every_touched_voxel(mrc, written, target) -> None:
    data = labels()[:20, 80:140, 86:150]
    data[-1, -1, -1] = 7
    out = written(mrc(data), MASK, recipe=MaskRecipe(2, target_shape=target))
    expected = averaged(data == 2, target) > 1e-12
    assert out.facts.shape == target
    assert np.array_equal(out.level(0), expected)
    assert out.facts.labels == (0, 2, 7)


@pytest.mark.parametrize("target", [(10, 15, 20), (7, 30, 23), (40, 60, 80)])
def test_probabilities_are_averaged_before_the_threshold(mrc, written, target) -> None:
    data = np.random.default_rng(2).random((20, 30, 40)).astype(np.float32)
    mean = averaged(data, target)
    out = written(mrc(data), MASK, recipe=MaskRecipe(threshold=0.52, target_shape=target))
    clear = np.abs(mean - 0.52) > 1e-9
    assert np.array_equal(out.level(0)[clear], (mean >= 0.52)[clear])


@pytest.mark.parametrize(
    ("recipe", "dtype", "words"),
    [
        (MaskRecipe(5), "int8", "no voxel has the mask label 5; the labels in it are 0, 1, 2, 7"),
        (MaskRecipe(5), "float32", "its values lie between 0 and 7"),
        (
            MaskRecipe(threshold=9.5),
            "float32",
            "no voxel reaches the threshold 9.5; its values lie between 0 and 7",
        ),
        (MaskRecipe(5, target_shape=(20, 70, 75)), "int8", "the labels in it are 0, 1, 2, 7"),
    ],
)
def test_a_mask_of_nothing_is_refused_and_leaves_nothing(tmp_path: Path, mrc, recipe, dtype, words) -> None:
    source = open_source(mrc(labels(dtype=dtype)), name="source/seg.mrc")
    with pytest.raises(FormatError) as caught:
        write_volume(
            source,
            spacing=10.0,
            kind=MASK,
            zarr_dir=tmp_path / "o.zarr",
            mrc_file=tmp_path / "o.mrc",
            recipe=recipe,
        )
    assert words in str(caught.value)
    assert str(caught.value).startswith("source/seg.mrc: ")
    assert [path.name for path in tmp_path.iterdir()] == ["source.mrc"]


def test_the_real_membrane_mask(shared: Path, written) -> None:
    place = shared / "pyseg/data/tutorials/exp_ssmb/tracing/mb_single/in/tomo22_z50_ves_4_seg.mrc"
    out = written(place, MASK, spacing=6.84)
    with mrcfile.open(place, permissive=True) as file:
        expected = file.data == 1
    assert np.array_equal(out.level(0).astype(bool), expected)
    assert out.facts.labels == (0, 1, 2, 3)
    assert {"mrc-version", "voxel-size-differs"} <= {problem.code for problem in out.facts.problems}
    assert zarr.open_group(str(out.zarr_dir), mode="r")["0"].dtype == np.int8
