"""Work in threads: what a generator yields arrives in Qt's thread, what a portal refuses as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject

from tomoportal.errors import PortalError


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why work ended early."""

    sentence: str


class Job(QObject):
    """A generator that runs in a thread of napari's pool. `take` gets what it yields, `refused` a sentence about what has ended it early;
    `ended` is called once, whatever happened, unless the job was stopped."""

    def __init__(
        self,
        work: Callable[[], Iterator[Any]],
        take: Callable[[Any], None],
        refused: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        super().__init__()
        self._take, self._refused, self._ended = take, refused, ended
        self._is_stopped = False
        self._worker = create_worker(_told, work)
        self._worker.yielded.connect(self._on_yielded)
        self._worker.errored.connect(self._on_errored)
        self._worker.finished.connect(self._on_finished)

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def stop(self) -> None:
        """Nothing of it arrives from now on; the thread ends with what it does at the moment."""
        self._is_stopped = True
        self._worker.quit()

    def _on_yielded(self, item: Any) -> None:
        if self._is_stopped:
            return
        if isinstance(item, Trouble):
            self._refused(item.sentence)
        else:
            self._take(item)

    def _on_errored(self, error: Exception) -> None:
        if not self._is_stopped:
            self._refused(_unforeseen(error))

    def _on_finished(self) -> None:
        if not self._is_stopped:
            self._ended()


def _told(work: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    try:
        yield from work()
    except PortalError as error:
        yield Trouble(str(error))
    except RuntimeError as error:
        # One that leaves a worker of napari keeps it from ever finishing.
        yield Trouble(_unforeseen(error))


def _unforeseen(error: Exception) -> str:
    return f"This could not be done, for a reason that nobody has foreseen ({type(error).__name__}: {error})."
