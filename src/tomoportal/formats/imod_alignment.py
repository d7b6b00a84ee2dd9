"""IMOD's tilt series alignment: .xf, .tlt, .xtilt, tilt.com → the canonical form, one record per aligned
section.

IMOD: a line of the .xf file is `A11 A12 A21 A22 DX DY`, and with M = [[A11, A12], [A21, A22]] it takes a
raw position to an aligned one, both counted in pixels from the centre of the image: aligned = M · raw + d
(https://bio3d.colorado.edu/imod/doc/man/xfmodel.html). Canonical: `in_plane_rotation` R = Mᵀ and offset o =
Mᵀ · (−d), in pixels of the input tilt series, so that aligned = Rᵀ · (raw − o) for a pure rotation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.formats.text import TextFile, line_error, number, shortened, text_lines
from tomoportal.formats.tilt_angles import read_tilt_angles

Matrix = tuple[tuple[float, float], tuple[float, float]]

_EXCLUDE_KEYS = ("excludelist2", "excludelist", "exclude")
_SMALLEST_DETERMINANT = 1e-6


@dataclass(frozen=True, slots=True)
class Transform:
    """A line of an .xf file: aligned = `matrix` · raw + `shift`; x before y, pixels from the image centre."""

    matrix: Matrix
    shift: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SectionAlignment:
    """One section in canonical form. Angles in degrees; offsets in pixels of the input tilt series."""

    z_index: int
    tilt_angle: float
    volume_x_rotation: float
    in_plane_rotation: Matrix
    x_offset: float
    y_offset: float


@dataclass(frozen=True, slots=True)
class TiltCommand:
    """What a tilt.com says. Sizes in unbinned pixels, angles in degrees; `excluded` views count from 1."""

    excluded: tuple[int, ...] = ()
    thickness: float | None = None
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


def read_xf(data: bytes, name: str) -> tuple[Transform, ...]:
    """The transforms in stack order. Raises `FormatError` with the line for anything but six finite numbers
    of an invertible transform, and for an empty file."""
    transforms = []
    for count, line in enumerate(text_lines(data, name), start=1):
        if line.strip():
            transforms.append(_transform(line, name, count))
    if not transforms:
        raise FormatError(name, "there is no transform in this file; expected six numbers on each line.")
    return tuple(transforms)


def read_imod_alignment(
    xf: TextFile, tlt: TextFile, xtilt: TextFile | None = None, tilt_com: TextFile | None = None
) -> tuple[SectionAlignment, ...]:
    """The canonical alignment of every view that tilt.com does not exclude; `z_index` is the view's place
    in the stack, from 0. Raises `FormatError`, with both numbers when the files do not have the same number
    of lines."""
    transforms = read_xf(xf.data, xf.name)
    angles = read_tilt_angles(tlt.data, tlt.name)
    _same_length(xf, transforms, tlt, angles)
    x_tilts: Sequence[float] = (0.0,) * len(angles)
    if xtilt is not None:
        x_tilts = read_tilt_angles(xtilt.data, xtilt.name)
        _same_length(xf, transforms, xtilt, x_tilts)
    excluded: tuple[int, ...] = ()
    if tilt_com is not None:
        excluded = read_tilt_com(tilt_com.data, tilt_com.name).excluded
        _views_exist(excluded, tilt_com.name, xf.name, len(transforms))
    return tuple(
        _canonical(index, transform, angles[index], x_tilts[index])
        for index, transform in enumerate(transforms)
        if index + 1 not in excluded
    )


def read_tilt_com(data: bytes, name: str) -> TiltCommand:
    """The keys of IMOD's `tilt` program that concern an alignment or the volume made with it."""
    command = _Command(data, name)
    return TiltCommand(
        excluded=command.views(_EXCLUDE_KEYS),
        thickness=command.number("thickness"),
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
    """The keys of IMOD's `newstack` program that concern the size of the aligned stack."""
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
        return tuple(sorted(views))

    def _each_number(self, key: str, value: str, line: int) -> Iterable[float]:
        for part in value.replace(",", " ").split():
            parsed = number(part)
            if parsed is None:
                raise line_error(self.name, line, f"{shortened(part)} after {key.upper()} is not a number.")
            yield parsed

    def _range(self, part: str, line: int) -> range:
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            message = (
                f"{shortened(part)} is not a view to exclude; expected numbers and ranges such as 1,4-6."
            )
            raise line_error(self.name, line, message)
        views = range(int(first), int(last if dash else first) + 1)
        if not views:
            raise line_error(self.name, line, f"the range {shortened(part)} runs backwards.")
        if len(views) > 100_000:
            raise line_error(
                self.name, line, f"the range {shortened(part)} holds more views than any tilt series."
            )
        return views


def _transform(line: str, name: str, count: int) -> Transform:
    values = [number(word) for word in line.split()]
    finite = [value for value in values if value is not None]
    if len(values) != 6 or len(finite) != 6:
        message = f"{shortened(line)} is not a transform; expected the six numbers A11 A12 A21 A22 DX DY."
        raise line_error(name, count, message)
    a11, a12, a21, a22, dx, dy = finite
    if math.isclose(a11 * a22 - a12 * a21, 0.0, abs_tol=_SMALLEST_DETERMINANT):
        raise line_error(name, count, "this transform cannot be inverted (its determinant is 0).")
    return Transform(((a11, a12), (a21, a22)), (dx, dy))


def _canonical(index: int, transform: Transform, tilt_angle: float, x_tilt: float) -> SectionAlignment:
    (a11, a12), (a21, a22) = transform.matrix
    dx, dy = transform.shift
    return SectionAlignment(
        z_index=index,
        tilt_angle=tilt_angle,
        volume_x_rotation=x_tilt,
        in_plane_rotation=((a11, a21), (a12, a22)),
        x_offset=-(a11 * dx + a21 * dy),
        y_offset=-(a12 * dx + a22 * dy),
    )


def _same_length(
    xf: TextFile, transforms: Sequence[Transform], other: TextFile, angles: Sequence[float]
) -> None:
    if len(transforms) != len(angles):
        raise FormatError(
            other.name,
            f"this file has {len(angles)} angles, but {xf.name} has {len(transforms)} transforms.",
            "Do the two files belong to the same tilt series?",
        )


def _views_exist(excluded: tuple[int, ...], name: str, xf_name: str, count: int) -> None:
    wrong = [view for view in excluded if not 1 <= view <= count]
    if wrong:
        raise FormatError(
            name, f"view {wrong[0]} is excluded, but {xf_name} has the views 1 to {count} only."
        )
