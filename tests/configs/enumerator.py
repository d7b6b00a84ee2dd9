"""What a deposition file finds in a source tree, worked out independently of the code under test (imports nothing of ours).

A row says: this run (and voxel spacing) consumes this file as this section. The semantics are those of the specification of the
deposition language: `os.walk`, `fnmatch` and `re`.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configs.plain_config import (
    OF_SPACING,
    PlainConfig,
    PlainSource,
    filled,
    names_of,
    number,
    spacing_folder,
)

Names = dict[str, str]
Values = Mapping[str, str | None]


@dataclass(frozen=True, order=True)
class Row:
    """One cell of the table run × entity × file; `item` tells entities of one section apart."""

    dataset: str
    run: str
    spacing: str
    section: str
    item: str
    file: str


@dataclass
class Table:
    """`runs`: dataset → its runs; `spacings`: (dataset, run) → voxel spacings."""

    runs: dict[str, set[str]] = field(default_factory=dict)
    spacings: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    rows: set[Row] = field(default_factory=set)

    def files(self, dataset: str, run: str, section: str) -> set[str]:
        """The files that a run consumes as a section."""
        return {
            row.file for row in self.rows if (row.dataset, row.run, row.section) == (dataset, run, section)
        }

    def items(self, section: str) -> set[tuple[str, str, str, str]]:
        """(dataset, run, spacing, item) of every entity of a section."""
        return {(row.dataset, row.run, row.spacing, row.item) for row in self.rows if row.section == section}


class Tree:
    """Paths of files and folders below a root; a `.zarr` folder counts as a file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: list[str] = []
        for folder, inner, files in os.walk(root):
            here = os.path.relpath(folder, root)
            start = "" if here == "." else f"{here}/"
            self.paths += [start + name for name in (*inner, *files)]
            inner[:] = [name for name in inner if not name.endswith(".zarr")]
        self.paths.sort()

    def glob(self, pattern: str) -> list[str]:
        """Paths that match, segment by segment; `**` stands for any number of folders; hidden names must be asked for."""
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        return [path for path in self.paths if fits(parts, path.split("/"))]

    def text(self, path: str) -> str | None:
        """The content of a file, if it is there."""
        file = self.root / path
        return file.read_bytes().decode() if file.is_file() else None


def fits(pattern: list[str], names: list[str]) -> bool:
    """Whether the segments of a path match those of a pattern."""
    if not pattern:
        return not names
    if pattern[0] == "**":
        visible = next((n for n, name in enumerate(names) if name.startswith(".")), len(names))
        return any(fits(pattern[1:], names[taken:]) for taken in range(visible + 1))
    if not names or (names[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatch.fnmatchcase(names[0], pattern[0]) and fits(pattern[1:], names[1:])


def enumerate_table(
    config: PlainConfig, source: Path, portal: Path, voxel_size: Callable[[Path], float]
) -> Table:
    """The table for the source tree at `source` and what is published at `portal`."""
    return _Enumerator(config, Tree(source), Tree(portal), voxel_size).table()


class _Enumerator:
    def __init__(
        self, config: PlainConfig, source: Tree, portal: Tree, voxel_size: Callable[[Path], float]
    ) -> None:
        self.config, self.source, self.portal, self.voxel_size = config, source, portal, voxel_size
        self.rows = config.run_rows(lambda path: source.text(self._below(path)))
        self.result = Table()

    def _below(self, path: str) -> str:
        return f"{self.config.prefix}/{path}" if self.config.prefix else path

    def table(self) -> Table:
        deposition = self.config.literals("depositions")[0]
        for _, dataset, _ in self._items("datasets", {"deposition": deposition}, {}):
            names = {"deposition": deposition, "dataset": dataset}
            self.result.runs[dataset] = set()
            for _, run, _ in self._items("runs", names, {}):
                if run != "Images":
                    self.result.runs[dataset].add(run)
                    self._run({**names, "run": run})
        return self.result

    def _run(self, names: Names) -> None:
        row: Values = self.rows.get(names["run"], {})
        where = names["dataset"], names["run"]
        spacings = self._spacings(names, row)
        self.result.spacings[where] = spacings
        for section in self.config.inner:
            for spacing in sorted(spacings) if section in OF_SPACING else [""]:
                inner = {**names, "voxel_spacing": spacing} if spacing else names
                for source, name, path in self._items(section, inner, row):
                    if path is None or source.is_reference or not self._at_home(source, spacing, row):
                        continue
                    item = (
                        str(source.entry)
                        if section in ("annotations", "alignments", "frames")
                        else f"{source.entry} {name}"
                    )
                    self.result.rows.add(Row(*where, spacing, section, item, path))

    def _at_home(self, source: PlainSource, spacing: str, row: Values) -> bool:
        """A tomogram belongs under the voxel spacing that its metadata state."""
        if source.section != "tomograms":
            return True
        stated = number(source.metadata.get("voxel_spacing"), row)
        return stated is None or spacing_folder(stated) == spacing

    def _spacings(self, names: Names, row: Values) -> set[str]:
        found = set()
        for source in self.config.sources("voxel_spacings"):
            if not source.passes(names):
                continue
            if source.kind == "literal":
                found |= {number(value, row) for value in source.parameters["value"]}
            elif source.kind == "tomogram_header":
                found |= {
                    self.voxel_size(self.source.root / path) for path in self._paths(source, names, row)
                }
            else:
                found |= {float(name) for _, name, _ in self._of(source, names, row)}
        return {spacing_folder(value) for value in found if value is not None}

    def _items(self, section: str, names: Names, row: Values) -> list[tuple[PlainSource, str, str | None]]:
        sources = [source for source in self.config.sources(section) if source.passes(names)]
        return [item for source in sources for item in self._of(source, names, row)]

    def _of(
        self, source: PlainSource, names: Names, row: Values
    ) -> list[tuple[PlainSource, str, str | None]]:
        items: dict[str, str | None] = {}
        if source.kind == "literal":
            items = {str(value): None for value in source.parameters["value"]}
        else:
            for path in self._paths(source, names, row):
                items[self._name(source, path)] = path
        return [(source, name, path) for name, path in items.items() if not source.excludes(name)]

    def _name(self, source: PlainSource, path: str) -> str:
        if source.kind not in ("source_glob", "destination_glob"):
            return path
        regex = source.parameters.get("name_regex") or "(.*)"
        found = re.match(regex, path.rpartition("/")[2])
        assert found, f"{regex} gives {path} no name"
        return found[1]

    def _paths(self, source: PlainSource, names: Names, row: Values) -> list[str]:
        values: dict[str, Any] = {**row, **names_of(names.items())}
        tree = self.portal if source.is_reference else self.source
        folders = source.is_reference and source.section in ("datasets", "runs", "voxel_spacings")
        found: dict[str, None] = {}
        for glob in source.globs:
            pattern = filled(glob, values)
            if pattern is None:
                continue
            full = pattern if source.is_reference else self._below(pattern)
            for path in tree.glob(full):
                if re.search(source.match, f"/{path}") and not (folders and (tree.root / path).is_file()):
                    found[path] = None
        return list(found)
