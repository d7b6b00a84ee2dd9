"""SerialEM metadata: the real files against the mdocfile package, and every oddity seen in the field."""

from __future__ import annotations

from datetime import datetime

import mdocfile
import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.mdoc import acquisition_order, parse_date, read_mdoc, section_doses

TILT_SERIES = "mdocfile/tests/test_data/tilt_series.mdoc"
MONTAGE = "mdocfile/tests/test_data/montage_section_multiple.mdoc"
FRAME_SET = "mdocfile/tests/test_data/frame_set_single.mdoc"
GATAN = "pyseg/code/pyto/tomo/test/stack_original/29.08.14_syn_ctrl01_13.08_tomo01.st.mdoc"
CRLF = "etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mdoc"
COMMAS = "cylindra/tests/dummy.mrc.mdoc"


def small(*sections: str, head: str = "") -> bytes:
    blocks = [f"[ZValue = {n}]\n{text}" for n, text in enumerate(sections)]
    return "\n".join([head, *blocks]).encode()


@pytest.mark.parametrize("path", [TILT_SERIES, MONTAGE, FRAME_SET, GATAN, CRLF])
def test_real_files_agree_with_mdocfile(shared, path):
    mdoc = read_mdoc((shared / path).read_bytes(), path)
    table = mdocfile.read(shared / path)
    sections = sorted((*mdoc.sections, *mdoc.montages), key=lambda section: section.line)
    expected = {FRAME_SET: ["mdoc-tilt-axis"], MONTAGE: ["mdoc-montage"]}
    assert [problem.code for problem in mdoc.problems] == expected.get(path, [])
    assert len(sections) == len(table)
    for section, (_, row) in zip(sections, table.iterrows(), strict=True):
        assert section.tilt_angle == row["TiltAngle"]
        assert section.exposure_dose == row["ExposureDose"]
        assert section.exposure_time == row["ExposureTime"]
        assert section.z_value == row.get(section.kind)
        if section.sub_frame_path:
            assert section.sub_frame_path == str(row["SubFramePath"])
            assert section.num_sub_frames == row["NumSubFrames"]


def test_a_tilt_series(shared):
    mdoc = read_mdoc((shared / TILT_SERIES).read_bytes(), "tilt_series.mdoc")
    assert (mdoc.tilt_axis, mdoc.pixel_spacing, mdoc.voltage, mdoc.image_file) == (
        85.3,
        5.4,
        None,
        "TS_01.mrc",
    )
    assert mdoc.titles[0].startswith("SerialEM: Digitized on EMBL Krios")
    first = mdoc.sections[0]
    assert first.frame_name == "TS_01_000_0.0.mrc"
    assert first.date_time == datetime(2015, 11, 30, 15, 21, 38)
    assert [section.z_value for section in mdoc.sections] == list(range(41))


def test_montage_summaries_are_not_images(shared):
    mdoc = read_mdoc((shared / MONTAGE).read_bytes(), "montage.mdoc")
    assert (len(mdoc.sections), len(mdoc.montages)) == (90, 10)
    assert (mdoc.sections[0].piece, mdoc.sections[1].piece) == ((0, 0, 0), (0, 1758, 0))
    assert mdoc.is_montage
    assert "90 sections are the pieces of 10 images" in mdoc.problems[0].message


def test_a_frame_set_with_a_title_without_brackets(shared):
    mdoc = read_mdoc((shared / FRAME_SET).read_bytes(), "frames.mdoc")
    assert mdoc.sections[0].kind == "FrameSet"
    assert mdoc.titles == ("SerialEM: UMass_Krios Camera -> 0:Ceta 1:GIF-K3         08-Oct-21  07:38:24",)
    assert mdoc.tilt_axis == pytest.approx(88.414)
    assert [problem.code for problem in mdoc.problems] == ["mdoc-tilt-axis"]


@pytest.mark.parametrize(("path", "axis"), [(GATAN, 173.1), (CRLF, -90.0), (TILT_SERIES, 85.3)])
def test_the_rotation_angle_gives_the_axis_that_the_title_states(shared, path, axis):
    data = (shared / path).read_bytes()
    assert read_mdoc(data, path).tilt_axis == axis
    without = read_mdoc(data.replace(b"Tilt axis angle", b"Axis"), path)
    assert without.tilt_axis == pytest.approx(axis, abs=0.05)
    assert [problem.code for problem in without.problems] == ["mdoc-tilt-axis"]


