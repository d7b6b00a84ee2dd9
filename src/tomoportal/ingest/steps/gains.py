"""Gain references of a run, as they are, under names that end in `_gain`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tomoportal.errors import Absent, FormatError
from tomoportal.formats.image_head import ImageHead, belies
from tomoportal.ingest.copies import Copied, Copies, head_of
from tomoportal.ingest.task import Outcome, Work
from tomoportal.layout.paths import folder
from tomoportal.problems import Problem, Severity


def make_gains(work: Work) -> Outcome:
    """Copy the files and compare their size in pixels with that of the first frame. Raises `Absent` when none is an image."""
    home = folder(work.task.key)
    taken: list[Copied] = []
    problems: list[Problem] = []
    with Copies.of(work) as copies:
        for file, name in zip(work.task.inputs["gains"], work.task.parameters["names"], strict=True):
            try:
                taken.append(copies.take(file, f"{home}/{name}"))
            except FormatError as error:
                message = f"{error.message.rstrip('.')}; this gain reference is left out"
                problems.append(Problem("gain-file", message, file=error.where, hint=error.hint))
    if not taken:
        raise Absent(
            work.task.inputs["gains"][0].path, "no gain reference of this run can be used: "
            + " ".join(f"{problem.file}: {problem.message}." for problem in problems),
        )  # fmt: skip
    problems += _doubts(work, taken)
    files: dict[str, dict[str, Any]] = {copied.path: copied.entry for copied in taken}
    return Outcome({}, files, problems=tuple(problems))


def _doubts(work: Work, taken: Sequence[Copied]) -> Iterable[Problem]:
    frame = next(iter(work.task.inputs.get("frame", ())), None)
    size = None
    if frame is not None:
        try:
            size = head_of(work.source, frame).size
        except FormatError:
            size = None  # told where the frames are published
    for copied in taken:
        source = copied.entry["from"]["path"]
        if ending := belies(source, copied.head):
            message = (
                f"the name says .{ending}, but it is {copied.head.kind.upper()}; it is published as it is"
            )
            yield Problem("gain-kind", message, Severity.WARNING, file=source)
        if frame is not None and (fault := _misfit(copied.head, size)):
            message = f"the gain reference has {fault} of {frame.path.rpartition('/')[2]}"
            hint = "Is it the gain reference of this camera and these frames? It is published as it is."
            yield Problem("gain-size", message, Severity.WARNING, file=source, hint=hint)


def _misfit(gain: ImageHead, frame: tuple[int, int] | None) -> str:
    """How the sizes differ, in words; nothing when they do not, or one is unknown."""
    if gain.size is None or frame is None or gain.size == frame:
        return ""
    sizes = f"{gain.width} × {gain.height} pixels, not the {frame[0]} × {frame[1]}"
    if gain.size == frame[::-1]:
        return f"{sizes} (it is turned by 90°)"
    factor = gain.size[0] / frame[0]
    if gain.size[1] / frame[1] == factor and (factor.is_integer() or (1 / factor).is_integer()):
        return f"{sizes} (one is binned by {max(factor, 1 / factor):g} against the other)"
    return sizes
