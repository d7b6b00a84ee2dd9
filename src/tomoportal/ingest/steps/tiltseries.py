"""A tilt series: the stack, its angles, and what is known about every image."""

from __future__ import annotations

from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.mdoc import Mdoc, read_mdoc, section_doses
from tomoportal.formats.tilt_angles import duplicate_angles, read_tilt_angles
from tomoportal.ingest.identity import stem
from tomoportal.ingest.steps.frames import matched
from tomoportal.ingest.steps.volume import described, only_input, positive, write
from tomoportal.ingest.task import Outcome, Work
from tomoportal.ingest.volumes import VolumeKind
from tomoportal.layout.paths import folder
from tomoportal.problems import Problem, Severity


def make_tiltseries(work: Work) -> Outcome:
    """Convert the stack; copy the angle list; give every image its angle and its place in the acquisition."""
    task = work.task
    home, name = folder(task.key), task.key.run
    with only_input(work, "stack") as source:
        found = task.parameters.get("pixel_spacing") or source.voxel_size[1]
        spacing = positive(found, source.name, "the pixel spacing (Å)")
        sections, extra, files, problems = _sections(work, home, source.shape[0])
        facts, _, written = write(work, source, name, spacing, VolumeKind.TILT_SERIES)
    extra |= described(facts, name, home)
    extra |= {
        "run_name": name,
        "pixel_spacing": spacing,
        "per_section_parameter": sections,
        "ctf_path": None,
    }
    return Outcome(extra, {**files, **written}, {"volume": facts.as_dict()}, (*problems, *facts.problems))


def _sections(
    work: Work, home: str, count: int
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, dict[str, Any]], list[Problem]]:
    """Per-section parameters, sidecar additions, files and problems; `count` images are in the stack."""
    mdocs = [read_mdoc(data, name) for name, data in work.read("mdoc")]
    mdoc_sections = [section for mdoc in mdocs for section in mdoc.sections]
    stack = work.task.inputs["stack"][0].path
    own = [_is_of(mdoc, stack) for mdoc in mdocs for _ in mdoc.sections]
    orders = [dose.acquisition_order for dose in section_doses(mdoc_sections)]
    lists = work.read("angles")
    if not lists:
        problem = Problem(
            "no-angle-list", "there is no angle list (.rawtlt) for this tilt series", Severity.WARNING,
            file=stack, hint="Add it under `rawtilts`; its images get no angles.",
        )  # fmt: skip
        return [], {"raw_tlt_path": None}, {}, [problem]
    name, data = lists[0]
    angles = read_tilt_angles(data, name)
    if len(angles) != count:
        raise FormatError(
            name,
            f"the list has {len(angles)} angles, the stack {stack} has {count} images.",
            "Give one angle per image, in the order of the stack.",
        )
    found, problems = matched(angles, mdoc_sections, own, name)
    problems += _doubtful(mdocs, stack)
    problems += [
        Problem(
            "duplicate-angle",
            f"the angle {angle:g}° belongs to {len(places)} images, numbers {', '.join(map(str, places))} counted from 0; "
            "one was expected",
            Severity.WARNING,
            file=name,
            hint="The images are published as they are; correct the list if it is wrong.",
        )
        for angle, places in duplicate_angles(angles).items()
    ]
    sections = [
        {
            "z_index": index,
            "frame_acquisition_order": orders[position],
            "raw_angle": angle,
            "astigmatic_angle": None,
            "cross_correlation": None,
            "major_defocus": None,
            "max_resolution": None,
            "minor_defocus": None,
            "phase_shift": None,
        }
        for index, (angle, position) in enumerate(zip(angles, found, strict=True))
        if position is not None
    ]
    path = f"{home}/{name.rpartition('/')[2]}"
    return sections, {"raw_tlt_path": path}, work.put(path, data), problems


def _is_of(mdoc: Mdoc, stack: str) -> bool:
    """Whether an mdoc belongs to a stack by its file name (`TS_1.st.mdoc`, `TS_1.mdoc`) or by the image file that it names."""
    name = stack.rpartition("/")[2]
    title = mdoc.name.rpartition("/")[2].removesuffix(".mdoc")
    return title in (name, stem(stack)) or stem(title) == stem(stack) or (mdoc.image_file or "") == name


def _doubtful(mdocs: list[Mdoc], stack: str) -> list[Problem]:
    """A warning when several mdocs have the same angles and none is named after the stack."""
    if any(_is_of(mdoc, stack) for mdoc in mdocs):
        return []
    angles = [{round(s.tilt_angle, 2) for s in mdoc.sections if s.tilt_angle is not None} for mdoc in mdocs]
    shared = sum(map(len, angles)) - len(set().union(*angles))
    if shared <= len(mdocs):
        return []
    names = ", ".join(mdoc.name.rpartition("/")[2] for mdoc in mdocs)
    message = (
        f"{shared} angles stand in more than one mdoc ({names}), and none of these is named after the stack"
    )
    hint = "Name the mdoc like the stack; until then the first file that has an angle is taken."
    return [Problem("mdoc-doubtful", message, Severity.WARNING, file=stack, hint=hint)]
