"""What a movie or gain reference is, told from its bytes and not from its name: kind, size in pixels, number of images, and
whether the file is whole. Nothing is decoded.

Takes a function that reads byte ranges. Files wrapped in gzip or bzip2 are looked into as far as their first megabyte; whether
they are whole cannot be told without unwrapping all of it. EER is TIFF with compressions of its own (65000 to 65002, Thermo Fisher
Scientific); EPU's `.gain` is TIFF.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from tomoportal.errors import FormatError
from tomoportal.formats.dm import dm_head
from tomoportal.formats.dm_tags import MAGIC as DM_MAGIC
from tomoportal.formats.mrc_header import HEADER_SIZE, MrcHeader, decode_header
from tomoportal.formats.tiff_pages import MAGIC, ReadRange, TiffPage, tiff_pages

WRAPPINGS = {b"\x1f\x8b": "gz", b"BZ": "bz2"}
UNKNOWN = "unknown"
_WRAPPED_HEAD = 1 << 20
_EER = range(65000, 65003)
_BITS = {0: 8, 1: 16, 2: 32, 3: 32, 4: 64, 6: 16, 12: 16, 101: 4}
"""MRC mode → bits a pixel; rows fill whole bytes."""
_TEXT = frozenset(b"\t\n\r\f") | frozenset(range(32, 127))
ENDINGS = {
    "tiff": ("tif", "tiff", "gain"),
    "eer": ("eer", "gain"),
    "mrc": ("mrc", "mrcs", "st", "raw", "gain", "map"),
    "dm3": ("dm3",),
    "dm4": ("dm4",),
}
"""Kind → endings of names that promise it."""


@dataclass(frozen=True, slots=True)
class ImageHead:
    """`kind`: tiff, eer, mrc, dm3, dm4 or unknown; `wrapping`: gz, bz2 or nothing; sizes in pixels, None where the head does not tell."""

    kind: str
    wrapping: str = ""
    width: int | None = None
    height: int | None = None
    images: int | None = None

    @property
    def told(self) -> str:
        """The kind in words that follow `is`."""
        return "of no known kind" if self.kind == UNKNOWN else self.kind.upper()

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and rows."""
        return None if self.width is None or self.height is None else (self.width, self.height)


def image_head(read: ReadRange, size: int, name: str, *, whole: bool = True) -> ImageHead:
    """Look at a file of `size` bytes. Raises `FormatError` when it is empty, truncated, or text; other bytes are of an unknown kind, which
    may be that of a camera.

    Unless the `whole` file is to be looked at, only the first page of a TIFF is, which is enough for the size in pixels.
    """
    if not size:
        raise FormatError(name, "the file is empty.", "Copy it again.")
    start = read(0, 4)
    wrapping = next((word for magic, word in WRAPPINGS.items() if start.startswith(magic)), "")
    if wrapping:
        return _wrapped(read(0, _WRAPPED_HEAD), wrapping, name)
    if start in MAGIC:
        pages = tiff_pages(read, size, name)
        return _tiff(list(pages if whole else islice(pages, 1)), name)
    if start in DM_MAGIC:
        head = dm_head(read, size, name)
        return ImageHead(head.kind, "", head.shape[2], head.shape[1], head.shape[0])
    return _mrc(read(0, HEADER_SIZE), size, name, whole=whole)


def belies(name: str, head: ImageHead) -> str | None:
    """The ending of a file name that promises another kind than the file is (any ending, when what it is is not known); None when it keeps
    its promise or makes none."""
    plain = name.lower().removesuffix(".gz").removesuffix(".bz2")
    ending = plain.rpartition(".")[2]
    promising = any(ending in endings for endings in ENDINGS.values())
    if head.kind == UNKNOWN:
        return ending
    return ending if promising and ending not in ENDINGS[head.kind] else None


def _tiff(pages: list[TiffPage], name: str) -> ImageHead:
    sizes = {(page.width, page.height) for page in pages if page.compression in _EER} or {
        (page.width, page.height) for page in pages
    }
    if len(sizes) > 1:
        words = " and ".join(f"{width} × {height}" for width, height in sorted(sizes)[:2])
        raise FormatError(name, f"its pages differ in size: {words} pixels.", "Export it again.")
    ((width, height),) = sizes
    is_eer = any(page.compression in _EER for page in pages)
    return ImageHead("eer" if is_eer else "tiff", "", width, height, len(pages))


def _mrc(raw: bytes, size: int, name: str, *, whole: bool) -> ImageHead:
    if len(raw) < HEADER_SIZE:
        raise FormatError(
            name, f"the file has {size} bytes and is no TIFF, EER, MRC or DM image.", "Copy it again."
        )
    try:
        header, _ = decode_header(raw, size, name)
    except FormatError as error:
        if any(byte not in _TEXT for byte in raw):
            return ImageHead(UNKNOWN)
        raise FormatError(
            name, f"it is neither TIFF, EER nor DM but text (it starts with {raw[:4]!r}).", "Copy it again."
        ) from error
    columns, rows, images = header.size
    expected = HEADER_SIZE + _data_size(header)
    if whole and size < expected:
        message = f"the header promises {expected} bytes or more, but the file has {size}."
        raise FormatError(name, message, "It is truncated: copy it again.")
    return ImageHead("mrc", "", columns, rows, images)


def _data_size(header: MrcHeader) -> int:
    columns, rows, images = header.size
    return (columns * _BITS[header.mode] + 7) // 8 * rows * images


def _wrapped(data: bytes, wrapping: str, name: str) -> ImageHead:
    inner = _unwrapped(data, wrapping, name)
    if inner[:4] in MAGIC:
        return ImageHead("tiff", wrapping)
    if inner[:4] in DM_MAGIC:
        return ImageHead(DM_MAGIC[inner[:4]], wrapping)
    head = _mrc(inner[:HEADER_SIZE], 1 << 48, name, whole=False)
    return ImageHead(head.kind, wrapping, head.width, head.height, head.images)


def _unwrapped(data: bytes, wrapping: str, name: str) -> bytes:
    """The first bytes inside; a bound on the output keeps bombs small."""
    opened: dict[str, Callable[[], bytes]] = {
        "gz": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, HEADER_SIZE),
        "bz2": lambda: bz2.BZ2Decompressor().decompress(data, HEADER_SIZE),
    }
    try:
        return opened[wrapping]()
    except (OSError, ValueError, zlib.error) as error:
        raise FormatError(name, f"it cannot be unwrapped ({error}).", "Copy it again.") from error
