"""Instance masks: labels, their widths, coarser levels and other grids, read back with zarr and mrcfile."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import Absent, FormatError
from tomoportal.ingest.volumes import MaskRecipe, VolumeKind, load_slab, open_source, save_slab, write_volume

LABELS = VolumeKind.INSTANCE_MASK


def cells(dtype: str = "int16") -> np.ndarray:
    """Boxes numbered 3, 7 and 12, across the borders of chunks."""
    data = np.zeros((41, 140, 150), dtype)
    data[5:30, 20:135, 30:60] = 3
    data[10:33, 100:139, 100:149] = 7
    data[-1, -1, -1] = 12
    return data


@pytest.fixture
def label_zarr(tmp_path: Path):
    """Makes an OME-Zarr of one level, as a depositor might."""

    def make(data: np.ndarray, name: str = "labels.zarr") -> Path:
        return made_zarr(tmp_path / name, data)

    return make


def made_zarr(path: Path, data: np.ndarray) -> Path:
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    group.create_array("0", data=data, chunks=(16, 32, 32), config={"write_empty_chunks": True})
    transform = [{"type": "scale", "scale": [10.0, 10.0, 10.0]}]
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": transform}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return path


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float32"])
def test_labels_stay_and_coarser_levels_take_every_second_voxel(mrc, written, dtype: str) -> None:
    data = cells(dtype)
    out = written(mrc(data), LABELS)
    assert [np.array_equal(out.level(i), data[:: 2**i, :: 2**i, :: 2**i]) for i in range(3)] == [True] * 3
    assert out.level(0).dtype == np.uint8
    assert np.array_equal(out.mrc(), data)
    assert out.mrc().dtype == np.uint16
    assert out.facts.labels == (0, 3, 7, 12)
    where = np.argwhere(data)
    assert out.facts.bounding_box == (*where.min(axis=0), *(where.max(axis=0) + 1))
    assert (out.facts.mean, out.facts.sigma, out.facts.maximum) == pytest.approx(
        (data.mean(), data.std(), 12)
    )
    assert [problem.code for problem in out.facts.problems] == (
        ["dtype-changed"] if dtype == "float32" else []
    )


def test_the_slab_keeps_labels_exactly(label_zarr, written, tmp_path: Path) -> None:
    data = cells("uint32")
    data[data == 7] = 2**24 + 1
    out = written(label_zarr(data), LABELS)
    assert np.array_equal(out.slab.image, data[out.slab.start : out.slab.stop].max(axis=0))
    save_slab(out.slab, tmp_path / "slab.npz")
    assert np.array_equal(load_slab(tmp_path / "slab.npz").image, out.slab.image)


@pytest.mark.parametrize(
    ("highest", "dtype", "in_mrc"),
    [(255, "uint8", "uint16"), (256, "uint16", "uint16"), (65535, "uint16", "uint16"), (65536, "uint32", "float32"),
     (2**24, "uint32", "float32"), (2**24 + 1, "uint32", None), (2**32 - 1, "uint32", None)],
)  # fmt: skip
def test_no_label_wraps(label_zarr, written, highest: int, dtype: str, in_mrc: str | None) -> None:
    data = cells("uint64")
    data[data == 12] = highest
    out = written(label_zarr(data), LABELS)
    assert out.level(0).dtype == dtype
    assert np.array_equal(out.level(0), data)
    codes = [problem.code for problem in out.facts.problems]
    if in_mrc is None:
        assert not out.mrc_file.exists()
        assert out.facts.mrc_size == 0
        assert codes == ["mrc-left-out"]
    else:
        assert out.mrc().dtype == in_mrc
        assert np.array_equal(out.mrc().astype(np.uint64), data)
        assert codes == (["dtype-changed"] if in_mrc == "float32" else [])


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40), st.integers(1, 200)),
    highest=st.integers(1, 2**32 - 1),
    seed=st.integers(0, 2**16),
)
def test_any_labels_come_back(shape, highest: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    data = random.choice(random.integers(0, highest, 5, np.uint64, endpoint=True), shape)
    data.flat[0] = highest
    folder = Path(tempfile.mkdtemp())
    try:
        source = open_source(made_zarr(folder / "in.zarr", data))
        facts, _ = write_volume(source, spacing=10.0, kind=LABELS, zarr_dir=folder / "a.zarr", mrc_file=None)
        levels = [np.asarray(zarr.open_group(str(folder / "a.zarr"), mode="r")[str(i)][:]) for i in range(3)]
        assert all(np.array_equal(level, data[:: 2**i, :: 2**i, :: 2**i]) for i, level in enumerate(levels))
        assert levels[0].dtype == np.min_scalar_type(highest)
        assert facts.labels == tuple(np.unique(data).tolist())
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("target", [(20, 70, 75), (41, 280, 300), (7, 23, 13)])
def test_another_grid_takes_the_nearest_label(mrc, written, target) -> None:
    data = cells()
    out = written(mrc(data), LABELS, recipe=MaskRecipe(target_shape=target))
    at = [
        [int((i + 0.5) / wanted * side) for i in range(wanted)]
        for side, wanted in zip(data.shape, target, strict=True)
    ]
    expected = data[np.ix_(*at)]
    assert np.array_equal(out.level(0), expected)
    assert out.facts.labels == (0, 3, 7, 12)
    lost = [problem.message for problem in out.facts.problems if problem.code == "labels-lost"]
    assert bool(lost) == (12 not in expected)
    assert all("1 of 3 objects" in message and "(12)" in message for message in lost)


def test_labels_are_described_where_ngff_and_the_portal_look(mrc, written) -> None:
    attributes = json.loads((written(mrc(cells()), LABELS).zarr_dir / ".zattrs").read_text())
    label = attributes["image-label"]
    assert attributes["multiscales"][0]["metadata"]["image-label"] == label
    assert [colour["label-value"] for colour in label["colors"]] == [3, 7, 12]
    assert len({tuple(colour["rgba"]) for colour in label["colors"]}) == 3


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.5, "0.5 is no label"),
        (-1, "-1 is no label"),
        (np.nan, "nan is no label"),
        (2.0**32, "4294967296 is above"),
    ],
)
def test_what_is_no_label_is_refused_and_leaves_nothing(
    tmp_path: Path, label_zarr, value, words: str
) -> None:
    data = cells("float64")
    data[20, 20, 20] = value
    targets = {"zarr_dir": tmp_path / "o.zarr", "mrc_file": tmp_path / "o.mrc"}
    with pytest.raises(FormatError, match=words):
        write_volume(open_source(label_zarr(data)), spacing=10.0, kind=LABELS, **targets)
    assert not any(path.exists() for path in targets.values())


def test_a_volume_without_objects_is_absent(mrc, written) -> None:
    with pytest.raises(Absent, match="no voxel has a label above 0"):
        written(mrc(cells() * 0), LABELS)


def test_threads_do_not_change_a_byte(mrc, written) -> None:
    source = mrc(cells())
    assert (
        written(source, LABELS, "one", threads=1).tree() == written(source, LABELS, "two", threads=3).tree()
    )


def test_the_mrc_is_valid(mrc, written) -> None:
    assert mrcfile.validate(written(mrc(cells()), LABELS).mrc_file)
