"""What a run of the ingestion tells: progress while it goes on, a report in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tomoportal.ingest.task import Task
from tomoportal.problems import Problem, in_order

Published = Callable[[str, list[str] | None], None]
"""Told that a dataset, or some runs of it, can be loaded into the catalogue; returns when that is done."""


class Progress(Protocol):
    """Is told how the work goes on; called from several threads."""

    def began(self, tasks: int, size: int) -> None:
        """So many tasks, with so many bytes to read, are ahead."""

    def read(self, size: int) -> None:
        """So many more bytes have been read."""

    def finished(self, task: Task) -> None:
        """A task is done, or has failed."""


class Silent:
    """Progress that nobody watches."""

    def began(self, tasks: int, size: int) -> None: ...
    def read(self, size: int) -> None: ...
    def finished(self, task: Task) -> None: ...


@dataclass(slots=True)
class Report:
    """What happened. `done` and `failed` list tasks; `unchanged` counts entities with nothing to do."""

    done: list[Task] = field(default_factory=list)
    failed: list[Task] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)

    def sorted_problems(self) -> list[Problem]:
        """All findings, in order."""
        return in_order(self.problems)
