"""The Range header, as RFC 9110 section 14 says: which bytes of a file are asked for. Pure."""

from __future__ import annotations

import re

Span = tuple[int, int]
"""First byte, and the one after the last."""

MOST_RANGES = 64
"""Whoever asks for more in one request gets the whole file, which is always allowed."""
GAP = 128
"""Ranges that lie closer than the head of a part is long are sent as one."""

_UNIT = re.compile(rb"bytes[ \t]*=[ \t]*", re.IGNORECASE)
_RANGE = re.compile(rb"(\d{0,40})[ \t]*-[ \t]*(\d{0,40})")
"""Longer numbers than any file needs are not taken: Python refuses to read very long ones."""


def asked_spans(value: bytes, size: int, *, several: bool) -> tuple[Span, ...] | None:
    """The parts that a Range header asks for of `size` bytes, in its order; what overlaps or almost touches is one part.

    Empty when all of it lies beyond the end. None when the whole is to be sent: for what is no range of bytes, for more than
    `MOST_RANGES`, and for more than one unless `several` may be answered.
    """
    unit = _UNIT.match(value)
    if unit is None:
        return None
    items = [item for part in value[unit.end() :].split(b",", MOST_RANGES) if (item := part.strip(b" \t"))]
    if not 0 < len(items) <= (MOST_RANGES if several else 1):
        return None
    spans: list[Span] = []
    for item in items:
        match = _RANGE.fullmatch(item)
        span = match and _span(match[1], match[2], size)
        if span is None:
            return None
        if span[0] < span[1]:
            spans.append(span)
    return _merged(spans) if len(spans) > 1 else tuple(spans)


def _span(first: bytes, last: bytes, size: int) -> Span | None:
    """Empty for what lies beyond the end; None for what is no range."""
    if not first:
        return (size - min(int(last), size), size) if last else None
    start = int(first)
    if not last:
        return start, max(start, size)
    end = int(last) + 1
    return (start, max(start, min(end, size))) if end > start else None


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    groups: list[list[int]] = []
    for place, (start, end) in sorted(enumerate(spans), key=lambda item: item[1]):
        if groups and start <= groups[-1][1] + GAP:
            groups[-1][1:] = max(end, groups[-1][1]), min(place, groups[-1][2])
        else:
            groups.append([start, end, place])
    groups.sort(key=lambda group: group[2])
    return tuple((start, end) for start, end, _ in groups)
