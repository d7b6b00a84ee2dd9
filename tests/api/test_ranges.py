"""Which bytes a Range header asks for, held against a slow reading of RFC 9110 section 14."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tomoportal.api.ranges import GAP, MOST_RANGES, asked_spans

ITEMS = st.one_of(
    st.builds("{}-{}".format, st.integers(0, 1200), st.integers(0, 1200)),
    st.builds("{}-".format, st.integers(0, 1200)),
    st.builds("-{}".format, st.integers(0, 1200)),
    st.sampled_from(["-", "", " ", "a-b", "5", "0x1-3", "1--2"]),
)
HEADERS = st.builds("bytes={}".format, st.lists(ITEMS, max_size=9).map(",".join))


def wanted_bytes(header: str, size: int) -> set[int] | None:
    """The numbers of the bytes asked for, one by one; None when the header is to be ignored."""
    chosen: set[int] = set()
    items = [item.strip() for item in header.removeprefix("bytes=").split(",") if item.strip()]
    for item in items:
        match = re.fullmatch("([0-9]*)-([0-9]*)", item)
        if match is None or not any(match.groups()):
            return None
        first, last = match.groups()
        if first and last and int(last) < int(first):
            return None
        if first:
            chosen |= {at for at in range(size) if int(first) <= at <= (int(last) if last else size)}
        else:
            chosen |= {at for at in range(size) if size - int(last) <= at}
    return chosen if items else None


@given(HEADERS, st.integers(0, 1000))
def test_every_byte_asked_for_and_little_else(header, size):
    spans, expected = asked_spans(header.encode(), size, several=True), wanted_bytes(header, size)
    if expected is None or spans is None:
        assert expected is None
        assert spans is None
        return
    got = [at for start, end in spans for at in range(start, end)]
    assert len(got) == len(set(got)), "a byte is sent twice"
    assert expected <= set(got) <= set(range(size))
    between = set(got) - expected
    assert all(
        any(at - step in expected for step in range(1, GAP + 1))
        and any(at + step in expected for step in range(1, GAP + 1))
        for at in between
    )


@given(HEADERS, st.integers(0, 1000))
def test_where_one_is_answered_only_one_is_taken(header, size):
    spans = asked_spans(header.encode(), size, several=False)
    assert spans is None or len(spans) <= 1


def test_parts_come_in_the_order_asked():
    assert asked_spans(b"bytes=900-909, 10-19,500-509", 1000, several=True) == (
        (900, 910),
        (10, 20),
        (500, 510),
    )
    assert asked_spans(b"bytes=900-909,10-19,905-919", 1000, several=True) == ((900, 920), (10, 20))


def test_bombs_are_not_answered_part_by_part():
    overlapping = b"bytes=" + b",".join([b"0-"] * MOST_RANGES)
    assert asked_spans(overlapping, 10**9, several=True) == ((0, 10**9),)
    scattered = b",".join(b"%d-%d" % (at * 1000, at * 1000) for at in range(MOST_RANGES + 1))
    assert asked_spans(b"bytes=" + scattered, 10**9, several=True) is None
    allowed = scattered.rpartition(b",")[0]
    assert len(asked_spans(b"bytes=" + allowed, 10**9, several=True) or ()) == MOST_RANGES
    assert asked_spans(b"bytes=" + b"," * 100_000 + b"1-2", 10, several=True) is None
    assert asked_spans(b"bytes=0-" + b"9" * 5000, 10, several=True) is None
