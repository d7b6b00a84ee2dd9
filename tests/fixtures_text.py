"""Damage to text files, for the tests of everything that reads text: any bytes, broken copies, endless lines, many rows.

A reader is called as `read(data, name)`. It must give a value or raise `FormatError` with a place in the file and a sentence.
"""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tomoportal.errors import FormatError

NAME = "x.txt"
LONG = 200_000
LONGEST_MESSAGE = 1500
Reader = Callable[[bytes, str], Any]

_WORDS = (
    b"", b"nan", b"-inf", b"1e400", b"1e308", b"-1e-308", b"9" * 400, b"9" * 5000, b"0x10", b"1_000", b"1,5", b"--1", b"1e", b"\xb0",
    "٣".encode(), "½".encode(), b"\xff\xfe", b"\x00", b"#", b"[", b"]", b"=", b"'", b'"', b"{", b"0", b"-1", b"2147483648",
)  # fmt: skip
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")

arbitrary = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.text("0123456789.,;-+ \t\r\n#[]=eTZ\"'_{}:nif", max_size=200).map(str.encode),
    st.text(max_size=60).map(lambda text: text.encode("utf-16")),
)
"""Bytes that are hardly ever a file of the kind in question."""


_PARTS = (
    b"x",
    b" ",
    b"1",
    b"1 ",
    b"1,",
    b"1\t",
    b"a=",
    b"[",
    b"{",
    b'"',
    b"-",
    b".",
    b"1-2,",
    b"#",
    b"data_ ",
)
_HEADS = (
    b"[T =", b"[ZValue =", b"DateTime =", b"TiltAngle = ", b"T = Tilt axis angle =", b"EXCLUDELIST ", b'{"location":',
    b"run_name,object_id,object_name,",
)  # fmt: skip


def endless_lines() -> Iterator[bytes]:
    """Lines of 200 kB on which careless expressions take for ever."""
    for part in _PARTS:
        yield (part * LONG)[:LONG]
    for head in _HEADS:
        for part in (b" ", b"9", b"[", b",", b"\t=", b"binning "):
            yield head + (part * LONG)[:LONG] + b"]x"


@st.composite
def damaged(draw: st.DrawFn, sample: bytes) -> bytes:
    """`sample` with up to four things done to it."""
    data = sample
    for _ in range(draw(st.integers(1, 4))):
        data = draw(st.sampled_from((_flipped, _relined, _renumbered, _cut)))(draw, data)
    return data


def _flipped(draw: st.DrawFn, data: bytes) -> bytes:
    at = draw(st.integers(0, len(data)))
    return data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 3)) :]


def _relined(draw: st.DrawFn, data: bytes) -> bytes:
    """A line dropped, doubled, moved to the front or cut; or another line end throughout."""
    lines = data.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    line = lines[at]
    kind = draw(st.sampled_from(("drop", "double", "move", "cut", "crlf", "cr")))
    if kind in ("crlf", "cr"):
        return data.replace(b"\n", b"\r\n" if kind == "crlf" else b"\r")
    new = {"drop": [], "double": [line, line], "move": [], "cut": [line[: len(line) // 2]]}[kind]
    front = [line] if kind == "move" else []
    return b"\n".join([*front, *lines[:at], *new, *lines[at + 1 :]])


def _renumbered(draw: st.DrawFn, data: bytes) -> bytes:
    """One number replaced by something that looks like one, or does not."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    match = draw(st.sampled_from(found))
    return data[: match.start()] + draw(st.sampled_from(_WORDS)) + data[match.end() :]


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: draw(st.integers(0, len(data)))]


def value_or_sentence(read: Reader, data: bytes) -> Any:
    """What `read` gives, None for a `FormatError` after a look at what it says. Everything else fails the test."""
    lines = len(re.split(rb"\r\n|\r|\n", data)) if b"\0" not in data else len(data)
    try:
        value, error = read(data, NAME), None
    except FormatError as caught:
        value, error = None, caught
    if error is not None:
        place = re.fullmatch(re.escape(NAME) + r"(?:, line (\d+)|, \w+(?:\[\d+\]| \d+))?", error.where)
        assert place, error.where
        assert not place[1] or 1 <= int(place[1]) <= lines
        assert error.message.rstrip().endswith((".", ".)")), error.message
        assert len(str(error)) < LONGEST_MESSAGE, (len(str(error)), str(error)[:200])
    for problem in getattr(value, "problems", ()):
        assert problem.line is None or 1 <= problem.line <= lines
        assert len(str(problem)) < LONGEST_MESSAGE
    return value


def memory(read: Reader, data: bytes) -> int:
    """The most bytes that were allocated at a time."""
    tracemalloc.start()
    try:
        read(data, NAME)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def calls(read: Reader, data: bytes) -> int:
    """How many functions were called, C functions included."""
    count = 0

    def profile(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        read(data, NAME)
    finally:
        sys.setprofile(before)
    return count
