"""SerialEM's metadata files (.mdoc): what was recorded, at which angle, when, with how much dose.

Takes the bytes of one file, gives its sections in file order with typed values, and says in `problems` what
it had to put up with. Own parser, because files from the field hold what the mdocfile package refuses
(commas in lists of numbers, byte order marks). Format:
https://bio3d.colorado.edu/SerialEM/hlp/html/about_formats.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tomoportal.errors import FormatError
from tomoportal.formats.text import line_error, number, shortened, text_lines
from tomoportal.problems import Problem, Severity

IMAGE_SECTIONS = ("ZValue", "FrameSet")
"""Kinds of section that describe one recorded image; `MontSection` sums up a whole montage."""

_SECTION = re.compile(r"\[\s*(ZValue|FrameSet|MontSection)\s*=\s*([^\]]*?)\s*\]?\s*$", re.IGNORECASE)
_TITLE = re.compile(r"\[?\s*T\s*=\s*(.*?)\s*\]?\s*$")
_TILT_AXIS = re.compile(r"tilt\s+axis\s+angle\s*=\s*([-+]?\d*\.?\d+)", re.IGNORECASE)
_KINDS = {kind.lower(): kind for kind in (*IMAGE_SECTIONS, "MontSection")}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SERIALEM_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2}|\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})")
_TILT_AXIS_BELOW_ROTATION = 90.0
"""The tilt axis angle that SerialEM prints is its RotationAngle (of the stage axes) minus 90 degrees."""


@dataclass(frozen=True, slots=True)
class MdocSection:
    """One section: degrees, e⁻/Å² for doses, seconds, Å for the pixel spacing; None when not stated."""

    kind: str
    z_value: int
    line: int
    tilt_angle: float | None = None
    exposure_dose: float | None = None
    exposure_time: float | None = None
    prior_record_dose: float | None = None
    num_sub_frames: int | None = None
    sub_frame_path: str | None = None
    date_time: datetime | None = None
    pixel_spacing: float | None = None
    rotation_angle: float | None = None
    magnification: float | None = None
    defocus: float | None = None
    values: dict[str, str] = field(default_factory=dict, hash=False)
    """Every key as it stands in the file, also those above."""

    @property
    def frame_name(self) -> str | None:
        """The file name of the frames without the folders (Windows, UNC or POSIX) of the microscope's
        machine."""
        return re.split(r"[\\/]", self.sub_frame_path)[-1] or None if self.sub_frame_path else None


@dataclass(frozen=True, slots=True)
class Mdoc:
    """One file. `tilt_axis` in degrees, `voltage` in kV, `pixel_spacing` in Å; None when not stated."""

    name: str
    titles: tuple[str, ...]
    sections: tuple[MdocSection, ...]
    montages: tuple[MdocSection, ...]
    tilt_axis: float | None
    voltage: float | None
    pixel_spacing: float | None
    image_file: str | None
    values: dict[str, str] = field(default_factory=dict, hash=False)
    problems: tuple[Problem, ...] = ()


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
        if not line:
            return
        if found := _SECTION.match(line):
            self._open(found, count)
        elif found := _TITLE.match(line):
            self.titles.append(found[1])
        elif "=" in line and not line.startswith("["):
            key, _, value = line.partition("=")
            self._set(key.strip(), value.strip(), count)
        else:
            self.warn(
                "mdoc-line",
                f"{shortened(line)} is neither 'key = value' nor a section; it is left out",
                count,
            )

    def result(self) -> Mdoc:
        head, *blocks = self.blocks
        sections = [self._section(block) for block in blocks]
        images = tuple(section for section in sections if section.kind in IMAGE_SECTIONS)
        if not images:
            raise FormatError(
                self.name,
                "there is no section in this file; expected '[ZValue = 0]' and so on.",
                "Is it an mdoc?",
            )
        self._check_numbers(images)
        return Mdoc(
            self.name,
            tuple(self.titles),
            images,
            tuple(section for section in sections if section.kind not in IMAGE_SECTIONS),
            self._tilt_axis(images),
            self._number(head, "Voltage"),
            self._number(head, "PixelSpacing"),
            head.values.get("ImageFile"),
            head.values,
            tuple(self.problems),
        )

    def warn(self, code: str, message: str, line: int | None = None, hint: str = "") -> None:
        self.problems.append(Problem(code, message, Severity.WARNING, self.name, line, hint=hint))

    def _open(self, found: re.Match[str], count: int) -> None:
        if not re.fullmatch(r"[-+]?\d+", found[2]):
            raise line_error(
                self.name, count, f"{shortened(found[2])} is not a section number; expected an integer."
            )
        self.blocks.append(_Block(_KINDS[found[1].lower()], int(found[2]), count))

    def _set(self, key: str, value: str, count: int) -> None:
        block = self.blocks[-1]
        if block.values.get(key, value) != value:
            self.warn(
                "mdoc-repeated-key", f"{key} stands twice in one section; the last value is taken", count
            )
        block.values[key] = value
        block.lines[key] = count

    def _section(self, block: _Block) -> MdocSection:
        text = block.values.get("TiltAngle", "")
        if text and number(text) is None:
            raise line_error(
                self.name, block.lines["TiltAngle"], f"the tilt angle {shortened(text)} is not a number."
            )
        frames = self._number(block, "NumSubFrames")
        return MdocSection(
            block.kind,
            block.z_value,
            block.line,
            tilt_angle=number(text),
            exposure_dose=self._number(block, "ExposureDose"),
            exposure_time=self._number(block, "ExposureTime"),
            prior_record_dose=self._number(block, "PriorRecordDose"),
            num_sub_frames=None if frames is None else int(frames),
            sub_frame_path=block.values.get("SubFramePath") or None,
            date_time=self._date(block),
            pixel_spacing=self._number(block, "PixelSpacing"),
            rotation_angle=self._number(block, "RotationAngle"),
            magnification=self._number(block, "Magnification"),
            defocus=self._number(block, "Defocus"),
            values=block.values,
        )

    def _number(self, block: _Block, key: str) -> float | None:
        text = block.values.get(key, "")
        value = number(text)
        if text and value is None:
            self.warn(
                "mdoc-number", f"{key} is {shortened(text)}, not a number; it is left out", block.lines[key]
            )
        return value

    def _date(self, block: _Block) -> datetime | None:
        text = block.values.get("DateTime", "")
        date = parse_date(text)
        if text and date is None:
            message = f"the date {shortened(text)} is not understood; expected '30-Nov-15  15:21:38'"
            self.warn("mdoc-date", message, block.lines["DateTime"])
        return date

    def _check_numbers(self, sections: tuple[MdocSection, ...]) -> None:
        seen: dict[tuple[str, int], int] = {}
        for section in sections:
            first = seen.setdefault((section.kind, section.z_value), section.line)
            if first != section.line:
                message = f"[{section.kind} = {section.z_value}] stands here and in line {first}"
                self.warn("mdoc-repeated-section", message, section.line, "Both are kept, in file order.")

    def _tilt_axis(self, sections: tuple[MdocSection, ...]) -> float | None:
        for title in self.titles:
            if found := _TILT_AXIS.search(title):
                return float(found[1])
        rotation = next((s.rotation_angle for s in sections if s.rotation_angle is not None), None)
        if rotation is None:
            return None
        axis = (rotation - _TILT_AXIS_BELOW_ROTATION + 180.0) % 360.0 - 180.0
        message = f"no title states the tilt axis; RotationAngle {rotation:g} minus 90 gives {axis:g} degrees"
        self.warn("mdoc-tilt-axis", message)
        return axis


def parse_date(text: str) -> datetime | None:
    """`30-Nov-15  15:21:38` (English months; two digits for the year mean 20xx) or an ISO date; else None."""
    found = _SERIALEM_DATE.match(text.strip())
    try:
        if not found:
            return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
        day, month, year, *clock = found.groups()
        full_year = int(year) + (2000 if len(year) == 2 else 0)
        hour, minute, second = (int(part) for part in clock)
        return datetime(full_year, _MONTHS.index(month.lower()) + 1, int(day), hour, minute, second)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class SectionDose:
    """The dose of one section in e⁻/Å²: its own, and what the specimen had before it; None when not known."""

    acquisition_order: int
    """0 for the image taken first."""
    exposure_dose: float | None
    accumulated_dose: float | None


def section_doses(sections: Iterable[MdocSection], dose_rate: float | None = None) -> tuple[SectionDose, ...]:
    """The doses of `sections` (of one file, or of several files of one specimen), in the order given.

    The order of acquisition is that of DateTime when every section has one, else of the section numbers
    when they are distinct, else the order given. A section's dose is its ExposureDose when that is above 0,
    else its exposure time × `dose_rate` (e⁻/Å²/s). After a section of unknown dose the accumulated dose is
    unknown.
    """
    given = tuple(sections)
    result: dict[int, SectionDose] = {}
    total: float | None = 0.0
    for rank, position in enumerate(acquisition_order(given)):
        dose = _dose(given[position], dose_rate)
        result[position] = SectionDose(rank, dose, total)
        total = None if total is None or dose is None else total + dose
    return tuple(result[position] for position in range(len(given)))


def acquisition_order(sections: tuple[MdocSection, ...]) -> list[int]:
    """Positions in `sections`, the image taken first coming first (see `section_doses`)."""
    positions = range(len(sections))
    dates = [section.date_time for section in sections]
    if all(date is not None for date in dates):
        return sorted(positions, key=lambda position: (dates[position], position))
    numbers = [section.z_value for section in sections]
    if len(set(numbers)) == len(numbers):
        return sorted(positions, key=numbers.__getitem__)
    return list(positions)


def _dose(section: MdocSection, dose_rate: float | None) -> float | None:
    if section.exposure_dose is not None and section.exposure_dose > 0:
        return section.exposure_dose
    if dose_rate is None or section.exposure_time is None:
        return None
    return section.exposure_time * dose_rate