def test_what_mdocfile_refuses_is_read(shared):
    mdoc = read_mdoc((shared / COMMAS).read_bytes(), "dummy.mdoc")
    assert [section.tilt_angle for section in mdoc.sections] == [-59.99, 0.01, 59.99]
    assert mdoc.tilt_axis == 177.0
    assert mdoc.sections[0].values["MinMaxMean"] == "0, 100, 10.0"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n\n", "\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("NavigatorLabel = 1", "NavigatorLabel = 45°").encode("latin-1"),
        lambda text: text.replace("[ZValue = 0]", "[ZValue = 0] ").rstrip("\n").encode(),
    ],
    ids=["crlf", "no empty lines", "mark", "utf-16", "latin-1", "blank after bracket"],
)
def test_ways_to_write_the_same_file(change):
    text = (
        "PixelSpacing = 5.4\n\n[T =     Tilt axis angle = -11.6, binning = 1]\n\n[ZValue = 0]\nTiltAngle = 3\n"
        "NavigatorLabel = 1\n\n[ZValue = 1]\nTiltAngle = -3\nSubFramePath = \\\\host\\a b\\x.tif\n"
    )
    mdoc = read_mdoc(change(text), "x.mdoc")
    assert (mdoc.pixel_spacing, mdoc.tilt_axis, mdoc.problems) == (5.4, -11.6, ())
    assert [section.tilt_angle for section in mdoc.sections] == [3.0, -3.0]
    assert mdoc.sections[1].frame_name == "x.tif"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (r"D:\DATA\Flo\a.mrc", "a.mrc"),
        (r"\\Gatan\Z\b.mrc", "b.mrc"),
        ("/data/run/c.eer", "c.eer"),
        ("d.tif", "d.tif"),
        ("E:\\folder\\", None),
    ],
)
def test_frame_names(path, name):
    assert read_mdoc(small(f"SubFramePath = {path}"), "x.mdoc").sections[0].frame_name == name


def test_leniency_is_told_with_the_line():
    data = small(
        "TiltAngle = 1\nExposureDose = much\nsome words\nDateTime = yesterday\nTiltAngle = 2", "TiltAngle = 3"
    )
    mdoc = read_mdoc(data + b"\n[ZValue = 1]\nTiltAngle = 4\n", "x.mdoc")
    assert mdoc.sections[0].tilt_angle == 2
    assert mdoc.sections[0].exposure_dose is None
    found = {problem.code: problem.line for problem in mdoc.problems}
    assert found == {
        "mdoc-number": 4,
        "mdoc-line": 5,
        "mdoc-date": 6,
        "mdoc-repeated-key": 7,
        "mdoc-repeated-section": 10,
    }
    assert {problem.severity.value for problem in mdoc.problems} == {"warning"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "there is no section"),
        (b"PixelSpacing = 3\n", "there is no section"),
        (b"[MontSection = 0]\nTiltAngle = 1\n", "there is no section"),
        (b"MAP \0\0\0", "binary file"),
        (b"\n[ZValue = 0]\nTiltAngle = 1,5\n", "line 3: the tilt angle '1,5' is not a number"),
        (b"[ZValue = 0]\nTiltAngle = nan\n", "line 2: the tilt angle 'nan'"),
        (b"[ZValue = one]\n", "line 1: 'one' is not a section number"),
        (b"[ZValue 1]\nTiltAngle = 1\n", "line 1: 'ZValue 1' is not a section number"),
        (b"[ZValue = " + b"9" * 5000 + b"]\n", "is not a section number"),
    ],
)
def test_what_is_refused(data, sentence):
    with pytest.raises(FormatError, match=r"^bad\.mdoc") as caught:
        read_mdoc(data, "bad.mdoc")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "01-Mar-24  15:04:05", "1-Mar-2024 15:04:05", "01-MAR-24  15:04:05", "01-March-2024  15:04:05",
        "01-Mrz-24  15:04:05", "01-Mär-24  15:04:05", "01-mars-24  15:04:05", "01-mar.-24  15:04:05",
        "01-Mar-24  03:04:05 PM", "2024-03-01 15:04:05", "2024-03-01T15:04:05", "2024-03-01T15:04:05+01:00",
        "01-Mar-24  15:04:05.000",
    ],
)  # fmt: skip
def test_ways_to_write_a_date(text):
    assert parse_date(text) == datetime(2024, 3, 1, 15, 4, 5)


