"""Tables of points in, newline-delimited JSON out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tomoportal.errors import FormatError, UsageError
from tomoportal.formats.particles import (
    Particles,
    TableForm,
    header_problems,
    outside,
    read_ndjson,
    read_particles,
    to_ndjson,
)


def points_of(data, name="p.csv", *, columns="xyz", delimiter=",", header=False):
    form = TableForm(delimiter=delimiter, has_header=header, order=columns)
    return read_particles(data, name, "csv", form).of(None).positions


def lines_of(points):
    return to_ndjson(Particles("p", np.asarray(points, dtype=np.float64)))


def doubts(data, columns="xyz"):
    return header_problems(data, "p.csv", TableForm(has_header=True, order=columns))


ROWS = [[1.0, 2.0, 3.0], [4.5, -0.25, 6.0]]
SAMPLES = "portal-backend/test_infra/test_files/input_bucket/20002/annotations"


@pytest.mark.parametrize(("file", "header"), [("points.csv", False), ("points_with_header.csv", True)])
def test_real_files_agree_with_numpy(shared, file, header):
    path = shared / SAMPLES / file
    expected = np.loadtxt(path, delimiter=",", skiprows=int(header))
    points = points_of(path.read_bytes(), file, header=header)
    np.testing.assert_array_equal(points, expected)
    assert points.dtype == np.float64


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        (b"1,2,3\n4.5,-0.25,6\n", ","),
        (b"\xef\xbb\xbf1,2,3\r\n\r\n# second\r\n 4.5 , -0.25 , 6 , ribosome, 0.9\r\n", ","),
        (b'"1","2","3"\n"4.5","-2.5e-1","6"', ","),
        (b"  1  2   3\n4.5 \t -0.25 6  \n", " "),
        (b"1\t2\t3\n4.5\t-0.25\t6\t\n", "\t"),
        (b"1;2;3\n4.5;-0.25;6\n", ";"),
        ("1,2,3,µ\n4.5,-0.25,6,°\n".encode("latin-1"), ","),
    ],
)
def test_ways_to_write_the_same_points(data, delimiter):
    np.testing.assert_array_equal(points_of(data, "p.csv", delimiter=delimiter), ROWS)


def test_columns_in_the_order_of_arrays():
    points = points_of(b"3,2,1\n6,-0.25,4.5\n", "p.csv", columns="zyx")
    np.testing.assert_array_equal(points, ROWS)
    assert points.flags.c_contiguous


@pytest.mark.parametrize("header", [False, True])
def test_a_file_without_points(header):
    assert points_of(b"# none\n\n", "p.csv", header=header).shape == (0, 3)


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (b"x,y,z\n1,2,3\n", {}, "line 1: 'x, y, z' looks like a header"),
        (b"x,y,z\n1,2,3\n", {}, "file_format: csv_with_header"),
        (b"1,2,3\nx,y,z\n", {}, "line 2: 'x' is not a coordinate"),
        (b"1,2,3\n4,5,6\n", {"header": True}, "line 1: the first line holds numbers"),
        (b"1,2,3\n\n1,,3\n", {}, "line 3: '' is not a coordinate"),
        (b"1,2,3\n1,nan,3\n", {}, "line 2: 'nan' is not a coordinate"),
        (b"nan,nan,nan\n", {}, "line 1: 'nan' is not a coordinate"),
        (b"1,2,inf\n", {}, "line 1: 'inf' is not a coordinate"),
        (b"1,2,3\n1,2\n", {}, "line 2: this line has 2 columns separated by comma; expected at least three"),
        (b"1;2;3\n", {}, "seem to be separated by a semicolon"),
        (b"1\t2\t3\n", {}, "seem to be separated by a tab"),
        (b"1 2 3\n", {}, "seem to be separated by a space"),
        (b"1,2,3\n", {"delimiter": " "}, "seem to be separated by a comma"),
        (b"a,b,c\n1,2,x\n", {"header": True}, "line 2: 'x' is not a coordinate"),
        (b"\x89HDF\0\0", {}, "binary file"),
    ],
)
def test_what_is_refused(data, options, sentence):
    with pytest.raises(FormatError, match=r"^p\.csv") as caught:
        points_of(data, "p.csv", **options)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("options", [{"columns": "xzy"}, {"delimiter": ",,"}])
def test_options_that_make_no_sense(options):
    with pytest.raises(UsageError, match=r"p\.csv"):
        points_of(b"1,2,3\n", "p.csv", **options)


def test_a_header_in_another_order_is_told():
    (problem,) = doubts(b"Z,Y,X\n1,2,3\n")
    assert (problem.severity.value, problem.line) == ("warning", 1)
    assert "columns: zyx" in problem.hint
    assert doubts(b"z,y,x\n", columns="zyx") == ()
    assert doubts(b"a,b,c\n") == ()
    assert doubts(b"") == ()


def test_the_written_records():
    data = lines_of([[1, 2.5, -3], [0.1, 1e-7, 1e16]])
    assert data.startswith(b'{"type": "point", "location": {"x": 1.0, "y": 2.5, "z": -3.0}}\n')
    records = [json.loads(line) for line in data.decode().splitlines()]
    assert records[1] == {"type": "point", "location": {"x": 0.1, "y": 1e-7, "z": 1e16}}


def test_round_trip_is_exact():
    points = np.random.default_rng(1).normal(0, 1000, (500, 3))
    np.testing.assert_array_equal(read_ndjson(lines_of(points), "p.ndjson").of(None).positions, points)
    assert lines_of(np.zeros((0, 3))) == b""
    assert read_ndjson(b"", "p.ndjson").of(None).positions.shape == (0, 3)


@pytest.mark.parametrize(
    "line",
    [b"{}", b"[1]", b"text", b'{"location": {"x": 1, "y": 2}}', b'{"location": {"x": 1, "y": 2, "z": NaN}}'],
)
def test_faulty_records(line):
    good = b'{"type": "instancePoint", "location": {"x": 1, "y": 2, "z": 3}, "instance_id": 4}\n'
    np.testing.assert_array_equal(read_ndjson(good, "p.ndjson").of(None).positions, [[1, 2, 3]])
    with pytest.raises(FormatError, match=r"^p\.ndjson, line 2"):
        read_ndjson(good + line, "p.ndjson")


def test_points_outside_a_volume():
    points = np.array(
        [[-0.5, 0, 0], [-0.51, 0, 0], [29.5, 19.5, 9.5], [0, 0, 9.6], [30, 0, 0], [np.nan, 0, 0]]
    )
    assert outside(points, (10, 20, 30)).tolist() == [1, 3, 4, 5]
