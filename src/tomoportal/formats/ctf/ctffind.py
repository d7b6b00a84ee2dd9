"""CTF tables of CTFFIND 4 and 5 and AreTomo: a row for each image, defocus in Å, phase shift in radians.

Columns (as the files' own `# Columns:` line names them): image number, defocus 1 and 2, azimuth of astigmatism, phase
shift, cross correlation, spacing up to which rings were fitted; then perhaps AreTomo's handedness of the defocus (8
columns), or CTFFIND 5's tilt axis, tilt angle and thickness (10), which are not taken.
"""

from __future__ import annotations

from tomoportal.formats.ctf.section import (
    CtfSection,
    column_count,
    finite,
    finite_or_none,
    gathered,
    rows,
    section_number,
    without_header,
)

COLUMNS = (7, 8, 10)
_MEANING = "image, defocus 1, defocus 2 (Å), azimuth (degrees), phase shift (radians), cross correlation, resolution (Å)"


def read_ctffind(data: bytes, name: str) -> tuple[CtfSection, ...]:
    """The estimates in order of the sections. Lines that start with `#` are left out, and a first line of words."""

    def parse(words: list[str], line: int) -> CtfSection:
        column_count(words, COLUMNS, name, line, _MEANING)
        return CtfSection(
            section_number(words[0], name, line),
            finite(words[1], "defocus", name, line),
            finite(words[2], "defocus", name, line),
            finite(words[3], "azimuth", name, line),
            finite(words[4], "phase shift", name, line),
            finite_or_none(words[5], "cross correlation", name, line),
            finite_or_none(words[6], "resolution", name, line),
        )

    return gathered(without_header(rows(data, name)), parse, name)
