"""Trying again: which troubles pass, how long to wait, and how many requests at a time a portal can take."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event
from time import monotonic

from tomoportal.client.downloads.wire import Broken
from tomoportal.client.retrying import asked_pause
from tomoportal.errors import RemoteError

PASSING = {408, 425, 429, 500, 502, 503, 504}
BUSY = {429, 503}
FIRST_WAIT, LONGEST_WAIT = 0.25, 20.0
LONGEST_ASKED = 120.0
"""Seconds: what a portal asks for with Retry-After is believed up to here."""
FIRST_LIMIT = 8


class Stopped(Exception):
    """Somebody else has ended the download."""


class Passing(Broken):
    """An answer that may be another one later; `wait`: seconds that the portal asks for, None when it says nothing."""

    def __init__(self, message: str, status: int, wait: float | None = None) -> None:
        super().__init__(message)
        self.status, self.wait = status, wait


def asked_wait(value: str | None) -> float | None:
    """The seconds that a Retry-After header means, as far as it is believed."""
    asked = asked_pause(value)
    return None if asked is None else min(asked, LONGEST_ASKED)


class Patience:
    """How long one request is tried: until nothing has come for `seconds`. Waits double, are never equal for two threads, and end when
    `stop` is set."""

    def __init__(self, seconds: float, stop: Event, url: str) -> None:
        self._seconds, self._stop, self._url = seconds, stop, url
        self.went_on()

    def went_on(self) -> None:
        """Something came."""
        self._since, self._tries = monotonic(), 0

    def wait(self, error: Exception) -> None:
        """Wait for another try. Raises `RemoteError` when it was enough, `Stopped`."""
        pause = min(FIRST_WAIT * 2**self._tries, LONGEST_WAIT) * random.uniform(0.5, 1.0)
        asked = getattr(error, "wait", None)
        if asked is not None:
            pause = max(pause, asked * random.uniform(1.0, 1.1))
        self._tries += 1
        if monotonic() + pause - self._since > self._seconds and self._tries > 1:
            status = getattr(error, "status", None)
            raise RemoteError(
                f"{self._url}: {_plain(error)}, also after {self._tries} tries. What has come is kept; run it again to go on.",
                status,
            ) from error
        if self._stop.wait(pause):
            raise Stopped from error


def _plain(error: Exception) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    return text if isinstance(error, Broken) else f"the connection failed ({text})"


class Gate:
    """Lets as many requests through as seems good: few at first, one more for each that succeeds, half as many when the portal says
    that it is busy or cannot be reached."""

    def __init__(self, most: int) -> None:
        self._most, self._limit, self._inside = most, float(min(most, FIRST_LIMIT)), 0
        self._changed = Condition()

    @contextmanager
    def passage(self, stopped: Callable[[], bool]) -> Iterator[None]:
        """Wait for a place, and give it back."""
        with self._changed:
            while self._inside >= int(self._limit):
                if stopped():
                    raise Stopped
                self._changed.wait(0.5)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()

    def went_well(self) -> None:
        """One more."""
        with self._changed:
            if self._limit < self._most:
                self._limit = min(self._limit + 1, float(self._most))
                self._changed.notify()

    def was_too_much(self) -> None:
        """Half as many."""
        with self._changed:
            self._limit = max(self._limit / 2, 1.0)
