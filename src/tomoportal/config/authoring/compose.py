"""The parts of a deposition file in their order, for each kind of deposition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.config.authoring.places import Metadata, metadata_of
from tomoportal.config.authoring.text import FILL_IN, Text, scalar
from tomoportal.config.sections import ANNOTATION_SHAPES, VERSION
from tomoportal.errors import UsageError

KINDS = {"dataset": "dataset", "annotations": "annotation", "tomograms": "tomogram"}
"""What can be started, and the deposition type that it is."""

_ACQUISITION = ("collection_metadata", "frames", "gains", "tiltseries", "rawtilts", "ctfs", "alignments")
_SELDOM = ("gains", "ctfs")
_NAMES = {
    "collection_metadata": "the mdoc files, from the microscope",
    "frames": "movie frames",
    "gains": "gain references",
    "tiltseries": "stacks of images",
    "rawtilts": "the angles of each stack",
    "ctfs": "CTF estimates",
    "alignments": "how the stack was aligned; all files of one source make one alignment",
    "tomograms": "reconstructions",
}
_STARTING: Mapping[str, Mapping[str, Any]] = {
    "tomograms": {
        "tomogram_version": 1,
        "is_visualization_default": True,
        "offset": {"x": 0, "y": 0, "z": 0},
    },
    "annotations": {"version": 1.0},
}
"""What nearly every new entry says."""

_SOMEBODY = [{"primary_author_status": True, "corresponding_author_status": True}]
"""An author whose name is to be filled in."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Patterns of the files of a section; `name_regex` for runs. `note` says what they match."""

    globs: tuple[str, ...]
    note: str = ""
    name_regex: str = ""
    match_regex: str = ""


@dataclass
class Draft:
    """What is known: `metadata` by section, `patterns` by section, `looked`: whether a source was looked at for patterns.
    `annotations`: shape, format and pattern of each. `tables`: files of values of each run, by the key that names them.
    `notes`: what to say of values of headers, by key."""

    deposition: int | None = None
    dataset: str | None = None
    prefix: str = "."
    metadata: Metadata = field(default_factory=dict)
    patterns: dict[str, Pattern] = field(default_factory=dict)
    looked: bool = False
    annotations: list[tuple[str, str, str]] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def standardize(self, given: Mapping[str, Any]) -> None:
        """Take keys of `standardization_config`."""
        rest = dict(given)
        self.deposition = rest.pop("deposition_id", self.deposition)
        self.prefix = rest.pop("source_prefix", self.prefix)
        self.tables |= rest

    @property
    def spacing(self) -> Any:
        """The voxel spacing of the tomograms, if known."""
        return self.metadata.get("tomograms", {}).get("voxel_spacing")


def compose(kind: str, draft: Draft) -> str:
    """The text of a deposition file. `kind` is one of `KINDS`."""
    text = Text(draft.notes)
    text.add(
        "", f"A deposition of the kind {kind}. Every place that must still be filled in is marked {FILL_IN};"
    )
    text.add(
        "",
        "`tomoportal check` tells them with their lines. Lines that begin with # may be added by removing it.",
    )
    text.add(f"version: {VERSION}")
    text.add("standardization_config:")
    _known(text, "  deposition_id:", draft.deposition, "identifier of the deposition; a whole number")
    text.add(f"  source_prefix: {scalar(draft.prefix)}", "folder below --source; every pattern starts there")
    _tables(text, draft.tables)
    _deposition(text, kind, draft)
    if kind == "dataset":
        _dataset(text, draft)
    else:
        _existing(text, kind, draft)
    if kind in ("dataset", "tomograms"):
        _entry(text, "tomograms", draft)
    if kind == "annotations" or draft.annotations:
        _annotations(text, draft)
    return "\n".join(text.lines) + "\n"


def _tables(text: Text, tables: Mapping[str, str]) -> None:
    meaning = "table with one line a run; its columns are placeholders: float {column}"
    if "run_data_map_file" not in tables:
        text.add("  # run_data_map_file: runs.csv", meaning)
    for name, path in tables.items():
        text.add(f"  {name}: {scalar(path)}", meaning if name == "run_data_map_file" else "")


