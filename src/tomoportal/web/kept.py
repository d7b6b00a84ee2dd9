"""What is asked of all rows is remembered for as long as the catalogue stays the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple, Unpack

from tomoportal.catalog import View

T = TypeVar("T")
A = TypeVarTuple("A")
MOST = 256
"""Answers that are kept of each kind."""


class _Seen:
    """A view that equals another of the same rows."""

    __slots__ = ("view",)

    def __init__(self, view: View) -> None:
        self.view = view

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and other.view.key == self.view.key

    def __hash__(self) -> int:
        return hash(self.view.key)


def kept(ask: Callable[[View, Unpack[A]], T]) -> Callable[[View, Unpack[A]], T]:
    """The same function; asked again about the same rows, it answers from memory. Its answers hold no addresses of files, which
    differ from visit to visit."""

    @lru_cache(maxsize=MOST)
    def remembered(seen: _Seen, *args: *A) -> T:
        return ask(seen.view, *args)

    @wraps(ask)
    def answer(view: View, *args: *A) -> T:
        return remembered(_Seen(view), *args)

    return answer
