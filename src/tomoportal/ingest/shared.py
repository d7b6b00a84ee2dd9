"""Source files that many tasks need, such as one list of particles for all runs: each is read once, while there is room to keep it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from tomoportal.errors import FormatError

ROOM = 192 << 20
"""Bytes of what is kept; the file read last is kept whatever its size."""

Made = TypeVar("Made")


@dataclass(slots=True)
class SharedFiles:
    """What has been read, the one used last at the end. Threads that ask for the same wait for the first."""

    room: int = ROOM
    _kept: OrderedDict[Hashable, tuple[Any, int]] = field(default_factory=OrderedDict)
    _locks: dict[Hashable, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def once(self, key: Hashable, make: Callable[[], Made], weigh: Callable[[Made], int]) -> Made:
        """What `make` gives for `key`, made when it is not kept; `weigh` tells its bytes. That a file is faulty is remembered too: the
        `FormatError` is raised again. Trouble on the way to it is not, which may pass."""
        with self._lock:
            own = self._locks.setdefault(key, Lock())
        with own:
            with self._lock:
                known = self._kept.get(key)
                if known is not None:
                    self._kept.move_to_end(key)
            if known is None:
                known = self._made(make, weigh)
                self._keep(key, known)
        if isinstance(known[0], FormatError):
            raise known[0]
        made: Made = known[0]
        return made

    @staticmethod
    def _made(make: Callable[[], Made], weigh: Callable[[Made], int]) -> tuple[Made | FormatError, int]:
        try:
            made = make()
        except FormatError as error:
            return error.with_traceback(None), 0
        return made, weigh(made)

    def _keep(self, key: Hashable, known: tuple[Any, int]) -> None:
        with self._lock:
            self._kept[key] = known
            while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self.room:
                left, _ = self._kept.popitem(last=False)
                self._locks.pop(left, None)
