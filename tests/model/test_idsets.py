from __future__ import annotations

import random
import re
import zlib
from base64 import urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomoportal.errors import UsageError
from tomoportal.model import idsets


@given(st.sets(st.integers(0, idsets.HIGHEST), max_size=300))
def test_what_is_written_is_read(ids):
    text = idsets.written(ids)
    assert idsets.read(text, "runs") == tuple(sorted(ids))
    assert re.fullmatch(r"[A-Za-z0-9_~-]*", text), "it stands in addresses and cookies as it is"


def test_people_can_read_and_write_it():
    assert idsets.written([25, 3, 1, 2]) == "1-3_25"
    assert idsets.read("RN-12, 1-3,RN-2_7", "runs") == (1, 2, 3, 7, 12)
    assert idsets.read("RN-1-3", "runs") == (1, 2, 3)


def test_what_a_filter_finds_among_many_runs_fits_into_a_cookie():
    """Of 500 datasets with 40 runs each some are chosen, and most of their runs."""
    chance = random.Random(1)
    datasets = chance.sample(range(500), 250)
    some = [1000 + 40 * dataset + run for dataset in datasets for run in range(40) if chance.random() < 0.9]
    text = idsets.written(some)
    assert text.startswith("~")
    assert len(text) < 2000
    assert idsets.read(text, "runs") == tuple(sorted(some))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x", "“x” is no number of runs; expected numbers and ranges such as 1-20_25."),
        ("1-", "“1-” is no number of runs"),
        ("٣", "is no number"),
        ("9" * 12, "is no number"),
        (str(2**31), "is no number"),
        ("20-1", "“20-1” is no range of runs: the lower number stands first."),
        ("1-2000000000", "more than 10,000 runs"),
        ("1-6000_10001-16000", "more than 10,000 runs"),
        ("_".join(["1-9999"] * 21), "Many runs are named again and again"),
        ("~", "damaged"),
        ("~!!", "damaged"),
        ("~eJxjYGB", "damaged"),
        ("~ü", "damaged"),
        ("~" + urlsafe_b64encode(zlib.compress(b"\xff" * 9)).decode().rstrip("="), "damaged"),
        ("~" + urlsafe_b64encode(zlib.compress(b"\xff\xff\xff\xff\x7f")).decode().rstrip("="), "damaged"),
        ("~" + urlsafe_b64encode(zlib.compress(b"\x01\x80")).decode().rstrip("="), "damaged"),
        ("~" + urlsafe_b64encode(zlib.compress(b"\1" * 10_001)).decode().rstrip("="), "more than 10,000"),
        ("~" + urlsafe_b64encode(zlib.compress(bytes(10**7), 9)).decode().rstrip("="), "more than 10,000"),
    ],
)  # fmt: skip
def test_everything_else_is_told(text, sentence):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        idsets.read(text, "runs")


@given(st.text(max_size=60) | st.text("~-_,0123456789eJxjA", max_size=60))
def test_nothing_else_is_raised(text):
    with suppress(UsageError):
        assert idsets.read(text, "runs") == idsets.read(idsets.written(idsets.read(text, "runs")), "runs")
