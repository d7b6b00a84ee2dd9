"""How commands talk: findings, and progress on long work."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import typer

from tomoportal.problems import Problem, Severity

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from tomoportal.ingest.report import Progress
    from tomoportal.ingest.task import Task

_COLOURS = {
    Severity.ERROR: typer.colors.RED,
    Severity.WARNING: typer.colors.YELLOW,
    Severity.UNSUPPORTED: typer.colors.CYAN,
    Severity.NOTICE: typer.colors.CYAN,
}


def show_problems(problems: Iterable[Problem], *, as_json: bool = False, most: int = 200) -> None:
    """Findings on standard output as JSON lines, or on standard error for people."""
    problems = list(problems)
    if as_json:
        for problem in problems:
            typer.echo(problem.as_json())
        return
    for problem in problems[:most]:
        typer.secho(str(problem), fg=_COLOURS[problem.severity], err=True)
    if len(problems) > most:
        typer.secho(f"… and {len(problems) - most} more; --json prints all of them.", err=True)


def human_size(size: float) -> str:
    """Bytes in units of 1000, three digits."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(size) < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


class _Bar:
    """Ingest progress as a bar of bytes and a count of tasks. Runs are planned on the way: how many bytes are ahead is estimated from
    those that are."""

    def __init__(self, display: RichProgress, bar: TaskID) -> None:
        self._display, self._bar, self._lock = display, bar, Lock()
        self._runs = self._planned = self._done = self._tasks = self._size = 0

    def began(self, runs: int) -> None:
        self._runs = runs

    def planned(self, tasks: int, size: int) -> None:
        self._planned, self._tasks, self._size = self._planned + 1, self._tasks + tasks, self._size + size
        expected = self._size * max(self._runs, self._planned) // self._planned
        self._display.update(self._bar, total=max(expected, 1))

    def read(self, size: int) -> None:
        self._display.advance(self._bar, size)

    def finished(self, task: Task) -> None:
        with self._lock:
            self._done += 1
        name = "/".join(part for part in (task.key.dataset, task.key.run) if part) or task.key.deposition
        self._display.update(
            self._bar,
            description=f"{self._done} entities · run {self._planned}/{self._runs} · {name} {task.kind}",
        )


@contextmanager
def ingest_progress(quiet: bool) -> Iterator[Progress | None]:
    """A progress bar on standard error; none when `quiet` or when nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        yield _Bar(display, display.add_task("planning", total=None))
