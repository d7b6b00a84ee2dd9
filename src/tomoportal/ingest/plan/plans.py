"""A plan as data: what to do for each run, dataset and deposition, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key, sidecar
from tomoportal.layout.private import Ledger, Record
from tomoportal.problems import Problem

UNCHANGED = "unchanged"
METADATA_CHANGED = "metadata changed"
WITHOUT_SIDECAR = ("view", "gains")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to do for one run: `tasks` in any order, then its views. `ledger` is what is published, `unchanged` counts what is
    published as asked for, `orphans` are published entities of this deposition that are no longer found."""

    key: Key
    tasks: tuple[Task, ...]
    spacings: tuple[Key, ...]
    ledger: Ledger
    unchanged: int = 0
    orphans: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What to do for one dataset; `task` is None when the dataset is only referred to."""

    key: Key
    task: Task | None
    runs: tuple[RunPlan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. `problems` are those of finding and deciding."""

    deposition: Task | None
    datasets: tuple[DatasetPlan, ...]
    problems: tuple[Problem, ...] = ()

    def tasks(self) -> Iterable[Task]:
        """Every task, metadata first."""
        if self.deposition:
            yield self.deposition
        for dataset in self.datasets:
            if dataset.task:
                yield dataset.task
            for run in dataset.runs:
                yield from run.tasks


def sidecar_path(task: Task) -> str:
    """Where the sidecar of a task's entity lies; empty for what has none."""
    if task.kind in WITHOUT_SIDECAR:
        return ""
    return sidecar(task.key, task.parameters.get("stem", ""))
