"""Reading MRC: every mode and byte order against mrcfile, every leniency and refusal said in a sentence, the real files."""

from __future__ import annotations

import bz2
import gzip
import struct
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.mrc import MrcVolume, open_mrc

MODES = {0: "int8", 1: "int16", 2: "float32", 6: "uint16", 12: "float16"}
EVERYTHING = slice(None), slice(None), slice(None)


def write(path: Path, data: np.ndarray, voxel: float = 10.0) -> Path:
    with mrcfile.new(path, data, overwrite=True) as file:
        file.voxel_size = voxel
        if data.ndim == 3:
            file.set_volume()
    return path


def patch(path: Path, offset: int, data: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[offset : offset + len(data)] = data
    path.write_bytes(raw)
    return path


def ramp(shape: tuple[int, ...] = (3, 4, 5), dtype: str = "float32") -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def codes(volume: MrcVolume) -> set[str]:
    return {problem.code for problem in volume.problems}


@pytest.mark.parametrize(("mode", "dtype"), MODES.items())
def test_every_mode_agrees_with_mrcfile(tmp_path: Path, mode: int, dtype: str) -> None:
    data = ramp(dtype=dtype) - (20 if dtype != "uint16" else 0)
    path = write(tmp_path / "a.mrc", data.astype(dtype))
    volume = open_mrc(path)
    assert volume.header.mode == mode
    assert volume.data.dtype == np.dtype(dtype)
    assert np.array_equal(volume.data[EVERYTHING], mrcfile.read(path))
    assert volume.voxel_size == pytest.approx((10, 10, 10))
    assert volume.problems == ()


@pytest.mark.parametrize("dtype", MODES.values())
def test_big_endian_files_are_read_as_they_are(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "b.mrc"
    data = ramp(dtype=dtype)
    write(path, data)
    swap_bytes(path, data.dtype.itemsize)
    volume = open_mrc(path)
    assert volume.header.byte_order == ">"
    assert np.array_equal(volume.data[EVERYTHING], data)
    assert np.array_equal(mrcfile.read(path), data), "the swapped file is a valid one for mrcfile too"
    assert volume.problems == ()


def swap_bytes(path: Path, itemsize: int) -> None:
    raw = path.read_bytes()
    head = bytearray(raw[:1024])
    for start, stop in ((0, 96), (108, 112), (196, 208), (216, 224)):
        head[start:stop] = np.frombuffer(raw[start:stop], "<u4").astype(">u4").tobytes()
    head[212:216] = b"\x11\x11\0\0"
    body = np.frombuffer(raw[1024:], f"<u{itemsize}").astype(f">u{itemsize}").tobytes()
    path.write_bytes(bytes(head) + body)


def test_packed_nibbles_are_unpacked_where_asked(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 16, (2, 3, 5), np.uint8)
    padded = np.concatenate([values, np.zeros((2, 3, 1), np.uint8)], axis=2)
    write(tmp_path / "p.mrc", (padded[..., 0::2] | padded[..., 1::2] << 4).astype(np.int8))
    path = patch(patch(tmp_path / "p.mrc", 0, struct.pack("<4i", 5, 3, 2, 101)), 28, struct.pack("<i", 5))
    volume = open_mrc(path)
    assert volume.data.shape == (2, 3, 5)
    assert np.array_equal(volume.data[EVERYTHING], values)
    assert np.array_equal(volume.data[slice(1, 2), slice(0, 2), slice(1, 4)], values[1:2, :2, 1:4])


def test_the_mapping_is_read_only_and_survives_a_release(tmp_path: Path) -> None:
    volume = open_mrc(write(tmp_path / "a.mrc", ramp()))
    volume.release()
    assert volume.data[2, 3, 4] == 59
    with pytest.raises(ValueError):
        volume.data[0, 0, 0] = 1  # type: ignore[index]


LENIENT = [
    (208, b"\0\0\x91\x45", "mrc-map-id", "instead of 'MAP '"),
    (212, b"\0\0\0\0", "mrc-machine-stamp", "little-endian"),
    (212, b"\x11\x11\0\0", "mrc-machine-stamp", "makes sense only as little-endian"),
    (108, struct.pack("<i", 16843009), "mrc-version", "16843009"),
    (220, struct.pack("<i", 77), "mrc-labels", "77"),
    (40, struct.pack("<3f", 0, 0, 0), "mrc-voxel-size", "x (0), y (0), z (0)"),
    (36, struct.pack("<i", 0), "mrc-voxel-size", "z (inf)"),
    (92, struct.pack("<i", 1000) + bytes(8) + b"MRCO", "mrc-nsymbt", "room for none"),
    (64, struct.pack("<3i", 0, 0, 0), "mrc-axis-order", "not given"),
    (24, struct.pack("<i", -7), "mrc-origin", "-7"),
]


@pytest.mark.parametrize(("offset", "data", "code", "words"), LENIENT)
def test_each_leniency_is_recorded(tmp_path: Path, offset: int, data: bytes, code: str, words: str) -> None:
    path = patch(write(tmp_path / "a.mrc", ramp()), offset, data)
    volume = open_mrc(path, name="source/a.mrc")
    assert codes(volume) == {code}
    problem = volume.problems[0]
    assert words in problem.message
    assert problem.file == "source/a.mrc"
    assert np.array_equal(volume.data[EVERYTHING], ramp())


def test_trailing_bytes_and_garbage_extension_are_recorded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mrc", ramp())
    raw = path.read_bytes()
    path.write_bytes(raw[:1024] + b"\1" * 6 + raw[1024:] + b"??")
    patch(patch(path, 92, struct.pack("<i", 6)), 104, b"\1\1\1\1")
    volume = open_mrc(path)
    assert codes(volume) == {"mrc-trailing-bytes", "mrc-exttyp", "mrc-nsymbt"}
    assert volume.header.extended == b"\1" * 6
    assert np.array_equal(volume.data[EVERYTHING], ramp())


def test_unsigned_bytes_of_old_programs(tmp_path: Path) -> None:
    values = ramp((2, 9, 14), "uint8")
    path = write(tmp_path / "a.mrc", values.view(np.int8))
    assert open_mrc(path).data.dtype == np.int8
    by_maximum = open_mrc(patch(path, 80, struct.pack("<f", 251.0)))
    assert codes(by_maximum) == {"mrc-unsigned-bytes"}
    assert np.array_equal(by_maximum.data[EVERYTHING], values)
    patch(path, 76, struct.pack("<2f", 0.0, 100.0))
    by_imod = open_mrc(patch(path, 152, struct.pack("<2i", 1146047817, 0)))
    assert by_imod.data.dtype == np.uint8
    assert open_mrc(patch(path, 156, struct.pack("<i", 1))).data.dtype == np.int8


@pytest.mark.parametrize("axes", [(3, 1, 2), (2, 1, 3), (3, 2, 1)])
def test_other_axis_orders_are_turned(tmp_path: Path, axes: tuple[int, int, int]) -> None:
    path = patch(write(tmp_path / "a.mrc", ramp((3, 4, 5))), 64, struct.pack("<3i", *axes))
    volume = open_mrc(path)
    side = dict(zip(axes, (5, 4, 3), strict=True))
    assert volume.data.shape == (side[3], side[2], side[1])
    position = dict(zip(axes, (4, 2, 1), strict=True))  # column 4, row 2, section 1
    assert volume.data[position[3], position[2], position[1]] == ramp()[1, 2, 4]
    assert codes(volume) == {"mrc-axis-order"}


@pytest.mark.parametrize(
    ("start", "origin", "axes", "expected"),
    [
        ((0, 0, 0), (0, 0, 0), (1, 2, 3), (0, 0, 0)),
        ((0, 0, 0), (5.0, -6.5, 7.0), (1, 2, 3), (5.0, -6.5, 7.0)),
        ((1, 2, 3), (0, 0, 0), (1, 2, 3), (10.0, 20.0, 30.0)),
        ((1, 2, 3), (0, 0, 0), (3, 1, 2), (20.0, 30.0, 10.0)),
        ((1, 2, 3), (5.0, 0, 0), (1, 2, 3), (5.0, 0, 0)),
    ],
)
def test_where_the_header_places_the_volume(tmp_path: Path, start, origin, axes, expected) -> None:
    path = patch(write(tmp_path / "a.mrc", ramp((4, 4, 4))), 16, struct.pack("<3i", *start))
    patch(patch(path, 196, struct.pack("<3f", *origin)), 64, struct.pack("<3i", *axes))
    assert open_mrc(path).origin == pytest.approx(expected)


@pytest.mark.parametrize(("flags", "expected"), [(0, -5.0), (4, 5.0), (1 + 4, 5.0)])
def test_the_origin_of_imod_has_the_sign_that_its_flags_say(
    tmp_path: Path, flags: int, expected: float
) -> None:
    path = patch(write(tmp_path / "a.mrc", ramp()), 196, struct.pack("<3f", 5.0, 0.0, 0.0))
    patch(path, 152, struct.pack("<2i", 1146047817, flags))
    assert open_mrc(path).origin == (expected, 0.0, 0.0)


def test_bytes_that_hold_two_values_for_imod_are_refused(tmp_path: Path) -> None:
    path = patch(write(tmp_path / "a.mrc", ramp(dtype="int8")), 152, struct.pack("<2i", 1146047817, 16))
    with pytest.raises(FormatError, match="two values of 4 bits"):
        open_mrc(path)


REFUSED = [
    (lambda raw: b"", "empty"),
    (lambda raw: raw[:500], "only 500 bytes"),
    (lambda raw: raw[:-1], "1264 bytes with headers, but the file has 1263"),
    (lambda raw: raw[:1024], "1264 bytes with headers, but the file has 1024"),
    (lambda raw: struct.pack("<3i", 5, 4, 3000) + raw[12:], "promises 5 × 4 × 3000"),
    (lambda raw: struct.pack("<4i", 5, 4, 3, 4) + raw[16:], "mode 4"),
    (lambda raw: struct.pack("<4i", 5, 4, 3, 3) + raw[16:], "complex"),
    (lambda raw: struct.pack("<4i", 5, 4, 3, 99) + raw[16:], "mode 99"),
    (lambda raw: struct.pack("<4i", 5, -4, 3, 2) + raw[16:], "-4 rows"),
    (lambda raw: raw[:64] + struct.pack("<3i", 1, 1, 3) + raw[76:], "permutation"),
    (lambda raw: b"\x89PNG\r\n\x1a\n" + bytes(2000), "not a readable MRC"),
    (lambda raw: gzip.compress(raw)[:-12], "damaged"),
    (lambda raw: bz2.compress(raw)[:-12], "damaged"),
    (lambda raw: gzip.compress(raw[:-4]), "1264 bytes with headers, but the file has 1260"),
]


@pytest.mark.parametrize(("spoil", "words"), REFUSED)
def test_what_cannot_be_trusted_is_refused_in_a_sentence(tmp_path: Path, spoil, words: str) -> None:
    path = write(tmp_path / "a.mrc", ramp())
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(FormatError) as caught:
        open_mrc(path, name="source/a.mrc")
    assert str(caught.value).startswith("source/a.mrc: ")
    assert words in str(caught.value)


def test_an_absent_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        open_mrc(tmp_path / "none.mrc")


@pytest.mark.parametrize("wrap", [gzip.compress, bz2.compress])
def test_wrapped_files_are_unpacked_to_scratch_and_leave_nothing(tmp_path: Path, wrap) -> None:
    path = write(tmp_path / "a.mrc", ramp())
    path.write_bytes(wrap(path.read_bytes()))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    volume = open_mrc(path, scratch=scratch)
    assert volume.compressed
    assert np.array_equal(volume.data[EVERYTHING], ramp())
    assert list(scratch.iterdir()) == []


# path below the shared data: shape (z, y, x), dtype, voxel size (x, y, z) in Å, codes of the recorded leniencies
REAL = {
    "etspy/etspy/tests/test_data/HAADF.mrc":
        ((77, 256, 256), "int16", (33.6,) * 3, {"mrc-machine-stamp", "mrc-map-id", "mrc-exttyp", "mrc-fei-pixel-size"}),
    "etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mrc": ((2, 1024, 1024), "int16", (7.88,) * 3, set()),
    "tardis/tests/test_data/data_type/mrc3D.mrc":
        ((78, 64, 32), "uint8", (23.2,) * 3, {"mrc-machine-stamp", "mrc-map-id", "mrc-unsigned-bytes"}),
    "tardis/tests/test_data/data_type/mrc2D.mrc":
        ((1, 64, 32), "uint8", (23.2, 23.2, None), {"mrc-machine-stamp", "mrc-map-id", "mrc-unsigned-bytes", "mrc-voxel-size"}),
    "pyseg/code/pyto/tomo/test/tomo_int16.mrc":
        ((4, 6, 5), "int16", (2.5,) * 3, {"mrc-machine-stamp", "mrc-map-id", "mrc-version"}),
    "pyseg/data/tutorials/exp_ssmb/tracing/mb_single/in/tomo22_z50_ves_4_seg.mrc":
        ((50, 166, 166), "int8", (1.0,) * 3, {"mrc-machine-stamp", "mrc-version"}),
    "mrcfile/tests/test_data/EMD-3001.map":
        ((73, 25, 43), "float32", (0.44825, 0.3925, 0.45875), {"mrc-exttyp", "mrc-origin", "mrc-axis-order"}),
    "mrcfile/tests/test_data/EMD-3001.map.bz2":
        ((73, 25, 43), "float32", (0.44825, 0.3925, 0.45875), {"mrc-exttyp", "mrc-origin", "mrc-axis-order"}),
    "mrcfile/tests/test_data/emd_3001.map.gz":
        ((73, 25, 43), "float32", (0.44825, 0.3925, 0.45875), {"mrc-exttyp", "mrc-origin", "mrc-axis-order"}),
    "sfftk/sfftk/test_data/images/emd_5625.map": ((56, 56, 56), "float32", (4.23,) * 3, {"mrc-origin"}),
    "sfftk/sfftk/test_data/segmentations/test_data_multi0.map":
        ((36, 30, 32), "int8", (14.5, 18.333333, 17.277778), set()),
    "sfftk/sfftk/test_data/segmentations/mergeable_1.map": ((10, 10, 10), "int8", (1.0,) * 3, set()),
    "sfftk/sfftk/test_data/segmentations/mergeable_4.map": ((10, 10, 10), "float32", (1.0,) * 3, set()),
    "sfftk/sfftk/test_data/segmentations/merged_mask.mrc": ((10, 10, 10), "int16", (1.0,) * 3, set()),
    "chlamy-annotations/10.1126-science.ads8738/densities/hsp60.mrc": ((48, 48, 48), "float32", (7.84,) * 3, set()),
    "cylindra/tests/beta-tubulin.mrc": ((20, 20, 20), "float32", (5.144,) * 3, set()),
    "polnet/data/templates/mb_mrcs_10A/5gjv_mbz_align_shift.mrc": ((60, 60, 60), "float32", (10.0,) * 3, set()),
    "polnet/data/templates/mrcs_10A/4v4r.mrc": ((66, 66, 66), "float32", (10.0,) * 3, {"mrc-origin"}),
    "polnet/data/templates/mrcs_10A/1bxn.mrc": ((52, 52, 52), "float32", (10.0,) * 3, {"mrc-origin"}),
    "polnet/data/templates/mrcs_10A/2cg9.mrc": ((52, 52, 52), "float32", (10.0,) * 3, {"mrc-origin"}),
    "polnet/data/templates/mrcs_10A/3j9i.mrc": ((58, 58, 58), "float32", (10.0,) * 3, {"mrc-origin"}),
    "polnet/data/templates/mrcs_10A/6utj.mrc": ((62, 62, 62), "float32", (10.0,) * 3, {"mrc-origin"}),
    "portal-backend/test_infra/test_files/input_bucket/10001_input/metadata/TS_run1.st":
        ((4, 10, 20), "int8", (5.678,) * 3, set()),
    "portal-backend/test_infra/test_files/input_bucket/10001_input/tomograms/TS_run2.rec":
        ((4, 4, 4), "int8", (13.48,) * 3, set()),
    "portal-backend/test_infra/test_files/input_bucket/20002/annotations/segmask.mrc":
        ((4, 4, 4), "float32", (14.08,) * 3, set()),
    "portal-backend/test_infra/test_files/input_bucket/20002/annotations/semantic_mask.mrc":
        ((4, 4, 4), "int8", (None,) * 3, {"mrc-voxel-size"}),
    "portal-backend/test_infra/test_files/input_bucket/20002/annotations/small_probability_map.mrc":
        ((2, 2, 2), "float32", (None,) * 3, {"mrc-voxel-size"}),
    "portal-backend/test_infra/test_files/input_bucket/sample_tomos/input_mrc.mrc":
        ((4, 4, 4), "float32", (14.08,) * 3, set()),
    "portal-backend/test_infra/test_files/input_bucket/sample_tomos/signed_ints.mrc":
        ((4, 4, 4), "int8", (14.08,) * 3, set()),
    "zarr-particle-tools/tests/templates/ribo80s_emd_3883_866_64_resized.mrc":
        ((64, 64, 64), "float32", (8.66,) * 3, set()),
}  # fmt: skip


@pytest.mark.parametrize("place", REAL)
def test_real_files(shared: Path, place: str) -> None:
    shape, dtype, voxel, expected = REAL[place]
    volume = open_mrc(shared / place)
    assert volume.data.shape == shape
    assert volume.data.dtype == np.dtype(dtype)
    assert [v or 0 for v in volume.voxel_size] == pytest.approx([v or 0 for v in voxel], rel=1e-4)
    assert codes(volume) == expected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mrcfile.open(shared / place, permissive=True) as file:
            found = file.data
    if "mrc-axis-order" in expected:
        found = found.transpose(2, 0, 1)
    assert np.array_equal(volume.data[EVERYTHING].view(found.dtype), found.reshape(shape))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("sfftk/sfftk/test_data/segmentations/empty1.map", "the file is empty"),
        ("sfftk/sfftk/test_data/segmentations/test_data_corrupt_header.map", "the file has 1108"),
    ],
)
def test_real_files_that_are_broken(shared: Path, place: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        open_mrc(shared / place)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 1100), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    st.integers(0, 1264),
)
def test_damage_gives_a_volume_or_a_sentence(
    tmp_path_factory, changes: list[tuple[int, bytes]], cut: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole, path = folder / "whole.mrc", folder / "damaged.mrc"
    raw = bytearray((whole if whole.exists() else write(whole, ramp())).read_bytes())
    for at, change in changes:
        raw[at : at + len(change)] = change
    path.write_bytes(raw[: len(raw) - cut // 40])
    try:
        volume = open_mrc(path)
    except FormatError:
        return
    assert volume.data[EVERYTHING].shape == volume.data.shape
    assert all(size is None or 0 < size < float("inf") for size in volume.voxel_size)
    assert len(volume.origin) == 3
