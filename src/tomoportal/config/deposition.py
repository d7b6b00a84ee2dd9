"""A deposition file as typed, frozen data: what `load_config` gives and everything later reads.

Names of entities are always text. Metadata is plain data (dict, list, text, numbers, ISO dates) as the depositor wrote it,
placeholders unexpanded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Finder(StrEnum):
    """How a source finds its items."""

    SOURCE_GLOB = "source_glob"
    SOURCE_MULTI_GLOB = "source_multi_glob"
    DESTINATION_GLOB = "destination_glob"
    LITERAL = "literal"
    DESTINATION_FILTER = "destination_filter"
    TOMOGRAM_HEADER = "tomogram_header"


REFERENCES = (Finder.DESTINATION_GLOB, Finder.DESTINATION_FILTER)
"""What these find exists in the portal already and is never rewritten."""


@dataclass(frozen=True, slots=True)
class Standardization:
    """Where the source files lie and which tables give each run its own values. Paths are relative to `source_prefix`,
    which has no slash at its ends."""

    deposition_id: int | None
    source_prefix: str
    run_data_map_file: str | None = None
    run_to_tomo_map_csv: str | None = None
    run_to_frame_map_csv: str | None = None
    run_to_ts_map_csv: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter of `destination_filter`: the value at the place `key` of a sidecar equals `value` (or is in the list)."""

    key: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Source:
    """One way to find items. `where` is its YAML path (`tomograms[0].sources[1]`).

    `values` are the (name, path) pairs of a literal; `include` and `exclude_parents` map an ancestor's type (`run`) to regular
    expressions searched in its name; `exclude` are matched at the start of the item's own name. Annotation sources have a
    `shape` and its parameters, with the defaults filled in, and one of the two glob finders.
    """

    where: str
    line: int
    finder: Finder
    globs: tuple[str, ...] = ()
    match_regex: str = ".*"
    name_regex: str = "(.*)"
    values: tuple[tuple[str, str | None], ...] = ()
    conditions: tuple[Condition, ...] = ()
    include: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude_parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    shape: str | None = None
    shape_parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> bool:
        """Whether the items exist in the portal already."""
        return self.finder in REFERENCES


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a section. `metadata` is None where an existing entity is only referred to."""

    section: str
    index: int
    where: str
    line: int
    metadata: Mapping[str, Any] | None
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Config:
    """A whole deposition file. `name` is the file's name without its ending, `version` empty when none is given."""

    file: str
    name: str
    version: str
    standardization: Standardization
    sections: Mapping[str, tuple[Entry, ...]]
    line_of: Callable[[str], int | None] = field(repr=False, compare=False)
    """The line (from 1) of a YAML path such as `tiltseries[0].metadata.tilt_axis`, or of its nearest parent that exists."""

    def entries(self, section: str) -> tuple[Entry, ...]:
        """The entries of a section, none when the file does not have it."""
        return self.sections.get(section, ())
