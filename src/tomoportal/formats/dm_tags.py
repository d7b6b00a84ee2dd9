"""The tag tree of Gatan DigitalMicrograph files, versions 3 and 4: which tags there are and where their values lie.

Takes a function that reads byte ranges, so that a file on a remote storage is not fetched for its header; pixel data are passed
over. Gatan does not publish the format: this follows the descriptions of C. B. Boothroyd ("Digital Micrograph file format") and
G. Jefferis, and ImageJ's "DM3 Image Format". Lengths and names are big-endian; values have the byte order that the header gives.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.formats.tiff_pages import ReadRange

MAGIC = {b"\0\0\0\x03": "dm3", b"\0\0\0\x04": "dm4"}
USHORT = 4
_SIMPLE = {2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "b", 11: "q", 12: "Q"}
"""Code of a type → letter of `struct`."""
_STRUCT, _STRING, _ARRAY = 15, 18, 20
_GROUP, _VALUE, _END = 20, 21, 0
_MOST_TAGS, _MOST_TYPES, _DEEPEST = 1 << 17, 1 << 12, 32
_WINDOW = 1 << 16
_SMALL = 512
"""Bytes of a value that is kept with its tag: numbers and names."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value in the tree: `count` elements of the type `code`, `size` bytes from `offset` on; one element that is no array has
    the count None. `data` is there when it is small. Tags without a name are called by their place in their group."""

    path: Path
    offset: int
    code: int
    count: int | None
    size: int
    data: bytes = b""


class DmTags:
    """The tags of one file. `kind` is dm3 or dm4, `order` the byte order of values, < or >."""

    def __init__(self, read: ReadRange, size: int, name: str) -> None:
        """Read the header. Raises `FormatError` for what is no DM3 or DM4 file."""
        self.name, self.size = name, size
        self._cursor = _Cursor(read, size, name)
        magic = self._cursor.take(4)
        if magic not in MAGIC:
            raise FormatError(name, f"this is no DM3 or DM4 file: it starts with {magic!r}.")
        self.kind = MAGIC[magic]
        self._long = struct.Struct(">Q" if self.kind == "dm4" else ">I")
        self._number()
        (little,) = struct.unpack(">I", self._cursor.take(4))
        self.order = "<" if little else ">"
        self._left = _MOST_TAGS

    def leaves(self) -> Iterator[Leaf]:
        """Every value, in the order of the file, to be gone through once. Raises `FormatError` where the tree is broken."""
        yield from self._group(())

    def number(self, leaf: Leaf) -> float | int | None:
        """A single number; None when `leaf` is something else."""
        if leaf.code not in _SIMPLE or leaf.count is not None:
            return None
        found: tuple[float | int] = struct.unpack(self.order + _SIMPLE[leaf.code], leaf.data)
        return found[0]

    def text(self, leaf: Leaf) -> str:
        """Text, which is stored as an array of UTF-16 units; empty when `leaf` is something else, or long."""
        if leaf.code != USHORT or leaf.count is None:
            return ""
        encoding = "utf-16-le" if self.order == "<" else "utf-16-be"
        return leaf.data.decode(encoding, "replace").rstrip("\0")

    def _number(self) -> int:
        (value,) = self._long.unpack(self._cursor.take(self._long.size))
        return int(value)

    def _group(self, path: Path) -> Iterator[Leaf]:
        if len(path) > _DEEPEST:
            raise self._broken(f"its tags are nested deeper than {_DEEPEST} levels")
        self._cursor.take(2)
        for place in range(self._number()):
            kind, length = struct.unpack(">BH", self._cursor.take(3))
            if kind == _END:
                return
            word = self._cursor.take(length).decode("latin-1") or str(place)
            yield from self._tag(kind, (*path, word))

    def _tag(self, kind: int, path: Path) -> Iterator[Leaf]:
        self._left -= 1
        if self._left < 0:
            raise self._broken(f"it has more than {_MOST_TAGS} tags")
        length = self._number() if self.kind == "dm4" else None
        start = self._cursor.at
        if kind == _GROUP:
            yield from self._group(path)
        elif kind == _VALUE:
            yield self._leaf(path)
        else:
            raise self._broken(f"the tag {'/'.join(path)} is of the kind {kind}; 20 or 21 was expected")
        if length is not None and self._cursor.at != start + length:
            raise self._broken(f"the tag {'/'.join(path)} has another length than it says")

    def _leaf(self, path: Path) -> Leaf:
        if self._cursor.take(4) != b"%%%%":
            raise self._broken(f"the tag {'/'.join(path)} does not begin with %%%%")
        count = self._number()
        if not 0 < count <= _MOST_TYPES:
            raise self._broken(f"the type of the tag {'/'.join(path)} takes {count} numbers")
        raw = self._cursor.take(count * self._long.size)
        types = [value for (value,) in self._long.iter_unpack(raw)]
        try:
            size, _ = _extent(types)
        except (IndexError, KeyError, RecursionError):
            raise self._broken(f"the tag {'/'.join(path)} has an unknown type {types[:4]}") from None
        code, number = (types[1], types[-1]) if types[0] == _ARRAY else (types[0], None)
        offset = self._cursor.at
        if size > _SMALL:
            self._cursor.skip(size)
            return Leaf(path, offset, code, number, size)
        return Leaf(path, offset, code, number, size, self._cursor.take(size))

    def _broken(self, what: str) -> FormatError:
        return FormatError(self.name, f"{what} (near byte {self._cursor.at}).", "The file is damaged: copy it again.")  # fmt: skip


def _extent(types: Sequence[int], at: int = 0) -> tuple[int, int]:
    """The bytes that a value of the type described from `at` on takes, and where the description ends."""
    code = types[at]
    if code == _STRUCT:
        total, at, fields = 0, at + 3, types[at + 2]
        if fields > len(types):
            raise IndexError
        for _ in range(fields):
            size, at = _extent(types, at + 1)
            total += size
        return total, at
    if code == _STRING:
        return types[at + 1], at + 2
    if code == _ARRAY:
        size, at = _extent(types, at + 1)
        return size * types[at], at + 1
    return struct.calcsize("=" + _SIMPLE[code]), at + 1


class _Cursor:
    """Reads on from place to place, a window at a time."""

    def __init__(self, read: ReadRange, size: int, name: str) -> None:
        self._read, self._size, self._name = read, size, name
        self.at, self._start, self._window = 0, 0, b""

    def take(self, length: int) -> bytes:
        self.skip(length)
        begin = self.at - length
        if not self._start <= begin <= self.at <= self._start + len(self._window):
            self._start, self._window = begin, self._read(begin, max(length, _WINDOW))
            if len(self._window) < length:
                raise self._short(begin + len(self._window))
        return self._window[begin - self._start : self.at - self._start]

    def skip(self, length: int) -> None:
        if self.at + length > self._size:
            raise self._short(self._size, self.at + length)
        self.at += length

    def _short(self, there: int, needed: int | None = None) -> FormatError:
        found = f"its tags need {needed or self.at} bytes or more, but the file has {there}."
        return FormatError(self._name, found, "It is truncated: copy it again.")
