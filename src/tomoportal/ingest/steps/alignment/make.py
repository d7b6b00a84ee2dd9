"""An alignment: its files as they are, and in canonical form."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import TiltAlignment, Unit, as_table, by_axis
from tomoportal.formats.text import TextFile
from tomoportal.ingest.steps.alignment.check import disagreements, fitted
from tomoportal.ingest.steps.alignment.read import Files, read_alignment, sorted_out
from tomoportal.ingest.steps.alignment.stack import stack_of
from tomoportal.ingest.steps.volume import volume_dimension
from tomoportal.ingest.task import Outcome, Work
from tomoportal.layout.paths import SIDECARS, folder
from tomoportal.model.reconstruction import IDENTITY
from tomoportal.problems import Problem

DEFAULTS: dict[str, Any] = {
    "affine_transformation_matrix": IDENTITY,
    "alignment_type": "GLOBAL",
    "is_portal_standard": False,
    "volume_offset": {"x": 0, "y": 0, "z": 0},
    "tilt_offset": 0,
    "x_rotation_offset": 0,
    "method_type": "undefined",
}
LARGEST_FILE = 64 << 20
"""Bytes; alignments are tables of a few hundred lines, with local shifts a few megabytes."""


def make_alignment(work: Work) -> Outcome:
    """Copy the files and read them. An alignment without files is the identity, so that volumes have one to refer to."""
    task = work.task
    for file in task.inputs.get("files", ()):
        if file.size > LARGEST_FILE:
            message = f"the file has {file.size} bytes; an alignment has less than {LARGEST_FILE}."
            raise FormatError(file.path, message, "Does the pattern name the right file?")
    texts = [TextFile(data, name) for name, data in work.read("files")]
    files, paths = _copied(work, texts)
    found = sorted_out(texts)
    alignment, problems = _read(work, found)
    dimension, doubts = volume_dimension(work)
    extra = _stated(alignment, task.metadata) | {
        "volume_dimension": dimension or _triple(alignment.volume_dimension),
        "per_section_alignment_parameters": [asdict(section) for section in alignment.sections],
        "offset_unit": Unit.ANGSTROM.value,
        "tilt_offset_included": alignment.tilt_offset_included,
        "alignment_path": _path(paths, found.main(task.metadata.get("format"))),
        "tilt_path": _path(paths, found.of("tlt")),
        "tiltx_path": _path(paths, found.of("xtilt")),
        "files": sorted(paths.values()),
    }
    return Outcome(extra, files, problems=(*problems, *doubts))


def _copied(work: Work, texts: list[TextFile]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The files under their own names, and where each lies."""
    home = folder(work.task.key)
    files: dict[str, dict[str, Any]] = {}
    paths = {}
    for text in texts:
        name = text.name.rpartition("/")[2]
        taken = name == SIDECARS["alignment"]
        paths[text.name] = f"{home}/{'source_' if taken else ''}{name}"
        files |= work.put(paths[text.name], text.data)
    return files, paths


def _read(work: Work, found: Files) -> tuple[TiltAlignment, list[Problem]]:
    task = work.task
    written = task.metadata.get("format")
    main = found.main(written)
    if main is None:
        unread = read_alignment(found, written, task.key.run, stack_of(work)[0])
        return unread, list(unread.problems)
    stack, problems = stack_of(work)
    alignment = fitted(read_alignment(found, written, task.key.run, stack), stack, main.name)
    told = disagreements(task.metadata, alignment, main.name, task.where)
    return alignment, [*problems, *alignment.problems, *told]


def _stated(alignment: TiltAlignment, metadata: Any) -> dict[str, Any]:
    """What the deposition file leaves open: as the files say, else the default."""
    read = {
        "tilt_offset": alignment.tilt_offset,
        "x_rotation_offset": alignment.x_rotation_offset,
        "volume_offset": _triple(alignment.volume_offset),
        "alignment_type": "LOCAL" if alignment.local else None,
    }
    known = DEFAULTS | {key: value for key, value in read.items() if value is not None}
    local = {"local_alignment": as_table(alignment.local)} if alignment.local else {}
    return local | {key: value for key, value in known.items() if metadata.get(key) is None}


def _triple(values: tuple[float, float, float] | None) -> dict[str, float] | None:
    return by_axis(values) if values else None


def _path(paths: dict[str, str], file: TextFile | None) -> str | None:
    return paths[file.name] if file else None
