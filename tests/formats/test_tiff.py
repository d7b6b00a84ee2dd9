"""TIFF stacks of ImageJ, OME and plain writers, against tifffile; what is no volume or not whole is refused in a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.tiff import TiffStack, open_tiff_stack

DATA = np.arange(5 * 6 * 7, dtype=np.uint16).reshape(5, 6, 7)
EVERYTHING = slice(None), slice(None), slice(None)


def made(path: Path, data: np.ndarray = DATA, **options) -> TiffStack:
    tifffile.imwrite(path, data, **options)
    return open_tiff_stack(path, name="source/s.tif")


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "is_mapped"),
    [({}, True), ({"imagej": True}, True), ({"bigtiff": True}, True), ({"ome": True}, True), ({"compression": "lzw"}, False),
     ({"compression": "zlib", "predictor": True}, False), ({"tile": (16, 16)}, False)],
)  # fmt: skip
def test_every_way_of_storing(tmp_path: Path, byteorder: str, options: dict, is_mapped: bool) -> None:
    named = {} if options.get("imagej") or options.get("ome") else {"photometric": "minisblack"}
    stack = made(tmp_path / "s.tif", byteorder=byteorder, metadata={"axes": "ZYX"}, **named, **options)
    assert (stack.mapped is not None) == is_mapped
    assert (stack.shape, stack.dtype.newbyteorder("=")) == (DATA.shape, np.dtype(np.uint16))
    assert np.array_equal(stack[EVERYTHING], tifffile.imread(tmp_path / "s.tif"))
    assert np.array_equal(stack[slice(1, 3), slice(2, 5), slice(0, 4)], DATA[1:3, 2:5, :4])
    stack.release()
    assert np.array_equal(stack[EVERYTHING], DATA)


def test_large_stacks_of_imagej_have_one_page_for_all_sections(tmp_path: Path) -> None:
    stack = made(tmp_path / "s.tif", imagej=True, metadata={"axes": "ZYX"})
    raw = bytearray((tmp_path / "s.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "s.tif") as file:
        first = file.pages.first
        chain = first.offset + 2 + 12 * len(first.tags)
    raw[chain : chain + 4] = bytes(4)
    (tmp_path / "s.tif").write_bytes(raw)
    assert np.array_equal(open_tiff_stack(tmp_path / "s.tif")[EVERYTHING], stack[EVERYTHING])
    (tmp_path / "s.tif").write_bytes(raw[: first.dataoffsets[0] + DATA.nbytes - 1])
    with pytest.raises(FormatError):
        open_tiff_stack(tmp_path / "s.tif")


@pytest.mark.parametrize(
    ("unit", "voxel"),
    [
        ("nm", (20.0, 40.0, 30.0)),
        ("micron", (2e4, 4e4, 3e4)),
        ("um", (2e4, 4e4, 3e4)),
        ("pixel", (None,) * 3),
    ],
)
def test_voxel_size_of_imagej(tmp_path: Path, unit: str, voxel: tuple) -> None:
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 3.0}
    stack = made(tmp_path / "s.tif", imagej=True, resolution=(0.5, 0.25), metadata=metadata)
    assert [size and pytest.approx(size) for size in voxel] == list(stack.voxel_size)
    assert [problem.code for problem in stack.problems] == ([] if voxel[0] else ["tiff-voxel-size"])


def test_voxel_size_of_ome(tmp_path: Path) -> None:
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("XYZ", (1.0, 2.0, 0.003), strict=True)}
    units = {"PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm"}
    stack = made(tmp_path / "s.ome.tif", ome=True, metadata={"axes": "ZYX", **sizes, **units})
    assert stack.voxel_size == pytest.approx((10.0, 20.0, 30.0))
    assert stack.problems == ()


@pytest.mark.parametrize(("axes", "word"), [("TYX", "time points"), ("CYX", "channels")])
def test_sections_under_another_name_are_told(tmp_path: Path, axes: str, word: str) -> None:
    stack = made(tmp_path / "s.tif", imagej=True, metadata={"axes": axes})
    assert np.array_equal(stack[EVERYTHING], DATA)
    assert f"said to be {word}" in stack.problems[0].message


def test_a_single_page_has_one_section(tmp_path: Path) -> None:
    stack = made(tmp_path / "s.tif", DATA[0], photometric="minisblack")
    assert np.array_equal(stack[EVERYTHING], DATA[:1])


def test_what_is_no_volume_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="time points and sections"):
        made(
            tmp_path / "h.tif", DATA.reshape(1, 5, 6, 7).repeat(2, 0), imagej=True, metadata={"axes": "TZYX"}
        )
    with pytest.raises(FormatError, match="not grey"):
        made(tmp_path / "c.tif", np.zeros((6, 7, 3), np.uint8), photometric="rgb")
    with tifffile.TiffWriter(tmp_path / "d.tif") as writer:
        for sides in ((4, 5), (6, 7)):
            writer.write(np.zeros(sides, np.uint8), photometric="minisblack")
    with pytest.raises(FormatError, match="the pages differ"):
        open_tiff_stack(tmp_path / "d.tif")
    with pytest.raises(SourceError, match="cannot be read"):
        open_tiff_stack(tmp_path / "none.tif")


def test_tifffile_does_not_talk_to_the_terminal(tmp_path: Path) -> None:
    made(tmp_path / "s.tif", photometric="minisblack")
    raw = bytearray((tmp_path / "s.tif").read_bytes())
    raw[36:38] = b"\xff\xff"
    (tmp_path / "s.tif").write_bytes(raw)
    program = f"from pathlib import Path; from tomoportal.formats.tiff import open_tiff_stack as o; o(Path({str(tmp_path / 's.tif')!r}))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "TiffTag" not in ran.stderr


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_no_truncated_file_loses_sections_silently(tmp_path: Path, options: dict, share: float) -> None:
    path = tmp_path / "s.tif"
    with tifffile.TiffWriter(path) as writer:
        for section in np.random.default_rng(1).integers(0, 9999, (5, 60, 70), np.uint16):
            writer.write(section, photometric="minisblack", contiguous=False, **options)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(FormatError):
        open_tiff_stack(path)


def test_a_page_that_does_not_decode_is_named(tmp_path: Path) -> None:
    made(tmp_path / "s.tif", compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "s.tif") as file:
        start, length = file.pages[3].dataoffsets[0], file.pages[3].databytecounts[0]
    raw = bytearray((tmp_path / "s.tif").read_bytes())
    raw[start : start + length] = bytes(length)
    (tmp_path / "s.tif").write_bytes(raw)
    with pytest.raises(FormatError, match="page 3 cannot be decoded"):
        open_tiff_stack(tmp_path / "s.tif")[slice(3, 4), slice(0, 6), slice(0, 7)]


# path below the shared data: shape, voxel size in Å
REAL = {
    "cylindra/tests/13pf_MT.tif": ((36, 206, 94), (10.52, 10.52, 10.52)),
    "tardis/tests/test_data/data_type/tif3D.tif": ((78, 64, 32), (None, None, None)),
    "tardis/tests/test_data/data_loader/cnn/train/imgs/0_0_30_47_25.tif": ((96, 96, 96), (None, None, None)),
    "tardis/tests/test_data/data_loader/cnn/test/imgs/4_0_55_98_25.tif": ((64, 64, 64), (None, None, None)),
    "tardis/tests/test_data/data_loader/cnn/test/masks/4_0_55_98_25_mask.tif": (
        (64, 64, 64),
        (None, None, None),
    ),
}


@pytest.mark.parametrize("place", REAL)
def test_real_files(shared: Path, place: str) -> None:
    shape, voxel = REAL[place]
    stack = open_tiff_stack(shared / place)
    assert (stack.shape, stack.dtype) == (shape, np.dtype(np.uint8))
    assert [size and pytest.approx(size, rel=1e-4) for size in voxel] == list(stack.voxel_size)
    assert np.array_equal(stack[EVERYTHING], tifffile.imread(shared / place))
    assert [problem.code for problem in stack.problems] == ([] if voxel[0] else ["tiff-voxel-size"])


@settings(max_examples=100)
@given(
    st.sampled_from([None, "zlib"]),
    st.lists(st.tuples(st.integers(0, 900), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4),
)
def test_damage_gives_a_stack_or_a_sentence(
    tmp_path_factory, compression, changes: list[tuple[int, bytes]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole, path = folder / f"whole-{compression}.tif", folder / "damaged.tif"
    if not whole.exists():
        tifffile.imwrite(whole, DATA, photometric="minisblack", compression=compression)
    raw = bytearray(whole.read_bytes())
    for at, change in changes:
        raw[at : at + len(change)] = change
    path.write_bytes(raw)
    try:
        stack = open_tiff_stack(path)
        assert stack[slice(0, 1), slice(None), slice(None)].shape == (1, *stack.shape[1:])
    except FormatError:
        return
