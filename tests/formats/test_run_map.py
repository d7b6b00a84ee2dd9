"""Tables of values for each run."""

from __future__ import annotations

import csv

import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.run_map import read_pair_map, read_run_map


def test_the_real_tables_agree_with_the_csv_module(shared):
    read = 0
    for path in sorted((shared / "configs").rglob("run_data_map*/**/*.[ct]sv")):
        delimiter = "\t" if path.suffix == ".tsv" else ","
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, delimiter=delimiter))
        if not rows or "run_name" not in rows[0]:
            continue
        table = read_run_map(path.read_bytes(), path.name, delimiter)
        assert table.problems == ()
        assert list(table.rows.values()) == [
            {key: value.strip() for key, value in row.items()} for row in rows
        ]
        read += 1
    assert read >= 9


def test_the_real_pairs(shared):
    paths = sorted((shared / "configs").rglob("run_frames_map/*.csv"))
    assert paths
    for path in paths:
        pairs = read_pair_map(path.read_bytes(), path.name)
        assert pairs.problems == ()
        assert len(pairs.values) == len(path.read_text().splitlines())


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        (b"run_name,dose\nTS_1,2.5\nTS_2,\n", ","),
        (b"\xef\xbb\xbfrun_name,dose\r\nTS_1, 2.5 \r\n\r\nTS_2,\r\n", ","),
        (b"run_name\tdose\nTS_1\t2.5\nTS_2\t\n", "\t"),
        (b'"run_name","dose"\n"TS_1","2.5"\n"TS_2",""', ","),
        (b"run_name,dose\nTS_1,2.5,,\nTS_2,,,\n", ","),
    ],
)
def test_ways_to_write_the_same_table(data, delimiter):
    table = read_run_map(data, "m.csv", delimiter)
    assert table.columns == ("run_name", "dose")
    assert table.rows == {
        "TS_1": {"run_name": "TS_1", "dose": "2.5"},
        "TS_2": {"run_name": "TS_2", "dose": ""},
    }
    assert table.problems == ()


def test_faulty_rows_are_told_with_their_lines():
    data = b"run_name,a,b\nR1,1,2\nR2,1\nR1,1,2\nR1,1,9\n,1,2\nR3,1,2,3\n"
    table = read_run_map(data, "m.csv")
    assert table.rows["R1"] == {"run_name": "R1", "a": "1", "b": "2"}
    assert table.rows["R2"] == {"run_name": "R2", "a": "1"}
    assert [(p.line, p.code, p.severity.value) for p in table.problems] == [
        (3, "run-map-cells", "error"),
        (4, "run-map-repeated", "warning"),
        (5, "run-map-repeated", "error"),
        (6, "run-map-no-run", "error"),
        (7, "run-map-cells", "error"),
    ]
    assert "in line 2" in table.problems[2].message


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the header has no column run_name; found nothing"),
        (b"name,dose\nR1,1\n", "found name, dose"),
        (b"run_name\tdose\nR1\t1\n", "the name of a file with tabs must end in tsv"),
        (
            b"run_name;vs;ps\nR1;1;2\n",
            "found run_name;vs;ps. Cells must be separated by commas, or by tabs in",
        ),
        (b"run_name,dose,dose\n", "the column dose stands twice"),
        (b'run_name,a\n"R1,1\n"' + b"x" * 200_000, "cannot be read as a table"),
        (b"PK\3\4\0\0", "binary file"),
    ],
)
def test_what_is_refused(data, sentence):
    with pytest.raises(FormatError, match=r"^m\.csv") as caught:
        read_run_map(data, "m.csv")
    assert sentence in str(caught.value)


def test_faulty_pairs():
    pairs = read_pair_map(b"R1,a\nR2\nR1,b\nR3,c,d\n", "m.csv")
    assert pairs.values == {"R1": "a", "R3": "c"}
    assert [problem.line for problem in pairs.problems] == [2, 3, 4]
