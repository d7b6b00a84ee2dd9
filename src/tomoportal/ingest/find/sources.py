"""One source, looked at from one place → names and paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tomoportal.config import Config, Finder, Source
from tomoportal.config.placeholders import Unknown, expand, names_in
from tomoportal.errors import PortalError
from tomoportal.ingest.find.context import Context, for_pattern
from tomoportal.ingest.find.filters import filtered
from tomoportal.ingest.find.findings import Findings
from tomoportal.ingest.find.globs import composed, matching
from tomoportal.ingest.find.places import Place, Target
from tomoportal.ingest.find.tables import Tables
from tomoportal.layout import paths
from tomoportal.problems import Severity

FOLDERS = ("datasets", "runs", "voxel_spacings")
"""Sections whose references are folders of the portal."""

_RESERVED = (paths.IMAGES, paths.PRIVATE, paths.DEPOSITIONS, paths.DEPOSITIONS_OF_REFERENCE)
_SPELLINGS = (
    ("tomogram_metadata.json", "tomogram-metadata.json"),
    (f"{paths.DEPOSITIONS_OF_REFERENCE}/", f"{paths.DEPOSITIONS}/"),
    ("-neuroglancer_config.json", "-neuroglancer-config.json"),
)
"""The reference system's names and ours."""

VoxelSize = Callable[[str], float]
"""Path from the root of the source → edge of a voxel in Å, along y. Raises `PortalError`."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A name and where it comes from (from the root of its storage); None for a literal without a path."""

    name: str
    path: str | None


