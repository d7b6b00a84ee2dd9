"""Bytes of an mdoc file → its sections with typed values, and in `problems` what had to be put up with."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tomoportal.errors import FormatError
from tomoportal.formats.mdoc.check import doubts
from tomoportal.formats.mdoc.dates import parse_date
from tomoportal.formats.mdoc.section import IMAGE_SECTIONS, Mdoc, MdocSection
from tomoportal.formats.text import clipped, line_error, number, shortened, text_lines
from tomoportal.problems import Problem, Severity

_KINDS = {kind.lower(): kind for kind in (*IMAGE_SECTIONS, "MontSection")}
_OTHER = "other"
"""A section of a kind that is not known."""
_TILT_AXIS = re.compile(r"tilt\s*axis\s*angle\s*=\s*([^\s,;\]]+)", re.IGNORECASE)
_BINNING = re.compile(r"\bbinning\s*=\s*([^\s,;\]]+)", re.IGNORECASE)
_SECTION_NUMBER = re.compile(r"[-+]?\d{1,9}", re.ASCII)
_TILT_AXIS_BELOW_ROTATION = 90.0
"""The tilt axis angle that SerialEM prints is its RotationAngle (of the stage axes) minus 90 degrees."""
_LARGEST_WHOLE = 2**31
_CODES = {"DateTime": "date"}
_T = TypeVar("_T")


@dataclass
class _Block:
    """The lines of one section while the file is being read."""

    kind: str
    z_value: int
    line: int
    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def read_mdoc(data: bytes, name: str) -> Mdoc:
    """Parse a file. Raises `FormatError` when it is no text, has no section, or a tilt angle is no number."""
    reader = _Reader(name)
    for count, line in enumerate(text_lines(data, name), start=1):
        reader.take(line.strip(), count)
    return reader.result()


class _Reader:
    """Gathers the lines of one file into blocks and the findings about them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.titles: list[str] = []
        self.blocks = [_Block("", -1, 1)]
        self.problems: list[Problem] = []

    def take(self, line: str, count: int) -> None:
        key, equals, value = (part.strip() for part in line.partition("="))
        if line.startswith("["):
            self._bracketed(line[1:].removesuffix("]"), count)
        elif equals and key == "T":
            self.titles.append(value)
        elif equals:
            self._set(key, value, count)
        elif line:
            self._left_out(line, count)

    def result(self) -> Mdoc:
        head, *blocks = self.blocks
        sections = [self._section(block) for block in blocks if block.kind != _OTHER]
        images = tuple(section for section in sections if section.kind in IMAGE_SECTIONS)
        if not images:
            raise FormatError(
                self.name,
                "there is no section in this file; expected '[ZValue = 0]' and so on.",
                "Is it an mdoc?",
            )
        self.problems += doubts(images, self.name)
        return Mdoc(
            self.name,
            tuple(self.titles),
            images,
            tuple(section for section in sections if section.kind not in IMAGE_SECTIONS),
            self._tilt_axis(head, images),
            self._number(head, "Voltage") or _agreed([number(s.values.get("Voltage", "")) for s in images]),
            self._number(head, "PixelSpacing") or _agreed([s.pixel_spacing for s in images]),
            head.values.get("ImageFile"),
            self._number(head, "Magnification") or _agreed([s.magnification for s in images]),
            self._from_titles(_BINNING) or _agreed([s.binning for s in images]),
            self._parsed(head, "ImageSize", _two, "two whole numbers"),
            head.values,
            tuple(self.problems),
        )

    def warn(self, code: str, message: str, line: int | None = None, hint: str = "") -> None:
        self.problems.append(Problem(code, message, Severity.WARNING, self.name, line, hint=hint))

    def _left_out(self, line: str, count: int) -> None:
        message = f"{shortened(line)} is neither 'key = value' nor a section; it is left out"
        self.warn("mdoc-line", message, count)

    def _bracketed(self, inner: str, count: int) -> None:
        key, equals, value = (part.strip() for part in inner.partition("="))
        word = key.partition(" ")[0].lower()
        if equals and key == "T":
            self.titles.append(value)
        elif word in _KINDS:
            self._open(word, value if key.lower() == word else key, count)
        elif equals:
            message = f"{shortened(key)} is not a kind of section; expected ZValue or FrameSet"
            self.warn("mdoc-section", message, count, "It is left out with the lines below it.")
            self.blocks.append(_Block(_OTHER, -1, count))
        else:
            self._left_out(f"[{inner}", count)

    def _open(self, word: str, text: str, count: int) -> None:
        if not _SECTION_NUMBER.fullmatch(text):
            message = f"{shortened(text)} is not a section number; expected an integer, as in '[ZValue = 0]'."
            raise line_error(self.name, count, message)
        self.blocks.append(_Block(_KINDS[word], int(text), count))

    def _set(self, key: str, value: str, count: int) -> None:
        block = self.blocks[-1]
        if block.values.get(key, value) != value:
            self.warn(
                "mdoc-repeated-key",
                f"{clipped(key)} stands twice in one section; the last value is taken",
                count,
            )
        block.values[key] = value
        block.lines[key] = count

    def _section(self, block: _Block) -> MdocSection:
        text = block.values.get("TiltAngle", "")
        if text and number(text) is None:
            message = f"the tilt angle {shortened(text)} is not a number."
            raise line_error(self.name, block.lines["TiltAngle"], message)
        return MdocSection(
            block.kind,
            block.z_value,
            block.line,
            tilt_angle=number(text),
            exposure_dose=self._number(block, "ExposureDose"),
            exposure_time=self._number(block, "ExposureTime"),
            prior_record_dose=self._number(block, "PriorRecordDose"),
            num_sub_frames=self._whole(block, "NumSubFrames"),
            sub_frame_path=block.values.get("SubFramePath") or None,
            date_time=self._parsed(block, "DateTime", parse_date, "a date such as 30-Nov-15  15:21:38"),
            pixel_spacing=self._number(block, "PixelSpacing"),
            rotation_angle=self._number(block, "RotationAngle"),
            magnification=self._number(block, "Magnification"),
            binning=self._number(block, "Binning"),
            defocus=self._number(block, "Defocus"),
            piece=self._parsed(block, "PieceCoordinates", _three, "three whole numbers"),
            values=block.values,
        )

    def _parsed(self, block: _Block, key: str, parse: Callable[[str], _T | None], expected: str) -> _T | None:
        """The value of a key, None when it is absent or, with a warning, is not what was expected."""
        text = block.values.get(key, "")
        value = parse(text)
        if text and value is None:
            message = f"{key} is {shortened(text)}; expected {expected}; it is left out"
            self.warn(f"mdoc-{_CODES.get(key, 'number')}", message, block.lines[key])
        return value

    def _number(self, block: _Block, key: str) -> float | None:
        return self._parsed(block, key, number, "a number")

    def _whole(self, block: _Block, key: str) -> int | None:
        return self._parsed(block, key, _whole, "a whole number")

    def _from_titles(self, pattern: re.Pattern[str]) -> float | None:
        found = (pattern.search(title) for title in self.titles)
        return next((value for match in found if match and (value := number(match[1])) is not None), None)

    def _tilt_axis(self, head: _Block, sections: tuple[MdocSection, ...]) -> float | None:
        stated = self._from_titles(_TILT_AXIS)
        if stated is None:
            stated = self._number(head, "TiltAxisAngle")
        if stated is not None:
            return stated
        rotation = next((s.rotation_angle for s in sections if s.rotation_angle is not None), None)
        if rotation is None:
            return None
        axis = (rotation - _TILT_AXIS_BELOW_ROTATION + 180.0) % 360.0 - 180.0
        message = f"no title states the tilt axis; RotationAngle {rotation:g} minus 90 gives {axis:g} degrees"
        self.warn("mdoc-tilt-axis", message)
        return axis


def _whole(text: str) -> int | None:
    value = number(text)
    return int(value) if value is not None and value == int(value) and abs(value) < _LARGEST_WHOLE else None


def _wholes(text: str, count: int) -> tuple[int, ...] | None:
    values = tuple(_whole(word) for word in text.split(maxsplit=count))
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) == count else None


def _three(text: str) -> tuple[int, int, int] | None:
    found = _wholes(text, 3)
    return (found[0], found[1], found[2]) if found else None


def _two(text: str) -> tuple[int, int] | None:
    found = _wholes(text, 2)
    return (found[0], found[1]) if found else None


def _agreed(values: list[float | None]) -> float | None:
    """The value that all sections have which have any."""
    known = {value for value in values if value is not None}
    return known.pop() if len(known) == 1 else None
