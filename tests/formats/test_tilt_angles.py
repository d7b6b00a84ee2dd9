"""Tilt angle files, real and faulty."""

from __future__ import annotations

import numpy as np
import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.tilt_angles import duplicate_angles, read_tilt_angles


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("etspy/etspy/tests/test_data/HAADF.rawtlt", 77),
        ("alnfile/test_data/global_no_local.tlt", 61),
        ("cryoet-alignment/tests/data/convert/imod_1/tilt_1.xtilt", 59),
        ("pyseg/code/pyto/tomo/test/tomo_int16.tlt", 4),
        ("portal-backend/test_infra/test_files/input_bucket/10001_input/metadata/TS_run1.rawtlt", 4),
        ("portal-backend/test_infra/test_files/input_bucket/10001_input/alignments/TS_run1.tlt", 3),
        ("cylindra/cylindra_builtins/imod/tests/imod_test_projects/position_1/position_1.rawtlt", 5),
    ],
)
def test_real_files_agree_with_numpy(shared, path, count):
    angles = read_tilt_angles((shared / path).read_bytes(), path)
    assert len(angles) == count
    assert angles == tuple(np.loadtxt(shared / path))


@pytest.mark.parametrize(
    "data",
    [
        b" -3.0\r\n0\r\n\t3.00\r\n\r\n",
        b"-3\n0\n3",
        b"# deg\n-3,\n0,\n3,\n",
        b"\xef\xbb\xbf-3\n\n0\n3\n",
        b"-3 2\n0 1\n3 3\n",
        b"-3.00\t2  6.0\r\n0.00\t1  3.0 # first\r\n3.00\t3  9.0\r\n",
        "-3 # 3°\n0\n3".encode("utf-16"),
    ],
)
def test_ways_to_write_the_same_angles(data):
    assert read_tilt_angles(data, "x.rawtlt") == (-3.0, 0.0, 3.0)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "x.tlt: there is no tilt angle"),
        (b"\n\n", "x.tlt: there is no tilt angle"),
        (b"-3\nzero\n", "x.tlt, line 2: 'zero' is not a number"),
        (b"-3 0 3\n", "x.tlt: all numbers stand on one line"),
        (b"-6 -3 0 3\n", "x.tlt, line 1: '-6 -3 0 3' is not a number"),
        (b"1 -60\n2 -57\n3 -54\n", "x.tlt: the first of several columns counts from 1 to 3"),
        (b"0 -60\n1 -57\n", "x.tlt: the first of several columns counts from 0 to 1"),
        (b"-3 1\n0\n", "x.tlt, line 2: this line has 1 columns, the first has 2"),
        (b"-3 x\n", "x.tlt, line 1: '-3 x' is not a number"),
        (b"angle dose\n-3 1\n", "x.tlt, line 1: 'angle dose' is not a number"),
        (b"-3 nan\n0 1\n", "x.tlt, line 1: '-3 nan' is not a number"),
        (b"-60, -57, -54\n", "x.tlt, line 1: '-60, -57, -54' is not a number"),
        (b"1\nnan\n", "x.tlt, line 2: 'nan' is not a number"),
        (b"1,5\n", "x.tlt, line 1: '1,5' is not a number"),
        (b"-90\n90.5\n", "x.tlt, line 2: the tilt angle 90.5 lies outside -90 to 90"),
        (b"\0\0\1\2", "x.tlt: this is a binary file"),
    ],
)
def test_what_is_refused(data, sentence):
    with pytest.raises(FormatError) as caught:
        read_tilt_angles(data, "x.tlt")
    assert sentence in str(caught.value)


def test_duplicates_are_found_after_rounding():
    assert duplicate_angles((-3.0, 0.001, 3.0, -0.001, 3.004)) == {0.0: (1, 3), 3.0: (2, 4)}
    assert duplicate_angles((1.0, 1.01)) == {}
