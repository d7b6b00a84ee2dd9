"""A plan as data: what to do for each run, dataset and deposition, and why.

Runs are planned when somebody goes through them, one after the other, and forgotten afterwards: a deposition may have tens of
thousands. Going through them again plans them again, from what is published then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tomoportal.ingest.notes import Notes
from tomoportal.ingest.plan.keyphotos import WantedPhotos
from tomoportal.ingest.task import Task
from tomoportal.ingest.views import GivenPictures
from tomoportal.layout.paths import Key, sidecar
from tomoportal.layout.private import Ledger, Record
from tomoportal.problems import Problem

UNCHANGED = "unchanged"
METADATA_CHANGED = "metadata changed"
DATA_CHANGED = "source or parameters changed"
FORCED = "asked for anew"
NEW = "new"
FILES_ALONE = ("view", "gains")
"""Kinds of tasks that publish files and no sidecar."""

T = TypeVar("T")


class Lazy(Generic[T]):
    """Things that are made anew each time somebody goes through them."""

    def __init__(self, make: Callable[[], Iterable[T]], length: int = 0) -> None:
        self._make, self._length = make, length

    def __iter__(self) -> Iterator[T]:
        return iter(self._make())

    def __len__(self) -> int:
        return self._length


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to do for one run: `tasks` in any order, then its views. `ledger` is what is published, `unchanged` counts what is
    published as asked for, `orphans` are published entities of this deposition that are no longer found."""

    key: Key
    tasks: tuple[Task, ...] = ()
    spacings: tuple[Key, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    unchanged: int = 0
    orphans: tuple[Record, ...] = ()
    pictures: Mapping[Key, GivenPictures] = field(default_factory=dict)
    """Picture files of its tomograms."""


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What to do for one dataset; `task` is None when the dataset is only referred to. `chosen`: whether its own metadata are part of
    the selection; they are written in any case when it is not published and something in it will be. `names`: its runs that are
    looked at. `gone`: published entities of this deposition in runs that are no longer found."""

    key: Key
    task: Task | None
    runs: Iterable[RunPlan]
    names: Sequence[str] = ()
    chosen: bool = True
    gone: Iterable[Record] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. `gone`: published entities of this deposition in datasets that are no longer found. `force`: views are made anew
    as well."""

    deposition: Task | None
    datasets: tuple[DatasetPlan, ...]
    found: list[Problem] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    file: str = ""
    number: str = ""
    chosen: bool = True
    gone: Iterable[Record] = ()
    force: bool = False
    photos: Mapping[Key, WantedPhotos] = field(default_factory=dict)
    """Pictures that the deposition file gives, for the deposition and for datasets."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those of finding, and of deciding as far as somebody has gone through the runs."""
        return (*self.found, *self.notes.problems(self.file))

    def orphans(self) -> Iterator[Record]:
        """Every published entity of this deposition that is no longer found; plans every run."""
        for dataset in self.datasets:
            for run in dataset.runs:
                yield from run.orphans
            yield from dataset.gone
        yield from self.gone

    def tasks(self) -> Iterator[Task]:
        """Every task, metadata first; plans every run."""
        if self.deposition and self.chosen:
            yield self.deposition
        for dataset in self.datasets:
            if dataset.task and dataset.chosen:
                yield dataset.task
            for run in dataset.runs:
                yield from run.tasks


def sidecar_path(task: Task) -> str:
    """Where the sidecar of a task's entity lies; empty for what has none."""
    if task.kind in FILES_ALONE:
        return ""
    return sidecar(task.key, task.parameters.get("stem", ""))
