"""CTF estimates of a tilt series, joined to its images by their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.ctf import CtfSection, read_ctf
from tomoportal.ingest.steps.sections import passed_over
from tomoportal.ingest.task import Work
from tomoportal.problems import Problem, Severity

_NAMES = (
    "astigmatic_angle", "cross_correlation", "major_defocus", "max_resolution", "minor_defocus", "phase_shift",
)  # fmt: skip
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Estimates:
    """`file`: the text to be published; `by_image`: place in the stack, from 0 → the estimate."""

    file: tuple[str, bytes] | None = None
    by_image: Mapping[int, CtfSection] = field(default_factory=dict)
    problems: Sequence[Problem] = ()

    def of(self, image: int) -> dict[str, Any]:
        """The CTF values of an image as they stand in the sidecar, null where there are none."""
        found = self.by_image.get(image)
        return {name: getattr(found, name, None) for name in _NAMES}


def estimates_of(work: Work, count: int) -> Estimates:
    """The estimates of a stack of `count` images. A table that cannot be read, or has more images than the stack, is told and its
    values are left out."""
    files = work.read("ctf")
    if not files:
        return Estimates()
    name, data = files[0]
    problems = passed_over(work, "ctf", name)
    written = work.task.parameters["ctf_format"]
    if written is None:
        message = "its `ctfs` entry does not say which program wrote it; it is published without its values being read"
        hint = "Add metadata: {format: CTFFIND} (or Gctf, IMOD)."
        return Estimates(files[0], problems=(*problems, _warning("ctf-format", message, name, hint)))
    try:
        sections = read_ctf(data, name, written)
    except FormatError as error:
        message = f"{error.message.rstrip('.')}; the tilt series is published without CTF estimates"
        return Estimates(
            problems=(*problems, Problem("ctf-file", message, file=error.where, hint=error.hint))
        )
    last = max(section.section for section in sections)
    if last > count:
        message = f"the table goes up to image {last}, the stack has {count}; its values are left out"
        problem = _warning("ctf-count", message, name, "Is this the table of another stack?")
        return Estimates(files[0], problems=(*problems, problem))
    by_image = {section.section - 1: section for section in sections}
    return Estimates(files[0], by_image, (*problems, *_absent(by_image, count, name)))


def _absent(by_image: Mapping[int, CtfSection], count: int, name: str) -> list[Problem]:
    absent = [str(image + 1) for image in range(count) if image not in by_image]
    if not absent:
        return []
    more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
    message = f"the table has {len(by_image)} estimates, the stack {count} images; without are numbers {', '.join(absent[:_SHOWN])}{more}"
    return [_warning("ctf-count", message, name, "They are counted from 1; these images get no CTF values.")]


def _warning(code: str, message: str, name: str, hint: str) -> Problem:
    return Problem(code, message, Severity.WARNING, file=name, hint=hint)
