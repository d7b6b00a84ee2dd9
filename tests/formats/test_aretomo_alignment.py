"""AreTomo's .aln: what it says, which way it turns, and which images its rows are about."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import axis_angle
from tomoportal.formats.aretomo_alignment import read_aln
from tomoportal.formats.imod_alignment import read_imod_alignment
from tomoportal.formats.text import TextFile

PAIR = "alnfile/test_data/global_no_local"
SHORTENED = "cryoet-alignment/tests/data/test.aln"
PORTAL = "portal-backend/test_infra/test_files/input_bucket/10001_input/alignments/TS_run1.aln"


def aln(rows, *, images, dark=(), head=(), patches=0, local=()):
    """A file as CSaveAlignFile.cpp of AreTomo3 writes it; rows: (SEC, ROT, TX, TY, TILT)."""
    lines = [
        "# AreTomo Alignment / Priims bprmMn",
        f"# RawSize = 400 600 {images}",
        f"# NumPatches = {patches}",
    ]
    lines += [f"# DarkFrame =  {frame:4d} {section:4d} {tilt:8.2f}" for frame, section, tilt in dark]
    lines += [
        *head,
        "# SEC     ROT         GMAG       TX          TY      SMEAN     SFIT    SCALE     BASE     TILT",
    ]
    for section, turn, x, y, tilt in rows:
        values = f"{section:5d}  {turn:9.4f}  {1:9.5f}  {x:9.3f}  {y:9.3f}"
        lines.append(f"{values}  {1:7.2f}  {1:7.2f}  {1:7.2f}  {0:7.2f}  {tilt:8.2f}")
    lines += ["# Local Alignment"] if local else []
    lines += [
        f"{image:4d} {patch:3d} {x:8.2f}  {y:8.2f}  {dx:8.2f}  {dy:8.2f}  {good:4.1f}"
        for image, patch, x, y, dx, dy, good in local
    ]
    return TextFile(("\n".join(lines) + "\n").encode(), "a.aln")


def rows_of(numbers, tilts):
    return [(number, 84.7, 1.0, 2.0, tilt) for number, tilt in zip(numbers, tilts, strict=True)]


def places(file):
    return [section.z_index for section in read_aln(file).sections]


def file_of(path):
    return TextFile(path.read_bytes(), path.name)


def xf_of(turn, x, y):
    """A line of the .xf that AreTomo writes itself: the formulas of CSaveXF.cpp in czimaginginstitute/AreTomo3."""
    angle = math.radians(turn)
    a11, a12, a21, a22 = math.cos(-angle), -math.sin(-angle), math.sin(-angle), math.cos(-angle)
    return f"{a11} {a12} {a21} {a22} {a11 * -x + a12 * -y} {a21 * -x + a22 * -y}\n"


def test_both_notations_of_aretomo_give_one_alignment(shared):
    """The real .aln, and the .xf that AreTomo's own source writes for it."""
    file = file_of(shared / f"{PAIR}.aln")
    lines = [line.split() for line in file.data.decode().splitlines() if line[0] != "#"]
    xf = "".join(xf_of(float(row[1]), float(row[3]), float(row[4])) for row in lines)
    imod = read_imod_alignment(TextFile(xf.encode(), "a.xf"), file_of(shared / f"{PAIR}.tlt"))
    for one, other in zip(read_aln(file).sections, imod.sections, strict=True):
        assert (one.z_index, one.tilt_angle) == (other.z_index, other.tilt_angle)
        np.testing.assert_allclose(one.in_plane_rotation, other.in_plane_rotation, atol=1e-12)
        assert (one.x_offset, one.y_offset) == pytest.approx((other.x_offset, other.y_offset), abs=1e-9)


