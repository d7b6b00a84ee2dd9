"""Bytes of a small text file → its lines, whatever wrote it.

Microscopes, Windows programs and spreadsheets leave byte order marks, CRLF line ends and Latin-1 degree
signs behind. `text_lines` takes all of them and refuses what is not text. It knows no format.
"""

from __future__ import annotations

import codecs
import math
from dataclasses import dataclass

from tomoportal.errors import FormatError


@dataclass(frozen=True, slots=True)
class TextFile:
    """The content of a file and the name that messages about it should give."""

    data: bytes
    name: str


def text_lines(data: bytes, name: str) -> list[str]:
    """The lines of a UTF-8, UTF-16 (with byte order mark) or Latin-1 file, without their line ends.

    Raises `FormatError` when the bytes hold NUL, which no text does.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    else:
        text = _decode(data)
    if "\0" in text:
        raise FormatError(
            name, "this is a binary file; expected text.", "Does the pattern name the right file?"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def number(text: str) -> float | None:
    """`text` as a finite number, or None when it is none (`nan` and `inf` are none)."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def line_error(name: str, line: int, message: str, hint: str = "") -> FormatError:
    """An error that points at a line (counted from 1)."""
    return FormatError(f"{name}, line {line}", message, hint)


def clipped(text: str, length: int = 60) -> str:
    """`text` for a message, cut when it is long."""
    text = text.strip()
    return text if len(text) <= length else text[: length - 1] + "…"


def shortened(text: str, length: int = 60) -> str:
    """`text` in quotes for a message, cut when it is long."""
    return f"'{clipped(text, length)}'"


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.removeprefix(codecs.BOM_UTF8).decode("latin-1")