@dataclass
class Seeker:
    """Looks sources up. Patterns without a run's own values are matched once."""

    config: Config
    source: Place
    target: Target
    findings: Findings
    voxel_size: VoxelSize
    tables: Tables
    clashed: set[str] = field(default_factory=set)
    """Sources of which something was left out because several files claim its name."""
    _matched: dict[tuple[str, str, bool], list[str]] = field(default_factory=dict)

    def hits(self, section: str, source: Source, context: Context) -> list[Hit]:
        """What the source gives here, in order; nothing when its parent filters do not let this place through."""
        if not passes(source, context.names):
            return []
        match source.finder:
            case Finder.LITERAL:
                found = [Hit(composed(name), path) for name, path in source.values]
            case Finder.TOMOGRAM_HEADER:
                found = self._headers(source, context)
            case Finder.DESTINATION_FILTER:
                files = filtered(self.target, section, context, source.conditions)
                found = [Hit(file, file) for file in files]
            case Finder.SOURCE_MULTI_GLOB:
                found = [Hit(path, path) for path in self._matches(section, source, context)]
            case _:
                found = self._named(source, self._matches(section, source, context), context)
        return [hit for hit in found if not any(_compiled(regex).match(hit.name) for regex in source.exclude)]

    def patterns(self, source: Source, context: Context) -> list[str]:
        """The source's patterns with placeholders filled in; those that cannot be are left out and reported."""
        filled = []
        for glob in source.globs:
            try:
                pattern = expand(glob, context.values, for_pattern)
            except Unknown as name:
                self.findings.add(
                    "no-value", source.where, self.tables.absence(str(name), context.names.get("run")), example=context.label,
                    severity=Severity.WARNING, hint="Nothing is found there. Give the run a value in its table, or leave the "
                    "run out with parent_filters.",
                )  # fmt: skip
                continue
            if (pattern.startswith("/") and not source.references) or ".." in pattern.split("/"):
                self.findings.add(
                    "outside",
                    source.where,
                    f"the pattern '{pattern}' leads out of the source",
                    example=context.label,
                )
                continue
            filled.append(pattern)
        return filled

    def _matches(self, section: str, source: Source, context: Context) -> list[str]:
        """Paths from the root of the storage that match any pattern and `match_regex`, each once."""
        found: dict[str, None] = {}
        for pattern in self.patterns(source, context):
            if source.references:
                paths_ = self._in_target(pattern, section in FOLDERS)
            else:
                paths_ = self._in_source(pattern)
            keep = _compiled(source.match_regex).search
            found.update((path, None) for path in paths_ if keep(f"/{path}"))
        return list(found)

    def _in_source(self, pattern: str) -> list[str]:
        prefix = self.config.standardization.source_prefix
        return [f"{prefix}/{path}" if prefix else path for path in self._cached("source", pattern, False)]

    def _in_target(self, pattern: str, folders_only: bool) -> list[str]:
        found = self._cached("target", pattern, folders_only)
        for theirs, ours in _SPELLINGS:
            if not found and theirs in f"{pattern}/":
                found = self._cached("target", f"{pattern}/".replace(theirs, ours).rstrip("/"), folders_only)
            elif not found and ours in f"{pattern}/":
                found = self._cached("target", f"{pattern}/".replace(ours, theirs).rstrip("/"), folders_only)
        if folders_only:
            return [path for path in found if path.rpartition("/")[2] not in _RESERVED]
        return found

    def _cached(self, place: str, pattern: str, folders_only: bool) -> list[str]:
        key = (place, pattern, folders_only)
        if key not in self._matched:
            if len(self._matched) > 512:
                self._matched.clear()
            where = self.source if place == "source" else self.target
            self._matched[key] = matching(where, pattern, folders_only)
        return self._matched[key]

    def _named(self, source: Source, found: list[str], context: Context) -> list[Hit]:
        """Names by `name_regex`. Files that get no name, and files that claim the same one, are reported and left out."""
        claims: dict[str, list[str]] = {}
        for path in found:
            match = _compiled(source.name_regex).match(path.rpartition("/")[2])
            if match is None or match[1] is None:
                self.findings.add(
                    "no-name", source.where, f"name_regex '{source.name_regex}' gives no name for", example=path,
                    hint="Let match_regex leave these files out, or widen name_regex.",
                )  # fmt: skip
            else:
                claims.setdefault(composed(match[1]), []).append(path)
        for name, files in claims.items():
            if len(files) > 1:
                self.clash(source, name, files, context)
        return [Hit(name, files[0]) for name, files in claims.items() if len(files) == 1]

    def clash(self, source: Source, name: str, files: list[str], context: Context) -> None:
        """Report files that claim the same name."""
        self.clashed.add(source.where)
        self.findings.add(
            "name-claimed-twice", source.where, "several files claim one name, and none of them is taken",
            example=f"'{name}' by {' and '.join(files[:3])}" + (f" in {context.label}" if context.label else ""),
            hint="Make the pattern or match_regex choose one, or let name_regex tell them apart.",
        )  # fmt: skip

    def _headers(self, source: Source, context: Context) -> list[Hit]:
        hits = []
        for path in self._matches("voxel_spacings", source, context):
            try:
                hits.append(Hit(str(self.voxel_size(path)), path))
            except PortalError as error:
                self.findings.add("header", source.where, "the voxel size cannot be read", example=str(error))
        return hits


def passes(source: Source, names: Mapping[str, str]) -> bool:
    """Whether the parent filters let these ancestors through: no exclude matches, and every include list has a match."""
    for kind, regexes in source.exclude_parents.items():
        if kind in names and any(_compiled(regex).search(names[kind]) for regex in regexes):
            return False
    return all(
        any(_compiled(regex).search(names[kind]) for regex in regexes)
        for kind, regexes in source.include.items()
        if kind in names
    )


def static_folder(glob: str) -> str:
    """The folder of a pattern up to its first placeholder or wildcard."""
    parts = glob.split("/")
    plain = []
    for part in parts[:-1]:
        if re.search(r"[*?\[{}]", part):
            break
        plain.append(part)
    return "/".join(part for part in plain if part not in ("", "."))


def unknown_names(globs: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """Placeholders that nothing can fill."""
    return sorted({name for glob in globs for name in names_in(glob)} - set(known))


@lru_cache(maxsize=4096)
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex)
