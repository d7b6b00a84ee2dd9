"""What an estimation of the contrast transfer function says about one image, and the words of tables of such estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.formats.text import line_error, number, shortened, text_lines

Row = tuple[int, list[str]]
"""Line number (from 1) and words of a line that holds an estimate."""

LEAST_DEFOCUS = 100.0
"""Å. Images are taken thousands of Å from focus; a table that stays below this has another unit, or is no CTF table."""

_NOT_FINITE = ("nan", "inf", "infinity", "1.#inf", "1.#ind", "1.#qnan")


@dataclass(frozen=True, slots=True)
class CtfSection:
    """The estimate for one image of the stack; `section` counts from 1.

    Defocus in Å, underfocus positive; `astigmatic_angle`, the azimuth of the major defocus, in degrees; `phase_shift`
    (of a phase plate) in radians. None stands for what the program does not tell: `cross_correlation` and
    `max_resolution` (Å; the spacing up to which the rings were fitted) are None where the file has no such column, and
    where it says `inf` or `nan`, which programs write when no ring could be fitted.
    """

    section: int
    major_defocus: float
    minor_defocus: float
    astigmatic_angle: float
    phase_shift: float
    cross_correlation: float | None = None
    max_resolution: float | None = None


def rows(data: bytes, name: str, comments: str = "#") -> Iterator[Row]:
    """The lines that are neither empty nor start with one of the characters in `comments`."""
    for line, text in enumerate(text_lines(data, name), start=1):
        words = text.split()
        if words and words[0][0] not in comments:
            yield line, words


def without_header(lines: Iterator[Row]) -> Iterator[Row]:
    """`lines` without a first one that starts with a word instead of a number."""
    for position, (line, words) in enumerate(lines):
        if position or number(words[0]) is not None:
            yield line, words


def gathered(
    lines: Iterator[Row], parse: Callable[[list[str], int], CtfSection], name: str
) -> tuple[CtfSection, ...]:
    """One estimate of each line, in order of the sections. Raises `FormatError` for none, for a section twice, and when every
    defocus is below `LEAST_DEFOCUS`."""
    found: dict[int, tuple[CtfSection, int]] = {}
    for line, words in lines:
        section = parse(words, line)
        _, first = found.setdefault(section.section, (section, line))
        if first != line:
            message = f"section {section.section} stands here and in line {first}; expected one estimate for each image."
            raise line_error(
                name, line, message, "Number the rows by the image's place in the stack, from 1."
            )
    if not found:
        raise FormatError(
            name, "there is no estimate in this file; expected a row of numbers for each image of the stack."
        )
    sections = tuple(found[section][0] for section in sorted(found))
    _check_unit(sections, name)
    return sections


def _check_unit(sections: Sequence[CtfSection], name: str) -> None:
    smaller = [min(section.major_defocus, section.minor_defocus, key=abs) for section in sections]
    largest = max(smaller, key=abs)
    if abs(largest) < LEAST_DEFOCUS:
        message = f"the largest defocus is {largest:g} Å; expected thousands of Å."
        raise FormatError(name, message, "Is it in µm, or this a table of another kind?")


def column_count(words: Sequence[str], allowed: Sequence[int], name: str, line: int, meaning: str) -> None:
    """Raises `FormatError` when a row has another number of columns."""
    if len(words) not in allowed:
        expected = " or ".join(map(str, allowed))
        raise line_error(name, line, f"this line has {len(words)} columns; expected {expected}: {meaning}.")


def section_number(word: str, name: str, line: int) -> int:
    """The image that a row stands for: a whole number from 1, perhaps written `1.000000`."""
    value = number(word)
    if value is None or value < 1 or value != int(value):
        message = (
            f"{shortened(word)} is not the number of an image; expected a whole number that counts from 1."
        )
        raise line_error(name, line, message)
    return int(value)


def finite(word: str, what: str, name: str, line: int) -> float:
    """A number that must be there."""
    value = number(word)
    if value is None:
        raise line_error(name, line, f"the {what} {shortened(word)} is not a finite number.")
    return value


def finite_or_none(word: str, what: str, name: str, line: int) -> float | None:
    """A number, or None where the program wrote that it has none."""
    if word.lower().lstrip("+-") in _NOT_FINITE:
        return None
    return finite(word, what, name, line)
