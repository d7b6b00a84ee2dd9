"""What is asked of many rows is remembered for as long as the catalogue stays the same; who asks for what is being made waits for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, Protocol, TypeVar, TypeVarTuple, Unpack

from tomoportal.catalog import View

STATES = 4
"""States of the catalogue of which anything is remembered."""
MOST = {True: 512, False: 4096}
"""Answers about a state that are kept of all its rows, and of some of them."""


class Rows(Hashable, Protocol):
    """What a question is about. `state`: that of the catalogue; `is_all`: whether it is about all rows. What is remembered of all rows
    does not give way to what is remembered of some."""

    @property
    def state(self) -> tuple[str, ...]: ...
    @property
    def is_all(self) -> bool: ...


T = TypeVar("T")
A = TypeVarTuple("A")
R = TypeVar("R", bound=Rows)


def remembered(ask: Callable[[R, Unpack[A]], T]) -> Callable[[R, Unpack[A]], T]:
    """The same function of rows and hashable values; asked again, it answers from memory. Its answers hold no addresses of files,
    which differ from visit to visit."""

    @wraps(ask)
    def answer(rows: R, *args: *A) -> T:
        return _room(rows).answer((ask, rows, args), lambda: ask(rows, *args))

    return answer


def kept(ask: Callable[[View, Unpack[A]], T]) -> Callable[[View, Unpack[A]], T]:
    """The same for a function of a view; without further values it asks about all rows."""

    @wraps(ask)
    def answer(view: View, *args: *A) -> T:
        seen = _Seen(view, not args)
        return _room(seen).answer((ask, seen, args), lambda: ask(view, *args))

    return answer


def known(ask: Callable[[View], T], view: View) -> T | None:
    """What a function that is `kept` has answered about all rows; None while nobody has asked it."""
    seen = _Seen(view, True)
    return _room(seen).known((getattr(ask, "__wrapped__", ask), seen, ()))


def forget() -> None:
    """Remember nothing of what was asked before."""
    with _lock:
        _states.clear()


class _Seen:
    """A view that equals another of the same rows."""

    __slots__ = ("is_all", "state")

    def __init__(self, view: View, is_all: bool) -> None:
        self.state, self.is_all = view.key, is_all

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and other.state == self.state

    def __hash__(self) -> int:
        return hash(self.state)


class _Room:
    """The answers that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def answer(self, asked: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if asked in self._answers:
                return self._again(asked)
            making = self._making.setdefault(asked, Lock())
        with making:
            with self._lock:
                if asked in self._answers:
                    return self._again(asked)
            try:
                answer = make()
            finally:
                with self._lock:
                    self._making.pop(asked, None)
            return self._put(asked, answer)

    def known(self, asked: Hashable) -> Any:
        with self._lock:
            return self._again(asked) if asked in self._answers else None

    def _again(self, asked: Hashable) -> Any:
        self._answers.move_to_end(asked)
        return self._answers[asked]

    def _put(self, asked: Hashable, answer: T) -> T:
        with self._lock:
            self._answers[asked] = answer
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return answer


_states: OrderedDict[tuple[str, ...], dict[bool, _Room]] = OrderedDict()
_lock = Lock()


def _room(rows: Rows) -> _Room:
    with _lock:
        rooms = _states.setdefault(rows.state, {})
        _states.move_to_end(rows.state)
        if len(_states) > STATES:
            _states.popitem(last=False)
        return rooms.setdefault(rows.is_all, _Room(MOST[rows.is_all]))
