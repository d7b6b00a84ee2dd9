"""A tilt series: the stack, its angles, and what is known about every image."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tomoportal.ingest.agreement import ACQUIRED
from tomoportal.ingest.plan.plans import FORCED
from tomoportal.ingest.steps.estimates import Estimates, estimates_of
from tomoportal.ingest.steps.sections import Acquired, Angles, angles_of, matched
from tomoportal.ingest.steps.volume import described, only_input, positive, write
from tomoportal.ingest.task import WRITER, Outcome, Work
from tomoportal.ingest.volumes import Source, VolumeFacts, VolumeKind
from tomoportal.layout.paths import folder
from tomoportal.layout.publish import are_there
from tomoportal.problems import Problem

Files = dict[str, dict[str, Any]]


def make_tiltseries(work: Work) -> Outcome:
    """Convert the stack; copy the angle list; give every image its angle and its place in the acquisition."""
    task = work.task
    home, name = folder(task.key), task.key.run
    acquired = Acquired.of(work)
    with only_input(work, "stack") as source:
        found = task.parameters.get("pixel_spacing") or source.voxel_size[1]
        spacing = positive(found, source.name, "the pixel spacing (Å)")
        angles = angles_of(work, source, acquired)
        estimates = estimates_of(work, source.shape[0])
        sections, problems = _sections(angles, acquired, estimates, source.name)
        made = {"input": asdict(task.inputs["stack"][0]), "spacing": spacing, "writer": WRITER}
        acquisition = acquired.facts(angles, source)
        facts, files = _volume(work, source, name, spacing, made)
    extra = described(facts, name, home) | {
        "run_name": name,
        "pixel_spacing": spacing,
        "per_section_parameter": sections,
    }
    for place, text in (("raw_tlt_path", angles.list), ("ctf_path", estimates.file)):
        extra[place] = f"{home}/{text[0].rpartition('/')[2]}" if text else None
        if text:
            files |= work.put(extra[place], text[1])
    known = {"volume": facts.as_dict(), "made": made, ACQUIRED: acquisition}
    return Outcome(extra, files, known, (*angles.problems, *problems, *estimates.problems, *facts.problems))


def _volume(
    work: Work, source: Source, name: str, spacing: float, made: dict[str, Any]
) -> tuple[VolumeFacts, Files]:
    """Convert the stack, unless it is published already as it would be made now."""
    known = work.known
    if known is not None and known.facts.get("made") == made and work.task.why != FORCED:
        home = folder(work.task.key)
        files = {path: known.files[path] for path in (f"{home}/{name}.zarr", f"{home}/{name}.mrc")}
        if are_there(work.target, files):
            work.progress(work.task.inputs["stack"][0].size)
            return VolumeFacts.from_dict(known.facts["volume"]), files
    facts, _, files = write(work, source, name, spacing, VolumeKind.TILT_SERIES)
    return facts, files


def _sections(
    angles: Angles, acquired: Acquired, estimates: Estimates, name: str
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The per-section parameters of the sidecar; images without a section of the mdoc have none."""
    if not angles.values:
        return [], []
    found, problems = matched(angles, acquired, name)
    sections = [
        {
            "z_index": index,
            "frame_acquisition_order": acquired.orders[place],
            "raw_angle": angle,
            **estimates.of(index),
        }
        for index, (angle, place) in enumerate(zip(angles.values, found, strict=True))
        if place is not None
    ]
    return sections, problems
