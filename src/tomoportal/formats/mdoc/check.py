"""What is strange about the sections of one mdoc file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tomoportal.formats.mdoc.section import MdocSection
from tomoportal.formats.text import clipped
from tomoportal.problems import Problem, Severity

_SHOWN = 4


def doubts(sections: Sequence[MdocSection], name: str) -> Iterator[Problem]:
    """One warning for each kind of oddity; for each section that stands twice."""
    yield from _repeated(sections, name)
    yield from _without_angle(sections, name)
    yield from _cut_off(sections, name)
    yield from _pieces(sections, name)
    for key in ("Magnification", "PixelSpacing", "Binning"):
        yield from _mixed(sections, key, name)


def _repeated(sections: Sequence[MdocSection], name: str) -> Iterator[Problem]:
    seen: dict[tuple[str, int], int] = {}
    for section in sections:
        first = seen.setdefault((section.kind, section.z_value), section.line)
        if first != section.line:
            message = f"[{section.kind} = {section.z_value}] stands here and in line {first}"
            yield _warning("repeated-section", message, name, section.line, "Both are kept, in file order.")


def _without_angle(sections: Sequence[MdocSection], name: str) -> Iterator[Problem]:
    found = [section for section in sections if section.tilt_angle is None]
    if found:
        message = f"{len(found)} of {len(sections)} sections have no TiltAngle; the first is number {found[0].z_value}"
        yield _warning("no-angle", message, name, found[0].line)


def _cut_off(sections: Sequence[MdocSection], name: str) -> Iterator[Problem]:
    """Whether the last section lacks what all others have."""
    *others, last = sections
    if len(others) < 2:
        return
    counts = Counter(key for section in others for key in section.values)
    lacking = [key for key, count in counts.items() if count == len(others) and key not in last.values]
    if lacking:
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        message = (
            f"the last section lacks what all others have: {', '.join(map(clipped, lacking[:_SHOWN]))}{more}"
        )
        yield _warning("cut-off", message, name, last.line, "Is the file cut off? Copy it again.")


def _pieces(sections: Sequence[MdocSection], name: str) -> Iterator[Problem]:
    pieces = [section.piece for section in sections if section.piece is not None]
    images = Counter(number for _, _, number in pieces)
    if len(pieces) > len(images):
        message = (
            f"this is a montage: {len(pieces)} sections are the pieces of {len(images)} images; "
            "each counts as an image of its own, in the order and the accumulated dose too"
        )
        yield _warning("montage", message, name, sections[0].line)


def _mixed(sections: Sequence[MdocSection], key: str, name: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for section in sections:
        if key in section.values:
            first.setdefault(section.values[key], section.line)
    if len(first) > 1:
        words = ", ".join(clipped(value, 20) for value in list(first)[:_SHOWN])
        line = list(first.values())[1]
        yield _warning(
            "mixed", f"the sections differ in {key}: {words}", name, line, "Is this one tilt series?"
        )


def _warning(code: str, message: str, name: str, line: int, hint: str = "") -> Problem:
    return Problem(f"mdoc-{code}", message, Severity.WARNING, name, line, hint=hint)
