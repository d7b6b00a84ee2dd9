"""The pages of a TIFF or BigTIFF file: sizes, compression and where their data lie, without decoding any.

Takes a function that reads byte ranges, so that a file on a remote storage is not fetched for it. Format: TIFF 6.0 (Adobe 1992)
and the BigTIFF extension (64-bit offsets). tifffile needs the whole file and passes over chains that end early; here those are
the point.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tomoportal.errors import FormatError

ReadRange = Callable[[int, int], bytes]
"""(start, length) → bytes, fewer at the end of the file."""

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _COMPRESSION = 256, 257, 259
_OFFSETS, _COUNTS = (273, 324), (279, 325)
_WANTED = {_WIDTH, _HEIGHT, _COMPRESSION, *_OFFSETS, *_COUNTS}
_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_TAGS = 4096


@dataclass(frozen=True, slots=True)
class TiffPage:
    """One page: size in pixels, code of its compression, and the first byte behind its data."""

    width: int
    height: int
    compression: int
    end: int


@dataclass(frozen=True, slots=True)
class _Form:
    """How numbers and directories are written: `order` < or >; sizes of a directory's count, an entry, an offset."""

    order: str
    big: bool

    @property
    def offset(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def count(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))


def tiff_pages(read: ReadRange, size: int, name: str) -> Iterator[TiffPage]:
    """The pages of the file of `size` bytes, in order. Raises `FormatError` for what is no TIFF, for a chain of pages that leads
    out of the file or in a circle, and for a page without width, height or data."""
    read = _metered(read, size, name)
    head = read(0, 16)
    if head[:4] not in MAGIC:
        raise FormatError(name, f"this is no TIFF file: it starts with {head[:4]!r}.")
    form = _Form("<" if head[:2] == b"II" else ">", head[2:3] == b"+" or head[3:4] == b"+")
    place, where = (8, form.offset) if form.big else (4, form.offset)
    if len(head) < place + where.size:
        raise _truncated(name, 0, size)
    (at,) = where.unpack_from(head, place)
    seen: set[int] = set()
    while at:
        if at in seen:
            raise FormatError(name, f"page {len(seen) + 1} leads back to an earlier one.", "Export it again.")
        seen.add(at)
        tags, at = _directory(read, form, at, size, len(seen), name)
        yield _page(read, form, tags, size, len(seen), name)
    if not seen:
        raise FormatError(name, "there is no page in this TIFF file.", "Export it again.")


_Tags = dict[int, tuple[int, int, bytes]]


def _directory(read: ReadRange, form: _Form, at: int, size: int, page: int, name: str) -> tuple[_Tags, int]:
    """The wanted tags at `at` (tag → type, count, value or offset), and where the next directory is."""
    head = read(at, form.count.size) if at < size else b""
    if len(head) < form.count.size:
        raise _truncated(name, page, size)
    (count,) = form.count.unpack(head)
    if count > _MOST_TAGS:
        raise FormatError(name, f"page {page} claims {count} tags.", "The file is damaged; copy it again.")
    length = count * form.entry.size
    if at + form.count.size + length > size:
        raise _truncated(name, page, size)
    body = read(at + form.count.size, length + form.offset.size)
    if len(body) < length + form.offset.size:
        raise _truncated(name, page, size)
    tags = {tag: (kind, number, value) for tag, kind, number, value in form.entry.iter_unpack(body[:length])}
    return {tag: found for tag, found in tags.items() if tag in _WANTED}, form.offset.unpack(body[length:])[0]


def _page(read: ReadRange, form: _Form, tags: _Tags, size: int, page: int, name: str) -> TiffPage:
    def values(*codes: int) -> list[int]:
        found = next((tags[code] for code in codes if code in tags), None)
        return [] if found is None else _values(read, form, found, size, page, name)

    width, height = values(_WIDTH), values(_HEIGHT)
    offsets, counts = values(*_OFFSETS), values(*_COUNTS)
    if not width or not height or not offsets or len(offsets) != len(counts):
        raise FormatError(name, f"page {page} has no width, height or data.", "Export it again.")
    end = max(start + length for start, length in zip(offsets, counts, strict=True))
    if end > size:
        raise FormatError(
            name, f"the data of page {page} end at byte {end}, but the file has {size} bytes.",
            "It is truncated: copy it again.",
        )  # fmt: skip
    return TiffPage(width[0], height[0], (values(_COMPRESSION) or [1])[0], end)


def _values(
    read: ReadRange, form: _Form, tag: tuple[int, int, bytes], size: int, page: int, name: str
) -> list[int]:
    kind, count, value = tag
    if kind not in _TYPES:
        raise FormatError(name, f"page {page} has a tag of the type {kind}.", "Export it again.")
    item = struct.Struct(form.order + _TYPES[kind])
    length = count * item.size
    if length > len(value):
        (at,) = form.offset.unpack(value)
        value = read(at, length) if at + length <= size else b""
    if len(value) < length:
        raise _truncated(name, page, size)
    return [number for (number,) in item.iter_unpack(value[:length])]


def _metered(read: ReadRange, size: int, name: str) -> ReadRange:
    """`read`, for as long as no more is asked for than a file holds whose directories do not overlap."""
    left = 2 * size + _MOST_TAGS

    def reading(start: int, length: int) -> bytes:
        nonlocal left
        left -= length
        if left < 0:
            raise FormatError(name, "its directories overlap.", "The file is damaged; copy it again.")
        return read(start, length)

    return reading


def _truncated(name: str, page: int, size: int) -> FormatError:
    place = f"before page {page} is complete" if page else "in its header"
    return FormatError(name, f"the file ends after {size} bytes, {place}.", "It is truncated: copy it again.")
