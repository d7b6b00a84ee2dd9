"""What a run of the ingestion tells: progress while it goes on, a report in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from tomoportal.ingest.task import Task
from tomoportal.problems import Problem, in_order


class Published(Protocol):
    """What the catalogue is told of what is published; each call returns when readers see it."""

    def load(self, dataset: str, runs: list[str] | None) -> bool:
        """A dataset, or some of its runs, have changed. Whether readers see it: not while metadata of the dataset are unreadable."""

    def load_deposition(self, deposition: str) -> None:
        """The deposition itself has changed."""

    def is_current(self, dataset: str) -> bool:
        """Whether the catalogue has the dataset as it was gathered last."""


class Progress(Protocol):
    """Is told how the work goes on; called from several threads."""

    def began(self, runs: int) -> None:
        """So many runs are ahead."""

    def planned(self, tasks: int, size: int) -> None:
        """Another run has so many tasks, with so many bytes to read."""

    def read(self, size: int) -> None:
        """So many more bytes have been read."""

    def finished(self, task: Task) -> None:
        """A task is done, or has failed."""


class Silent:
    """Progress that nobody watches."""

    def began(self, runs: int) -> None: ...
    def planned(self, tasks: int, size: int) -> None: ...
    def read(self, size: int) -> None: ...
    def finished(self, task: Task) -> None: ...


@dataclass(slots=True)
class Report:
    """What happened. `done` counts finished tasks by kind, `failed` lists those that failed; `unchanged` counts entities with nothing
    to do, `removed` those that were taken down. `left`: a sentence about what is left out, where metadata alone were asked for."""

    done: Counter[str] = field(default_factory=Counter)
    failed: list[Task] = field(default_factory=list)
    unchanged: int = 0
    removed: int = 0
    left: str = ""
    problems: list[Problem] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def counted(self, task: Task) -> None:
        """Another task is done; from any thread."""
        with self._lock:
            self.done[task.kind] += 1

    def sorted_problems(self) -> list[Problem]:
        """All findings, in order."""
        return in_order(self.problems)