def test_the_xf_that_alnfile_made_agrees_but_for_the_sense_of_rotation(shared):
    """alnfile 0.1.1 made this .xf from the .aln with R(+ROT) (its `df_to_xf`; later versions say `θ = -ROT`), where AreTomo writes
    R(-ROT). Everything else is the same, and the angle of the tilt axis tells the two apart."""
    aretomo = read_aln(file_of(shared / f"{PAIR}.aln"))
    imod = read_imod_alignment(file_of(shared / f"{PAIR}.xf"), file_of(shared / f"{PAIR}.tlt"))
    assert aretomo.images == imod.images == 61
    for one, other in zip(aretomo.sections, imod.sections, strict=True):
        assert (one.z_index, one.tilt_angle) == (other.z_index, other.tilt_angle)
        assert (one.x_offset, one.y_offset) == pytest.approx((other.x_offset, other.y_offset), abs=2e-3)
        np.testing.assert_allclose(np.transpose(one.in_plane_rotation), other.in_plane_rotation, atol=1e-6)
    assert axis_angle(aretomo.sections) == pytest.approx(-95.404, abs=1e-6)
    assert axis_angle(imod.sections) == pytest.approx(95.404, abs=1e-4)


def test_the_tilt_axis_has_the_sign_of_serialem(shared):
    """IMOD's alignment log of a real series says that the tilt axis is at 85 degrees; its .xf gives that angle, and so does ROT."""
    folder = shared / "yet-another-imod-wrapper/tests/test_data"
    log = (folder / "align.log").read_text()
    assert "RotationAngle = 85.0" in log
    assert "rotation angle is   85.24" in log
    xf = file_of(folder / "xf_file.xf")
    angles = b"0\n" * len(xf.data.split(b"\n")[:-1])
    imod = read_imod_alignment(xf, TextFile(angles, "a.tlt"))
    assert axis_angle(imod.sections) == pytest.approx(85.24, abs=0.5)
    assert axis_angle(read_aln(aln(rows_of([1], [0]), images=1)).sections) == pytest.approx(84.7)


def test_offsets_of_the_whole_series_are_not_applied_twice(shared):
    found = read_aln(file_of(shared / f"{PAIR}.aln"))
    assert (found.tilt_offset, found.x_rotation_offset, found.tilt_offset_included) == (-7.0, 0.0, True)
    assert found.sections[0].tilt_angle == -63.2, "as TILT says, which is what the .tlt beside it has as well"
    head = ("# AlphaOffset =    12.30", "# BetaOffset =     1.50")
    found = read_aln(aln(rows_of([1, 2], [9.3, 12.3]), images=2, head=head))
    assert (found.tilt_offset, found.x_rotation_offset) == (12.3, 1.5)
    assert [section.tilt_angle for section in found.sections] == [9.3, 12.3]


def test_a_small_real_file_counts_from_0(shared):
    found = read_aln(file_of(shared / PORTAL))
    assert [section.z_index for section in found.sections] == [0, 1, 2]
    assert (found.image_size, found.images, found.problems) == ((10, 20), 3, ())


def test_a_shortened_file_is_read_and_told_about(shared):
    found = read_aln(file_of(shared / SHORTENED))
    assert [section.tilt_angle for section in found.sections] == [-61.5, -60.0, -58.5, -57.0]
    assert [section.z_index for section in found.sections] == [2, 3, 4, 5], (
        "past the dark images 1 and 2, counted from 1"
    )
    assert [problem.code for problem in found.problems] == ["alignment-incomplete"] * 2
    assert "90 images, but 4 are aligned and 4 are named as dark" in found.problems[0].message
    assert "6 rows" in found.problems[1].message
    assert found.local is not None
    assert found.local.patches == 16
    assert found.local.rows[0] == (2, 0, -558.42, -802.0, -100.07, 24.43, 1.0)


TILTS = (-6.0, -3.0, 0.0, 3.0, 6.0)


