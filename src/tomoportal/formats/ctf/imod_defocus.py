"""IMOD's defocus files (`.defocus`), as its ctfplotter writes them: defocus in nanometres here, in Å in the result.

A file of version 3 starts with the line `FLAGS 0 0.0 0.0 0.0 3`; one of version 2 has the number 2 at the end of its
first row, and flags 0; older ones have no version. A row holds the first and last view of a range, their tilt angles,
the defocus (with astigmatism: defocus, second defocus, azimuth), then the phase shift and the cut-on frequency if the
flags say so. Format: https://bio3d.colorado.edu/imod/doc/man/ctfphaseflip.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntFlag
from itertools import chain

from tomoportal.errors import FormatError
from tomoportal.formats.ctf.section import (
    CtfSection,
    Row,
    column_count,
    finite,
    gathered,
    rows,
    section_number,
)
from tomoportal.formats.text import line_error, number, shortened

VERSIONS = (2, 3)
_ANGSTROM = 10.0
"""Å in a nanometre."""
_RANGE = 4
"""Columns before the defocus."""


class Flags(IntFlag):
    """What the first number of a file of version 3 is the sum of."""

    ASTIGMATISM = 1
    AZIMUTH_IN_RADIANS = 2
    PHASE_SHIFT = 4
    PHASE_IN_RADIANS = 8
    INVERTED_ANGLES = 16
    CUT_ON = 32


def read_imod_defocus(data: bytes, name: str) -> tuple[CtfSection, ...]:
    """The estimates in order of the sections.

    A row stands for the view in the middle of its range, the first of two, where ctfphaseflip puts it; the views
    between the middles, for which ctfphaseflip interpolates, get no estimate. The tilt angles and the cut-on frequency
    are not taken. Raises `FormatError` when a view is 0: such files count from 0 or are one off, and do not tell which.
    """
    lines = rows(data, name)
    first = next(lines, None)
    if first is None:
        raise FormatError(name, "there is no estimate in this file; expected a row of numbers for each view.")
    if _is_header(first[1]):
        _version(first[1][5], name, first[0])
        flags = _flags(first[1][0], name, first[0])
    else:
        flags = Flags(0)
        lines = chain([_without_version(first, name)], lines)
    return gathered(lines, _Parser(flags, name).section, name)


@dataclass(frozen=True)
class _Parser:
    flags: Flags
    name: str

    def section(self, words: list[str], line: int) -> CtfSection:
        astigmatic = Flags.ASTIGMATISM in self.flags
        payload = self._payload(words, line)
        major = payload[0] * _ANGSTROM
        azimuth, phase = 0.0, 0.0
        if astigmatic:
            azimuth = math.degrees(payload[2]) if Flags.AZIMUTH_IN_RADIANS in self.flags else payload[2]
        if Flags.PHASE_SHIFT in self.flags:
            written = payload[3 if astigmatic else 1]
            phase = written if Flags.PHASE_IN_RADIANS in self.flags else math.radians(written)
        minor = payload[1] * _ANGSTROM if astigmatic else major
        return CtfSection(self._view(words, line), major, minor, azimuth, phase)

    def _payload(self, words: list[str], line: int) -> list[float]:
        columns = ["defocus (nm)"]
        if Flags.ASTIGMATISM in self.flags:
            columns += ["second defocus (nm)", "azimuth"]
        columns += ["phase shift"] if Flags.PHASE_SHIFT in self.flags else []
        columns += ["cut-on frequency"] if Flags.CUT_ON in self.flags else []
        meaning = ", ".join(["first view, last view, first angle, last angle", *columns])
        meaning += f" (flags {int(self.flags)})"
        column_count(words, (_RANGE + len(columns),), self.name, line, meaning)
        for word in words[2:_RANGE]:
            finite(word, "tilt angle", self.name, line)
        return [
            finite(word, what, self.name, line) for word, what in zip(words[_RANGE:], columns, strict=True)
        ]

    def _view(self, words: list[str], line: int) -> int:
        if 0 in (number(words[0]), number(words[1])):
            message = "this row names view 0; expected views that count from 1. Files of old IMOD versions are one off."
            raise line_error(
                self.name, line, message, "Open the file in a newer ctfplotter and save it again."
            )
        first, last = (section_number(word, self.name, line) for word in words[:2])
        if last < first:
            raise line_error(self.name, line, f"the range of views {first} to {last} runs backwards.")
        return (first + last) // 2


def _is_header(words: list[str]) -> bool:
    return len(words) >= _RANGE + 2 and all(number(word) == 0 for word in words[1:5])


def _without_version(row: Row, name: str) -> Row:
    """The first row of a file without a header; of version 2, one number longer than the others."""
    line, words = row
    if len(words) == _RANGE + 2:
        _version(words[-1], name, line)
        return line, words[:-1]
    return row


def _version(word: str, name: str, line: int) -> None:
    if number(word) not in VERSIONS:
        message = f"{shortened(word)} is not a version of defocus files; expected 2 or 3."
        raise line_error(name, line, message)


def _flags(word: str, name: str, line: int) -> Flags:
    value = number(word)
    if value is None or value != int(value) or not 0 <= value <= sum(Flags):
        message = (
            f"{shortened(word)} is not a sum of the flags of a defocus file; expected 0 to {sum(Flags)}."
        )
        raise line_error(name, line, message)
    return Flags(int(value))
