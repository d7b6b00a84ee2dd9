"""An alignment: its files as they are, and in canonical form."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.imod_alignment import SectionAlignment, read_imod_alignment
from tomoportal.formats.text import TextFile
from tomoportal.ingest.steps.volume import volume_dimension
from tomoportal.ingest.task import Outcome, Work
from tomoportal.layout.paths import folder
from tomoportal.model.reconstruction import IDENTITY
from tomoportal.problems import Problem, Severity

DEFAULTS: dict[str, Any] = {
    "affine_transformation_matrix": IDENTITY,
    "alignment_type": "GLOBAL",
    "is_portal_standard": False,
    "volume_offset": {"x": 0, "y": 0, "z": 0},
    "tilt_offset": 0,
    "x_rotation_offset": 0,
    "method_type": "undefined",
}


def make_alignment(work: Work) -> Outcome:
    """Copy the files; read those of IMOD. An alignment without files is the identity, so that volumes have one to refer to."""
    home = folder(work.task.key)
    texts = [TextFile(data, name) for name, data in work.read("files")]
    files: dict[str, dict[str, Any]] = {}
    paths = {}
    for text in texts:
        name = text.name.rpartition("/")[2]
        paths[text.name] = f"{home}/{name}"
        files |= work.put(f"{home}/{name}", text.data)
    is_imod = work.task.metadata.get("format") == "IMOD"
    by_role = _one_of_each(texts) if is_imod else _roles(texts)
    sections, problems = _sections(by_role) if is_imod else ((), [])
    dimension, doubts = volume_dimension(work)
    extra = {key: value for key, value in DEFAULTS.items() if key not in work.task.metadata}
    extra |= {
        "volume_dimension": dimension,
        "per_section_alignment_parameters": [asdict(section) for section in sections],
        "alignment_path": paths[by_role["xf"].name] if "xf" in by_role else None,
        "tilt_path": paths[by_role["tlt"].name] if "tlt" in by_role else None,
        "tiltx_path": paths[by_role["xtilt"].name] if "xtilt" in by_role else None,
        "files": sorted(paths.values()),
    }
    return Outcome(extra, files, problems=(*problems, *doubts))


def _roles(texts: list[TextFile]) -> dict[str, TextFile]:
    endings = {".xf": "xf", ".tlt": "tlt", ".xtilt": "xtilt", ".tltx": "xtilt", "tilt.com": "tilt.com"}
    found: dict[str, TextFile] = {}
    for text in texts:
        for ending, role in endings.items():
            if text.name.endswith(ending):
                found.setdefault(role, text)
    return found


def _one_of_each(texts: list[TextFile]) -> dict[str, TextFile]:
    """The files of an IMOD alignment by role. Raises `FormatError` when two have the same."""
    files = _roles(texts)
    for text in texts:
        (role,) = _roles([text]) or ("",)
        if role and files[role] is not text:
            raise FormatError(
                text.name, f"this is a second .{role} file beside {files[role].name}; an alignment has one.",
                "Let match_regex choose one, or make an entry with an `ingest_id` for each alignment.",
            )  # fmt: skip
    return files


def _sections(files: dict[str, TextFile]) -> tuple[tuple[SectionAlignment, ...], list[Problem]]:
    missing = [f".{role}" for role in ("xf", "tlt") if role not in files]
    if missing:
        names = ", ".join(text.name for text in files.values()) or "no file"
        message = (
            f"an IMOD alignment needs an .xf and a .tlt file; found {names}, without {' and '.join(missing)}"
        )
        problem = Problem(
            "incomplete-alignment",
            message,
            Severity.WARNING,
            hint="Add them to the `alignments` source; sections stay unknown.",
        )
        return (), [problem]
    return read_imod_alignment(files["xf"], files["tlt"], files.get("xtilt"), files.get("tilt.com")), []
