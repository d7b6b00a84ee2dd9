"""Orders → ORDER BY, with the joins they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog.compile.dialect import ordered
from tomoportal.catalog.compile.writer import Source, Writer, joined
from tomoportal.errors import QueryError, TooMuch
from tomoportal.model import query

MOST_TERMS = 40
"""Fields of one order. SQLite 3.40 crashes at 64 terms behind a left join."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """`joins` stand behind the table, `terms` behind ORDER BY."""

    joins: str
    terms: str


def ordering(
    writer: Writer, source: Source, orders: Sequence[query.Order], *, reverse: bool = False
) -> Ordering:
    """In the order asked for, then by id. Rows without a related row stay, as if its fields were null. What stands behind the id, or
    has stood before, decides nothing and is left out. Raises `QueryError`, `TooMuch`."""
    joins: dict[tuple[str, ...], tuple[Source, str]] = {}
    terms = []
    for order in _deciding(orders):
        end = _end_of(writer, source, order.path[:-1], joins)
        field = end.field(order.path[-1])
        descending = (order.direction == "desc") != reverse
        nulls_last: bool | None = None
        if field.nullable or len(order.path) > 1:
            nulls_last = (order.nulls == "last" if order.nulls else order.direction == "asc") != reverse
        terms.append(ordered(end.column(field.column), descending=descending, nulls_last=nulls_last))
    return Ordering("".join(text for _, text in joins.values()), ", ".join(terms))


def _deciding(orders: Sequence[query.Order]) -> list[query.Order]:
    """Each field where it stands first, up to the id, which is put behind where it is not asked for."""
    found: dict[tuple[str, ...], query.Order] = {}
    for order in (*orders, query.Order(("id",))):
        found.setdefault(order.path, order)
        if order.path == ("id",):
            break
    if len(found) > MOST_TERMS:
        raise TooMuch(
            "size", f"an order names {len(found)} fields, and at most {MOST_TERMS} can be sorted by"
        )
    return list(found.values())


def _end_of(
    writer: Writer, source: Source, path: tuple[str, ...], joins: dict[tuple[str, ...], tuple[Source, str]]
) -> Source:
    for length in range(1, len(path) + 1):
        step = path[:length]
        if step not in joins:
            target, relation, join = writer.follow(source, step[-1])
            if relation.many:
                raise QueryError(f"rows cannot be put in order by {step[-1]}, which leads to many rows")
            joined_on = joined("AND", [join, writer.visible(target)])
            joins[step] = (target, f" LEFT JOIN {writer.table(target)} ON {joined_on}")
        source = joins[step][0]
    return source


def whole(name: str, value: Any) -> int:
    """A number that limits an answer. Raises `QueryError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise QueryError(f"{name} must be a whole number from 0, not {value!r}")
    return value
