"""What `find` gives: the items of a deposition file as they lie in the source, in a fixed order. Plain frozen data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.config import Config, Entry, Source
from tomoportal.ingest.find.listing import Listing
from tomoportal.problems import Problem


@dataclass(frozen=True, slots=True)
class FoundItem:
    """One thing that a source names.

    `path` and `files` are paths from the root of the source storage (for `referenced` items: of the target storage), without a
    leading slash; a folder (`.zarr`) counts as one file. `path` is None for literals without a path. Items of sections in
    `GROUPED` hold all files of one source. `metadata` is the entry's with placeholders filled in (None: the entry has none),
    `parameters` those of an annotation's shape, filled in too.
    """

    entry: Entry
    source: Source
    name: str
    path: str | None = None
    files: tuple[str, ...] = ()
    referenced: bool = False
    metadata: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


Items = Mapping[str, tuple[FoundItem, ...]]
"""Section → items. A section without items is absent."""


@dataclass(frozen=True, slots=True)
class FoundSpacing:
    """A voxel spacing of a run: `name` as in folder names (`13.480`), `value` in Å; items of tomograms, annotations, key_images."""

    name: str
    value: float
    items: Items
    referenced: bool = False


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run. `path` is what named it in the source; `variables` fill placeholders; `row` is its line of the run data map (None:
    it has none)."""

    name: str
    path: str | None
    referenced: bool
    variables: Mapping[str, str | None]
    row: Mapping[str, str] | None
    items: Items
    spacings: tuple[FoundSpacing, ...]


@dataclass(frozen=True, slots=True)
class FoundDataset:
    """A dataset; `name` is its folder and identifier. `imported` is False when the file only refers to it: then nothing of the
    dataset itself is ever written. `items` holds its dataset_keyphotos."""

    name: str
    entry: Entry
    metadata: Mapping[str, Any] | None
    imported: bool
    runs: tuple[FoundRun, ...]
    items: Items


@dataclass(frozen=True, slots=True)
class FoundDeposition:
    """The deposition; `name` is its folder and identifier. `imported` as for datasets. `items`: deposition_keyphotos."""

    name: str
    entry: Entry
    metadata: Mapping[str, Any] | None
    imported: bool
    datasets: tuple[FoundDataset, ...]
    items: Items


@dataclass(frozen=True, slots=True)
class Found:
    """Everything found, and what was wrong. `deposition` is None when not even that could be determined. `listing` is the source as
    it was listed on the way."""

    config: Config
    deposition: FoundDeposition | None
    problems: tuple[Problem, ...]
    listing: Listing = field(repr=False, compare=False)

    def runs(self) -> Iterator[tuple[FoundDataset, FoundRun]]:
        """All runs with their datasets, in order."""
        for dataset in self.deposition.datasets if self.deposition else ():
            for run in dataset.runs:
                yield dataset, run
