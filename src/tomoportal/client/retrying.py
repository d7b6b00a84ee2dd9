"""When a request is sent again: after broken connections and answers of busy servers, with growing pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

BUSY = frozenset({429, 502, 503, 504})
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 60.0
"""Seconds. A server that asks for more than the longest is not waited for."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """`retries` more attempts after the first. Only for requests that may be sent twice."""

    retries: int

    def ask(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """The answer of the first attempt that gets one, or whatever the last attempt gave, errors of httpx included. A server that took
        the request and is silent for too long is not asked again."""
        import httpx

        for attempt in range(self.retries):
            try:
                response = send()
            except (httpx.ReadTimeout, httpx.UnsupportedProtocol):
                raise
            except httpx.TransportError:
                time.sleep(pause(attempt))
                continue
            wait = asked_pause(response.headers.get("retry-after"))
            if not _is_busy(response) or (wait or 0) > LONGEST_PAUSE:
                return response
            time.sleep(pause(attempt) if wait is None else wait)
        return send()


def _is_busy(response: httpx.Response) -> bool:
    """GraphQL errors have the status 200; those that pass name a pause."""
    return response.status_code in BUSY or (response.status_code == 200 and "retry-after" in response.headers)


def pause(attempt: int) -> float:
    """Seconds before the next attempt, `attempt` from 0: twice as long each time, more or less, so that many clients do not come back
    together."""
    return min(FIRST_PAUSE * 2**attempt * random.uniform(0.75, 1.25), LONGEST_PAUSE)


def asked_pause(text: str | None) -> float | None:
    """The seconds that a Retry-After header means, which gives them or a date; None without one, or for what is neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    from email.utils import parsedate_to_datetime  # slow to load, and rare

    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
