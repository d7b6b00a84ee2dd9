"""CTF tables of Gctf: a row for each image, defocus in Å, phase shift in degrees.

Columns: image number, defocus U and V, azimuth, then the phase shift when there are seven columns, cross correlation,
resolution. Gctf's STAR file names micrographs instead of images of a stack, so it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from tomoportal.formats.ctf.section import (
    CtfSection,
    Row,
    column_count,
    finite,
    finite_or_none,
    gathered,
    rows,
    section_number,
    without_header,
)
from tomoportal.formats.text import line_error

COLUMNS = (6, 7)
_MEANING = "image, defocus U, defocus V (Å), azimuth (degrees), perhaps phase shift (degrees), cross correlation, resolution (Å)"


def read_gctf(data: bytes, name: str) -> tuple[CtfSection, ...]:
    """The estimates in order of the sections. Lines that start with `#`, `;` or `%` are left out, and a first line of
    words."""

    def parse(words: list[str], line: int) -> CtfSection:
        column_count(words, COLUMNS, name, line, _MEANING)
        phase = finite(words[4], "phase shift", name, line) if len(words) == 7 else 0.0
        return CtfSection(
            section_number(words[0], name, line),
            finite(words[1], "defocus", name, line),
            finite(words[2], "defocus", name, line),
            finite(words[3], "azimuth", name, line),
            math.radians(phase),
            finite_or_none(words[-2], "cross correlation", name, line),
            finite_or_none(words[-1], "resolution", name, line),
        )

    return gathered(without_header(_no_star(rows(data, name, "#;%"), name)), parse, name)


def _no_star(lines: Iterator[Row], name: str) -> Iterator[Row]:
    for line, words in lines:
        if words[0].startswith("data_"):
            message = "this is a STAR file; its rows name micrographs, and do not tell which image of the stack is meant."
            raise line_error(
                name, line, message, "Write a table with the image's number in the first column."
            )
        yield line, words
