"""Written volumes: read back with zarr and mrcfile, compared with plain numpy, for every type and awkward shape."""

from __future__ import annotations

import hashlib
import io
import json
import math
from itertools import product
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import yaozarrs
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError, StorageError, UsageError
from tomoportal.ingest.volumes import (
    MaskRecipe,
    MemoryBudget,
    VolumeFacts,
    VolumeKind,
    open_source,
    write_volume,
)

KINDS = {VolumeKind.TOMOGRAM: (2, 2, 2), VolumeKind.TILT_SERIES: (1, 2, 2)}


def halved(data: np.ndarray, steps: tuple[int, int, int]) -> np.ndarray:
    """Means over the existing voxels of each box, the slow and obvious way; integers round half to even."""
    shape = tuple(-(-side // step) for side, step in zip(data.shape, steps, strict=True))
    total, count = np.zeros(shape), np.zeros(shape)
    for offset in product(*map(range, steps)):
        part = data[tuple(slice(o, None, s) for o, s in zip(offset, steps, strict=True))].astype(np.float64)
        place = tuple(slice(0, side) for side in part.shape)
        total[place] += part
        count[place] += 1
    mean = total / count
    return mean.astype(data.dtype) if data.dtype.kind == "f" else np.rint(mean).astype(data.dtype)


def noise(shape: tuple[int, int, int], dtype: str = "float32", seed: int = 5) -> np.ndarray:
    values = np.random.default_rng(seed).normal(20, 30, shape)
    if dtype == "uint16":
        values += 40000
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        values = values.clip(info.min, info.max).round()
    return values.astype(dtype)


SHAPES = [(1, 1, 1), (5, 3, 3), (17, 31, 13), (129, 130, 131), (3, 300, 257), (258, 5, 129)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_levels_and_mrc_are_right_for_odd_shapes(mrc, written, shape, kind: VolumeKind) -> None:
    data = noise(shape)
    out = written(mrc(data), kind)
    expected = data
    assert np.array_equal(out.level(0), data)
    assert np.array_equal(out.mrc(), data)
    for level in (1, 2):
        expected = halved(expected, KINDS[kind])
        assert out.facts.levels[level] == expected.shape
        assert np.allclose(out.level(level), expected, atol=1e-5 * np.abs(expected).max())
    flat = shape[0] == 1 and kind is not VolumeKind.TILT_SERIES
    assert [problem.code for problem in out.facts.problems] == (["volume-flat"] if flat else [])


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_integers_stay_integers_and_round_half_to_even(mrc, written, dtype: str, kind: VolumeKind) -> None:
    data = noise((9, 140, 135), dtype)
    out = written(mrc(data), kind)
    fine = halved(data, KINDS[kind])
    assert out.level(0).dtype == out.level(2).dtype == np.dtype(dtype)
    assert np.array_equal(out.level(0), data)
    assert np.array_equal(out.mrc(), data)
    assert out.mrc().dtype == np.dtype(dtype)
    if dtype != "float32":
        assert np.array_equal(out.level(1), fine)
        assert np.array_equal(out.level(2), halved(fine, KINDS[kind]))
    assert out.facts.dtype == out.facts.mrc_dtype == dtype


def test_tilt_series_wider_than_a_chunk(mrc, written) -> None:
    data = noise((3, 1100, 2100), "int16")
    out = written(mrc(data), VolumeKind.TILT_SERIES)
    assert np.array_equal(out.level(0), data)
    assert np.array_equal(out.level(1), halved(data, (1, 2, 2)))
    assert np.array_equal(out.mrc(), data)
    assert zarr.open_group(str(out.zarr_dir), mode="r")["0"].chunks == (1, 1024, 1024)


def test_big_endian_sources(tmp_path: Path, mrc, written) -> None:
    data = noise((5, 6, 7), "int16")
    path = mrc(data)
    raw = path.read_bytes()
    head = bytearray(raw[:1024])
    for start, stop in ((0, 96), (108, 112), (196, 208), (216, 224)):
        head[start:stop] = np.frombuffer(raw[start:stop], "<u4").astype(">u4").tobytes()
    head[212:216] = b"\x11\x11\0\0"
    path.write_bytes(bytes(head) + np.frombuffer(raw[1024:], "<u2").astype(">u2").tobytes())
    out = written(path)
    assert np.array_equal(out.level(0), data)
    assert np.array_equal(out.mrc(), data)


@pytest.mark.parametrize(
    ("dtype", "zarr_dtype", "mrc_dtype", "changes"),
    [
        ("uint8", "uint8", "uint16", 1), ("float16", "float32", "float32", 1), ("float64", "float32", "float32", 1),
        ("int32", "float32", "float32", 1), ("uint32", "float32", "float32", 1), ("int64", "float32", "float32", 1),
        ("bool", "int8", "int8", 1), (">f4", "float32", "float32", 0), (">i2", "int16", "int16", 0),
    ],
)  # fmt: skip
def test_other_types_become_what_both_files_can_hold(
    tmp_path, written, dtype, zarr_dtype, mrc_dtype, changes
) -> None:
    data = np.abs(noise((5, 6, 7))).astype(dtype)
    zarr.create_array(str(tmp_path / "s.zarr"), data=data, zarr_format=2)
    out = written(tmp_path / "s.zarr")
    assert (out.facts.dtype, out.facts.mrc_dtype) == (zarr_dtype, mrc_dtype)
    assert np.array_equal(out.level(0), data.astype(zarr_dtype))
    assert np.array_equal(out.mrc(), data.astype(zarr_dtype))
    assert [problem.code for problem in out.facts.problems].count("dtype-changed") == changes


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        (1 << 25, "int32", "cannot be kept exactly"),
        (1e200, "float64", "does not fit"),
        (1j, "complex64", "cannot be published"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_left(
    tmp_path: Path, value, dtype: str, words: str
) -> None:
    data = np.zeros((3, 4, 5), dtype)
    data[2, 3, 4] = value
    zarr.create_array(str(tmp_path / "s.zarr"), data=data, zarr_format=2)
    source = open_source(tmp_path / "s.zarr")
    with pytest.raises(FormatError, match=words):
        write_volume(
            source,
            spacing=1.0,
            kind=VolumeKind.TOMOGRAM,
            zarr_dir=tmp_path / "o.zarr",
            mrc_file=tmp_path / "o.mrc",
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.zarr"]


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float32"])
def test_statistics_agree_with_numpy_and_the_header(mrc, written, dtype: str) -> None:
    data = noise((20, 150, 140), dtype)
    out = written(mrc(data))
    exact = data.astype(np.float64)
    facts = out.facts
    assert (facts.minimum, facts.maximum, facts.finite) == (exact.min(), exact.max(), data.size)
    assert facts.mean == pytest.approx(exact.mean(), rel=1e-7)
    assert facts.sigma == pytest.approx(exact.std(), rel=1e-7)
    with mrcfile.open(out.mrc_file) as file:
        assert float(file.header.rms) == pytest.approx(exact.std(), rel=1e-6)
        assert float(file.header.dmean) == pytest.approx(exact.mean(), rel=1e-6)


def test_a_small_spread_on_a_large_offset_is_measured(mrc, written) -> None:
    data = (noise((10, 100, 100)) * 0.01 + 30000).astype(np.float32)
    assert written(mrc(data)).facts.sigma == pytest.approx(data.astype(np.float64).std(), rel=1e-5)


def test_values_near_the_end_of_float32_do_not_overflow(mrc, written) -> None:
    data = np.full((4, 4, 4), 3e38, np.float32)
    data[0] = 2e38
    out = written(mrc(data))
    assert np.isfinite(out.level(2)).all()
    assert out.facts.sigma == pytest.approx(data.astype(np.float64).std())


def test_nan_and_infinity_are_counted_kept_and_left_out(mrc, written) -> None:
    data = noise((10, 140, 20))
    data[3, 100, 5], data[9, 0, 0], data[0, 139, 19] = np.nan, np.inf, -np.inf
    out = written(mrc(data))
    finite = data[np.isfinite(data)].astype(np.float64)
    assert np.array_equal(out.level(0), data, equal_nan=True)
    assert out.facts.finite == finite.size
    assert out.facts.mean == pytest.approx(finite.mean())
    assert out.facts.sigma == pytest.approx(finite.std())
    assert [problem.code for problem in out.facts.problems] == ["not-finite"]
    assert f"3 of {data.size} voxels" in out.facts.problems[0].message
    assert np.isfinite(out.slab.image).all()


def test_only_nan(mrc, written) -> None:
    out = written(mrc(np.full((3, 4, 5), np.nan, np.float32)))
    assert out.facts.finite == 0
    assert out.facts.contrast_2d == (0.0, 1.0)
    assert json.loads(json.dumps(out.facts.as_dict(), allow_nan=False))["minimum"] == 0.0


def test_independent_readers_accept_the_files(mrc, written) -> None:
    out = written(mrc(noise((20, 40, 50)), voxel=13.4799), spacing=13.48)
    report = io.StringIO()
    assert mrcfile.validate(out.mrc_file, report), report.getvalue()
    yaozarrs.validate_ome_json((out.zarr_dir / ".zattrs").read_text())
    attributes = json.loads((out.zarr_dir / ".zattrs").read_text())
    scales = [
        level["coordinateTransformations"][0]["scale"] for level in attributes["multiscales"][0]["datasets"]
    ]
    assert scales == [[13.48] * 3, [26.96] * 3, [53.92] * 3]
    assert sorted(path.name for path in out.zarr_dir.iterdir()) == [".zattrs", ".zgroup", "0", "1", "2"]
    assert out.facts.problems == ()


def test_tilt_series_files_keep_z(mrc, written) -> None:
    out = written(mrc(noise((5, 40, 50), "int16")), VolumeKind.TILT_SERIES, spacing=3.37)
    attributes = json.loads((out.zarr_dir / ".zattrs").read_text())
    scales = [
        level["coordinateTransformations"][0]["scale"] for level in attributes["multiscales"][0]["datasets"]
    ]
    assert scales == [[3.37] * 3, [3.37, 6.74, 6.74], [3.37, 13.48, 13.48]]
    with mrcfile.open(out.mrc_file) as file:
        assert file.is_image_stack()
    assert [problem.code for problem in out.facts.problems] == ["voxel-size-differs"]


def test_uneven_voxels_are_recorded(tmp_path: Path, mrc, written) -> None:
    path = mrc(noise((4, 5, 6)))
    with mrcfile.open(path, mode="r+") as file:
        file.voxel_size = (10.0, 10.0, 12.5)
    assert [problem.code for problem in written(path).facts.problems] == ["voxel-size-uneven"]
    assert written(path, VolumeKind.TILT_SERIES, "stack").facts.problems == ()


def test_what_an_interrupted_run_left_is_replaced(tmp_path: Path, mrc, written) -> None:
    stale = tmp_path / "out" / "a.zarr" / "0" / "9" / "9"
    stale.mkdir(parents=True)
    (stale / "9").write_bytes(b"left over")
    (tmp_path / "out" / "a.mrc").write_bytes(bytes(10_000))
    facts, _ = write_volume(
        open_source(mrc(noise((4, 5, 6)))), spacing=10.0, kind=VolumeKind.TOMOGRAM,
        zarr_dir=tmp_path / "out" / "a.zarr", mrc_file=tmp_path / "out" / "a.mrc",
    )  # fmt: skip
    assert (
        len([path for path in (tmp_path / "out" / "a.zarr").rglob("*") if path.is_file()]) == facts.zarr_files
    )
    assert (tmp_path / "out" / "a.mrc").stat().st_size == facts.mrc_size == 1024 + 480


def test_facts_count_what_is_on_disk_and_survive_json(mrc, written) -> None:
    out = written(mrc(noise((129, 130, 20), "uint16"), voxel=3.0))
    files = [path for path in out.zarr_dir.rglob("*") if path.is_file()]
    facts = out.facts
    assert (facts.zarr_files, facts.zarr_size) == (len(files), sum(path.stat().st_size for path in files))
    assert facts.mrc_size == out.mrc_file.stat().st_size
    assert facts.mrc_sha256 == hashlib.sha256(out.mrc_file.read_bytes()).hexdigest()
    assert facts.problems
    assert VolumeFacts.from_dict(json.loads(json.dumps(facts.as_dict()))) == facts


@pytest.mark.parametrize("kind", list(VolumeKind))
def test_the_same_bytes_with_any_number_of_threads(mrc, written, kind: VolumeKind) -> None:
    data = noise((140, 300, 150), "int8")
    source = mrc(data.clip(min=0) if kind is VolumeKind.INSTANCE_MASK else data)
    recipe = MaskRecipe(label=20) if kind is VolumeKind.SEMANTIC_MASK else None
    one, three = (written(source, kind, f"out{n}", threads=n, recipe=recipe) for n in (1, 3))
    assert one.tree() == three.tree()
    assert one.facts == three.facts
    assert np.array_equal(one.slab.image, three.slab.image)


def test_only_what_is_asked_for_is_written(tmp_path: Path, mrc) -> None:
    source = open_source(mrc(noise((5, 6, 7))))
    common = {"spacing": 10.0, "kind": VolumeKind.TOMOGRAM}
    facts, _ = write_volume(source, zarr_dir=None, mrc_file=tmp_path / "o.mrc", **common)
    assert (facts.zarr_size, facts.zarr_files) == (0, 0)
    facts, _ = write_volume(source, zarr_dir=tmp_path / "o.zarr", mrc_file=None, **common)
    assert (facts.mrc_size, facts.mrc_sha256, facts.mrc_dtype) == (0, "", "")
    facts, _ = write_volume(source, zarr_dir=None, mrc_file=None, **common)
    assert facts.finite == 210


def test_progress_adds_up_to_the_source(mrc, written) -> None:
    seen: list[int] = []
    written(mrc(noise((129, 130, 20), "int16")), progress=seen.append)
    assert sum(seen) == 129 * 130 * 20 * 2


def test_contrast_ignores_a_few_beads_and_empty_borders(mrc, written) -> None:
    data = np.random.default_rng(0).normal(0, 1, (64, 256, 256)).astype(np.float32)
    data[:, :40] = 0
    data[30:34, 100:108, 100:108] = -1000
    facts = written(mrc(data)).facts
    level_1 = halved(data, (2, 2, 2))[:, 20:]
    sigma = 1.4826 * np.median(np.abs(level_1))
    assert facts.contrast_2d == pytest.approx((-3 * sigma, 3 * sigma), rel=0.15)
    low, high = facts.contrast_3d
    assert -4 * sigma < low < high < sigma


def test_a_constant_volume_has_usable_contrast(mrc, written) -> None:
    facts = written(mrc(np.full((4, 5, 6), 7, np.int16))).facts
    assert (facts.minimum, facts.maximum, facts.sigma) == (7, 7, 0)
    assert facts.contrast_2d == (7, 8)


def test_senseless_calls_are_refused(tmp_path: Path, mrc) -> None:
    source = open_source(mrc(noise((3, 4, 5))))
    for spacing in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(UsageError, match="voxel spacing"):
            write_volume(source, spacing=spacing, kind=VolumeKind.TOMOGRAM, zarr_dir=None, mrc_file=None)
    with pytest.raises(UsageError, match="recipe"):
        write_volume(
            source, spacing=1.0, kind=VolumeKind.TOMOGRAM, zarr_dir=None, mrc_file=None, recipe=MaskRecipe()
        )
    with pytest.raises(StorageError, match="cannot be written"):
        write_volume(
            source, spacing=1.0, kind=VolumeKind.TOMOGRAM, zarr_dir=None, mrc_file=tmp_path / "no" / "o.mrc"
        )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    dtype=st.sampled_from(["int8", "int16", "uint16", "float32"]),
    kind=st.sampled_from(list(KINDS)),
    seed=st.integers(0, 99),
)
def test_any_small_volume(tmp_path_factory, shape, dtype, kind, seed) -> None:
    root = tmp_path_factory.mktemp("any")
    data = noise(shape, dtype, seed)
    with mrcfile.new(root / "s.mrc", data) as file:
        file.voxel_size = 10.0
        file.set_volume()
    facts, _ = write_volume(
        open_source(root / "s.mrc"), spacing=10.0, kind=kind, zarr_dir=root / "o.zarr", mrc_file=root / "o.mrc",
        budget=MemoryBudget(1),
    )  # fmt: skip
    group = zarr.open_group(str(root / "o.zarr"), mode="r")
    fine = halved(data, KINDS[kind])
    assert np.array_equal(group["0"][:], data)
    assert np.allclose(group["1"][:], fine, atol=1e-3 if dtype == "float32" else 0)
    assert np.array_equal(mrcfile.read(root / "o.mrc").reshape(shape), data)
    assert facts.finite == data.size