def test_finer_parts_of_a_date():
    assert parse_date("01-Mar-24  12:00:00 AM") == datetime(2024, 3, 1)
    assert parse_date("01-Mar-24  12:00:00 PM") == datetime(2024, 3, 1, 12)
    assert parse_date("01-Dez-24  12:00:00,25") == datetime(2024, 12, 1, 12, 0, 0, 250000)


@pytest.mark.parametrize(
    "text",
    [
        "30-Foo-15  15:21:38", "31-Feb-15  15:21:38", "01-02-15  15:21:38", "01/02/2015 15:21:38", "15:21:38", "",
        "01-Mar-24  15:04:05 PM", "01-Mar-24  0:04:05 AM", "01-Mar-24  15:04:05 CET", "1-Mar-124 15:04:05",
        "01-Mar-24  25:04:05", "1-Mar-24 " + " " * 100_000 + "15:04:05",
    ],
)  # fmt: skip
def test_what_is_no_date(text):
    assert parse_date(text) is None


def test_doses_follow_the_time_of_acquisition(shared):
    mdoc = read_mdoc((shared / GATAN).read_bytes(), "x.mdoc")
    doses = section_doses(mdoc.sections)
    by_time = sorted(range(46), key=lambda position: mdoc.sections[position].date_time)
    assert [doses[position].acquisition_order for position in by_time] == list(range(46))
    total = sum(section.exposure_dose for section in mdoc.sections)
    last = doses[by_time[-1]]
    assert last.accumulated_dose + last.exposure_dose == pytest.approx(total)
    assert doses[by_time[0]].accumulated_dose == 0


def test_dose_from_the_rate_where_the_file_says_zero(shared):
    mdoc = read_mdoc((shared / TILT_SERIES).read_bytes(), "x.mdoc")
    doses = section_doses(mdoc.sections, dose_rate=2.5)
    assert doses[0].exposure_dose == pytest.approx(0.8 * 2.5)
    unknown = section_doses(mdoc.sections)
    assert unknown[0].accumulated_dose == 0
    assert unknown[0].exposure_dose is None
    assert unknown[1].accumulated_dose is None


def test_a_file_sorted_by_angle_is_put_in_order_of_acquisition():
    dated = small(
        "TiltAngle = -3\nExposureDose = 2\nDateTime = 01-Jan-24  10:02:00",
        "TiltAngle = 0\nExposureDose = 1\nDateTime = 01-Jan-24  10:00:00",
        "TiltAngle = 3\nExposureDose = 4\nDateTime = 01-Jan-24  10:01:00",
    )
    sections = read_mdoc(dated, "x.mdoc").sections
    assert acquisition_order(sections) == [1, 2, 0]
    assert [dose.accumulated_dose for dose in section_doses(sections)] == [5, 0, 1]
    undated = read_mdoc(b"[ZValue = 2]\nTiltAngle=1\n[ZValue = 0]\nTiltAngle=2\n", "x.mdoc").sections
    assert acquisition_order(undated) == [1, 0]
    twice = (*undated, *undated)
    assert acquisition_order(twice) == [0, 1, 2, 3]


def ordered(*sections: str) -> list[int]:
    data = "\n".join(f"[ZValue = {z}]\n{text}\n" for z, text in (s.split(" ", 1) for s in sections))
    return acquisition_order(read_mdoc(data.encode(), "x.mdoc").sections)


def test_equal_or_missing_dates_fall_back_to_the_prior_dose_then_to_the_number():
    date = "DateTime = 01-Jan-24  10:00:0"
    dose = "PriorRecordDose = "
    assert ordered(f"0 {date}1\n{dose}6", f"1 {date}1\n{dose}3", f"2 {date}0\n{dose}9") == [2, 1, 0]
    assert ordered(f"5 {date}1", f"3 {date}1", f"4 {date}0") == [2, 1, 0]
    assert ordered(f"0 {dose}6", f"1 {dose}3\n{date}9", f"2 {dose}0") == [2, 1, 0]
    assert ordered(f"2 {dose}0", f"1 {dose}0", f"0 {dose}0") == [2, 1, 0]
    assert ordered(f"0 {dose}6", "1 TiltAngle = 3", f"2 {dose}0") == [0, 1, 2]
    assert ordered(f"7 {date}5", f"7 {date}5", f"7 {date}4") == [2, 0, 1]


