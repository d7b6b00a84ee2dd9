"""Tilt angles as IMOD writes them (.rawtlt, .tlt, .xtilt): one angle in degrees on a line, in stack order.

Blanks around the number, CRLF, empty lines, a comma at the end of a line and comments after `#` are taken. Lists of
AreTomo and others have further columns (order of acquisition, dose): the angle is the first, the others are not
used. Everything else is refused, because a lost number shifts all angles after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tomoportal.errors import FormatError
from tomoportal.formats.text import line_error, number, shortened, text_lines

LARGEST_TILT = 90.0
"""Degrees, either way."""
MOST_COLUMNS = 3


def read_tilt_angles(data: bytes, name: str) -> tuple[float, ...]:
    """The angles in degrees, one per image of the stack.

    Raises `FormatError` with the line for what is no number or lies outside -90…90, for lines of unequal length, for
    several columns whose first seems to number the images, and for an empty file.
    """
    rows: list[list[float]] = []
    for count, text in enumerate(text_lines(data, name), start=1):
        text = text.partition("#")[0].strip().removesuffix(",").rstrip()
        if text:
            rows.append(_row(text, name, count))
            if len(rows[-1]) != len(rows[0]):
                message = f"this line has {len(rows[-1])} columns, the first has {len(rows[0])}."
                raise line_error(name, count, message, "Write one tilt angle in degrees on each line.")
    if not rows:
        raise FormatError(
            name, "there is no tilt angle in this file; expected one angle in degrees on each line."
        )
    angles = tuple(row[0] for row in rows)
    if len(rows[0]) > 1:
        _check_first_column(angles, name)
    return angles


def duplicate_angles(angles: Sequence[float], decimals: int = 2) -> dict[float, tuple[int, ...]]:
    """Angles that occur more than once after rounding, each with its positions (from 0)."""
    places: dict[float, list[int]] = {}
    for position, angle in enumerate(angles):
        places.setdefault(round(angle, decimals) + 0.0, []).append(position)
    return {angle: tuple(found) for angle, found in places.items() if len(found) > 1}


def _row(text: str, name: str, line: int) -> list[float]:
    words = text.split(maxsplit=MOST_COLUMNS)
    numbers = [value for value in map(number, words) if value is not None]
    if len(words) > MOST_COLUMNS or len(numbers) != len(words):
        raise line_error(
            name, line, f"{shortened(text)} is not a number; expected one tilt angle in degrees."
        )
    if abs(numbers[0]) > LARGEST_TILT:
        raise line_error(name, line, f"the tilt angle {numbers[0]:g} lies outside -90 to 90 degrees.")
    return numbers


def _check_first_column(angles: Sequence[float], name: str) -> None:
    """Of several columns the first must be the angle: not 1, 2, 3, …, and more than one line."""
    hint = "Write one tilt angle in degrees on each line."
    if len(angles) == 1:
        raise FormatError(
            name, "all numbers stand on one line, so that angles cannot be told from other columns.", hint
        )
    if angles[0] in (0, 1) and all(after - before == 1 for before, after in pairwise(angles)):
        message = f"the first of several columns counts from {angles[0]:g} to {angles[-1]:g}; expected angles there."
        raise FormatError(name, message, hint)
