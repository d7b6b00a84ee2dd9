"""How far a download is: one bar over all files, with bytes, files, rate and the time that is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from tomoportal.client.downloads.manifest import Totals

REFRESH = 0.2
"""Seconds."""


class Counter:
    """Files and bytes so far; any thread may add."""

    def __init__(self) -> None:
        self.files = self.bytes = 0
        self._lock = Lock()

    def add(self, files: int, size: int) -> None:
        """So many more."""
        with self._lock:
            self.files += files
            self.bytes += size


@contextmanager
def shown(counter: Counter, totals: Totals, wanted: bool | None) -> Iterator[None]:
    """A bar on standard error while the block runs; `wanted` None: when that is a terminal."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield
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
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as display:
        bar = display.add_task("", total=totals.all_bytes or None)
        ended = Event()

        def update() -> None:
            files = f"{counter.files}/{totals.all_files} files"
            display.update(bar, description=files, completed=counter.bytes, refresh=True)

        def watch() -> None:
            while not ended.wait(REFRESH):
                update()

        watching = Thread(target=watch, daemon=True)
        watching.start()
        try:
            yield
        finally:
            ended.set()
            watching.join()
            update()
