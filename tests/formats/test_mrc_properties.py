"""Damaged MRC headers: a header with problems, or a sentence; never another exception, and no voxel outside the file."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError
from tomoportal.formats.mrc import open_mrc
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header

PORTAL = "portal-backend/test_infra/test_files/input_bucket"
SAMPLES = (
    f"{PORTAL}/sample_tomos/signed_ints.mrc", f"{PORTAL}/10001_input/metadata/TS_run1.st",
    f"{PORTAL}/20002/annotations/small_probability_map.mrc", "pyseg/code/pyto/tomo/test/tomo_int16.mrc",
    "sfftk/sfftk/test_data/segmentations/mergeable_1.map", "sfftk/sfftk/test_data/segmentations/test_data_corrupt_header.map",
    "tardis/tests/test_data/data_type/mrc2D.mrc",
)  # fmt: skip
INTEGERS = st.sampled_from((0, 1, -1, 2, 101, 1024, 2**24, 2**31 - 1, -(2**31)))
REALS = st.sampled_from((0.0, -1.0, 1e38, float("nan"), float("inf"), 1e-40))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "x.mrc"


@st.composite
def damaged(draw: st.DrawFn, sample: bytes) -> bytes:
    data = bytearray(sample)
    for _ in range(draw(st.integers(1, 4))):
        word = draw(st.integers(0, HEADER_SIZE // 4 - 1))
        order = draw(st.sampled_from("<>"))
        new = draw(
            st.one_of(
                INTEGERS.map(lambda value, order=order: struct.pack(f"{order}i", value)),
                REALS.map(lambda value, order=order: struct.pack(f"{order}f", value)),
                st.binary(min_size=4, max_size=4),
            )
        )
        data[4 * word : 4 * word + 4] = new
    return bytes(data[: draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(min_size=HEADER_SIZE, max_size=HEADER_SIZE), size=st.integers(HEADER_SIZE, 2**40))
def test_any_header(raw, size):
    try:
        header, problems = decode_header(raw, size, "x.mrc")
    except FormatError as error:
        assert error.where == "x.mrc"  # noqa: PT017
    else:
        assert min(header.size) > 0
        assert all(problem.file == "x.mrc" for problem in problems)


@settings(max_examples=200, deadline=None)
@given(choice=st.data())
def test_damaged_files(shared, scratch, choice):
    sample = (shared / choice.draw(st.sampled_from(SAMPLES))).read_bytes()
    scratch.write_bytes(choice.draw(damaged(sample)))
    try:
        volume = open_mrc(scratch, name="x.mrc")
    except FormatError as error:
        assert error.where == "x.mrc"  # noqa: PT017
        return
    everything = slice(None), slice(None), slice(None)
    assert np.asarray(volume.data[everything]).shape == volume.data.shape
    assert all(side is None or 0 < side < float("inf") for side in volume.voxel_size)


@pytest.mark.parametrize("path", SAMPLES)
def test_the_samples_are_what_the_test_takes_them_for(shared, path):
    if "corrupt" in path:
        with pytest.raises(FormatError):
            open_mrc(shared / path)
    else:
        assert open_mrc(shared / path).data.shape
