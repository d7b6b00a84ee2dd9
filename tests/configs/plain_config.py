"""A deposition file read with PyYAML alone: its sources, and what placeholders and filters mean (imports nothing of ours)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOP = ("depositions", "datasets", "runs", "voxel_spacings", "deposition_keyphotos", "dataset_keyphotos")
OF_SPACING = ("tomograms", "annotations")
PAIRS = {"mapped_tomo_name": "run_to_tomo_map_csv", "mapped_frame_name": "run_to_frame_map_csv",
         "mapped_ts_name": "run_to_ts_map_csv"}  # fmt: skip
NOT_FINDERS = ("parent_filters", "exclude")
FINDERS = ("source_glob", "source_multi_glob", "destination_glob", "literal", "tomogram_header")


@dataclass(frozen=True)
class PlainSource:
    """One source of one entry; `kind` is the finder, or the shape of an annotation."""

    section: str
    entry: int
    number: int
    metadata: Mapping[str, Any]
    kind: str
    parameters: Mapping[str, Any]
    include: Mapping[str, list[str]]
    exclude_parents: Mapping[str, list[str]]
    exclude: tuple[str, ...]

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it stands in the file."""
        return self.section, self.entry, self.number

    @property
    def is_reference(self) -> bool:
        """Whether it looks into the portal and not into the source."""
        return self.kind == "destination_glob"

    @property
    def globs(self) -> list[str]:
        """Its patterns as they are written."""
        given = self.parameters
        many = given.get("list_globs") or given.get("glob_strings")
        one = given.get("list_glob") or given.get("glob_string")
        return list(many or ([one] if one else []))

    @property
    def match(self) -> str:
        """What the full path must match."""
        return str(self.parameters.get("match_regex") or ".*")

    def passes(self, names: Mapping[str, str]) -> bool:
        """Whether the parent filters let these ancestors through."""
        for kind, regexes in self.exclude_parents.items():
            if kind in names and any(re.search(regex, names[kind]) for regex in regexes):
                return False
        return all(
            any(re.search(regex, names[kind]) for regex in regexes)
            for kind, regexes in self.include.items()
            if kind in names
        )

    def excludes(self, name: str) -> bool:
        """Whether an item of this name is left out."""
        return any(re.match(regex, name) for regex in self.exclude)


@dataclass(frozen=True)
class PlainConfig:
    """`prefix`: the folder of the source files below the source, without slashes around it."""

    path: Path
    data: Mapping[str, Any]
    prefix: str

    @property
    def settings(self) -> Mapping[str, Any]:
        """The standardization_config."""
        return dict(self.data["standardization_config"])

    def entries(self, section: str) -> list[dict[str, Any]]:
        """The entries of a section."""
        return list(self.data.get(section) or [])

    def sources(self, section: str) -> Iterator[PlainSource]:
        """Every source of a section in the order of the file."""
        for index, entry in enumerate(self.entries(section)):
            for number, source in enumerate(entry.get("sources") or ()):
                kind = next(name for name in source if name not in NOT_FINDERS)
                filters = source.get("parent_filters") or {}
                yield PlainSource(
                    section, index, number, entry.get("metadata") or {}, kind, source[kind] or {},
                    filters.get("include") or {}, filters.get("exclude") or {}, tuple(source.get("exclude") or ()),
                )  # fmt: skip

    def literals(self, section: str) -> list[str]:
        """All literal values of a section."""
        found: list[str] = []
        for source in self.sources(section):
            if source.kind == "literal":
                found += map(str, source.parameters["value"])
        return found

    @property
    def inner(self) -> list[str]:
        """The sections below runs."""
        return [name for name, entries in self.data.items() if isinstance(entries, list) and name not in TOP]

    def run_rows(self, read: Any) -> dict[str, dict[str, str]]:
        """The values that tables give the runs; `read(path)` gives the text of a file below the prefix, or None."""
        rows: dict[str, dict[str, str]] = {}
        name = self.settings.get("run_data_map_file")
        if name and (text := read(name)) is not None:
            delimiter = "\t" if name.endswith("tsv") else ","
            for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter):
                rows[row["run_name"]] = dict(row)
        for placeholder, setting in PAIRS.items():
            if self.settings.get(setting) and (text := read(self.settings[setting])) is not None:
                for line in csv.reader(io.StringIO(text.lstrip("\ufeff"))):
                    if line:
                        rows.setdefault(line[0], {})[placeholder] = line[1]
        return rows


def read_plain(path: Path) -> PlainConfig:
    """Read a deposition file."""
    data = yaml.safe_load(path.read_text())
    return PlainConfig(path, data, data["standardization_config"]["source_prefix"].strip("/"))


def placeholders(text: str) -> list[str]:
    """The names between braces."""
    return re.findall(r"\{([^{}]+)\}", text)


def filled(text: str, values: Mapping[str, str | None]) -> str | None:
    """The text with its placeholders replaced; None when one of them has no value."""
    if any(not values.get(name) for name in placeholders(text)):
        return None
    return re.sub(r"\{([^{}]+)\}", lambda found: str(values[found[1]]), text)


def number(value: Any, values: Mapping[str, str | None]) -> float | None:
    """A number that stands there or comes out of a placeholder (`float {column}`)."""
    text = filled(str(value), values) if value is not None else None
    return None if text is None else float(text.removeprefix("float").removeprefix("int").strip())


def spacing_folder(value: float) -> str:
    """`10.0` → `10.000`."""
    return f"{round(value, 3):.3f}"


def names_of(kinds: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What patterns may say about the ancestors."""
    values = dict(kinds)
    dataset, run = values.get("dataset", ""), values.get("run", "")
    return {f"{kind}_name": name for kind, name in values.items()} | {
        "output_path": "", "dataset_output_path": dataset, "run_output_path": f"{dataset}/{run}",
    }  # fmt: skip
