"""IMOD's command files: tilt.com (reconstruction) and newst.com (aligned stack).

A line is `KEY value`, the key in any case; lines that start with `$` are commands, those with `#` comments
(https://bio3d.colorado.edu/imod/doc/man/tilt.html, …/newstack.html). Sizes are in pixels, angles in degrees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tomoportal.formats.text import line_error, number, shortened, text_lines

_EXCLUDE_KEYS = ("excludelist2", "excludelist", "exclude")
_MOST_VIEWS = 100_000


@dataclass(frozen=True, slots=True)
class TiltCommand:
    """What a tilt.com says. Sizes in unbinned pixels, angles in degrees; `excluded` views count from 1."""

    excluded: tuple[int, ...] = ()
    thickness: float | None = None
    width: float | None = None
    x_axis_tilt: float | None = None
    tilt_offset: float | None = None
    shift: tuple[float, ...] = ()
    subset_start: tuple[float, ...] = ()
    image_binned: float | None = None
    full_image: tuple[float, ...] = ()
    tilt_file: str | None = None
    x_tilt_file: str | None = None


@dataclass(frozen=True, slots=True)
class NewstCommand:
    """What a newst.com says about the size of the aligned stack (pixels after binning)."""

    bin_by_factor: float | None = None
    size_to_output: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()


def read_tilt_com(data: bytes, name: str) -> TiltCommand:
    """The keys of IMOD's `tilt` program that concern an alignment or the volume made with it. Raises `FormatError` with the
    line."""
    command = _Command(data, name)
    return TiltCommand(
        excluded=command.views(_EXCLUDE_KEYS),
        thickness=command.number("thickness"),
        width=command.number("width"),
        x_axis_tilt=command.number("xaxistilt"),
        tilt_offset=command.number("offset"),
        shift=command.numbers("shift"),
        subset_start=command.numbers("subsetstart"),
        image_binned=command.number("imagebinned"),
        full_image=command.numbers("fullimage"),
        tilt_file=command.text("tiltfile"),
        x_tilt_file=command.text("xtiltfile"),
    )


def read_newst_com(data: bytes, name: str) -> NewstCommand:
    """The keys of IMOD's `newstack` program that concern the size of the aligned stack. Raises `FormatError` with the line."""
    command = _Command(data, name)
    return NewstCommand(
        bin_by_factor=command.number("binbyfactor"),
        size_to_output=command.numbers("sizetooutputinxandy"),
        offsets=command.numbers("offsetsinxandy"),
    )


class _Command:
    """The `key value` lines of a command file, keys in lower case, without `$` lines and `#` comments."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.entries: list[tuple[str, str, int]] = []
        for count, line in enumerate(text_lines(data, name), start=1):
            words = line.strip().split(maxsplit=1)
            if words and not words[0].startswith(("$", "#")):
                self.entries.append((words[0].lower(), words[1] if len(words) == 2 else "", count))

    def text(self, key: str) -> str | None:
        return next((value for found, value, _ in self.entries if found == key), None)

    def number(self, key: str) -> float | None:
        return next(iter(self.numbers(key)), None)

    def numbers(self, key: str) -> tuple[float, ...]:
        for found, value, line in self.entries:
            if found == key:
                return tuple(self._each_number(key, value, line))
        return ()

    def views(self, keys: Iterable[str]) -> tuple[int, ...]:
        views: set[int] = set()
        for found, value, line in self.entries:
            if found in keys:
                for part in value.replace(",", " ").split():
                    views.update(self._range(part, line))
                    self._bounded(len(views), part, line)
        return tuple(sorted(views))

    def _each_number(self, key: str, value: str, line: int) -> Iterable[float]:
        for part in value.replace(",", " ").split():
            parsed = number(part)
            if parsed is None:
                raise line_error(self.name, line, f"{shortened(part)} after {key.upper()} is not a number.")
            yield parsed

    def _range(self, part: str, line: int) -> range:
        first, dash, last = part.partition("-")
        if not _is_count(first) or (dash and not _is_count(last)):
            message = (
                f"{shortened(part)} is not a view to exclude; expected numbers and ranges such as 1,4-6."
            )
            raise line_error(self.name, line, message)
        views = range(int(first), int(last if dash else first) + 1)
        if not views:
            raise line_error(self.name, line, f"the range {shortened(part)} runs backwards.")
        self._bounded(len(views), part, line)
        return views

    def _bounded(self, count: int, part: str, line: int) -> None:
        if count > _MOST_VIEWS:
            message = f"the range {shortened(part)} holds more views than any tilt series."
            raise line_error(self.name, line, message)


def _is_count(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 9
