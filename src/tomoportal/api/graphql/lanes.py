"""Who may work when: a few costly requests at a time, so that any number of them leaves cheap requests, pages and files alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from tomoportal.errors import TooMuch
from tomoportal.settings import QueryLimits

QUICK = 8
"""Threads for requests that are cheap, or not yet understood."""

T = TypeVar("T")


class Lanes:
    """Two pools of threads beside that of the pages. Belongs to one event loop."""

    def __init__(self, limits: QueryLimits) -> None:
        self._quick, self._slow = anyio.CapacityLimiter(QUICK), anyio.CapacityLimiter(limits.at_once)
        self._most, self._patience = limits.waiting, limits.seconds
        self._waiting = 0

    async def quick(self, work: Callable[[], T]) -> T:
        """Do it among the cheap ones."""
        return await anyio.to_thread.run_sync(work, limiter=self._quick)

    async def slow(self, work: Callable[[], T]) -> T:
        """Do it when its turn comes. Raises `TooMuch` when too many wait already, or when it does not come in time."""
        if self._waiting >= self._most and not self._slow.available_tokens:
            raise _busy("too many costly queries are waiting already")
        turn = object()
        self._waiting += 1
        try:
            with anyio.fail_after(self._patience):
                await self._slow.acquire_on_behalf_of(turn)
        except TimeoutError:
            raise _busy(f"other costly queries have kept this one waiting for {self._patience} s") from None
        finally:
            self._waiting -= 1
        try:
            return await anyio.to_thread.run_sync(partial(work), limiter=anyio.CapacityLimiter(1))
        finally:
            self._slow.release_on_behalf_of(turn)


def _busy(reason: str) -> TooMuch:
    return TooMuch(
        "busy", f"This portal is busy: {reason}. Try again in a few seconds, or ask for less at a time."
    )
