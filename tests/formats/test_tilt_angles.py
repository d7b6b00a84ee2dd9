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
        ("cylindra/cylindra_builtins/imod/tests/imod_test_projects/position_1/position_1.rawtlt", 5),
    ],
)
def test_real_files_agree_with_numpy(shared, path, count):
    angles = read_tilt_angles((shared / path).read_bytes(), path)
    assert len(angles) == count
    assert angles == tuple(np.loadtxt(shared / path))


@pytest.mark.parametrize(
    "data",
    [b" -3.0\r\n0\r\n\t3.00\r\n\r\n", b"-3\n0\n3", b"# deg\n-3,\n0,\n3,\n", b"\xef\xbb\xbf-3\n\n0\n3\n"],
)
def test_ways_to_write_the_same_angles(data):
    assert read_tilt_angles(data, "x.rawtlt") == (-3.0, 0.0, 3.0)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "x.tlt: there is no tilt angle"),
        (b"\n\n", "x.tlt: there is no tilt angle"),
        (b"-3\nzero\n", "x.tlt, line 2: 'zero' is not a number"),
        (b"-3 0 3\n", "x.tlt, line 1: '-3 0 3' is not a number"),
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