@pytest.mark.parametrize(
    ("what", "dark", "numbers", "kept"),
    [
        ("AreTomo2, from 0", [(0, 0, -6.0), (4, 4, 6.0)], [1, 2, 3], [1, 2, 3]),
        ("AreTomo3, frames from 0, sections from 1", [(0, 1, -6.0), (4, 5, 6.0)], [2, 3, 4], [1, 2, 3]),
        ("dark inside, from 1", [(1, 2, -3.0)], [1, 3, 4, 5], [0, 2, 3, 4]),
        ("no dark, from 1", [], [1, 2, 3, 4, 5], [0, 1, 2, 3, 4]),
        ("no dark, from 0", [], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ("a running number, sections unset", [(1, 0, -3.0)], [0, 1, 2, 3], [0, 2, 3, 4]),
        ("a running number, all from 1", [(5, 0, 6.0)], [1, 2, 3, 4], [0, 1, 2, 3]),
    ],
)
def test_rows_find_their_images_past_dark_ones(what, dark, numbers, kept):
    file = aln(rows_of(numbers, [TILTS[place] for place in kept]), images=5, dark=dark)
    found = read_aln(file)
    assert [section.z_index for section in found.sections] == kept, what
    assert not [problem for problem in found.problems if problem.code == "alignment-incomplete"]


def test_what_numbers_and_angles_leave_open_is_told():
    found = read_aln(aln(rows_of([1, 2, 3], [-3, 0, 3]), images=5, dark=[(2, 0, 0.0), (3, 0, 0.0)]))
    assert [problem.code for problem in found.problems] == ["alignment-numbering"]
    assert "may count from 0 or from 1" in found.problems[0].message


def test_a_stack_in_the_order_of_acquisition_keeps_its_places():
    """AreTomo3 sorts rows by angle; SEC says where the image lies."""
    assert places(aln(rows_of([4, 2, 1, 3, 5], TILTS), images=5)) == [3, 1, 0, 2, 4]


def test_local_shifts_are_those_of_their_images():
    local = [(0, 0, 1.5, 2.5, 0.1, 0.2, 1.0), (1, 0, 3.5, 4.5, 0.3, 0.4, 0.0)]
    found = read_aln(aln(rows_of([2, 3], [-3, 0]), images=3, dark=[(0, 1, -6.0)], patches=1, local=local))
    assert found.local is not None
    assert found.local.rows == ((1, 0, 1.5, 2.5, 0.1, 0.2, 1.0), (2, 0, 3.5, 4.5, 0.3, 0.4, 0.0))
    assert found.problems == ()


GOOD = aln(rows_of([1, 2], [0, 3]), images=2).data


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "a.aln: this is no AreTomo alignment"),
        (b"0.1 0.9 -0.9 0.1 3 4\n", "a.aln, line 1: found '0.1 0.9 -0.9 0.1 3 4', expected the ten numbers"),
        (b"0.1 0.9 -0.9 0.1 3 4\n", "write `format: IMOD`"),
        (GOOD[:120], "no image is aligned"),
        (GOOD.replace(b"84.7000", b"    nan", 1), "a.aln, line 5: found"),
        (GOOD.replace(b"    2    84.7000", b"    1    84.7000"), "the image 1 stands in two rows"),
        (GOOD.replace(b"    2    84.7000", b"    9    84.7000"), "about the image 9, but RawSize has 2"),
        (
            GOOD.replace(b"400 600 2", b"400 600"),
            "a.aln, line 2: found '400 600', expected columns, rows and images",
        ),
        (GOOD.replace(b"400 600 2", b"400 600 999999999"), "is not the size of a tilt series"),
        (GOOD.replace(b"  3.00\n", b"1567301525373690323140608.00\n"), "lies outside -180 to 180"),
        (b"\x00\x01\x02", "binary file"),
    ],
)
def test_faulty_files(data, sentence):
    with pytest.raises(FormatError) as caught:
        read_aln(TextFile(data, "a.aln"))
    assert sentence in str(caught.value)
