"""How long is waited, and for how many at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest

from tomoportal.client.downloads import patience
from tomoportal.client.downloads.patience import Gate, Passing, Patience, Stopped, asked_wait
from tomoportal.errors import RemoteError


def test_what_a_portal_asks_for_is_believed_within_bounds():
    assert asked_wait(None) is None
    assert asked_wait("5") == 5.0
    assert asked_wait("9" * 50) == patience.LONGEST_ASKED
    assert asked_wait("soon") is None
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (asked_wait(in_a_minute) or 0) <= 60
    assert asked_wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_pauses_grow_and_are_never_shorter_than_asked_for():
    pauses: list[float] = []

    class Noted(Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return False

    waiting = Patience(1e9, Noted(), "http://x")
    for _ in range(12):
        waiting.wait(Passing("busy", 503))
    for number, pause in enumerate(pauses):
        most = min(patience.FIRST_WAIT * 2**number, patience.LONGEST_WAIT)
        assert most / 2 <= pause <= most
    waiting.went_on()
    pauses.clear()
    waiting.wait(Passing("busy", 503, 7.0))
    assert 7.0 <= pauses[0] <= 7.7


def test_patience_ends_and_stopping_ends_it_at_once():
    short = Patience(0.0, Event(), "http://x")
    short.wait(Passing("busy", 503, 0.0))
    with pytest.raises(RemoteError, match=r"http://x: busy, also after 2 tries") as caught:
        short.wait(Passing("busy", 503, 0.0))
    assert caught.value.status == 503
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        Patience(1e9, stop, "http://x").wait(Passing("busy", 503, 100.0))


def test_requests_at_a_time_grow_with_success_and_halve_when_it_was_too_much():
    gate = Gate(32)

    def places() -> int:
        """How many fit in at the same time."""
        from contextlib import ExitStack

        with ExitStack() as inside:
            for number in range(100):
                try:
                    inside.enter_context(gate.passage(lambda: True))
                except Stopped:
                    return number
        raise AssertionError

    assert places() == patience.FIRST_LIMIT
    for _ in range(5):
        gate.went_well()
    assert places() == patience.FIRST_LIMIT + 5
    gate.was_too_much()
    assert places() == (patience.FIRST_LIMIT + 5) // 2
    for _ in range(100):
        gate.was_too_much()
    assert places() == 1
    for _ in range(100):
        gate.went_well()
    assert places() == 32
