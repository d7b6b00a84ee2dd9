"""Looking at a folder of source files: which patterns would find what, as proposals for a new deposition file.

Files are told by their names, MRC files by their headers.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tomoportal.config.authoring.compose import Pattern
from tomoportal.config.authoring.run_names import run_in, runs_of, some
from tomoportal.errors import FormatError
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header
from tomoportal.storage import Storage

_KINDS = (
    ("collection_metadata", r"\.mdoc$"), ("rawtilts", r"\.rawtlt$"), ("ctfs", r"(\.defocus|ctf[^/]*\.txt)$"),
    ("alignments", r"(\.xf|\.tlt|\.xtilt|\.aln|(tilt|newst)\.com)$"), ("gains", r"(\.dm4|\.gain|(gain|count)[^/]*\.(mrc|tiff?))$"),
    ("frames", r"\.(eer|tiff?)(\.bz2|\.gz)?$"), ("tiltseries", r"\.(st|ali|mrcs)$"), ("tomograms", r"\.(rec|zarr)$"),
    ("volumes", r"\.(mrc|map)$"),
)  # fmt: skip
_MANY = ("frames",)
_MASK = re.compile(r"seg(ment|_)|mask|label|annotat", re.IGNORECASE)
"""What names of masks say; they are annotations, of which a name tells too little for a proposal."""
_STACK = 0
"""The space group of image stacks (MRC2014)."""
_UNSET = 1.0
"""What many programs write into headers for a spacing that they do not know, in Å."""
_HEADERS = 20
"""So many headers of a section are read for a proposal."""


@dataclass
class Proposals:
    """`prefix`: the folder with all recognised files; `patterns` by section, below it; `metadata` by section: what headers and
    names tell; `notes` by key: what is to be known of values of headers."""

    prefix: str = ""
    patterns: dict[str, Pattern] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def propose(source: Storage, prefix: str = "") -> Proposals:
    """Look at all files below `prefix`. Raises `StorageError` when the storage fails."""
    files = _volumes_as_files(source, prefix)
    made = Proposals(_home(files))
    prefix, skip = made.prefix, len(made.prefix) + 1 if made.prefix else 0
    found = _sorted_by_kind(source, prefix, [path[skip:] for path in files])
    runs = runs_of(found)
    if runs is None:
        return made
    made.patterns["runs"] = runs.pattern
    for section, files in found.items():
        if pattern := _pattern(section, files, runs.names):
            made.patterns[section] = pattern
    for section, key in (("tomograms", "voxel_spacing"), ("tiltseries", "pixel_spacing")):
        _propose_spacing(made, section, key, _spacings(source, prefix, found.get(section, [])))
    if endings := {os.path.splitext(path)[1] for path in found.get("alignments", ())}:
        made.metadata["alignments"] = {"format": "ARETOMO3" if ".aln" in endings else "IMOD"}
    return made


def _volumes_as_files(source: Storage, prefix: str) -> list[str]:
    """All files that may be recognised, from the root of the storage; of an OME-Zarr its folder."""
    found: dict[str, None] = {}
    for entry in source.list(prefix):
        cut = entry.path.find(".zarr/")
        path = entry.path[: cut + 5] if cut >= 0 else entry.path
        if _kind(path) and not path.rpartition("/")[2].startswith("."):
            found[path] = None
    return list(found)


def _kind(path: str) -> str | None:
    kind = next((section for section, regex in _KINDS if re.search(regex, path, re.IGNORECASE)), None)
    return None if kind in ("tomograms", "volumes") and _MASK.search(path) else kind


def _home(files: list[str]) -> str:
    """The folder that holds all files, and the folders of runs as long as there are several."""
    return os.path.commonpath([path.rpartition("/")[0] for path in files]) if len(files) > 1 else ""


def _sorted_by_kind(source: Storage, prefix: str, files: list[str]) -> dict[str, list[str]]:
    """Paths below the prefix by section."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path in files:
        found[_kind(path) or ""][path] = None
    for group in _by_folder_and_ending(found.pop("volumes", {})):
        section = "tiltseries" if _is_stack(source, prefix, group[0]) else "tomograms"
        found[section] |= dict.fromkeys(group)
    return {section: sorted(files) for section, files in sorted(found.items())}


