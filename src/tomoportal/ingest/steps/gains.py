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
    """Copy the files and compare their size in pixels with that of the first frame. What is published stays when its source is gone or
    faulty, unless gains are asked for anew. Raises `Absent` when none is an image."""
    home = folder(work.task.key)
    taken: list[Copied] = []
    problems: list[Problem] = []
    paths = [f"{home}/{name}" for name in work.task.parameters["names"]]
    staying: list[Copied] = []
    with Copies.of(work) as copies:
        for file, path in zip(work.task.inputs["gains"], paths, strict=True):
            try:
                taken.append(copies.take(file, path))
            except FormatError as error:
                old = copies.published(path)
                staying += [old] if old else []
                stays = ", and the one published before stays" if old else ""
                message = f"{error.message.rstrip('.')}; this gain reference is left out{stays}"
                problems.append(Problem("gain-file", message, file=error.where, hint=error.hint))
        left = copies.left(paths)
    if not taken and not staying and not left:
        raise Absent(
            work.task.inputs["gains"][0].path, "no gain reference of this run can be used: "
            + " ".join(f"{problem.file}: {problem.message}." for problem in problems),
        )  # fmt: skip
    problems += [*_doubts(work, taken), *_not_found(left)]
    files: dict[str, dict[str, Any]] = {copied.path: copied.entry for copied in (*taken, *staying, *left)}
    return Outcome({}, files, problems=tuple(problems))


def _not_found(left: Sequence[Copied]) -> Iterable[Problem]:
    if left:
        names = ", ".join(copied.path.rpartition("/")[2] for copied in left)
        message = (
            f"{len(left)} published gain references are no longer among the source files ({names}); they stay"
        )
        hint = "Is the source complete? `ingest --force --only gains` makes them as they are found, without these."
        yield Problem("gains-not-found", message, Severity.WARNING, hint=hint)


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
            message = f"the name says .{ending}, but it is {copied.head.told}; it is published as it is"
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
