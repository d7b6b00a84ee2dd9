"""Tilt angles as IMOD writes them (.rawtlt, .tlt, .xtilt): one angle in degrees on a line, in stack order.

Blanks around the number, CRLF, empty lines, a comma at the end of a line and comments after `#` are taken;
everything else that is not one number on a line is refused, because a lost number shifts all angles after
it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tomoportal.errors import FormatError
from tomoportal.formats.text import line_error, number, shortened, text_lines

LARGEST_TILT = 90.0
"""Degrees, either way."""


def read_tilt_angles(data: bytes, name: str) -> tuple[float, ...]:
    """The angles in degrees, one per image of the stack.

    Raises `FormatError` with the line for what is no number or lies outside -90…90, and for an empty file.
    """
    angles = []
    for count, text in enumerate(text_lines(data, name), start=1):
        text = text.partition("#")[0].strip().removesuffix(",").rstrip()
        if text:
            angles.append(_angle(text, name, count))
    if not angles:
        raise FormatError(
            name, "there is no tilt angle in this file; expected one angle in degrees on each line."
        )
    return tuple(angles)


def duplicate_angles(angles: Sequence[float], decimals: int = 2) -> dict[float, tuple[int, ...]]:
    """Angles that occur more than once after rounding, each with its positions (from 0)."""
    places: dict[float, list[int]] = {}
    for position, angle in enumerate(angles):
        places.setdefault(round(angle, decimals) + 0.0, []).append(position)
    return {angle: tuple(found) for angle, found in places.items() if len(found) > 1}


def _angle(text: str, name: str, line: int) -> float:
    angle = number(text)
    if angle is None:
        raise line_error(
            name, line, f"{shortened(text)} is not a number; expected one tilt angle in degrees."
        )
    if abs(angle) > LARGEST_TILT:
        raise line_error(name, line, f"the tilt angle {angle:g} lies outside -90 to 90 degrees.")
    return angle
