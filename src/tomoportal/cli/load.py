"""`tomoportal load`: bring the catalogue up to date with the files, once or again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.catalog.watch import Happening
    from tomoportal.settings import Settings
    from tomoportal.storage import Storage

LOOKING_AT_MOST = 0.2
"""Share of the time that a watcher spends on looking, when looking takes long."""


def load(
    datasets: Annotated[
        list[str] | None, typer.Argument(help="Folder names of datasets; all of them when none is named.")
    ] = None,
    storage: StorageOption = None,
    database: DatabaseOption = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="First list every object of datasets that Tomoportal has not written, to learn the sizes of their volumes. Takes long.",
        ),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on looking for changes and load them, until it is stopped.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, help="Seconds between two looks of --watch.")
    ] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Bring the catalogue up to date with the files; a catalogue of another version is made anew."""
    from tomoportal.errors import UsageError
    from tomoportal.settings import Settings

    if watch and (measure or datasets):
        raise UsageError(
            "--watch looks at all datasets and measures none; leave out "
            + ("--measure" if measure else "the names")
        )
    settings = Settings.from_environment(storage=storage, database=database)
    if watch:
        _watch(settings, every, as_json)
        return
    if measure:
        _measure(settings, datasets or None, as_json)
    _once(settings, datasets or None, as_json)


def _once(settings: Settings, datasets: list[str] | None, as_json: bool) -> None:
    import time

    from tomoportal.catalog import load as load_catalog
    from tomoportal.catalog import open_catalog
    from tomoportal.problems import Problem, has_errors

    opened, started = _opened(settings), time.monotonic()
    with open_catalog(settings.database, create=True) as catalog:
        report = load_catalog(opened, catalog, datasets=datasets)
    problems = list(report.problems)
    if not (report.datasets or problems or datasets or report.removed):
        told = f"{settings.storage} holds no dataset, so nothing was loaded"
        problems = [Problem("load-nothing", told, hint="Check --storage, or ingest something first.")]
    for problem in problems:
        typer.echo(problem.as_json() if as_json else str(problem))
    if not as_json:
        took = time.monotonic() - started
        typer.echo(f"{report.rows} rows of {len(report.datasets)} datasets loaded in {took:.1f} s")
    if has_errors(problems):
        raise typer.Exit(1)


def _opened(settings: Settings) -> Storage:
    """The storage. Raises `StorageError` for a folder that is not there: nothing of it is known, not even that it is empty."""
    from tomoportal.errors import NotFound
    from tomoportal.storage import LocalStorage, open_storage

    storage = open_storage(settings.storage)
    if isinstance(storage, LocalStorage) and not storage.root.is_dir():
        raise NotFound(settings.storage, "there is no such folder; name the one with the files by --storage")
    return storage


def _measure(settings: Settings, datasets: list[str] | None, as_json: bool) -> None:
    from tomoportal.catalog.measure import measure

    typer.echo(
        "Listing every object of mirrored datasets; this may take long. What is measured stays when you stop it.",
        err=True,
    )
    with _progress(as_json) as (began, done):
        found = measure(_opened(settings), settings.database, datasets, began=began, done=done)
    if not found.datasets:
        told = "There is nothing to measure: Tomoportal knows the sizes of what it has written itself."
    else:
        told = f"{found.runs} runs of {len(found.datasets)} mirrored datasets measured, {found.known} were known already"
    typer.echo(told, err=True)


@contextmanager
def _progress(quiet: bool) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """What to call with the number of runs, and with each that is finished: a bar, when somebody looks."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield (lambda _: None), (lambda _: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        bar = display.add_task("measuring", total=None)

        def began(runs: int) -> None:
            display.update(bar, total=max(runs, 1))

        def done(run: str) -> None:
            display.update(bar, advance=1, description=run)

        yield began, done


def _watch(settings: Settings, every: float, as_json: bool) -> None:
    """Until SIGINT or SIGTERM, which let what is being loaded be finished; a second one does not wait."""
    import time

    from tomoportal.catalog.watch import Watcher

    with _stopping() as wait:
        watcher = Watcher(
            lambda: _opened(settings),
            settings.database,
            lambda it: _tell(it, as_json),
            is_over=lambda: wait(0),
        )
        while True:
            started = time.monotonic()
            watcher.look()
            took = time.monotonic() - started
            if wait(max(every, took / LOOKING_AT_MOST)):
                return


@contextmanager
def _stopping() -> Iterator[Callable[[float], bool]]:
    """A function that waits so many seconds, or until a signal comes; whether one has come."""
    import signal
    import threading

    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(*_: object) -> None:
        stop.set()
        put_back()

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop.wait
    finally:
        put_back()


def _tell(happening: Happening, as_json: bool) -> None:
    """One line, at once, even into a pipe."""
    import json
    from dataclasses import asdict

    if not as_json:
        print(happening.message, flush=True)
        return
    told = {key: value for key, value in asdict(happening).items() if value not in (None, "", 0)}
    print(json.dumps(told, ensure_ascii=False), flush=True)
