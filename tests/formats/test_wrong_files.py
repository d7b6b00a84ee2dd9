"""Real files in the wrong place, and real files with faults: what is said about each."""

from __future__ import annotations

import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.ctf import read_ctf
from tomoportal.formats.imod_alignment import read_xf
from tomoportal.formats.mdoc import read_mdoc, section_doses
from tomoportal.formats.particles import TableForm, read_particles
from tomoportal.formats.run_map import read_pair_map, read_run_map
from tomoportal.formats.text import text_lines
from tomoportal.formats.tilt_angles import read_tilt_angles

INPUT = "portal-backend/test_infra/test_files/input_bucket"
IMOD = "cryoet-alignment/tests/data/convert/imod_1"
CTF = f"{INPUT}/10001_input/metadata/TS_run1_ctffind4.txt"
MDOC = f"{INPUT}/10001_input/metadata/mdocs_modified/foo-TS_run1.mdoc"
MAPS = "configs/gjensen"


def ctf_of(format):
    return lambda data, name: read_ctf(data, name, format)


def points_of(kind):
    return lambda data, name: read_particles(data, name, kind, TableForm())


@pytest.mark.parametrize(
    ("read", "path", "sentence"),
    [
        (read_mdoc, f"{INPUT}/10001_input/metadata/TS_run1.rawtlt", "there is no section in this file"),
        (read_mdoc, f"{INPUT}/10001_input/metadata/TS_run1.st", "this is a binary file"),
        (read_mdoc, "sfftk/sfftk/test_data/segmentations/empty1.map", "there is no section in this file"),
        (read_mdoc, "etspy/etspy/tests/test_data/HAADF.txt", "there is no section in this file"),
        (read_tilt_angles, MDOC, "line 1: 'PixelSpacing = 3.3702' is not a number"),
        (read_tilt_angles, "alnfile/test_data/global_no_local.xf", "line 1: "),
        (read_tilt_angles, "alnfile/test_data/global_no_local.aln", "line 8: "),
        (read_tilt_angles, CTF, "line 2: "),
        (read_tilt_angles, f"{INPUT}/20002/annotations/points.csv", "line 1: "),
        (read_tilt_angles, "etspy/etspy/tests/test_data/HAADF.mrc", "this is a binary file"),
        (read_tilt_angles, "trimesh/models/empty.obj", "there is no tilt angle"),
        (ctf_of("Gctf"), CTF, "line 2: this line has 8 columns; expected 6 or 7"),
        (ctf_of("IMOD"), CTF, "line 2: this line has 8 columns; expected 5"),
        (ctf_of("CTFFIND"), MDOC, "line 2: this line has 3 columns"),
        (ctf_of("CTFFIND"), "alnfile/test_data/global_no_local.aln", "the largest defocus is 1 Å"),
        (ctf_of("CTFFIND"), "alnfile/test_data/global_no_local.tlt", "line 1: this line has 1 columns"),
        (ctf_of("Gctf"), "tomo-preprocessing/test_data/import/tilt_series.star", "this is a STAR file"),
        (read_xf, f"{IMOD}/tilt_1.tlt", "line 1: "),
        (read_xf, f"{IMOD}/newst.com", "line 1: "),
        (read_xf, "alnfile/test_data/global_no_local.aln", "line 1: "),
        (read_run_map, f"{MAPS}/run_tomo_map/10029.csv", "line 1: the header has no column run_name"),
        (read_run_map, f"{MAPS}/run_tomo_map/10155.csv", "line 1: the header has no column run_name"),
        (points_of("csv"), f"{INPUT}/20002/annotations/points_with_header.csv", "Use file_format: csv_with_header."),
        (points_of("csv"), f"{INPUT}/20002/annotations/stopgap_star.star", "line "),
        (points_of("ndjson"), f"{INPUT}/20002/annotations/points.csv", "line 1: "),
        (points_of("ndjson"), f"{INPUT}/20002/annotations/copick.json", "line 1: "),
    ],
)  # fmt: skip
def test_a_file_of_another_kind(shared, read, path, sentence):
    with pytest.raises(FormatError) as caught:
        read((shared / path).read_bytes(), "wrong.txt")
    assert str(caught.value).startswith("wrong.txt")
    assert sentence in str(caught.value)


def test_a_log_in_latin_1(shared):
    lines = text_lines((shared / "etspy/etspy/tests/test_data/HAADF.txt").read_bytes(), "HAADF.txt")
    assert lines[4].endswith("Max negative tilt [°]: -76.00")


def test_an_mdoc_whose_first_section_alone_is_complete(shared):
    mdoc = read_mdoc((shared / MDOC).read_bytes(), "x.mdoc")
    assert mdoc.problems == ()
    assert [section.date_time is None for section in mdoc.sections] == [False, True, True, True, True]
    doses = section_doses(mdoc.sections)
    assert [dose.acquisition_order for dose in doses] == [0, 1, 2, 3, 4]
    assert [dose.accumulated_dose for dose in doses] == [0, 2.35936, None, None, None]
    by_rate = section_doses(mdoc.sections, dose_rate=2.0)
    assert by_rate[4].accumulated_dose == pytest.approx(2.35936 + 2 * (1.58 + 1.59 + 1.58))


def test_tables_with_windows_line_ends(shared):
    for path in sorted((shared / MAPS).rglob("*.csv")):
        data = path.read_bytes()
        assert (b"\r\n" in data) == (path.parent.name != "run_data_map" or b"\r" in data)
        with_header = path.parent.name == "run_data_map"
        table = read_run_map(data, path.name).rows if with_header else read_pair_map(data, path.name).values
        assert table
        assert not any("\r" in str(row) for row in table.items())
