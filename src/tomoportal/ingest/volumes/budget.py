"""The one budget of private memory that all volume tasks of a process share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tomoportal.errors import UsageError

MIB = 1 << 20
_TASK, _WORKER, _CEILING = 120 * MIB, 44 * MIB, 400 * MIB


class MemoryBudget:
    """`total` bytes for working memory. A task takes its whole need before it starts and waits until that is free, so tasks
    that do not fit together run one after the other; a need above the total is cut to the total, and runs alone."""

    def __init__(self, total: int) -> None:
        if total <= 0:
            raise UsageError(f"A memory budget of {total} bytes makes no sense; give a positive number.")
        self.total = total
        self._free = total
        self._changed = threading.Condition()

    @staticmethod
    def for_threads(threads: int) -> MemoryBudget:
        """Enough for one large volume with so many worker threads, 400 MiB at most."""
        return MemoryBudget(min(_CEILING, _TASK + _WORKER * max(1, threads)))

    @contextmanager
    def take(self, need: int) -> Iterator[int]:
        """Hold `need` bytes, waiting for them; gives the number of bytes really held."""
        granted = min(need, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= granted)
            self._free -= granted
        try:
            yield granted
        finally:
            with self._changed:
                self._free += granted
                self._changed.notify_all()
