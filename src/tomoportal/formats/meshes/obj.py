"""What an OBJ file's own lines must say, looked at before the mesh is read: readers take corner 0 for the last vertex."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tomoportal.errors import FormatError
from tomoportal.formats.text import shortened


def check_obj(data: bytes, name: str) -> None:
    """Raises `FormatError` for a vertex without three numbers, and for a corner that is no vertex of the file: vertices count from 1, or
    from -1 backwards."""
    vertices = 0
    later: list[tuple[int, int]] = []
    for line, (kind, *words) in _lines(data):
        if kind == b"v":
            vertices += 1
            _check_vertex(words, f"{name}, line {line}")
        elif kind == b"f":
            numbers = [_number(word, f"{name}, line {line}") for word in words]
            later += [
                (line, number) for number in numbers if number == 0 or not -vertices <= number <= vertices
            ]
    for line, number in later:
        if not 1 <= number <= vertices:
            raise FormatError(
                f"{name}, line {line}", f"this face has the corner {number}; the file has {vertices} vertices, counted from 1.",
                "Export the mesh again, or mend the numbers of the faces.",
            )  # fmt: skip


def without_comments(data: bytes) -> bytes:
    """The same file without what follows `#` in a line, which not every reader passes over."""
    return re.sub(rb"#[^\r\n]*", b"", data)


def _lines(data: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """(number, words) of every line that says something; a line that ends in a backslash goes on in the next."""
    begun: list[bytes] = []
    for number, text in enumerate(data.splitlines(), 1):
        goes_on = text.endswith(b"\\")
        begun += text.removesuffix(b"\\").split(b"#")[0].split()
        if begun and not goes_on:
            yield number, begun
            begun = []
    if begun:
        yield data.count(b"\n") + 1, begun


def _check_vertex(words: Sequence[bytes], where: str) -> None:
    try:
        coordinates = [float(word) for word in words]
    except ValueError:
        coordinates = []
    if len(coordinates) < 3:
        text = shortened(b" ".join(words).decode("ascii", "replace"))
        raise FormatError(where, f"this vertex is {text}; expected three numbers.", "Is the copy complete?")


def _number(word: bytes, where: str) -> int:
    try:
        return int(word.split(b"/")[0])
    except ValueError:
        text = shortened(word.decode("ascii", "replace"))
        message = f"this face has the corner {text}; expected the number of a vertex."
        raise FormatError(where, message, "Is the copy complete?") from None
