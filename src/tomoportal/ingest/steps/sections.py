"""What is known about every image of a tilt series: its angle, its place in the acquisition, its CTF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.mdoc import Mdoc, MdocSection, SectionDose, read_mdoc, section_doses
from tomoportal.formats.tilt_angles import duplicate_angles, read_tilt_angles
from tomoportal.ingest.identity import stem
from tomoportal.ingest.matching import ANGLE_TOLERANCE, ROUNDING, sections_of
from tomoportal.ingest.task import Work
from tomoportal.ingest.volumes import Source
from tomoportal.problems import Problem, Severity

HEADER_TOLERANCE = 0.5
"""Degrees by which a list may differ from the extended header: nominal against measured angles."""
_SAME_ANGLE = 0.2
"""Degrees: images that are nearer are repeats of one angle."""


@dataclass(frozen=True, slots=True)
class Acquired:
    """The mdoc files of a stack: its `sections`, which of them are of its `own` mdoc, and the doses and order of each among all
    sections of the run."""

    mdocs: tuple[Mdoc, ...]
    sections: tuple[MdocSection, ...]
    own: tuple[bool, ...]
    doses: tuple[SectionDose, ...]

    @property
    def orders(self) -> list[int]:
        """Places in the acquisition of the run, from 0."""
        return [dose.acquisition_order for dose in self.doses]

    @staticmethod
    def of(work: Work) -> Acquired:
        """Those of the run that are not named after another stack of it."""
        stack, others = work.task.inputs["stack"][0].path, work.task.parameters["others"]
        mdocs = [read_mdoc(data, name) for name, data in work.read("mdoc")]
        rate = work.task.parameters["dose_rate"]
        doses = section_doses(
            [section for mdoc in mdocs for section in mdoc.sections], None if rate is None else float(rate)
        )
        of_sections = [mdoc for mdoc in mdocs for _ in mdoc.sections]
        foreign = {
            mdoc.name
            for mdoc in mdocs
            if not is_of(mdoc, stack) and any(is_of(mdoc, other) for other in others)
        }
        kept = [place for place, mdoc in enumerate(of_sections) if mdoc.name not in foreign]
        sections = [section for mdoc in mdocs for section in mdoc.sections]
        return Acquired(
            tuple(mdoc for mdoc in mdocs if mdoc.name not in foreign),
            tuple(sections[place] for place in kept),
            tuple(is_of(of_sections[place], stack) for place in kept),
            tuple(doses[place] for place in kept),
        )

    def facts(self, angles: Angles, source: Source) -> dict[str, Any]:
        """What the deposition file's statements are compared with; see `ingest.agreement`."""
        known: dict[str, Any] = {"file": self.mdocs[0].name if self.mdocs else source.name}
        if source.sections is not None:
            known |= {"header_pixel_spacing": source.sections.pixel_size, "header_file": source.name}
        if angles.values:
            known["angles"] = [min(angles.values), max(angles.values), _step(angles.values)]
            known["angles_file"] = angles.file
        for mdoc in self.mdocs[:1]:
            known |= {
                "tilt_axis": mdoc.tilt_axis,
                "voltage": mdoc.voltage,
                "pixel_spacing": mdoc.pixel_spacing,
            }
        doses = [dose.exposure_dose for dose in self.doses]
        if doses and None not in doses:
            known["dose"] = round(sum(dose for dose in doses if dose is not None), 3)
        return known


@dataclass(frozen=True, slots=True)
class Angles:
    """One angle (degrees) for every image of the stack, none when nothing gives them; `file` is the one that does, `list` name and
    content of an angle list."""

    values: tuple[float, ...] = ()
    file: str = ""
    list: tuple[str, bytes] | None = None
    problems: tuple[Problem, ...] = ()


def is_of(mdoc: Mdoc, stack: str) -> bool:
    """Whether an mdoc belongs to a stack by its file name (`TS_1.st.mdoc`, `TS_1.mdoc`) or by the image file that it names."""
    name = stack.rpartition("/")[2]
    title = mdoc.name.rpartition("/")[2].removesuffix(".mdoc")
    return title in (name, stem(stack)) or stem(title) == stem(stack) or (mdoc.image_file or "") == name


def angles_of(work: Work, source: Source, acquired: Acquired) -> Angles:
    """The angles of a stack: those of its list, else of its header, else of its mdoc. Raises `FormatError` when the list does not
    have as many as the stack has images."""
    if lists := work.read("angles"):
        return _listed(work, source, lists[0])
    if recorded := _in_header(source):
        message = "there is no angle list (.rawtlt); the angles are those of the extended header of the stack"
        hint = "Add the list under `rawtilts` if they are wrong."
        return _instead(recorded, source.name, _no_list(source, message, hint, "angles-from-header"))
    if stated := _in_mdoc(acquired, source.shape[0]):
        message = (
            "there is no angle list (.rawtlt); the angles are those of the mdoc, in the order of its ZValue"
        )
        hint = "Add the list under `rawtilts` if the images lie in another order."
        return _instead(stated, acquired.mdocs[0].name, _no_list(source, message, hint, "angles-from-mdoc"))
    message = "there is no angle list (.rawtlt) for this tilt series"
    hint = "Add it under `rawtilts`; its images get no angles."
    return Angles(problems=(_no_list(source, message, hint, "no-angle-list"),))


def _listed(work: Work, source: Source, file: tuple[str, bytes]) -> Angles:
    """The angles of a list: its name and content."""
    name, data = file
    angles, count = read_tilt_angles(data, name), source.shape[0]
    if len(angles) != count:
        raise FormatError(
            name,
            f"the list has {len(angles)} angles, the stack {source.name} has {count} images.",
            "Give one angle per image, in the order of the stack.",
        )
    doubts = (
        *passed_over(work, "angles", name),
        *_twice(angles, name),
        *_other_than_header(angles, source, name),
    )
    return Angles(angles, name, file, doubts)


