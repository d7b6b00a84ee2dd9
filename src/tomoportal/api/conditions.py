"""Conditional and range requests on one representation, as RFC 9110 sections 13 and 14 say. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime

_ONE_RANGE = re.compile(rb"bytes\s*=\s*(\d{0,40})\s*-\s*(\d{0,40})\s*$", re.IGNORECASE)
"""Longer numbers than any file needs are not taken: Python refuses to read very long ones."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a client can compare: `tag` without quotation marks, `modified` in Unix seconds, `size` in bytes."""

    tag: str
    modified: float
    size: int

    @property
    def etag(self) -> str:
        """The ETag header."""
        return f'"{self.tag}"'

    @property
    def last_modified(self) -> str:
        """The Last-Modified header."""
        return formatdate(int(self.modified), usegmt=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to answer: `status` 200, 206, 304, 412 or 416, and the bytes `start` to `end` (exclusive)."""

    status: int
    start: int = 0
    end: int = 0


def wanted(headers: Mapping[bytes, bytes], version: Version) -> Wanted:
    """Decide about a GET or HEAD; header names are in lower case."""
    status = _precondition(headers, version)
    if status is not None:
        return Wanted(status)
    span = headers.get(b"range")
    if span is None or not _range_applies(headers.get(b"if-range"), version):
        return Wanted(200, 0, version.size)
    return _span(span, version.size)


def _precondition(headers: Mapping[bytes, bytes], version: Version) -> int | None:
    if (value := headers.get(b"if-match")) is not None:
        if not _names(value, version, weak=False):
            return 412
    elif (since := _date(headers.get(b"if-unmodified-since"))) is not None and int(version.modified) > since:
        return 412
    if (value := headers.get(b"if-none-match")) is not None:
        return 304 if _names(value, version, weak=True) else None
    if (since := _date(headers.get(b"if-modified-since"))) is not None and int(version.modified) <= since:
        return 304
    return None


def _names(value: bytes, version: Version, *, weak: bool) -> bool:
    """Whether a list of entity tags names this version. Bare tags, which some S3 clients send, are taken too."""
    for item in value.decode("latin-1").split(","):
        tag = item.strip()
        if tag.startswith("W/"):
            if not weak:
                continue
            tag = tag[2:]
        if tag == "*" or tag.strip('"') == version.tag:
            return True
    return False


def _range_applies(value: bytes | None, version: Version) -> bool:
    if value is None:
        return True
    text = value.decode("latin-1").strip()
    if text.startswith(('"', "W/")):
        return text == version.etag
    return _date(value) == int(version.modified)


def _date(value: bytes | None) -> float | None:
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value.decode("latin-1"))
    except (ValueError, TypeError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _span(value: bytes, size: int) -> Wanted:
    """One range; several, or what is no range of bytes, give the whole, which is always allowed."""
    match = _ONE_RANGE.match(value)
    if match is None or value.count(b",") or not (match[1] or match[2]):
        return Wanted(200, 0, size)
    if not match[1]:
        length = min(int(match[2]), size)
        return Wanted(206, size - length, size) if length else Wanted(416)
    start = int(match[1])
    end = int(match[2]) + 1 if match[2] else max(size, start + 1)
    if end <= start:
        return Wanted(200, 0, size)
    return Wanted(206, start, min(end, size)) if start < size else Wanted(416)
