"""Conditional and range requests on one representation, as RFC 9110 sections 13 and 14 say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from tomoportal.api.ranges import Span, asked_spans


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
        return _http_date(int(self.modified))


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


@dataclass(slots=True)
class Wanted:
    """What to answer: `status` 200, 206, 304, 412 or 416, and which bytes: one span for 200, one or more for 206, together
    `length` bytes."""

    status: int
    spans: tuple[Span, ...] = ()
    length: int = 0


def wanted(headers: Mapping[bytes, bytes], version: Version, *, several: bool = True) -> Wanted:
    """Decide about a GET or HEAD; header names are in lower case. `several`: whether more than one range may be answered."""
    status = _precondition(headers, version)
    if status is not None:
        return Wanted(status)
    asked = headers.get(b"range")
    if asked is None or not _range_applies(headers.get(b"if-range"), version):
        return Wanted(200, ((0, version.size),), version.size)
    spans = asked_spans(asked, version.size, several=several)
    if spans is None:
        return Wanted(200, ((0, version.size),), version.size)
    return Wanted(206, spans, sum(end - start for start, end in spans)) if spans else Wanted(416)


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
