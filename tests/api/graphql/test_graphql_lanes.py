"""Who may work when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tomoportal.api.graphql.lanes import Lanes
from tomoportal.errors import TooMuch
from tomoportal.settings import QueryLimits


def run(test: Callable[[Lanes], Any], **limits: int) -> None:
    async def within() -> None:
        with anyio.fail_after(30):
            await test(Lanes(QueryLimits(**limits)))

    anyio.run(within)


async def started(group: Any, lanes: Lanes, gate: threading.Event, done: list[int], number: int) -> None:
    """Begin costly work that waits for `gate`."""

    async def work() -> None:
        await lanes.slow(gate.wait)
        done.append(number)

    group.start_soon(work)
    await anyio.wait_all_tasks_blocked()


def test_cheap_work_overtakes_costly_work() -> None:
    async def test(lanes: Lanes) -> None:
        gate, done = threading.Event(), []
        async with anyio.create_task_group() as group:
            for number in range(5):
                await started(group, lanes, gate, done, number)
            assert [await lanes.quick(lambda n=n: n) for n in range(20)] == list(range(20))
            assert done == []
            gate.set()
        assert sorted(done) == [0, 1, 2, 3, 4]

    run(test, at_once=2)


def test_so_many_at_once() -> None:
    async def test(lanes: Lanes) -> None:
        lock, now, most = threading.Lock(), [0], [0]
        both = threading.Barrier(3)

        def work() -> None:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            both.wait(20)
            with lock:
                now[0] -= 1

        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(lanes.slow, work)
        assert most == [3]

    run(test, at_once=3)


def test_who_cannot_wait_is_told_so() -> None:
    async def test(lanes: Lanes) -> None:
        gate, done = threading.Event(), []
        async with anyio.create_task_group() as group:
            for number in range(3):
                await started(group, lanes, gate, done, number)
            with pytest.raises(TooMuch, match="waiting already") as told:
                await lanes.slow(lambda: None)
            assert told.value.limit == "busy"
            gate.set()
        assert len(done) == 3
        assert await lanes.slow(lambda: "free again") == "free again"

    run(test, at_once=1, waiting=2)


def test_nobody_waits_longer_than_a_query_may_take() -> None:
    async def test(lanes: Lanes) -> None:
        gate = threading.Event()
        async with anyio.create_task_group() as group:
            await started(group, lanes, gate, [], 0)
            with pytest.raises(TooMuch, match="for 1 s"):
                await lanes.slow(lambda: None)
            gate.set()
        assert await lanes.slow(lambda: "free again") == "free again"

    run(test, at_once=1, seconds=1)


def test_work_that_fails_gives_its_place_back() -> None:
    async def test(lanes: Lanes) -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await lanes.slow(lambda: 1 // 0)
        assert await lanes.slow(lambda: 1) == 1

    run(test, at_once=1, waiting=0)
