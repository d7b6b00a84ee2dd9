"""Which image of the stack each row of an AreTomo .aln file is about.

Versions differ. SEC is the place in the stack, from 0 (AreTomo, AreTomo2) or from 1 (AreTomo3), or a running number of the
images that are left once dark ones are removed. `DarkFrame = frame section angle` names a dark image by its place among all
images ordered by angle (from 0) and by its place in the stack, which is from 0, from 1, or always 0. AreTomo3 tells them apart in
CDarkFrames::bZeroBased and CLoadAlignFile::mToOneBased; here the numbers themselves decide where they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.problems import Problem, Severity

_UNSURE = "the numbers of dark images may count from 0 or from 1, and the angles fit both; they are taken from 0, as AreTomo3 writes them"


@dataclass(frozen=True, slots=True)
class DarkFrame:
    """An image that was left out."""

    frame: int
    section: int
    tilt: float


def places(
    numbers: Sequence[int], tilts: Sequence[float], dark: Sequence[DarkFrame], images: int, name: str
) -> tuple[list[int], list[Problem]]:
    """For each row (its SEC and TILT) the place in the stack, from 0, and what had to be assumed.

    Raises `FormatError` when two rows claim one image or an image lies outside the stack."""
    problems = _incomplete(len(numbers), len(dark), images, name)
    _distinct(numbers, images, name)
    for base, left_out in _readings(dark):
        if _parted(numbers, left_out, base, images):
            return [section - base for section in numbers], problems
    if _running(numbers):
        found, doubts = _by_running_number(numbers, tilts, dark, images)
        if found is not None:
            return found, problems + [_warning(doubt, name) for doubt in doubts]
    base = 1 if max(numbers) == images or (dark and all(one.section == one.frame + 1 for one in dark)) else 0
    if min(numbers) > 0 and max(numbers) < images:
        problems.append(
            _warning(f"it is taken that images are numbered from {base}; the file does not tell", name)
        )
    return [section - base for section in numbers], problems


def _readings(dark: Sequence[DarkFrame]) -> list[tuple[int, set[int]]]:
    """From which number sections may count, and which are dark then: by frames, from 0 or from 1, else by sections."""
    frames, sections = {one.frame for one in dark}, {one.section for one in dark}
    return [(0, frames), (1, {frame + 1 for frame in frames}), (1, frames), (0, sections), (1, sections)]


def _parted(numbers: Sequence[int], left_out: set[int], base: int, images: int) -> bool:
    """Whether rows and dark images together are all images of the stack, each once."""
    whole = set(range(base, base + images))
    return whole == left_out | set(numbers) and len(left_out) + len(numbers) == images


def _running(numbers: Sequence[int]) -> bool:
    ordered = sorted(numbers)
    return ordered[0] <= 1 and ordered[-1] - ordered[0] == len(ordered) - 1


def _by_running_number(
    numbers: Sequence[int], tilts: Sequence[float], dark: Sequence[DarkFrame], images: int
) -> tuple[list[int] | None, list[str]]:
    """Rows are numbered without the dark images, in the order of angles; the first row is there."""
    fitting, first = [], min(numbers)
    for base in (0, 1):
        hidden = {one.frame - base: one.tilt for one in dark}
        shown = [place for place in range(images) if place not in hidden]
        if any(not 0 <= place < images for place in hidden) or max(numbers) - first >= len(shown):
            continue
        found = [shown[section - first] for section in numbers]
        if _ascending({**hidden, **dict(zip(found, tilts, strict=True))}):
            fitting.append(found)
    unsure = len(fitting) > 1 and fitting[0] != fitting[1]
    return (fitting[0] if fitting else None), [_UNSURE] if unsure else []


def _ascending(by_place: dict[int, float]) -> bool:
    """Whether angles rise, or fall, with the place in the stack."""
    angles = [by_place[place] for place in sorted(by_place)]
    return angles in (sorted(angles), sorted(angles, reverse=True))


def _distinct(numbers: Sequence[int], images: int, name: str) -> None:
    seen: set[int] = set()
    for section in numbers:
        if section in seen:
            raise FormatError(name, f"the image {section} stands in two rows; expected each image once.")
        if section > images:
            raise FormatError(name, f"a row is about the image {section}, but RawSize has {images} images.")
        seen.add(section)
    if 0 in seen and images in seen:
        raise FormatError(
            name, f"images are numbered from 0 and up to {images}, but RawSize has {images} images."
        )


def _incomplete(rows: int, dark: int, images: int, name: str) -> list[Problem]:
    if rows + dark == images:
        return []
    message = f"RawSize announces {images} images, but {rows} are aligned and {dark} are named as dark; the others stay unknown"
    hint = "Is the file cut off, or of another tilt series?"
    return [Problem("alignment-incomplete", message, Severity.WARNING, file=name, hint=hint)]


def _warning(message: str, name: str) -> Problem:
    return Problem("alignment-numbering", message, Severity.WARNING, file=name)
