"""STAR files: real ones against the `starfile` library's reading, and broken ones."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import starfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError
from tomoportal.formats.star import read_star

SOUND = (
    "chlamy-annotations/10.1101-2024.12.28.630444/star/ps2.star",
    "chlamy-annotations/10.1126-science.ads8738/star/hsp60.star",
    "cylindra/cylindra_builtins/relion/tests/test_jobs/Refine3D/job_refine/run_it050_data.star",
    "cylindra/cylindra_builtins/relion/tests/test_jobs/Tomograms/job_tomo/tomograms.star",
    "dynamo2m/test_data/relion_star_downgrade/relion3.1.star",
    "portal-backend/test_infra/test_files/input_bucket/20002/annotations/relion_3_star.star",
    "portal-backend/test_infra/test_files/input_bucket/20002/annotations/stopgap_star.star",
    "starfile/tests/data/loop_double_quote.star",
    "starfile/tests/data/one_loop.star",
    "starfile/tests/data/postprocess.star",
    "starfile/tests/data/rln3.1_data_style.star",
    "starfile/tests/data/two_basic_blocks.star",
    "tiltstack/tests/test_data/motioncor_output/corrected_micrographs.star",
    "tomo-preprocessing/test_data/import/tilt_series/my_prefix_TS_01.star",
)


@pytest.mark.parametrize("path", SOUND)
def test_as_the_starfile_library(shared: Path, path: str) -> None:
    file = shared / path
    expected = starfile.read(file, always_dict=True)
    blocks = read_star(file.read_bytes(), file.name)
    assert list(blocks) == list(expected)
    for name, content in expected.items():
        block = blocks[name]
        if isinstance(content, dict):
            assert set(block.pairs) == set(content)
            continue
        assert list(block.labels) == list(content.columns)
        assert len(block) == len(content)
        for label in block.labels:
            if content[label].dtype.kind in "if" and not content[label].isna().any():
                assert np.array_equal(block.numbers([label])[:, 0], content[label].to_numpy(np.float64))
            elif content[label].dtype.kind not in "if":
                assert block.texts(label) == [str(value) for value in content[label]]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sfftk/sfftk/test_data/segmentations/test_data3.star", r"test_data3.star, line 9: 'loop_'.*mmCIF"),
        (
            "sfftk/sfftk/test_data/segmentations/test_data6.star",
            r"test_data6.star, line 28: .*second loop_.*mmCIF",
        ),
    ],
)
def test_real_files_of_another_kind(shared: Path, path: str, message: str) -> None:
    file = shared / path
    with pytest.raises(FormatError, match=message):
        read_star(file.read_bytes(), file.name)


TABLE = b"""# version 50001

data_particles

loop_
_rlnTomoName #1
_rlnCoordinateX #2
'TS 1'\t1.5
"TS 2" 2.5 # the second
TS_3   -3e2
"""


def test_quotes_comments_and_tabs() -> None:
    block = read_star(TABLE, "x.star")["particles"]
    numbers, (names,) = block.columns(["rlnCoordinateX"], ["rlnTomoName"])
    assert names == ["TS 1", "TS 2", "TS_3"]
    assert numbers[:, 0].tolist() == [1.5, 2.5, -300.0]
    assert [block.line_of(row) for row in range(3)] == [8, 9, 10]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b"-3e2", b"-3e2 7"), r"x.star, line 10: this row has 3 values; expected 2"),
        ((b"-3e2", b"nan"), r"x.star, line 10: _rlnCoordinateX is 'nan'; expected a finite number"),
        ((b"-3e2", b"three"), r"x.star, line 10: _rlnCoordinateX is 'three'"),
        ((b"-3e2", b"1_0"), r"x.star, line 10: _rlnCoordinateX is '1_0'"),
        ((b"#2\n", b"#2\nloop_\n"), r"x.star, line 8: .*second loop_"),
        ((b"data_particles", b"particles"), r"x.star, line 3: 'particles' stands before any block"),
    ],
)
def test_what_is_wrong_where(change: tuple[bytes, bytes], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_star(TABLE.replace(*change), "x.star")["particles"].numbers(["rlnCoordinateX"])


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(
        FormatError,
        match=r"x.star, line 3: block 'particles' has no column _rlnAngleRot; it has rlnTomoName, rlnCoordinateX",
    ):
        read_star(TABLE, "x.star")["particles"].numbers(["rlnAngleRot"])


def test_two_blocks_of_one_name() -> None:
    with pytest.raises(FormatError, match=r"line 11: this is the second block called 'particles'"):
        read_star(TABLE + TABLE[TABLE.index(b"data_") :], "x.star")


@pytest.mark.parametrize("data", [b"", b"\n\n# nothing\n", b"\x00\x01"])
def test_no_star_file(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_star(data, "x.star")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(TABLE)), st.binary(max_size=8), st.integers(0, 6))
def test_any_damage_gives_values_or_a_sentence(at: int, new: bytes, lost: int) -> None:
    try:
        for block in read_star(TABLE[:at] + new + TABLE[at + lost :], "x.star").values():
            for label in block.labels:
                block.texts(label)
                assert np.isfinite(block.numbers([label])).all()
    except FormatError as error:
        assert error.where.startswith("x.star")  # noqa: PT017


def test_memory_grows_as_the_file() -> None:
    row = b"TS_001 12.5\n"
    head = TABLE[: TABLE.index(b"'TS 1'")]
    peaks = []
    for count in (20_000, 80_000):
        data = head + row * count
        tracemalloc.start()
        read_star(data, "x.star")["particles"].columns(["rlnCoordinateX"], ["rlnTomoName"])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 5 * peaks[0]
