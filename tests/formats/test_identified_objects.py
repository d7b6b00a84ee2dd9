"""Tables of identified objects: what is read, what is told, and that nothing else ever happens."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError
from tomoportal.formats.identified_objects import read_identified_objects

HEADER = "run_name,object_id,object_name,object_state"


def read(text: str | bytes):
    return read_identified_objects(text if isinstance(text, bytes) else text.encode(), "objects.csv")


@pytest.mark.parametrize(
    "data",
    [
        f"{HEADER}\nR1,GO:0005739,mitochondrion,dividing\n".encode(),
        b"\xef\xbb\xbf" + f'{HEADER}\r\n"R1","GO:0005739","mitochondrion","dividing"\r\n'.encode(),
        f"{HEADER}\nR1,GO:0005739,mitochondrion,dividing".replace(",", "\t").encode(),
        f"\n{HEADER}\n\nR1;GO:0005739;mitochondrion;dividing\n".replace(",", ";").encode("utf-16"),
    ],
    ids=["plain", "bom-crlf-quotes", "tabs", "semicolons-utf16"],
)
def test_the_dialects_of_spreadsheets(data: bytes) -> None:
    table = read(data)

    row = {"object_id": "GO:0005739", "object_name": "mitochondrion", "object_state": "dividing"}
    assert table.runs == {"R1": (row,)}
    assert table.columns == ("object_id", "object_name", "object_state")
    assert table.problems == ()


def test_other_columns_are_kept_and_empty_cells_are_not() -> None:
    table = read("object_name,colour,run_name,object_id\nribosome,,R1,GO:0022626\nactin,red,R1,GO:0005884\n")

    assert table.runs["R1"] == (
        {"object_name": "ribosome", "object_id": "GO:0022626"},
        {"object_name": "actin", "colour": "red", "object_id": "GO:0005884"},
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("R1,GO:57,mitochondrion,", "'GO:57'"),
        ("R1,,mitochondrion,", "no object_id"),
        ("R1,GO:0005739,,", "no object_name"),
        (",GO:0005739,mitochondrion,", "no run_name"),
        ("R1,GO:0005739,mito,chondrion,x", "5 cells"),
        ("R2,GO:0022626,polysome,", "for one run, with other values"),
    ],
)
def test_a_faulty_line_is_told_and_left_out(line: str, message: str) -> None:
    table = read(f"{HEADER}\nR2,GO:0022626,ribosome,\n{line}\n")

    (problem,) = table.problems
    assert message in problem.message
    assert (problem.file, problem.line, problem.severity) == ("objects.csv", 3, "error")
    assert table.runs == {"R2": ({"object_id": "GO:0022626", "object_name": "ribosome"},)}


def test_a_line_that_stands_twice_is_a_warning() -> None:
    table = read(f"{HEADER}\nR1,GO:0022626,ribosome,\nR1,GO:0022626,ribosome,\n")

    assert [problem.severity for problem in table.problems] == ["warning"]
    assert len(table.runs["R1"]) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no column run_name"),
        (b"tomo,object_id,object_name\n", "no column run_name"),
        (b"run_name,name\n", "no column object_id"),
        (b"run_name,object_id,object_name,object_id\n", "stands twice"),
        (b'run_name,object_id,object_name\nR1,"GO:0022626,ribosome\n', "cannot be read"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
    ],
)
def test_what_is_no_such_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(data)


@settings(max_examples=100, deadline=None)
@given(st.text() | st.text(st.sampled_from('run_name,object_id\n\r\t;"GO:0022626\0')))
def test_anything_is_read_or_refused(text: str) -> None:
    for head in ("", HEADER + "\n"):
        try:
            read(head + text.encode("utf-8", "replace").decode())
        except FormatError:
            continue


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(CELL, st.integers(0, 9999999), CELL), unique_by=lambda row: row[:2]))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, int, str]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["run_name", "object_id", "object_name"])
    writer.writerows((run, f"GO:{number:07}", name) for run, number, name in rows)

    table = read(stream.getvalue())

    assert table.problems == ()
    found = [
        (run, int(row["object_id"][3:]), row["object_name"]) for run in table.runs for row in table.runs[run]
    ]
    assert sorted(found) == sorted(rows)
