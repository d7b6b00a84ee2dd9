"""Sources of every format through the one writer; scratch copies leave nothing behind."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from tomoportal.errors import FormatError, SourceError
from tomoportal.ingest.volumes import VolumeKind, open_source, write_volume

DATA = np.random.default_rng(4).integers(0, 200, (11, 30, 23)).astype(np.uint8)


@pytest.mark.parametrize(
    "array",
    [
        {"chunks": (4, 7, 23)},
        {"chunks": (11, 30, 1)},
        {"zarr_format": 3, "chunks": (2, 5, 5), "shards": (4, 10, 10)},
    ],
)
def test_zarr_with_any_chunks(tmp_path: Path, written, array: dict) -> None:
    zarr.create_array(str(tmp_path / "s.zarr"), data=DATA, **({"zarr_format": 2} | array))
    assert open_source(tmp_path / "s.zarr").needs_spool
    out = written(tmp_path / "s.zarr", scratch=tmp_path)
    assert np.array_equal(out.level(0), DATA)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s.zarr"]


@pytest.mark.parametrize("options", [{}, {"compression": "lzw"}, {"byteorder": ">"}, {"bigtiff": True}])
def test_tiff_stacks(tmp_path: Path, written, options: dict) -> None:
    data = DATA.astype(np.uint16)
    tifffile.imwrite(tmp_path / "s.tif", data, photometric="minisblack", **options)
    out = written(tmp_path / "s.tif")
    assert np.array_equal(out.level(0), data)
    assert np.array_equal(out.mrc(), data)


def test_imagej_tells_the_voxel_size(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "s.tif",
        DATA,
        imagej=True,
        resolution=(1 / 1.5, 1 / 1.5),
        metadata={"spacing": 2.0, "unit": "nm", "axes": "ZYX"},
    )
    source = open_source(tmp_path / "s.tif")
    assert source.voxel_size == pytest.approx((15.0, 15.0, 20.0), rel=1e-4)
    assert source.problems == ()


def test_absent_chunks_and_places_are_told(tmp_path: Path, written) -> None:
    group = zarr.open_group(str(tmp_path / "s.zarr"), mode="w", zarr_format=2)
    steps = [
        {"type": "scale", "scale": [10.0] * 3},
        {"type": "translation", "translation": [30.0, 20.0, 10.0]},
    ]
    named = [{"name": axis, "type": "space", "unit": "angstrom"} for axis in "zyx"]
    dataset = {"path": "0", "coordinateTransformations": steps}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": named, "datasets": [dataset]}]
    group.create_array("0", data=DATA + 1, chunks=(4, 30, 23))
    (tmp_path / "s.zarr/0/1.0.0").unlink()
    out = written(tmp_path / "s.zarr")
    assert {problem.code for problem in out.facts.problems} == {
        "zarr-origin",
        "zarr-chunks-absent",
        "dtype-changed",
    }
    assert not out.level(0)[4:8].any()
    assert open_source(tmp_path / "s.zarr").origin == (10.0, 20.0, 30.0)


def test_impossible_sizes_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    zarr.create_array(
        str(tmp_path / "s.zarr"), shape=(1 << 20, 1 << 20, 2), chunks=(64, 64, 2), dtype="i1", zarr_format=2
    )
    with pytest.raises(FormatError, match="claims 2 × 1048576 × 1048576 voxels"):
        write_volume(
            open_source(tmp_path / "s.zarr"), spacing=1.0, kind=VolumeKind.TOMOGRAM, zarr_dir=tmp_path / "o.zarr", mrc_file=None
        )  # fmt: skip
    assert not (tmp_path / "o.zarr").exists()


def test_colour_tiff_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((4, 5, 3), np.uint8), photometric="rgb")
    with pytest.raises(FormatError, match="not grey"):
        open_source(tmp_path / "s.tif")


def test_truncated_tiff_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", DATA, photometric="minisblack", compression="zlib")
    raw = (tmp_path / "s.tif").read_bytes()
    (tmp_path / "s.tif").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(FormatError):
        write_volume(
            open_source(tmp_path / "s.tif"),
            spacing=1.0,
            kind=VolumeKind.TOMOGRAM,
            zarr_dir=tmp_path / "o.zarr",
            mrc_file=None,
        )
    assert not (tmp_path / "o.zarr").exists()


def test_wrapped_mrc_under_any_name(tmp_path: Path, mrc, written) -> None:
    path = mrc(DATA.astype(np.int16))
    wrapped = tmp_path / "volume.xyzw"
    wrapped.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(written(wrapped).level(0), DATA)


@pytest.mark.parametrize(("name", "sides"), [("ref_T_0_2.dm4", (3, 4, 5)), ("ref_F_0_2.dm3", (1, 3, 2))])
def test_digital_micrograph(shared: Path, written, name: str, sides: tuple[int, int, int]) -> None:
    place = shared / "nionswift-io/nionswift_plugin/DM_IO/test/resources" / name
    out = written(place)
    assert np.array_equal(out.level(0), np.arange(np.prod(sides), dtype=np.float32).reshape(sides))
    assert "dm-unit" in {problem.code for problem in out.facts.problems}


def test_packed_nibbles_become_bytes(tmp_path: Path, mrc, written) -> None:
    values = np.random.default_rng(1).integers(0, 16, (5, 40, 31), np.uint8)
    padded = np.pad(values, ((0, 0), (0, 0), (0, 1)))
    path = mrc((padded[..., 0::2] | padded[..., 1::2] << 4).astype(np.int8))
    raw = bytearray(path.read_bytes())
    raw[:16], raw[28:32] = struct.pack("<4i", 31, 40, 5, 101), struct.pack("<i", 31)
    raw[40:44] = struct.pack("<f", 310.0)
    path.write_bytes(raw)
    out = written(path)
    assert np.array_equal(out.level(0), values)
    assert (out.level(0).dtype, out.mrc().dtype) == (np.uint8, np.uint16)
    assert np.array_equal(out.mrc(), values)
    assert [problem.code for problem in out.facts.problems] == ["dtype-changed"]


@pytest.mark.parametrize("axes", [(3, 1, 2), (2, 1, 3), (3, 2, 1)])
def test_turned_axes_end_in_the_same_volume(mrc, written, axes: tuple[int, int, int]) -> None:
    data = DATA.astype(np.int16)
    of_axis = {1: 2, 2: 1, 3: 0}  # x, y, z among z, y, x
    path = mrc(np.ascontiguousarray(data.transpose([of_axis[axis] for axis in reversed(axes)])))
    raw = bytearray(path.read_bytes())
    raw[28:40], raw[64:76] = struct.pack("<3i", *data.shape[::-1]), struct.pack("<3i", *axes)
    raw[40:52] = struct.pack("<3f", *(10.0 * side for side in data.shape[::-1]))
    path.write_bytes(raw)
    out = written(path)
    assert np.array_equal(out.level(0), data)
    assert np.array_equal(out.mrc(), data)
    assert [problem.code for problem in out.facts.problems] == ["mrc-axis-order"]


def test_what_is_absent_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_source(tmp_path / "none.mrc", name="depo/none.mrc")


def test_a_damaged_zarr_chunk_fails_the_volume_and_leaves_nothing(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "s.zarr"), data=DATA, zarr_format=2, chunks=(4, 30, 23))
    (tmp_path / "s.zarr" / "1.0.0").write_bytes(b"junk")
    with pytest.raises(FormatError, match="cannot be decoded"):
        write_volume(
            open_source(tmp_path / "s.zarr"), spacing=1.0, kind=VolumeKind.TOMOGRAM, zarr_dir=tmp_path / "o.zarr",
            mrc_file=tmp_path / "o.mrc",
        )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


@pytest.mark.parametrize(
    ("place", "kind", "spacing"),
    [
        ("etspy/etspy/tests/test_data/HAADF.mrc", VolumeKind.TILT_SERIES, 33.6),
        ("cylindra/tests/13pf_MT.tif", VolumeKind.TOMOGRAM, 10.52),
        ("mrcfile/tests/test_data/EMD-3001.map.bz2", VolumeKind.TOMOGRAM, 0.3925),
        ("tardis/tests/test_data/data_type/mrc3D.mrc", VolumeKind.TOMOGRAM, 23.2),
        (
            "portal-backend/test_infra/test_files/input_bucket/sample_tomos/input_omezarr.zarr",
            VolumeKind.TOMOGRAM,
            14.08,
        ),
    ],
)
def test_real_sources(shared: Path, written, place: str, kind: VolumeKind, spacing: float) -> None:
    source = open_source(shared / place)
    out = written(shared / place, kind, spacing=spacing)
    assert np.array_equal(out.level(0), source.array[slice(None), slice(None), slice(None)])
    assert np.array_equal(out.mrc(), out.level(0))
    assert "voxel-size-differs" not in {problem.code for problem in out.facts.problems}