def _deposition(text: Text, kind: str, draft: Draft) -> None:
    text.add()
    text.add("depositions:")
    own: dict[str, Any] = {"deposition_types": [KINDS[kind]], "authors": _SOMEBODY} | draft.metadata.get(
        "depositions", {}
    )
    if draft.deposition is not None:
        own.setdefault("deposition_identifier", draft.deposition)
    _metadata(text, "depositions", own)
    _literal(text, draft.deposition, "the identifier again")


def _dataset(text: Text, draft: Draft) -> None:
    text.add()
    text.add("datasets:")
    own = dict(draft.metadata.get("datasets", {}))
    if draft.dataset is not None:
        own.setdefault("dataset_identifier", int(draft.dataset))
    _metadata(text, "datasets", own)
    _literal(text, draft.dataset, "the identifier again, in quotes: the folder of the data set")
    text.add()
    text.add("runs:", "one for each match; the group of name_regex is {run_name} in all patterns below")
    _pattern(text, "- sources:", draft.patterns.get("runs"), "runs")
    for section in _ACQUISITION:
        _entry(text, section, draft)
    text.add()
    text.add("voxel_spacings:", "in Å; every tomogram and annotation belongs to one of them")
    _literal(text, draft.spacing, "voxel spacing in Å", first="- sources:")


def _existing(text: Text, kind: str, draft: Draft) -> None:
    """What lies in the portal already and is only referred to."""
    text.add()
    text.add("datasets:", "in the portal already: without metadata, so that nothing of it is changed")
    _literal(text, draft.dataset, "identifier of the data set, in quotes", first="- sources:")
    text.add()
    text.add("runs:", "all runs of the data set")
    text.add("- sources:")
    text.add("  - destination_glob: {list_glob: '{dataset_output_path}/*'}")
    text.add("    exclude: ['Images', 'dataset_metadata\\.json']")
    text.add()
    text.add("voxel_spacings:")
    if draft.spacing is not None or kind == "tomograms":
        _literal(text, draft.spacing, "voxel spacing of the tomograms in Å", first="- sources:")
    else:
        text.add("- sources:")
        folder = "{run_output_path}/Reconstructions/VoxelSpacing*"
        text.add(f"  - destination_glob: {{list_glob: '{folder}', name_regex: 'VoxelSpacing(.*)'}}")
    text.add()
    text.add("alignments:", "the alignment that was used; 100 is the first one of a run")
    text.add("- sources:")
    text.add("  - destination_glob: {list_glob: '{run_output_path}/Alignments/100/alignment_metadata.json'}")


def _entry(text: Text, section: str, draft: Draft) -> None:
    """One section with its metadata and pattern; without files it is commented out, or left to be filled in."""
    text.add()
    pattern = draft.patterns.get(section)
    given = {**_STARTING.get(section, {}), **draft.metadata.get(section, {})}
    wanted = pattern is not None or (section == "frames" and "collection_metadata" in draft.patterns)
    if not wanted and section != "tomograms" and (draft.looked or draft.patterns or section in _SELDOM):
        text.add(
            "", f"{section}: {_NAMES[section]}; add an entry when there are files, as for the sections here"
        )
        return
    text.add(f"{section}:", _NAMES[section])
    started = metadata_of(section) is not None
    if started:
        _metadata(text, section, given)
    if section == "frames" and pattern is None:
        text.add(
            "  sources: [{literal: {value: [default]}}]",
            "as the mdoc files list them; no frame files are given",
        )
    else:
        _pattern(text, "  sources:" if started else "- sources:", pattern, section)


def _annotations(text: Text, draft: Draft) -> None:
    """An entry for each pattern: whether two of them show the same objects is not known. The first takes the known metadata."""
    text.add()
    text.add("annotations:")
    metadata = draft.metadata.get("annotations", {})
    for place, files in enumerate(draft.annotations or [None]):
        if place:
            text.add("", "If these files show the same objects, move their source to the entry above.")
        _metadata(text, "annotations", {**_STARTING["annotations"], **({} if place else metadata)})
        text.add("  sources:")
        _annotation_files(text, files)


