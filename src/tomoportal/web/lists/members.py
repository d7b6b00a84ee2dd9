"""Which rows have which value, as bits of whole numbers, remembered for as long as the catalogue stays the same.

A list shows rows of an entity (datasets); its filters may speak of rows inside them (runs). Every row has a bit of its own behind
the bits of what is inside it:

    bits        run run run dataset | run dataset | dataset | …         lowest first
    everything  ................1......1..........1                     bits of the rows
    full        1...1...1..........1                                    all bits inside

Adding `full` to some inside bits carries into the bit of each row that holds any of them: sets of 20,000 runs are combined and
counted as datasets in microseconds.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Select, Value
from tomoportal.model.registry import entity as entity_named
from tomoportal.web.kept import remembered

Bits = int


@dataclass(frozen=True, slots=True)
class Places:
    """Where the bits stand: `rows` and `inside` lead from ids to places."""

    rows: dict[int, int]
    inside: dict[int, int]
    everything: Bits
    full: Bits

    def holding(self, inside: Bits) -> Bits:
        """The rows that hold any of these."""
        return (inside + self.full) & self.everything

    def bits(self, ids: Iterable[int], where: dict[int, int]) -> Bits:
        """The bits of ids; `where` is `rows` or `inside`. Other ids have none."""
        found = (where.get(id) for id in ids)
        return bits_at((at for at in found if at is not None), len(self.rows) + len(self.inside))

    def ids(self, rows: Bits) -> tuple[int, ...]:
        """The ids of rows, in order."""
        held = rows.to_bytes((rows.bit_length() + 7) // 8, "little")
        last = len(held) * 8
        return tuple(id for id, at in self.rows.items() if at < last and held[at >> 3] >> (at & 7) & 1)


class Members:
    """The rows of `entity` that a view shows and that fulfil `within`, with what lies inside them by the relation `inner`."""

    __slots__ = ("entity", "inner", "key", "view", "within")

    def __init__(
        self, view: View, entity: str, inner: str = "", within: query.Condition = query.EVERYTHING
    ) -> None:
        self.view, self.entity, self.inner, self.within = view, entity, inner, within
        self.key = (view.key, entity, inner, within)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Members) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def state(self) -> tuple[str, ...]:
        """That of the catalogue."""
        return self.view.key

    @property
    def is_all(self) -> bool:
        """Whether these are all rows."""
        return self.within == query.EVERYTHING

    @property
    def places(self) -> Places:
        """Where the bits stand."""
        return _places(self)

    def fulfilling(self, condition: query.Condition) -> Bits:
        """The rows that fulfil a condition."""
        return _fulfilling(self, condition)

    def fulfilling_inside(self, condition: query.Condition) -> Bits:
        """What fulfils it inside them."""
        return _fulfilling_inside(self, condition)

    def by_value(self, path: tuple[str, ...]) -> dict[str, Bits]:
        """By each value of the field at the end of a path: what is inside the rows, if the path leads there first, else the rows.
        Something can stand under several values."""
        return _by_value(self, path)

    def by_value_of_either(self, path: tuple[str, ...], other: tuple[str, ...]) -> dict[str, Bits]:
        """The same by the values of two paths that both lead inside the rows, or both do not."""
        return _by_value_of_either(self, path, other)

    def numbers_of(self, relation: str, field: str) -> Sequence[tuple[Any, int]]:
        """The values of a field of what a relation leads to, with the ids of the rows, or of what is inside them, that have them."""
        if self.inner:
            return self.view.pairs(_inner_entity(self), _of_rows(self), (relation, field))
        return self.view.pairs(self.entity, self.within, (relation, field))

    def in_order(self, order: tuple[query.Order, ...]) -> tuple[tuple[int, int], ...]:
        """All rows in an order: ids with their places."""
        return _in_order(self, order)

    def is_inside(self, path: tuple[str, ...]) -> bool:
        """Whether a path speaks of what is inside rows."""
        return bool(self.inner) and path[0] == self.inner


@remembered
def _places(of: Members) -> Places:
    ids = sorted(row["id"] for row in of.view.rows(Select(of.entity, (Value("id", "id"),), of.within)))
    held: dict[int, list[int]] = {id: [] for id in ids}
    if of.inner:
        for inner_id, id in of.view.pairs(of.entity, of.within, (of.inner, "id")):
            held[id].append(inner_id)
    rows: dict[int, int] = {}
    inside: dict[int, int] = {}
    at = 0
    for id, inner in held.items():
        inside.update(zip(sorted(inner), range(at, at + len(inner)), strict=True))
        at += len(inner)
        rows[id] = at
        at += 1
    return Places(rows, inside, bits_at(rows.values(), at), bits_at(inside.values(), at))


@remembered
def _fulfilling(of: Members, condition: query.Condition) -> Bits:
    places = of.places
    return places.bits(_ids(_outer(of), condition), places.rows)


@remembered
def _fulfilling_inside(of: Members, condition: query.Condition) -> Bits:
    places = of.places
    return places.bits(_ids(Members(of.view, _inner_entity(of)), condition), places.inside)


@remembered
def _by_value(of: Members, path: tuple[str, ...]) -> dict[str, Bits]:
    places = of.places
    if of.is_inside(path):
        inner = Members(of.view, _inner_entity(of), within=_of_rows(of))
        found, where = _ids_by_value(inner, path[1:]), places.inside
    else:
        found, where = _ids_by_value(_outer(of), path), places.rows
    bits = ((value, places.bits(ids, where)) for value, ids in found.items())
    return {value: held for value, held in bits if held}


@remembered
def _ids(of: Members, condition: query.Condition) -> array[int]:
    """The ids of rows that fulfil a condition; several lists have them in different places."""
    where = query.all_of([of.within, condition])
    return array("q", (row["id"] for row in of.view.rows(Select(of.entity, (Value("id", "id"),), where))))


@remembered
def _ids_by_value(of: Members, path: tuple[str, ...]) -> dict[str, array[int]]:
    """The same by the values of the field at the end of a path."""
    found: defaultdict[Any, set[int]] = defaultdict(set)
    for value, id in of.view.pairs(of.entity, of.within, path):
        found[value].add(id)
    return {str(value): array("q", sorted(ids)) for value, ids in found.items()}


@remembered
def _by_value_of_either(of: Members, path: tuple[str, ...], other: tuple[str, ...]) -> dict[str, Bits]:
    one, two = of.by_value(path), of.by_value(other)
    return {value: one.get(value, 0) | two.get(value, 0) for value in {**one, **two}}


@remembered
def _in_order(of: Members, order: tuple[query.Order, ...]) -> tuple[tuple[int, int], ...]:
    rows = of.view.rows(Select(of.entity, (Value("id", "id"),), of.within, order))
    places = of.places.rows
    return tuple((row["id"], places[row["id"]]) for row in rows)


@dataclass(frozen=True, slots=True)
class Holder:
    """What a relation leads to: its entity, the key that leads back, and the places of what the key means."""

    entity: str
    key: str
    places: dict[int, int]


def holder_of(of: Members, relation: str) -> Holder:
    """What a relation leads to from what is inside the rows, or from the rows when nothing is."""
    start = _inner_entity(of) if of.inner else of.entity
    found = entity_named(start).relations[relation]
    return Holder(found.target, found.key, of.places.inside if of.inner else of.places.rows)


def _of_rows(of: Members) -> query.Condition:
    """What is inside the rows, as a condition about it."""
    if of.within == query.EVERYTHING:
        return query.EVERYTHING
    key = entity_named(of.entity).relations[of.inner].key
    return query.Compare(key, "in", tuple(of.places.rows))


def _outer(of: Members) -> Members:
    """The rows alone."""
    return Members(of.view, of.entity, within=of.within)


def _inner_entity(of: Members) -> str:
    return entity_named(of.entity).relations[of.inner].target


def bits_at(places: Iterable[int], size: int) -> Bits:
    """The bits at these places of so many."""
    found = bytearray(size // 8 + 1)
    for at in places:
        found[at >> 3] |= 1 << (at & 7)
    return int.from_bytes(found, "little")
