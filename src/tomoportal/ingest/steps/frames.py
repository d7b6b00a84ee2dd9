"""Frames of a run: for now what the mdoc files say about them."""

from __future__ import annotations

from typing import Any

from tomoportal.formats.mdoc import Mdoc, MdocSection, read_mdoc, section_doses
from tomoportal.ingest.task import Outcome, Work
from tomoportal.layout.paths import folder
from tomoportal.problems import Problem, Severity


def make_frames(work: Work) -> Outcome:
    """Copy the mdoc files; list every frame in order of acquisition with its dose (e⁻/Å²)."""
    task = work.task
    home = folder(task.key)
    files: dict[str, dict[str, Any]] = {}
    mdocs = []
    for name, data in work.read("mdoc"):
        mdocs.append(read_mdoc(data, name))
        files |= work.put(f"{home}/{name.rpartition('/')[2]}", data)
    sections = [section for mdoc in mdocs for section in mdoc.sections]
    corrected = bool(task.metadata.get("is_gain_corrected"))
    rate = task.metadata.get("dose_rate")
    doses = section_doses(sections, float(rate) if rate is not None else None)
    frames = [
        {
            "acquisition_order": dose.acquisition_order,
            "accumulated_dose": dose.accumulated_dose,
            "exposure_dose": dose.exposure_dose,
            "is_gain_corrected": corrected,
            "path": None,
            "name_in_source": section.frame_name,
            "raw_angle": section.tilt_angle,
            "deposition_id": task.identity["deposition_id"],
        }
        for section, dose in zip(sections, doses, strict=True)
    ]
    frames.sort(key=lambda frame: frame["acquisition_order"])
    paths = sorted(files)
    extra = {"frames": frames, "frames_acquisition_file": paths[0], "frames_acquisition_files": paths}
    return Outcome(extra, files, problems=_problems(mdocs))


def matched(
    angles: tuple[float, ...], sections: list[MdocSection], own: list[bool], name: str
) -> tuple[list[int | None], list[Problem]]:
    """For every angle of a stack (degrees) the section of the same angle, each section once: its position in `sections`.

    Angles are compared after rounding to two decimals. Of several sections with one angle those come first that are the stack's
    `own` (its mdoc is named after it), then the order of the files.
    """
    if not sections:
        message = "there is no mdoc for this tilt series, so that its images have no frames and no acquisition values"
        hint = "Add it under `collection_metadata`; the angle list is published all the same."
        return [None] * len(angles), [Problem("no-mdoc", message, Severity.WARNING, file=name, hint=hint)]
    free: dict[float, list[int]] = {}
    for position in sorted(range(len(sections)), key=lambda place: not own[place]):
        section = sections[position]
        if section.tilt_angle is not None:
            free.setdefault(round(section.tilt_angle, 2), []).append(position)
    found = [queue.pop(0) if (queue := free.get(round(angle, 2))) else None for angle in angles]
    missing = [f"{angle:g}" for angle, position in zip(angles, found, strict=True) if position is None]
    if not missing:
        return found, []
    message = f"{len(missing)} of {len(angles)} angles have no section of the same angle in the mdoc: {', '.join(missing[:5])}"
    hint = "Check that the mdoc belongs to this stack; these sections get no acquisition values."
    return found, [Problem("angle-without-section", message, Severity.WARNING, file=name, hint=hint)]


def _problems(mdocs: list[Mdoc]) -> tuple[Problem, ...]:
    return tuple(problem for mdoc in mdocs for problem in mdoc.problems)