def test_two_files_of_one_bidirectional_series():
    first = small(
        *(
            f"TiltAngle = {angle}\nExposureDose = 2\nDateTime = 01-Jan-24  10:0{n}:00"
            for n, angle in enumerate((0, 3))
        )
    )
    second = small(
        *(
            f"TiltAngle = {angle}\nExposureDose = 3\nDateTime = 01-Jan-24  10:3{n}:00"
            for n, angle in enumerate((-3, -6))
        )
    )
    back, forth = (read_mdoc(data, "x.mdoc").sections for data in (second, first))
    assert [dose.acquisition_order for dose in section_doses((*back, *forth))] == [2, 3, 0, 1]
    assert [dose.accumulated_dose for dose in section_doses((*back, *forth))] == [4, 7, 0, 2]


def test_a_negative_exposure_time_gives_no_dose():
    sections = read_mdoc(small("ExposureTime = -1\nExposureDose = -3"), "x.mdoc").sections
    assert section_doses(sections, dose_rate=2.0)[0].exposure_dose is None


def test_what_the_header_states(shared):
    mdoc = read_mdoc((shared / CRLF).read_bytes(), "x.mdoc")
    assert (mdoc.voltage, mdoc.pixel_spacing, mdoc.magnification, mdoc.binning) == (300, 7.88, 115000, 2)
    assert (mdoc.image_size, mdoc.is_montage) == ((1024, 1024), False)
    frames = read_mdoc((shared / FRAME_SET).read_bytes(), "x.mdoc")
    assert (frames.voltage, frames.pixel_spacing, frames.binning) == (300, 1.2827, 0.5)


def test_the_sections_state_what_the_header_does_not():
    mdoc = read_mdoc(small("PixelSpacing = 2\nVoltage = 200", "PixelSpacing = 2"), "x.mdoc")
    assert (mdoc.pixel_spacing, mdoc.voltage, mdoc.problems[0].code) == (2, 200, "mdoc-no-angle")
    mixed = read_mdoc(
        small("TiltAngle = 0\nMagnification = 3300", "TiltAngle = 1\nMagnification = 42000"), "x"
    )
    assert mixed.magnification is None
    assert [(p.code, p.line) for p in mixed.problems] == [("mdoc-mixed", 5)]
    assert "3300, 42000" in mixed.problems[0].message


def test_the_tilt_axis_as_a_key_of_the_header():
    assert read_mdoc(small("TiltAngle = 1", head="TiltAxisAngle = 84.5"), "x").tilt_axis == 84.5
    strange = read_mdoc(small("TiltAngle = 1", head="[T = Tilt axis angle = about 80]"), "x")
    assert strange.tilt_axis is None


@pytest.mark.parametrize("size", [180, 20_000])
def test_a_file_that_is_cut_off(shared, size):
    whole = read_mdoc((shared / TILT_SERIES).read_bytes(), "x.mdoc")
    data = (shared / TILT_SERIES).read_bytes()
    cut = data[: data.index(b"MinMaxMean", size)]
    mdoc = read_mdoc(cut, "x.mdoc")
    assert mdoc.sections[:-1] == whole.sections[: len(mdoc.sections) - 1]
    codes = [problem.code for problem in mdoc.problems]
    assert codes == (["mdoc-cut-off"] if len(mdoc.sections) > 2 else [])
    if codes:
        assert "TargetDefocus" in mdoc.problems[0].message


def test_lines_of_an_unknown_section_do_not_fall_to_the_one_before():
    data = b"[ZValue = 0]\nTiltAngle = 1\n[Other = 1]\nTiltAngle = 5\n[ZValue = 1]\nTiltAngle = 2\n[ZVa"
    mdoc = read_mdoc(data, "x.mdoc")
    assert [section.tilt_angle for section in mdoc.sections] == [1, 2]
    assert [(problem.code, problem.line) for problem in mdoc.problems] == [
        ("mdoc-section", 3),
        ("mdoc-line", 7),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("NumSubFrames = 2.5", "mdoc-number"),
        ("NumSubFrames = 1e300", "mdoc-number"),
        ("PieceCoordinates = 0 0", "mdoc-number"),
        ("ExposureTime = inf", "mdoc-number"),
        ("DateTime = 01-02-03 04:05:06", "mdoc-date"),
    ],
)
def test_values_that_are_not_understood(line, code):
    mdoc = read_mdoc(small(f"TiltAngle = 1\n{line}"), "x.mdoc")
    section = mdoc.sections[0]
    assert (section.num_sub_frames, section.piece, section.exposure_time, section.date_time) == (None,) * 4
    assert [(problem.code, problem.line) for problem in mdoc.problems] == [(code, 4)]
