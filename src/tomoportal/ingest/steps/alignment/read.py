"""The files of an alignment by what they are, and the reader for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import TiltAlignment, Unit
from tomoportal.formats.aretomo_alignment import read_aln
from tomoportal.formats.imod_alignment import read_imod_alignment
from tomoportal.formats.portal_alignment import read_portal_alignment
from tomoportal.formats.relion_alignment import read_relion_alignment
from tomoportal.formats.text import TextFile
from tomoportal.formats.warp_alignment import read_warp_alignment
from tomoportal.ingest.steps.alignment.stack import Stack
from tomoportal.problems import Problem, Severity

ENDINGS = {
    ".xf": "xf", ".tlt": "tlt", ".xtilt": "xtilt", ".tltx": "xtilt", "tilt.com": "tilt.com", "newst.com": "newst.com",
    ".aln": "aln", ".xml": "xml", ".json": "json",
}  # fmt: skip
MAIN = {"IMOD": ("xf",), "ARETOMO3": ("aln", "xf"), "RELION": ("star",), "WARP": ("xml",)}
"""Format → the roles of the file that holds the alignment, the preferred first."""
_NATIVE = {"xf": "IMOD", "aln": "ARETOMO3", "star": "RELION", "xml": "WARP"}


@dataclass(frozen=True, slots=True)
class Files:
    """One file for each role, and all STAR files (RELION divides an alignment among several)."""

    by_role: Mapping[str, TextFile] = field(default_factory=dict)
    stars: tuple[TextFile, ...] = ()

    def main(self, written: str | None) -> TextFile | None:
        """The file that holds an alignment of this format, else the first that holds any."""
        for role in (*MAIN.get(written or "", ()), "json", *_NATIVE):
            if found := self.of(role):
                return found
        return None

    def of(self, role: str) -> TextFile | None:
        """The file of a role."""
        return self.stars[0] if role == "star" and self.stars else self.by_role.get(role)


def sorted_out(texts: Sequence[TextFile]) -> Files:
    """The files by their names. Raises `FormatError` when two have the same role."""
    found: dict[str, TextFile] = {}
    for text in texts:
        role = next((role for ending, role in ENDINGS.items() if text.name.endswith(ending)), None)
        if role in found:
            raise FormatError(
                text.name, f"this is a second .{role} file beside {found[role].name}; an alignment has one.",
                "Let match_regex choose one, or make an entry with an `ingest_id` for each alignment.",
            )  # fmt: skip
        if role:
            found[role] = text
    return Files(found, tuple(text for text in texts if text.name.endswith(".star")))


def read_alignment(files: Files, written: str | None, series: str, stack: Stack) -> TiltAlignment:
    """What files of the format `written` say about the tilt series `series`. Files that hold no alignment of it leave its
    sections unknown, which is a problem."""
    get = files.by_role.get
    if written in ("IMOD", "ARETOMO3") and (xf := get("xf")) and (tlt := get("tlt")):
        transforms = read_imod_alignment(xf, tlt, get("xtilt"), get("tilt.com"), get("newst.com"))
    else:
        transforms = None
    if written == "ARETOMO3" and (aln := get("aln")):
        return _compared(read_aln(aln), transforms, get("xf"))
    if transforms is not None:
        return transforms
    if written == "RELION" and files.stars:
        return read_relion_alignment(files.stars, series, stack.angles, stack.size)
    if written == "WARP" and (xml := get("xml")):
        return read_warp_alignment(xml)
    if own := get("json"):
        return read_portal_alignment(own)
    return TiltAlignment((), Unit.ANGSTROM, problems=tuple(_unread(files, written)))


def _unread(files: Files, written: str | None) -> list[Problem]:
    names = [text.name for text in (*files.by_role.values(), *files.stars)]
    if not names:
        return []
    if written is None:
        message = f"no format is stated for {', '.join(names)}; they are published without being read"
        hint = f"Write `format`: {', '.join(MAIN)}."
        return [Problem("alignment-unread", message, Severity.WARNING, file=names[0], hint=hint)]
    needed = {"IMOD": ("xf", "tlt"), "ARETOMO3": ("aln",)}.get(written, MAIN.get(written, ()))
    missing = [f".{role}" for role in needed if files.of(role) is None]
    message = (
        f"an alignment of {written} needs {' and '.join(f'.{role}' for role in needed)}; "
        f"found {', '.join(names)}, without {' and '.join(missing)}"
    )
    other = next((known for role, known in _NATIVE.items() if files.of(role) and known != written), None)
    hint = "Add them to the `alignments` source; sections stay unknown."
    if other and not (written == "ARETOMO3" and other == "IMOD"):
        hint = f"Is it one of {other}? Then write `format: {other}`; until then sections stay unknown."
    return [Problem("incomplete-alignment", message, Severity.WARNING, file=names[0], hint=hint)]


_TURNED, _SHIFTED = 0.02, 1.0
"""How far AreTomo's .xf, which has three decimals, may be from the .aln: of cosines, and pixels."""


def _compared(aln: TiltAlignment, xf: TiltAlignment | None, file: TextFile | None) -> TiltAlignment:
    """The .aln, with a problem when the .xf beside it says something else."""
    if xf is None or file is None:
        return aln
    others = {section.z_index: section for section in xf.sections}
    if len(xf.sections) == len(aln.sections):
        others = {one.z_index: other for one, other in zip(aln.sections, xf.sections, strict=True)}
    for one in aln.sections:
        other = others.get(one.z_index)
        if other is None:
            continue
        turned = abs(one.in_plane_rotation[1][0] - other.in_plane_rotation[1][0]) > _TURNED
        shifted = max(
            abs((one.x_offset or 0) - (other.x_offset or 0)), abs((one.y_offset or 0) - (other.y_offset or 0))
        )
        if turned or shifted > _SHIFTED + _TURNED * abs(one.x_offset or 0) + _TURNED * abs(one.y_offset or 0):
            what = "turns images another way" if turned else f"shifts images otherwise, by {shifted:.1f} px"
            message = f"{file.name} {what} than the .aln (first at image {one.z_index} counted from 0); the .aln is taken"
            hint = "AreTomo itself writes both alike; was the .xf made by another program?"
            problem = Problem("alignment-differs", message, Severity.WARNING, file=file.name, hint=hint)
            return replace(aln, problems=(*aln.problems, problem))
    return aln