def _instead(angles: tuple[float, ...], name: str, problem: Problem) -> Angles:
    """Angles out of a file that is no list of them."""
    return Angles(angles, name, None, (problem, *_twice(angles, name)))


def _no_list(source: Source, message: str, hint: str, code: str) -> Problem:
    return Problem(code, message, Severity.WARNING, file=source.name, hint=hint)


def passed_over(work: Work, role: str, taken: str) -> list[Problem]:
    """A warning when other files of that role could have been taken as well."""
    others = work.task.parameters["passed_over"][role]
    if not others:
        return []
    message = f"{taken.rpartition('/')[2]} is taken; {', '.join(map(_base, others[:3]))} could belong to this stack as well"
    hint = "Name the file like the stack, or let match_regex choose one."
    return [Problem("file-chosen", message, Severity.WARNING, file=taken, hint=hint)]


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _in_header(source: Source) -> tuple[float, ...]:
    """The angles that the extended header of the stack gives for every image, nothing when it does not."""
    told = source.sections
    angles = told.tilt_angles if told is not None else None
    return angles if angles is not None and len(angles) == source.shape[0] else ()


def _other_than_header(angles: tuple[float, ...], source: Source, name: str) -> list[Problem]:
    recorded = _in_header(source)
    apart = [abs(angle - own) for angle, own in zip(angles, recorded, strict=False)]
    if not apart or max(apart) <= HEADER_TOLERANCE:
        return []
    first = next(image for image, one in enumerate(apart) if one > HEADER_TOLERANCE)
    message = (
        f"{sum(one > HEADER_TOLERANCE for one in apart)} of {len(apart)} angles are not those of the extended header of {source.name}; "
        f"image {first} counted from 0 has {angles[first]:g}° here and {recorded[first]:g}° there"
    )
    hint = "The list is taken; check that it belongs to this stack, in its order."
    return [Problem("angles-differ", message, Severity.WARNING, file=name, hint=hint)]


def _in_mdoc(acquired: Acquired, count: int) -> tuple[float, ...]:
    """The angles of the stack's own mdoc, or of the only one, in the order of its section numbers; nothing unless these are
    distinct and as many as there are images."""
    mine = [section for section, own in zip(acquired.sections, acquired.own, strict=True) if own]
    if not mine and len(acquired.mdocs) == 1:
        mine = list(acquired.sections)
    ordered = {section.z_value: section.tilt_angle for section in mine}
    if len(mine) != count or len(ordered) != count or None in ordered.values():
        return ()
    return tuple(angle for _, angle in sorted(ordered.items()) if angle is not None)


def _twice(angles: tuple[float, ...], name: str) -> list[Problem]:
    return [
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


def matched(angles: Angles, acquired: Acquired, name: str) -> tuple[list[int | None], list[Problem]]:
    """For every image the position of its section in `acquired`, and what is doubtful about that; `name` is the stack's."""
    values = angles.values
    file = angles.list[0] if angles.list else name
    if not acquired.sections:
        message = "there is no mdoc for this tilt series, so that its images have no frames and no acquisition values"
        hint = "Add it under `collection_metadata`; the angle list is published all the same."
        return [None] * len(values), [Problem("no-mdoc", message, Severity.WARNING, file=file, hint=hint)]
    found = sections_of(values, acquired.sections, acquired.own, acquired.orders)
    problems = _doubtful(acquired, name)
    missing = [f"{angle:g}" for angle, place in zip(values, found, strict=True) if place is None]
    if missing:
        message = f"{len(missing)} of {len(values)} angles have no section of the same angle in the mdoc: {', '.join(missing[:5])}"
        hint = "Check that the mdoc belongs to this stack; these images are left out of its per-section parameters."
        problems.append(Problem("angle-without-section", message, Severity.WARNING, file=file, hint=hint))
    apart = [
        abs((acquired.sections[place].tilt_angle or 0.0) - angle)
        for angle, place in zip(values, found, strict=True)
        if place is not None
    ]
    if apart and max(apart) > ROUNDING:
        message = (
            f"{sum(one > ROUNDING for one in apart)} angles are up to {max(apart):.3g}° from those of their sections in the mdoc; "
            f"up to {ANGLE_TOLERANCE:g}° are taken as the same"
        )
        problems.append(Problem("angles-near", message, Severity.WARNING, file=file))
    return found, problems


def _doubtful(acquired: Acquired, stack: str) -> list[Problem]:
    """A warning when several mdocs have the same angles and none is named after the stack."""
    mdocs = acquired.mdocs
    if any(acquired.own):
        return []
    angles = [{round(s.tilt_angle, 2) for s in mdoc.sections if s.tilt_angle is not None} for mdoc in mdocs]
    shared = sum(map(len, angles)) - len(set().union(*angles))
    if shared <= len(mdocs):
        return []
    names = ", ".join(_base(mdoc.name) for mdoc in mdocs)
    message = (
        f"{shared} angles stand in more than one mdoc ({names}), and none of these is named after the stack"
    )
    hint = "Name the mdoc like the stack; until then the first file that has an angle is taken."
    return [Problem("mdoc-doubtful", message, Severity.WARNING, file=stack, hint=hint)]


def _step(angles: Sequence[float]) -> float | None:
    """The usual distance of neighbouring angles; repeats of one angle do not count."""
    ordered = sorted(angles)
    steps = [b - a for a, b in pairwise(ordered) if b - a > _SAME_ANGLE]
    return round(median(steps), 2) if steps else None
