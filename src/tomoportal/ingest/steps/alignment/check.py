"""Does an alignment fit its tilt series and what the deposition file says of it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import TiltAlignment, axis_angle
from tomoportal.ingest.steps.alignment.stack import Stack
from tomoportal.problems import Problem, Severity

AXIS_TOLERANCE = 10.0
ANGLE_TOLERANCE = 5.0
"""Degrees."""
_LENGTH_TOLERANCE = 0.01
_LEAST_LENGTH = 0.5
"""Of lengths: relative, and at least this many Å."""


def fitted(alignment: TiltAlignment, stack: Stack, name: str) -> TiltAlignment:
    """With lengths in Å. Raises `FormatError` when the alignment, in the file `name`, is for another stack."""
    _counts(alignment, stack, name)
    spacing, problems = _pixel(alignment, stack, name)
    found = alignment.in_angstrom(spacing)
    doubts = [*problems, *_unknown_lengths(found, name), *_doubtful(found, stack, name)]
    return replace(found, problems=(*alignment.problems, *doubts))


def disagreements(
    stated: Mapping[str, Any], alignment: TiltAlignment, name: str, where: str
) -> Iterator[Problem]:
    """What the deposition file (at `where`) states otherwise than the files do. It is what counts."""
    for key, read in (
        ("tilt_offset", alignment.tilt_offset),
        ("x_rotation_offset", alignment.x_rotation_offset),
    ):
        value = stated.get(key)
        if value is not None and read is not None and abs(value - read) > 0.01:
            yield _otherwise(name, where, key, f"{value:g}°", f"{read:g}°")
    for key, triple in (
        ("volume_dimension", alignment.volume_dimension),
        ("volume_offset", alignment.volume_offset),
    ):
        value = stated.get(key)
        if not value or triple is None or any(value.get(axis) is None for axis in "xyz"):
            continue
        wanted = [float(value[axis]) for axis in "xyz"]
        if any(
            abs(a - b) > max(_LEAST_LENGTH, _LENGTH_TOLERANCE * abs(b))
            for a, b in zip(wanted, triple, strict=True)
        ):
            yield _otherwise(name, where, key, _lengths(wanted), _lengths(triple))


def _counts(alignment: TiltAlignment, stack: Stack, name: str) -> None:
    if stack.images is None:
        return
    hint = "Give the alignment of this stack, with one line for each of its images."
    if alignment.images is not None and alignment.images != stack.images:
        message = f"this alignment is for another stack: it is of {alignment.images} images, {stack.name} has {stack.images}."
        raise FormatError(name, message, hint)
    beyond = [section.z_index for section in alignment.sections if section.z_index >= stack.images]
    if beyond:
        message = f"this alignment is for another stack: it names image {beyond[0]} counted from 0, {stack.name} has {stack.images}."
        raise FormatError(name, message, hint)


def _pixel(alignment: TiltAlignment, stack: Stack, name: str) -> tuple[float | None, list[Problem]]:
    """The size of the alignment's pixels in Å: that of the stack's, times the binning between the two."""
    aligned = alignment.image_size
    if aligned is None or stack.size is None or aligned == stack.size:
        return stack.pixel_spacing, []
    ratios = [ours / theirs for ours, theirs in zip(stack.size, aligned, strict=True)]
    sizes = f"{aligned[0]} × {aligned[1]} pixels, those of {stack.name} are {stack.size[0]} × {stack.size[1]}"
    if abs(ratios[0] / ratios[1] - 1) > _LENGTH_TOLERANCE:
        message = f"this alignment is for another stack: its images are {sizes}."
        raise FormatError(name, message, "Give the alignment of this stack.")
    message = f"the images that were aligned are {sizes}; shifts are converted by this ratio"
    problem = Problem("alignment-binning", message, Severity.WARNING, file=name)
    return (stack.pixel_spacing * ratios[0] if stack.pixel_spacing else None), [problem]


def _unknown_lengths(alignment: TiltAlignment, name: str) -> Iterator[Problem]:
    if any(section.x_offset is None for section in alignment.sections):
        yield Problem(
            "alignment-pixel-spacing",
            "the pixel spacing of the tilt series is not known, so that shifts cannot be given in Å; they are left out",
            Severity.WARNING, file=name, hint="Add the tilt series with `pixel_spacing`. The file itself is published.",
        )  # fmt: skip


def _doubtful(alignment: TiltAlignment, stack: Stack, name: str) -> Iterator[Problem]:
    axis = axis_angle(alignment.sections)
    if axis is not None and stack.tilt_axis is not None and _opposite(axis, stack.tilt_axis):
        yield Problem(
            "alignment-tilt-axis",
            f"the alignment has the tilt axis at {axis:.1f}°, the tilt series states {stack.tilt_axis:g}°, which is the other sign",
            Severity.WARNING, file=name, hint="One of them turns images the wrong way; look at an aligned image.",
        )  # fmt: skip
    known = [
        (section.tilt_angle - stack.angles[section.z_index], section.z_index)
        for section in alignment.sections
        if section.z_index < len(stack.angles)
    ]
    if known:
        usual = median(difference for difference, _ in known)
        difference, index = max(known, key=lambda one: abs(one[0] - usual))
        if abs(difference - usual) > ANGLE_TOLERANCE:
            yield Problem(
                "alignment-angles",
                f"the angle of image {index} counted from 0 is {stack.angles[index] + difference:g}° here and "
                f"{stack.angles[index]:g}° in the angle list; the others differ by {usual:.1f}°",
                Severity.WARNING, file=name, hint="Is it the alignment of this stack, in the order of its images?",
            )  # fmt: skip


def _opposite(axis: float, stated: float) -> bool:
    """Whether `axis` is `stated` with the other sign, and not rather the same axis, in either direction."""
    other = _apart(axis, -stated)
    return other <= AXIS_TOLERANCE and other < min(_apart(axis, stated), _apart(axis, stated + 180))


def _apart(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)


def _otherwise(name: str, where: str, key: str, stated: str, read: str) -> Problem:
    file, _, line = where.rpartition(":")
    return Problem(
        "alignment-disagrees", f"`{key}` is {stated} in the deposition file, {read} in {name}; the deposition file counts",
        Severity.WARNING, file=file, line=int(line) if line.isdecimal() else None, hint="Correct one of them.",
    )  # fmt: skip


def _lengths(values: Any) -> str:
    return " × ".join(f"{value:g}" for value in values) + " Å"
