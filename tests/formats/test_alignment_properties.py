"""Every reader of alignments, on bytes that nobody would write: a value or a sentence, in time and memory that grow with the file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures_text import arbitrary, calls, damaged, endless_lines, memory, value_or_sentence
from tomoportal.formats.aretomo_alignment import read_aln
from tomoportal.formats.imod_alignment import read_imod_alignment
from tomoportal.formats.portal_alignment import read_portal_alignment
from tomoportal.formats.relion_alignment import read_relion_alignment
from tomoportal.formats.text import TextFile
from tomoportal.formats.warp_alignment import read_warp_alignment


def aln_rows(count):
    rows = "".join(f"{n} 84.7 1.0 1.5 -2 1 1 1 0 {n / count:.4f}\n" for n in range(1, count + 1) if n != 2)
    local = "# Local Alignment\n" + "".join(f"{n} 0 1 2 3 4 1.0\n" for n in range(count - 1))
    head = f"# AreTomo Alignment\n# RawSize = 4 5 {count}\n# NumPatches = 1\n# DarkFrame = 1 2 0.0\n# AlphaOffset = 1\n"
    return (head + rows + local).encode()


def star_rows(count):
    columns = ("NominalStageTiltAngle", "XTilt", "YTilt", "ZRot", "XShiftAngst", "YShiftAngst")
    head = "data_TS_1\n\nloop_\n" + "".join(
        f"_rlnTomo{name} #{n}\n" for n, name in enumerate(columns, start=1)
    )
    return (head + "".join(f"{n} 0 {n} 84.7 1.5 -2\n" for n in range(count))).encode()


def xml_rows(count):
    numbers = "\n".join(map(str, range(count)))
    lists = "".join(
        f"<{name}>{numbers}</{name}>" for name in ("Angles", "AxisAngle", "AxisOffsetX", "AxisOffsetY")
    )
    return f'<?xml version="1.0"?>\n<TiltSeries LevelAngleX="1">\n{lists}\n</TiltSeries>'.encode()


def json_rows(count):
    sections = [
        {"z_index": n, "tilt_angle": 1.5, "volume_x_rotation": 0, "in_plane_rotation": [[0, -1], [1, 0]], "x_offset": 1.5, "y_offset": 2}
        for n in range(count)
    ]  # fmt: skip
    return json.dumps({"per_section_alignment_parameters": sections, "offset_unit": "px"}, indent=1).encode()


def xf_rows(count):
    return b"  -0.1813379  -0.9834202   0.9834202  -0.1813379     -58.170      69.816\n" * count


def read_xf_and_tlt(data, name):
    tlt = b"1.5\n" * sum(bool(line.strip()) for line in data.replace(b"\r", b"\n").split(b"\n"))
    return read_imod_alignment(TextFile(data, name), TextFile(tlt or b"0", name))


READERS = {
    "aln": (lambda data, name: read_aln(TextFile(data, name)), aln_rows),
    "star": (
        lambda data, name: read_relion_alignment([TextFile(data, name)], "TS_1", range(5), (400, 600)),
        star_rows,
    ),
    "xml": (lambda data, name: read_warp_alignment(TextFile(data, name)), xml_rows),
    "json": (lambda data, name: read_portal_alignment(TextFile(data, name)), json_rows),
    "xf": (read_xf_and_tlt, xf_rows),
}
each = pytest.mark.parametrize("kind", READERS)


@each
@given(data=arbitrary)
@settings(max_examples=40, deadline=None)
def test_any_bytes(kind, data):
    value_or_sentence(READERS[kind][0], data)


@each
@given(draw=st.data())
@settings(max_examples=80, deadline=None)
def test_broken_copies(kind, draw):
    read, rows = READERS[kind]
    found = value_or_sentence(read, draw.draw(damaged(rows(5))))
    for section in found.sections if found else ():
        assert section.z_index >= 0


@each
def test_endless_lines(kind):
    for line in endless_lines():
        value_or_sentence(READERS[kind][0], line)


@each
def test_time_and_memory_grow_with_the_file(kind):
    read, rows = READERS[kind]
    small, large = rows(600), rows(4800)
    assert len(read(small, "x.txt").sections) < len(read(large, "x.txt").sections)
    assert calls(read, large) < 12 * calls(read, small)
    assert memory(read, large) < 12 * memory(read, small)