def _annotation_files(text: Text, files: tuple[str, str, str] | None) -> None:
    if files:
        shape, kind, glob = files
        text.add(f"  - {shape}:")
        text.add(f"      file_format: {scalar(kind)}", "one of " + ", ".join(ANNOTATION_SHAPES[shape][0]))
        text.add(f"      glob_string: {quoted(glob)}")
        return
    text.add(
        "  - Point:", "or another shape: " + ", ".join(name for name in ANNOTATION_SHAPES if name != "Point")
    )
    text.add("      file_format:", f"{FILL_IN}: one of {', '.join(ANNOTATION_SHAPES['Point'][0])}")
    text.add(
        "      glob_string:",
        f"{FILL_IN}: pattern of paths below the source prefix, such as picks/{{run_name}}.csv",
    )


def _metadata(text: Text, section: str, given: Mapping[str, Any]) -> None:
    shape = metadata_of(section)
    if shape is not None:
        text.add("- metadata:")
        text.object(shape, given, 4)


def _literal(text: Text, value: Any, meaning: str, first: str = "  sources:") -> None:
    text.add(first)
    text.add("  - literal:")
    text.add("      value:")
    _known(text, "      -", value, meaning)


def _known(text: Text, start: str, value: Any, meaning: str) -> None:
    if value is None:
        text.add(start, f"{FILL_IN}: {meaning}")
    else:
        text.add(f"{start} {quoted(value) if isinstance(value, str) else scalar(value)}", meaning)


def _pattern(text: Text, start: str, pattern: Pattern | None, section: str) -> None:
    text.add(start)
    if pattern is None:
        text.add("  - source_glob:")
        text.add(
            "      list_glob:", f"{FILL_IN}: pattern of paths below the source prefix" + _example(section)
        )
        return
    if len(pattern.globs) > 1:
        text.add("  - source_multi_glob:", pattern.note)
        text.add("      list_globs:")
        for glob in pattern.globs:
            text.add(f"      - {quoted(glob)}")
        return
    text.add("  - source_glob:", pattern.note)
    text.add(f"      list_glob: {quoted(pattern.globs[0])}")
    for name in ("match_regex", "name_regex"):
        if getattr(pattern, name):
            text.add(f"      {name}: {quoted(getattr(pattern, name))}")


def _example(section: str) -> str:
    return ", such as tomograms/*.mrc" if section == "runs" else ", such as " + f"{section}/{{run_name}}.*"


def quoted(text: str) -> str:
    """A text in single quotes, in which backslashes stand for themselves."""
    return "'" + text.replace("'", "''") + "'"


def run_pattern(glob: str, note: str = "") -> Pattern:
    """The pattern of runs whose name stands where the last segment has its `*`."""
    last = glob.rpartition("/")[2]
    regex = re.escape(last).replace(r"\*", "(.*)", 1).replace(r"\*", ".*") if "*" in last else "(.*)"
    return Pattern((glob,), note, "" if regex == "(.*)" else regex)


def patterns_of(texts: list[str]) -> dict[str, Pattern]:
    """Patterns from `section=glob` texts; several of one section belong together. Raises `UsageError`."""
    globs: dict[str, list[str]] = {}
    for text in texts:
        section, equals, glob = text.partition("=")
        if not equals or not glob or section not in ("runs", "tomograms", *_ACQUISITION):
            known = ", ".join(("runs", "tomograms", *_ACQUISITION))
            raise UsageError(f"--pattern {text}: expected SECTION=GLOB with one of {known}.")
        globs.setdefault(section, []).append(glob)
    return {
        section: run_pattern(some[0]) if section == "runs" else Pattern(tuple(some))
        for section, some in globs.items()
    }


def split_annotation(text: str) -> tuple[str, str, str]:
    """Shape, format and pattern from `Point:csv:picks/{run_name}.csv`. Raises `UsageError`."""
    shape, _, rest = text.partition(":")
    kind, _, glob = rest.partition(":")
    if shape not in ANNOTATION_SHAPES or kind not in ANNOTATION_SHAPES[shape][0] or not glob:
        known = ANNOTATION_SHAPES[shape][0] if shape in ANNOTATION_SHAPES else tuple(ANNOTATION_SHAPES)
        raise UsageError(f"--annotation {text}: expected SHAPE:FORMAT:GLOB with one of {', '.join(known)}.")
    return shape, kind, glob