def _by_folder_and_ending(paths: Iterable[str]) -> list[list[str]]:
    """Files that differ in nothing but digits and letters of names are alike, so that one header tells for all."""
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for path in paths:
        parts = path.split("/")
        groups[len(parts), f"{parts[0] if len(parts) > 1 else ''}|{re.sub(r'[0-9]+', '', parts[-1])}"].append(
            path
        )
    return list(groups.values())


def _is_stack(source: Storage, prefix: str, path: str) -> bool:
    header = _header(source, prefix, path)
    return header is not None and header.ispg == _STACK


def _propose_spacing(made: Proposals, section: str, key: str, spacings: Counter[float]) -> None:
    """The most frequent one that means something; a note when headers differ or say nothing."""
    meant = Counter({spacing: count for spacing, count in spacings.items() if spacing != _UNSET})
    if meant:
        made.metadata[section] = {key: meant.most_common(1)[0][0]}
    if len(spacings) > 1:
        told = ", ".join(f"{spacing:g} in {count}" for spacing, count in sorted(spacings.items()))
        made.notes[key] = f"the headers differ: {told} of {spacings.total()} files looked at"
    elif spacings and not meant:
        made.notes[key] = f"the headers say {_UNSET:g} Å, which mostly means that they say nothing"


def _spacings(source: Storage, prefix: str, paths: list[str]) -> Counter[float]:
    """How often the headers of the first files have which spacing along y, in Å."""
    headers = (_header(source, prefix, path) for path in paths[:_HEADERS] if not path.endswith(".zarr"))
    found = (
        round(header.cell[1] / header.sampling[1], 3) for header in headers if header and header.sampling[1]
    )
    return Counter(spacing for spacing in found if spacing)


def _header(source: Storage, prefix: str, path: str) -> Any:
    full = f"{prefix}/{path}" if prefix else path
    raw = source.read(full, 0, HEADER_SIZE)
    if len(raw) < HEADER_SIZE:
        return None
    try:
        return decode_header(raw, source.stat(full).size, full)[0]
    except FormatError:
        return None


def _pattern(section: str, files: list[str], runs: list[str]) -> Pattern | None:
    """The pattern with `{run_name}` that covers most of the files; those of an alignment together."""
    templates: dict[str, set[str]] = defaultdict(set)
    for path in files:
        templates[_template(section, path, run_in(path, runs))].add(path)
    ordered = sorted(templates.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    if not ordered:
        return None
    if section != "alignments" and len(ordered) > 1:
        ordered = _widened(ordered)
    taken = ordered if section == "alignments" else ordered[:1]
    count = sum(len(paths) for _, paths in taken)
    others = len(files) - count
    note = f"{count} files: {some(sorted(path for _, paths in taken for path in paths))}"
    if others:
        note += f"; {others} more of other names, such as {some([path for path in files if path not in taken[0][1]], 1)}"
    return Pattern(tuple(template for template, _ in taken), note)


def _widened(ordered: list[tuple[str, set[str]]]) -> list[tuple[str, set[str]]]:
    """Templates with `*` for numbers of folders and for names of files, when no template covers more than one file."""
    if len(ordered[0][1]) > 1:
        return ordered
    wider: dict[str, set[str]] = defaultdict(set)
    for template, paths in ordered:
        folder, slash, last = template.rpartition("/")
        start = "{run_name}*" if last.startswith("{run_name}") else "*"
        wider[re.sub(r"[0-9]+", "*", folder) + slash + start + os.path.splitext(last)[1]] |= paths
    return sorted(wider.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def _template(section: str, path: str, run: str | None) -> str:
    text = path.replace(run, "{run_name}") if run else path
    folder, _, last = text.rpartition("/")
    if section in _MANY:
        start = "{run_name}" if last.startswith("{run_name}") else ""
        ending = "".join(re.findall(r"(?:\.[A-Za-z]+)+[0-9]*$", last))
        last = f"{start}*{ending}"
    return f"{folder}/{last}" if folder else last
