"""Whether what the deposition file states about a tilt series or a tomogram is what its files say. Pure.

Told anew whenever the sidecar is written, so that a correction in the deposition file ends the warning without the volume being
converted again. The deposition file decides; nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tomoportal.ingest.task import Task
from tomoportal.problems import Problem, Severity

PREFIX = "metadata-"
"""Codes of these findings begin so."""
TILT_AXIS = 10.0
"""Degrees: nominal and refined axis differ by some."""
TILT_RANGE = 0.5
"""Degrees: stages stop within a tenth or so of what they are asked for."""
TILT_STEP = 0.1
"""Degrees."""
PIXEL_SPACING = 0.02
"""Relative: calibrations differ by less."""
VOLTAGE = 0.01
"""Relative."""
FLUX = 0.05
"""Relative; and at least `LEAST_FLUX`."""
OFFSET = 0.5
"""Voxels."""
LEAST_FLUX = 1.0
"""e⁻/Å²."""

ACQUIRED = "acquired"
"""Key of the facts that a step leaves: `file`, and of `angles` (lowest, highest, step), `tilt_axis`, `voltage` (kV), `pixel_spacing`
and `header_pixel_spacing` (Å), `dose` (e⁻/Å²) those that are known; `angles_file` and `header_file` where these two stand."""

PLACED = "placed"
"""Key of the facts that a tomogram leaves: `file`; `origin`, where it places the first voxel (x, y, z, in voxels); `size` (x, y, z)."""


def disagreements(task: Task, facts: Mapping[str, Any]) -> Iterator[Problem]:
    """One warning for every statement that the files contradict, with both numbers."""
    known = facts.get(ACQUIRED)
    if known:
        known = {**known, "movies": task.links.get("frames_count")}
        for told_by, told in _contradictions(task.metadata, known):
            for name, message, hint in told:
                file = known.get(told_by) or known["file"]
                yield Problem(PREFIX + name, message, Severity.WARNING, file=file, hint=hint)
    placed = facts.get(PLACED)
    if placed:
        for name, message, hint in _misplaced(task.metadata, placed):
            yield Problem(PREFIX + name, message, Severity.WARNING, file=placed["file"], hint=hint)


Contradiction = tuple[str, str, str]


def _contradictions(
    stated: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[tuple[str, Iterator[Contradiction]]]:
    """What is contradicted, by the key of the file that does."""
    if known.get("angles"):
        yield "angles_file", _angles(stated, *known["angles"])
    yield "file", _acquisition(stated, known)
    yield (
        "header_file",
        _pixel_spacing(stated, known.get("header_pixel_spacing"), "the extended header says"),
    )


def _acquisition(stated: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Contradiction]:
    axis, own = _number(stated.get("tilt_axis")), known.get("tilt_axis")
    if axis is not None and own is not None and _turned(axis, own) > TILT_AXIS:
        yield "tilt-axis", f"the tilt axis is at {own:g}°; `tilt_axis` is {axis:g}°", _CHECK
    voltage, own = _number(stated.get("acceleration_voltage")), known.get("voltage")
    if voltage and own and abs(own * 1000 - voltage) > VOLTAGE * voltage:
        yield "voltage", f"the voltage was {own:g} kV; `acceleration_voltage` is {voltage:g} V", _CHECK
    yield from _pixel_spacing(stated, known.get("pixel_spacing"), "PixelSpacing is")
    yield from _movies(stated, known.get("movies"))
    flux, own = _number(stated.get("total_flux")), known.get("dose")
    if flux is not None and own and abs(own - flux) > max(LEAST_FLUX, FLUX * flux):
        yield (
            "total-flux",
            f"the doses add up to {own:g} e⁻/Å²; `total_flux` is {flux:g} e⁻/Å²",
            (
                "Correct `total_flux`, or `dose_rate` in the metadata of frames; exposures that are not in the stack count too."
            ),
        )


def _movies(stated: Mapping[str, Any], count: int | None) -> Iterator[Contradiction]:
    wanted = _number(stated.get("frames_count"))
    if wanted is not None and count is not None and wanted != count:
        yield (
            "frames-count",
            f"the run has {count} frame files; `frames_count` is {wanted:g}",
            "The number of files is published; correct `frames_count`, or leave it out.",
        )


_CHECK = "Correct the metadata, or check that these files belong to this tilt series."


def _angles(
    stated: Mapping[str, Any], low: float, high: float, step: float | None
) -> Iterator[Contradiction]:
    limits = stated.get("tilt_range") or {}
    first, last = _number(limits.get("min")), _number(limits.get("max"))
    if first is not None and last is not None and max(abs(low - first), abs(high - last)) > TILT_RANGE:
        yield (
            "tilt-range",
            (f"the angles go from {low:g}° to {high:g}°; `tilt_range` is {first:g}° to {last:g}°"),
            _CHECK,
        )
    wanted = _number(stated.get("tilt_step"))
    if wanted is not None and step is not None and abs(step - wanted) > TILT_STEP:
        yield "tilt-step", f"most angles are {step:g}° apart; `tilt_step` is {wanted:g}°", _CHECK


def _pixel_spacing(stated: Mapping[str, Any], own: float | None, who: str) -> Iterator[Contradiction]:
    spacing = _number(stated.get("pixel_spacing"))
    if not spacing or not own:
        return
    binning = _number(stated.get("binning_from_frames")) or 1.0
    if all(abs(spacing - own * factor) > PIXEL_SPACING * spacing for factor in (1.0, binning)):
        words = f", with `binning_from_frames` {own * binning:g} Å" if binning != 1 else ""
        message = f"{who} {own:g} Å{words}; `pixel_spacing` is {spacing:g} Å"
        yield "pixel-spacing", message, "Correct `pixel_spacing`, or state `binning_from_frames`."


def _misplaced(stated: Mapping[str, Any], placed: Mapping[str, Any]) -> Iterator[Contradiction]:
    """What a tomogram's file says about its place and size; the published volume has the size of the file."""
    offset, origin = _three(stated.get("offset")), placed["origin"]
    wanted = offset or [0.0] * 3
    if any(origin) and any(abs(own - given) > OFFSET for own, given in zip(origin, wanted, strict=True)):
        words = f"`offset` is {_listed(wanted)}" if offset else "no `offset` is given"
        message = f"the file places its first voxel at x, y, z = {_listed(origin)} voxels; {words}"
        yield "offset", message, "Correct `offset` if the tomogram is part of a larger one; it decides."
    size = _three(stated.get("size"))
    if size and size != placed["size"]:
        message = f"the file has {_listed(placed['size'])} voxels along x, y, z; `size` is {_listed(size)}"
        yield "size", message, "Leave `size` out: that of the file is published."


def _three(value: Any) -> list[float] | None:
    """The numbers of a mapping with x, y and z; None unless it has all."""
    parts = [_number(value.get(axis)) for axis in "xyz"] if isinstance(value, Mapping) else []
    return parts if parts and None not in parts else None


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _turned(first: float, second: float) -> float:
    """The angle between two directions, 0 to 180°."""
    return abs((first - second + 180.0) % 360.0 - 180.0)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
