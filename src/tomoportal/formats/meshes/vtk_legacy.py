"""VTK's legacy files (`.vtk`) of the dataset type POLYDATA, as text or binary, versions 1 to 5.1.

Format: "VTK File Formats" (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html), "Simple Legacy Formats". Binary
numbers are big-endian. Up to version 4.2 a cell list is `n, corner…` for each cell; from 5.1 on it is two arrays, OFFSETS and
CONNECTIVITY.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError
from tomoportal.formats.meshes.mesh import Mesh, checked, of_strips, triangles

_HEADER = re.compile(rb"# vtk DataFile Version (\d+)\.(\d+)[^\n]*\n[^\n]*\n\s*(ASCII|BINARY)\s")
_TYPES = {
    "char": "i1", "unsigned_char": "u1", "short": "i2", "unsigned_short": "u2", "int": "i4", "unsigned_int": "u4", "long": "i8",
    "unsigned_long": "u8", "float": "f4", "double": "f8", "vtkidtype": "i4", "vtktypeint64": "i8", "vtktypeuint64": "u8",
    "vtktypeint32": "i4", "vtktypeuint32": "u4",
}  # fmt: skip
_WORDS = 64


@dataclass(slots=True)
class _Cursor:
    """A place in the file, and how numbers are written there."""

    data: bytes
    name: str
    at: int
    is_text: bool

    def word(self) -> str:
        """The next word; empty at the end of the file."""
        match = re.compile(rb"\s*(\S{1,64})").match(self.data, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[1].decode("ascii", "replace")

    def count(self, what: str) -> int:
        """The next word as a number of things."""
        word = self.word()
        if not word.isdecimal() or int(word) > len(self.data):
            raise FormatError(self.name, f"found '{word}' as {what}; expected a number that fits this file.")
        return int(word)

    def numbers(self, count: int, type_name: str, what: str) -> NDArray[Any]:
        """The next `count` numbers of a VTK type."""
        code = _TYPES.get(type_name.lower())
        if code is None:
            raise FormatError(
                self.name,
                f"{what} have the type '{type_name}'; expected one of {', '.join(sorted(_TYPES))}.",
            )
        return self._text(count, code, what) if self.is_text else self._binary(count, code, what)

    def _text(self, count: int, code: str, what: str) -> NDArray[Any]:
        found: list[bytes] = []
        for match in re.compile(rb"\S+").finditer(self.data, self.at):
            if len(found) == count:
                break
            found.append(match[0])
            self.at = match.end()
        try:
            if len(found) == count:
                return np.array(found).astype(np.dtype(code)) if found else np.zeros(0, code)
        except ValueError as error:
            raise FormatError(self.name, f"among {what} stands text ({error}); expected numbers.") from None
        raise self._short(len(found), count, what)

    def _binary(self, count: int, code: str, what: str) -> NDArray[Any]:
        kind = np.dtype(">" + code)
        begin = (
            self.data.index(b"\n", self.at) + 1 if b"\n" in self.data[self.at : self.at + _WORDS] else self.at
        )
        end = begin + count * kind.itemsize
        if end > len(self.data):
            raise self._short((len(self.data) - begin) // kind.itemsize, count, what)
        self.at = end
        return np.frombuffer(self.data[begin:end], kind)

    def _short(self, found: int, count: int, what: str) -> FormatError:
        return FormatError(
            self.name,
            f"the file ends after {max(found, 0)} of {count} numbers of {what}.",
            "Is the copy complete?",
        )


def read_vtk_legacy(data: bytes, name: str) -> Mesh:
    """The polygons and triangle strips of a file, as triangles. Raises `FormatError`."""
    header = _HEADER.match(data)
    if header is None:
        raise FormatError(
            name, "the first lines are not those of a legacy VTK file ('# vtk DataFile Version …')."
        )
    cursor = _Cursor(data, name, header.end(), header[3] == b"ASCII")
    kind = [cursor.word(), cursor.word()]
    if kind != ["DATASET", "POLYDATA"]:
        raise FormatError(
            name,
            f"this file holds '{' '.join(kind)}'; expected DATASET POLYDATA.",
            "Export the surface as PolyData.",
        )
    has_offsets = (int(header[1]), int(header[2])) >= (5, 0)
    points: NDArray[Any] = np.zeros((0, 3))
    faces = [np.zeros((0, 3), np.int64)]
    for part, value in _parts(cursor, has_offsets):
        if part == "POINTS":
            points = value[0].reshape(-1, 3)
        elif part == "POLYGONS":
            faces.append(triangles(value[0], value[1]))
        elif part == "TRIANGLE_STRIPS":
            faces.append(of_strips(value[0], value[1]))
    return checked(points, np.concatenate(faces), name)


def _parts(cursor: _Cursor, has_offsets: bool) -> Iterator[tuple[str, tuple[NDArray[Any], ...]]]:
    """The geometry, up to where attributes begin."""
    while word := cursor.word():
        if word == "POINTS":
            count = cursor.count("the number of points")
            yield word, (cursor.numbers(3 * count, cursor.word(), "the points"),)
        elif word in ("VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS"):
            yield word, _cells(cursor, word.lower(), has_offsets)
        elif word == "METADATA":
            end = cursor.data.find(b"\n\n", cursor.at)
            cursor.at = len(cursor.data) if end < 0 else end
        elif word in ("CELL_DATA", "POINT_DATA", "FIELD"):
            return
        else:
            raise FormatError(
                cursor.name, f"found '{word}'; expected POINTS, POLYGONS or another part of a PolyData file."
            )


def _cells(cursor: _Cursor, what: str, has_offsets: bool) -> tuple[NDArray[Any], ...]:
    """Corners of all cells, and where each ends."""
    count, size = cursor.count(f"the number of {what}"), cursor.count(f"the size of {what}")
    if not has_offsets:
        return _listed(cursor.numbers(size, "int", what).astype(np.int64), count, what, cursor.name)
    found = []
    for title, length in (("OFFSETS", count), ("CONNECTIVITY", size)):
        if (word := cursor.word()) != title:
            raise FormatError(cursor.name, f"found '{word}' in {what}; expected {title}.")
        found.append(cursor.numbers(length, cursor.word(), what).astype(np.int64))
    ends, corners = found[0][1:], found[1]
    if len(ends) and ((np.diff(found[0]) < 0).any() or ends[-1] != len(corners) or found[0][0] != 0):
        raise FormatError(cursor.name, f"the offsets of {what} do not rise from 0 to {len(corners)}.")
    return corners, ends


def _listed(numbers: NDArray[np.int64], count: int, what: str, name: str) -> tuple[NDArray[np.int64], ...]:
    ends: list[int] = []
    at = 0
    keep = np.ones(len(numbers), bool)
    for _ in range(count):
        if at >= len(numbers) or numbers[at] < 0:
            raise FormatError(name, f"the list of {what} does not hold the {count} that it announces.")
        keep[at] = False
        at += int(numbers[at]) + 1
        ends.append(at - len(ends) - 1)
    if at != len(numbers):
        raise FormatError(name, f"{what} have {at} numbers; {len(numbers)} were announced.")
    return numbers[keep], np.array(ends, np.int64)
