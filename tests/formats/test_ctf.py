"""CTF tables: real files against numpy, and every unit against tables computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tomoportal.config.sections import entry_shape
from tomoportal.errors import FormatError, UsageError
from tomoportal.formats.ctf import FORMATS, CtfSection, read_ctf

ARETOMO = "cryoet-alignment/tests/data/test_CTF.txt"
HANDED = "portal-backend/test_infra/test_files/input_bucket/10001_input/metadata/TS_run1_ctffind4.txt"
CTFFIND4 = b"""# Output from CTFFind version 4.1.14, run on 2023-02-02 15:13:07
# Input file: TS_1.mrc ; Number of micrographs: 2
# Pixel size: 1.000 Angstroms ; acceleration voltage: 300.0 keV
# Box size: 512 pixels
# Columns: #1 - micrograph number; #2 - defocus 1 [Angstroms]; #3 - defocus 2
1.000000 30000.500000 29000.000000 -45.500000 1.570796 0.125000 8.500000
2.000000 31000.000000 30000.000000 12.000000 0.000000 0.050000 inf
"""
PHASE_90 = 1.5707963267948966


@pytest.mark.parametrize("path", [ARETOMO, HANDED])
def test_real_tables_agree_with_numpy(shared, path):
    table = np.loadtxt(shared / path)
    sections = read_ctf((shared / path).read_bytes(), path, "CTFFIND")
    found = [
        (s.section, s.major_defocus, s.minor_defocus, s.astigmatic_angle, s.phase_shift, s.cross_correlation, s.max_resolution)
        for s in sections
    ]  # fmt: skip
    np.testing.assert_array_equal(found, table[:, :7])


def test_every_word_of_the_deposition_language_has_a_reader():
    scalar = entry_shape("ctfs").keys["metadata"].shape.keys["format"].shape
    assert sorted(scalar.words) == sorted(FORMATS)
    for word in FORMATS:
        with pytest.raises(FormatError, match=r"^x\.txt: there is no estimate"):
            read_ctf(b"\n", "x.txt", word.upper())


def test_an_unknown_word():
    with pytest.raises(UsageError, match="expected one of CTFFIND, Gctf, IMOD"):
        read_ctf(b"", "x.txt", "Warp")


def test_ctffind_by_hand():
    assert read_ctf(CTFFIND4, "x.txt", "ctffind") == (
        CtfSection(1, 30000.5, 29000.0, -45.5, 1.570796, 0.125, 8.5),
        CtfSection(2, 31000.0, 30000.0, 12.0, 0.0, 0.05, None),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"1 30000 29000 45 0 0.1 8\n2 1 2 3 0 nan inf",
        b"Columns: micrograph, defocus\r\n# more\r\n\r\n1 30000 29000 45 0 0.1 8\r\n2 1 2 3 0 -nan +inf\r\n",
        b"\xef\xbb\xbf1.000000 3e4 2.9e4 45.0 0.0 0.1 8.0 1\n#end\n2 1 2 3 0 1.#IND 1.#INF -1\n",
        b"# CTFFIND 5\n1 30000 29000 45 0 0.1 8 221.9 12.2 1619.7\n2 1 2 3 0 NaN Inf 0 0 0\n",
        b"2 1 2 3 0 nan inf\n1 30000 29000 45 0 0.1 8\n",
    ],
    ids=["bare", "header and crlf", "aretomo, mark", "ctffind 5", "other order"],
)
def test_ways_to_write_the_same_table(data):
    assert read_ctf(data, "x.txt", "CTFFIND") == (
        CtfSection(1, 30000, 29000, 45, 0, 0.1, 8),
        CtfSection(2, 1, 2, 3, 0, None, None),
    )


def test_gctf_by_hand():
    data = b"% a\n; b\n# c\n\n1 30000 29000 45 0.1 8\n2.000 30010 29010 -45 90 0.2 inf\n"
    assert read_ctf(data, "x.txt", "GCTF") == (
        CtfSection(1, 30000, 29000, 45, 0.0, 0.1, 8),
        CtfSection(2, 30010, 29010, -45, PHASE_90, 0.2, None),
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # one defocus: 4416.1 nm = 44161 Å, versions 2, none, 3
        (b"1 1 -60.0 -60.0 4416.1 2\n2\t2 -57 -57 4413\n", [(1, 44161, 44161, 0, 0), (2, 44130, 44130, 0, 0)]),
        (b"1 1 -60.0 -60.0 4416.1\n", [(1, 44161, 44161, 0, 0)]),
        (b"0 0 0. 0. 0. 3\n1 1 -60.0 -60.0 4416.1\n", [(1, 44161, 44161, 0, 0)]),
        # astigmatism, degrees; π/4 rad = 45 degrees
        (b"1 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 4356.5 51.26\n", [(1, 44161, 43565, 51.26, 0)]),
        (b"3 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 4356.5 0.7853981633974483\n", [(1, 44161, 43565, 45, 0)]),
        # phase shift, degrees and radians: 90 degrees = π/2 rad
        (b"4 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 90\n", [(1, 44161, 44161, 0, PHASE_90)]),
        (b"12 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 1.25\n", [(1, 44161, 44161, 0, 1.25)]),
        (b"5 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 4356.5 51.26 90\n", [(1, 44161, 43565, 51.26, PHASE_90)]),
        # angles to be inverted, and the cut-on frequency behind it all
        (b"16 0 0. 0. 0. 3\n1 1 60 60 4416.1\n", [(1, 44161, 44161, 0, 0)]),
        (b"32 0 0. 0. 0. 3\n1 1 60 60 4416.1 0.02\n", [(1, 44161, 44161, 0, 0)]),
        (b"63 0 0. 0. 0. 3\n1 1 60 60 4416.1 4356.5 0 1.25 0.02\n", [(1, 44161, 43565, 0, 1.25)]),
        # ranges stand for the view in their middle: 1…5 → 3, 5…6 → 5, 7…7 → 7; no other view has an estimate
        (
            b"7 7 0 0 4003\n1 5 -60 -48 4001\n5 6 -48 -45 4002\n",
            [(3, 40010, 40010, 0, 0), (5, 40020, 40020, 0, 0), (7, 40030, 40030, 0, 0)],
        ),
    ],
)  # fmt: skip
def test_imod_by_hand(data, expected):
    sections = read_ctf(data, "x.defocus", "IMOD")
    found = [
        (s.section, s.major_defocus, s.minor_defocus, s.astigmatic_angle, s.phase_shift) for s in sections
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert {(s.cross_correlation, s.max_resolution) for s in sections} == {(None, None)}


@pytest.mark.parametrize(
    ("format", "data", "sentence"),
    [
        ("CTFFIND", b"", "there is no estimate"),
        ("CTFFIND", b"# only comments\n", "there is no estimate"),
        ("CTFFIND", b"MRC\0\0", "binary file"),
        ("CTFFIND", b"PixelSpacing = 3\nVoltage = 300\n", "line 2: this line has 3 columns; expected 7 or 8 or 10"),
        ("CTFFIND", b"1 2 3 4 5 6\n", "line 1: this line has 6 columns"),
        ("CTFFIND", b"1 2 3 4 5 6 7\n\n1.5 2 3 4 5 6 7\n", "line 3: '1.5' is not the number of an image"),
        ("CTFFIND", b"0 2 3 4 5 6 7\n", "line 1: '0' is not the number of an image"),
        ("CTFFIND", b"-1 2 3 4 5 6 7\n", "line 1: '-1' is not the number of an image"),
        ("CTFFIND", b"1 nan 3 4 5 6 7\n", "line 1: the defocus 'nan' is not a finite number"),
        ("CTFFIND", b"1 2 3 x 5 6 7\n", "line 1: the azimuth 'x' is not a finite number"),
        ("CTFFIND", b"1 2 3 4 5 6 none\n", "line 1: the resolution 'none' is not a finite number"),
        ("CTFFIND", b"1 2 3 4 5 6 7\n1 2 3 4 5 6 7\n", "line 2: section 1 stands here and in line 1"),
        ("CTFFIND", b"1 2.5 2.4 45 0 0.1 8\n2 2.6 2.5 45 0 0.1 8\n", ": the largest defocus is 2.5 Å; expected thousands"),
        ("IMOD", b"1 1 -60 -60 4.4\n", ": the largest defocus is 44 Å"),
        ("Gctf", b"1 2 3 4 5\n", "line 1: this line has 5 columns; expected 6 or 7"),
        ("Gctf", b"1 2 3 4 5 6 7 8\n", "line 1: this line has 8 columns"),
        ("Gctf", b"1 2 3 4 inf 6 7\n", "line 1: the phase shift 'inf'"),
        ("Gctf", b"\ndata_\n\nloop_\n_rlnMicrographName #1\n", "line 2: this is a STAR file"),
        ("IMOD", b"0 0 -60 -60 4416 2\n1 1 -57 -57 4416\n", "line 1: this row names view 0"),
        ("IMOD", b"0 5 -60 -60 4416\n", "line 1: this row names view 0"),
        ("IMOD", b"5 1 -60 -60 4416\n", "line 1: the range of views 5 to 1 runs backwards"),
        ("IMOD", b"1 1 -60 -60 4416 1\n", "line 1: '1' is not a version"),
        ("IMOD", b"1 0 0. 0. 0. 4\n", "line 1: '4' is not a version"),
        ("IMOD", b"64 0 0. 0. 0. 3\n", "line 1: '64' is not a sum of the flags"),
        ("IMOD", b"-1 0 0. 0. 0. 3\n", "line 1: '-1' is not a sum of the flags"),
        ("IMOD", b"1 0 0. 0. 0. 3\n", "there is no estimate"),
        ("IMOD", b"1 0 0. 0. 0. 3\n1 1 -60 -60 4416\n", "line 2: this line has 5 columns; expected 7: first view"),
        ("IMOD", b"1 1 -60 -60 4416 2\n2 2 -57 -57 4416 2\n", "line 2: this line has 6 columns; expected 5"),
        ("IMOD", b"1 1 a -60 4416\n", "line 1: the tilt angle 'a'"),
        ("IMOD", b"1 1 -60 -60 4416\n1 2 -60 -57 4416\n", "line 2: section 1 stands here and in line 1"),
        ("IMOD", b"words\n", "line 1: this line has 1 columns"),
    ],
)  # fmt: skip
def test_what_is_refused(format, data, sentence):
    with pytest.raises(FormatError, match=r"^bad\.txt") as caught:
        read_ctf(data, "bad.txt", format)
    assert sentence in str(caught.value)
