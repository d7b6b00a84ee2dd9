"""Numbers of rows, or of what is inside them, for filters by ranges: who has a number between two bounds, and how they are spread.

Remembered like the bits of `members`, as long as the catalogue stays the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tomoportal.model import query
from tomoportal.model.query import Compare
from tomoportal.web.kept import remembered
from tomoportal.web.lists.members import Bits, Members, bits_at, holder_of

EVERY = query.EVERYTHING
MOST_BINS = 20
SKEWED = 40
"""From this ratio of the largest to the middle number on, steps grow."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers in ascending order with the places of their bits; something can have several."""

    values: tuple[float, ...]
    places: tuple[int, ...]
    size: int

    def between(self, low: float, high: float) -> Bits:
        """Who has a number between the bounds, both inside."""
        start, stop = bisect_left(self.values, low), bisect_right(self.values, high)
        return bits_at(self.places[start:stop], self.size)


@dataclass(frozen=True, slots=True)
class Bin:
    """Numbers from `low` to below `high`."""

    low: float
    high: float
    bits: Bits


@dataclass(frozen=True, slots=True)
class Measured:
    """What a number is of: the field of what `relation` leads to from the rows, or from what is inside them; without a relation, of
    the rows themselves. Without a field: how many of what is inside a row."""

    relation: str
    field: str = ""

    def between(self, of: Members, low: float, high: float, where: query.Condition) -> Bits:
        """Who has a number between the bounds, both inside, in something that fulfils `where`."""
        return _between(of, self, low, high, where)

    def by_value(self, of: Members, low: float, high: float, field: str) -> dict[str, Bits]:
        """The same, by another field of that something."""
        return _by_value(of, self, low, high, field)

    def bins(self, of: Members, where: query.Condition, *, is_whole: bool) -> tuple[Bin, ...]:
        """All numbers in at most `MOST_BINS` steps."""
        return _bins(of, self, where, is_whole)


@remembered
def _numbers(of: Members, measured: Measured, where: query.Condition) -> Numbers:
    pairs = sorted(_counts(of) if not measured.field else _pairs(of, measured, where))
    size = len(of.places.rows) + len(of.places.inside)
    return Numbers(tuple(value for value, _ in pairs), tuple(at for _, at in pairs), size)


@remembered
def _between(of: Members, measured: Measured, low: float, high: float, where: query.Condition) -> Bits:
    return _numbers(of, measured, where).between(low, high)


@remembered
def _by_value(of: Members, measured: Measured, low: float, high: float, field: str) -> dict[str, Bits]:
    where = query.all_of(bounded(measured.field, low, high))
    owners = _owners(of, measured.relation, where)
    found: dict[str, list[int]] = {}
    for value, id in of.view.pairs(holder_of(of, measured.relation).entity, where, (field,)):
        if id in owners:
            found.setdefault(str(value), []).append(owners[id])
    size = len(of.places.rows) + len(of.places.inside)
    return {value: bits_at(at, size) for value, at in found.items()}


@remembered
def _bins(of: Members, measured: Measured, where: query.Condition, is_whole: bool) -> tuple[Bin, ...]:
    numbers = _numbers(of, measured, where)
    if not numbers.values or numbers.values[0] == numbers.values[-1]:
        return ()
    marks = _marks(numbers.values, is_whole)
    found = []
    for low, high in pairwise(marks):
        start, stop = bisect_left(numbers.values, low), bisect_left(numbers.values, high)
        found.append(Bin(low, high, bits_at(numbers.places[start:stop], numbers.size)))
    return tuple(found)


def bounded(field: str, low: float, high: float) -> Iterator[query.Condition]:
    """What a number between the bounds fulfils, both inside; there may be none on a side."""
    if math.isfinite(low):
        yield Compare(field, "gte", _number(low))
    if math.isfinite(high):
        yield Compare(field, "lte", _number(high))


def _number(bound: float) -> float:
    """Whole numbers as such, which is what fields of them are compared with."""
    return int(bound) if bound.is_integer() else bound


def _marks(values: tuple[float, ...], is_whole: bool) -> list[float]:
    """The ends of the steps, from at most the lowest number to above the highest."""
    lowest, highest, middle = values[0], values[-1], values[len(values) // 2]
    if lowest >= 0 and middle > 0 and highest / middle > SKEWED:
        return _growing(lowest, highest)
    step = _round_up((highest - lowest) / (MOST_BINS - 1), is_whole)
    first = math.floor(lowest / step)
    return [n * step for n in range(first, math.floor(highest / step) + 2)]


def _growing(lowest: float, highest: float) -> list[float]:
    """0, 1, 2, 5, 10, 20, … around the numbers; below one they begin at zero."""
    marks = [m * 10.0**power for power in range(math.ceil(math.log10(highest)) + 1) for m in (1, 2, 5)]
    start = max(bisect_right(marks, lowest) - 1, 0)
    stop = bisect_right(marks, highest)
    return ([0.0] if lowest < marks[0] else []) + marks[start : stop + 1]


def _round_up(step: float, is_whole: bool) -> float:
    """The next of 1, 2, 5 times a power of ten; at least 1 for whole numbers."""
    power = 10.0 ** math.floor(math.log10(step))
    rounded = next(m * power for m in (1, 2, 5, 10) if m * power >= step * 0.999999)
    return max(rounded, 1.0) if is_whole else rounded


def _counts(of: Members) -> Iterable[tuple[float, int]]:
    """How many of what is inside each row."""
    before = -1
    for at in of.places.rows.values():
        yield float(at - before - 1), at
        before = at


def _pairs(of: Members, measured: Measured, where: query.Condition) -> Iterable[tuple[float, int]]:
    if not measured.relation:
        own = of.view.pairs(of.entity, query.all_of([of.within, where]), (measured.field,))
        return [(float(value), of.places.rows[id]) for value, id in own]
    holder = holder_of(of, measured.relation)
    if where == EVERY:
        found, places = of.numbers_of(measured.relation, measured.field), holder.places
        return [(float(value), places[id]) for value, id in found if id in places]
    owners = _owners(of, measured.relation, where)
    pairs = of.view.pairs(holder.entity, where, (measured.field,))
    return [(float(value), owners[id]) for value, id in pairs if id in owners]


def _owners(of: Members, relation: str, where: query.Condition) -> dict[int, int]:
    """The place of what something belongs to, by its id."""
    holder = holder_of(of, relation)
    pairs = of.view.pairs(holder.entity, where, (holder.key,))
    return {id: holder.places[owner] for owner, id in pairs if owner in holder.places}
