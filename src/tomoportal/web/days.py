"""Days as visitors of different languages write them: `23 May 2024`, `May 23, 2024` or `2024-05-23`, always inside a `time` element with
the day as machines read it. Everywhere but on pages a `Day` is the text `2024-05-23`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from enum import Enum

from markupsafe import Markup, escape

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH_FIRST = frozenset({"en", "en-us", "en-ph", "es-us", "fil"})
_YEAR_FIRST = frozenset({"af", "dz", "eu", "hu", "ja", "ko", "lt", "mn", "ne", "si", "sv", "zh"})
"""Languages in which the year comes first in the Unicode locale data; month names are only told in English, so these get numbers."""


class Order(Enum):
    """What comes first; numbers with the year first where nothing is known of the visitor."""

    DAY, MONTH, YEAR = "day", "month", "year"


_order: ContextVar[Order] = ContextVar("order", default=Order.YEAR)


class Day(str):
    """A day such as `2024-05-23`, which templates show in the visitor's order."""

    __slots__ = ()

    def __html__(self) -> Markup:
        try:
            told = in_order(date.fromisoformat(self), _order.get())
        except ValueError:
            return escape(str(self))
        return Markup('<time datetime="{}">{}</time>').format(str(self), told)


def in_order(day: date, order: Order) -> str:
    """A day in words, in one piece."""
    month = MONTHS[day.month - 1]
    match order:
        case Order.DAY:
            return f"{day.day}\u00a0{month}\u00a0{day.year}"
        case Order.MONTH:
            return f"{month}\u00a0{day.day},\u00a0{day.year}"
    return day.isoformat()


def order_for(accepted: str) -> Order:
    """The order of the language that an `Accept-Language` header wants most."""
    weighed = [_weighed(item) for item in accepted.split(",") if item.strip(" ;*")]
    wanted = max(weighed, default=(0.0, ""), key=lambda pair: pair[0])[1]
    if not wanted:
        return Order.YEAR
    if wanted in _MONTH_FIRST:
        return Order.MONTH
    return Order.YEAR if wanted.split("-")[0] in _YEAR_FIRST else Order.DAY


def _weighed(item: str) -> tuple[float, str]:
    tag, _, weight = item.partition(";q=")
    try:
        return (float(weight) if weight else 1.0), tag.strip().casefold()
    except ValueError:
        return 0.0, tag.strip().casefold()


@contextmanager
def ordered(order: Order) -> Iterator[None]:
    """Inside, days are shown in this order."""
    token = _order.set(order)
    try:
        yield
    finally:
        _order.reset(token)
