"""IMOD alignments, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.imod_alignment import read_imod_alignment, read_xf
from tomoportal.formats.imod_commands import read_newst_com, read_tilt_com
from tomoportal.formats.text import TextFile

IMOD = "cryoet-alignment/tests/data/convert/imod_1"
ARETOMO = "alnfile/test_data/global_no_local"
XF = TextFile(b"0.5 -0.8 0.8 0.5 1.5 -2\n1 0 0 1 0 0\n0 1 -1 0 3 4\n", "a.xf")
TLT = TextFile(b"-3\n0\n3\n", "a.tlt")


def file_of(path):
    return TextFile(path.read_bytes(), path.name)


@pytest.mark.parametrize("stem", [f"{IMOD}/tilt_1", ARETOMO])
def test_the_canonical_form_undoes_the_transform(shared, stem):
    xf, tlt = shared / f"{stem}.xf", shared / f"{stem}.tlt"
    table = np.loadtxt(xf)
    alignment = read_imod_alignment(file_of(xf), file_of(tlt))
    sections = alignment.sections
    assert alignment.images == len(table)
    assert [section.z_index for section in sections] == list(range(len(table)))
    assert [section.tilt_angle for section in sections] == list(np.loadtxt(tlt))
    raw = np.array([[0.0, 0.0], [100.0, -20.0], [-7.5, 300.0]])
    for section, row in zip(sections, table, strict=True):
        matrix, shift = row[:4].reshape(2, 2), row[4:]
        rotation = np.array(section.in_plane_rotation)
        offset = np.array([section.x_offset, section.y_offset])
        np.testing.assert_array_equal(rotation, matrix.T)
        aligned = (matrix @ raw.T).T + shift
        np.testing.assert_allclose((raw - offset) @ rotation, aligned, atol=2e-3)


def test_stretched_images_are_undone_exactly():
    xf = TextFile(b"1.1 0.2 -0.3 0.9 7 -5\n", "a.xf")
    (section,) = read_imod_alignment(xf, TextFile(b"0\n", "a.tlt")).sections
    raw = np.array([12.0, -34.0])
    aligned = np.array([[1.1, 0.2], [-0.3, 0.9]]) @ raw + [7, -5]
    offset = [section.x_offset, section.y_offset]
    np.testing.assert_allclose(np.transpose(section.in_plane_rotation) @ (raw - offset), aligned)


def test_one_view_by_hand():
    first = read_imod_alignment(XF, TLT).sections[0]
    assert first.in_plane_rotation == ((0.5, 0.8), (-0.8, 0.5))
    assert (first.x_offset, first.y_offset) == pytest.approx((0.85 / 0.89, 2.2 / 0.89))
    assert first.volume_x_rotation == 0


def test_all_files_of_a_project(shared):
    folder = shared / IMOD
    files = [file_of(folder / name) for name in ("tilt_1.xf", "tilt_1.tlt", "tilt_1.xtilt", "tilt.com")]
    alignment = read_imod_alignment(*files, file_of(folder / "newst.com"))
    assert (len(alignment.sections), alignment.images) == (59, 59)
    assert (alignment.tilt_offset, alignment.x_rotation_offset) == (0, 0)
    assert alignment.volume_dimension == (3712, 3832, 2000)
    assert alignment.volume_offset == (0, 0, 0)
    command = read_tilt_com(files[3].data, "tilt.com")
    assert (command.thickness, command.x_axis_tilt, command.tilt_offset) == (2000, 0, 0)
    assert (command.image_binned, command.full_image, command.subset_start) == (4, (3708, 3832), (-2, 0))
    assert (command.shift, command.excluded) == ((0, 0), ())
    assert (command.tilt_file, command.x_tilt_file) == ("mka2018-10-01-1.tlt", "mka2018-10-01-1.xtilt")
    newst = read_newst_com((folder / "newst.com").read_bytes(), "newst.com")
    assert (newst.bin_by_factor, newst.size_to_output, newst.offsets) == (4, (928, 958), (0, 0))


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"EXCLUDELIST 1,3", [1]),
        (b"ExcludeList2 2-3", [0]),
        (b"$tilt\n#EXCLUDE 1\nEXCLUDE 2", [0, 2]),
        (b"EXCLUDELIST 2\nEXCLUDELIST2 3\n", [0]),
        (b"THICKNESS 100\n", [0, 1, 2]),
    ],
)
def test_excluded_views_are_left_out(line, kept):
    com = TextFile(line, "tilt.com")
    sections = read_imod_alignment(XF, TLT, TextFile(b"0\n0.5\n1\n", "a.xtilt"), com).sections
    assert [section.z_index for section in sections] == kept
    assert [section.volume_x_rotation for section in sections] == [view / 2 for view in kept]


@pytest.mark.parametrize(
    ("com", "sentence"),
    [
        (b"EXCLUDELIST 4", "tilt.com: view 4 is excluded, but a.xf has the views 1 to 3 only"),
        (b"EXCLUDELIST 0", "tilt.com: view 0 is excluded"),
        (b"EXCLUDELIST 1 - 2", "tilt.com, line 1: '-' is not a view to exclude"),
        (b"EXCLUDELIST 3-2", "tilt.com, line 1: the range '3-2' runs backwards"),
        (b"EXCLUDELIST 1-999999999", "more views than any tilt series"),
        (b"EXCLUDELIST " + b"9" * 5000, "is not a view to exclude"),
        (b"\nTHICKNESS thick", "tilt.com, line 2: 'thick' after THICKNESS is not a number"),
    ],
)
def test_faulty_commands(com, sentence):
    with pytest.raises(FormatError) as caught:
        read_imod_alignment(XF, TLT, tilt_com=TextFile(com, "tilt.com"))
    assert sentence in str(caught.value)


def test_counts_that_differ_are_both_told():
    with pytest.raises(FormatError, match=r"b\.tlt: this file has 2 angles, but a\.xf has 3 transforms"):
        read_imod_alignment(XF, TextFile(b"1\n2\n", "b.tlt"))
    with pytest.raises(FormatError, match=r"b\.xtilt: this file has 1 angles, but a\.xf has 3"):
        read_imod_alignment(XF, TLT, TextFile(b"1\n", "b.xtilt"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "x.xf: there is no transform"),
        (b"1 0 0 1 0\n", "x.xf, line 1: '1 0 0 1 0' is not a transform"),
        (b"1 0 0 1 0 0\n1 0 0 1 0 nan\n", "x.xf, line 2"),
        (b"1 1 1 1 0 0\n", "x.xf, line 1: this transform cannot be inverted"),
        (b"1e200 0 0 1e200 0 0\n", "x.xf, line 1: this transform cannot be inverted"),
        (b"1 0 0 1 0 1e308\n", "x.xf, line 1: this transform shifts by 0, 1e+308 pixels"),
        (b"# AreTomo Alignment / Priims bprmMn\n", "write `format: ARETOMO3`"),
    ],
)
def test_faulty_transforms(data, sentence):
    with pytest.raises(FormatError) as caught:
        read_xf(data, "x.xf")
    assert sentence in str(caught.value)


def test_mirrored_and_magnified_images_are_told():
    xf = TextFile(b"1 0 0 1 0 0\n-1 0 0 1 0 0\n1.1 0 0 1.1 0 0\n", "a.xf")
    mirrored, magnified = read_imod_alignment(xf, TLT).problems
    assert (mirrored.code, magnified.code) == ("alignment-mirrored", "alignment-magnification")
    assert "1 of 3 images, the first being image 2" in mirrored.message
    assert "a factor of 1.1 in image 3" in magnified.message
    usual = TextFile(b"0.999 0.04 -0.04 0.999 1 2\n1 0 0 1 0 0\n0 1 -1 0 0 0\n", "a.xf")
    assert read_imod_alignment(usual, TLT).problems == ()


def test_the_volume_of_a_subset():
    com = b"FULLIMAGE 400 600\nTHICKNESS 200\nSHIFT 10 -20\nSUBSETSTART 0 100\nXAXISTILT 1.5\nOFFSET -2\nWIDTH 380"
    newst = b"SizeToOutputInXandY 200,200\nBinByFactor 2\n#OffsetsInXandY 5,5\n$if (-e x) y"
    found = read_imod_alignment(
        XF, TLT, None, TextFile(com, "tilt.com"), TextFile(newst, "newst.com")
    ).in_angstrom(2.0)
    assert found.volume_dimension == (760, 800, 400)
    assert found.volume_offset == (20, 0, -40), "the subset lies in the middle: 100 + 400 / 2 = 600 / 2"
    assert (found.tilt_offset, found.x_rotation_offset, found.tilt_offset_included) == (-2, 1.5, False)
    assert [section.tilt_angle for section in found.sections] == [-3, 0, 3]


def test_offsets_without_a_pixel_spacing_are_unknown():
    (first, *_) = read_imod_alignment(XF, TLT).in_angstrom(None).sections
    assert (first.x_offset, first.y_offset, first.tilt_angle) == (None, None, -3)
    (first, *_) = read_imod_alignment(XF, TLT).in_angstrom(2.0).sections
    assert (first.x_offset, first.y_offset) == pytest.approx((1.7 / 0.89, 4.4 / 0.89))
