"""Selections → JSON objects and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog.compile import values
from tomoportal.catalog.compile.aggregate import related_aggregate
from tomoportal.catalog.compile.condition import all_conditions, related_rows
from tomoportal.catalog.compile.writer import Source, Statement, Writer, joined, literal
from tomoportal.errors import QueryError
from tomoportal.model import query


def select(writer: Writer, asked: query.Select) -> Statement:
    """A list of objects."""
    source = writer.source(asked.entity)
    rows = row_objects(
        writer, source, _Rows(asked.fields, asked.where, asked.order_by, asked.limit, asked.offset)
    )
    return writer.statement(f"SELECT {writer.dialect.text(writer.dialect.json_list(rows))}")


@dataclass(frozen=True, slots=True)
class _Rows:
    fields: tuple[query.Selection, ...]
    where: query.Condition
    order_by: tuple[query.Order, ...]
    limit: int | None
    offset: int
    join: str = ""


def row_objects(writer: Writer, source: Source, rows: _Rows) -> str:
    """SELECT with one JSON object `j` a row, in order."""
    order = ordering(writer, source, rows.order_by)
    members = json_object(writer, source, rows.fields)
    where = all_conditions(writer, source, rows.where, rows.join)
    limit = None if rows.limit is None else writer.bind(whole("limit", rows.limit))
    offset = writer.bind(whole("offset", rows.offset)) if rows.offset else None
    return (
        f"SELECT {members} AS j FROM {writer.table(source)}{order.joins} WHERE {where} ORDER BY {order.terms}"
        + writer.dialect.window(limit, offset)
    )


def json_object(writer: Writer, source: Source, fields: Sequence[query.Selection]) -> str:
    """The JSON object of a row."""
    members = [(literal(field.name), _member(writer, source, field)) for field in fields]
    return writer.dialect.json_object(members)


def _member(writer: Writer, source: Source, selected: query.Selection) -> str:
    match selected:
        case query.Value():
            return values.shown(writer, source, source.field(selected.field))
        case query.Constant():
            return values.constant(writer, selected.value)
        case query.One():
            return _one(writer, source, selected)
        case query.Many():
            return _many(writer, source, selected)
        case query.RelatedTotal():
            return _total(writer, source, selected)
        case query.RelatedAggregate():
            return related_aggregate(writer, source, selected)
    raise QueryError(f"{selected!r} cannot be selected")


def _one(writer: Writer, source: Source, selected: query.One) -> str:
    if source.relation(selected.relation).many:
        raise QueryError(f"{source.entity.__name__}.{selected.relation} leads to many rows, not to one")
    target, rows = related_rows(writer, source, selected.relation, selected.where)
    return writer.dialect.nested(f"(SELECT {json_object(writer, target, selected.fields)} {rows})")


def _many(writer: Writer, source: Source, selected: query.Many) -> str:
    if not source.relation(selected.relation).many:
        raise QueryError(f"{source.entity.__name__}.{selected.relation} leads to one row, not to many")
    target, _, join = writer.follow(source, selected.relation)
    rows = _Rows(selected.fields, selected.where, selected.order_by, selected.limit, selected.offset, join)
    return writer.dialect.nested(writer.dialect.json_list(row_objects(writer, target, rows)))


def _total(writer: Writer, source: Source, selected: query.RelatedTotal) -> str:
    target, rows = related_rows(writer, source, selected.relation, selected.where)
    if selected.distinct is None:
        return f"(SELECT count(*) {rows})"
    return f"(SELECT count(DISTINCT {target.column(target.field(selected.distinct).column)}) {rows})"


@dataclass(frozen=True, slots=True)
class Ordering:
    """`joins` stand behind the table, `terms` behind ORDER BY."""

    joins: str
    terms: str


def ordering(
    writer: Writer, source: Source, orders: Sequence[query.Order], *, reverse: bool = False
) -> Ordering:
    """In the order asked for, then by id. Rows without a related row stay, as if its fields were null."""
    joins: dict[tuple[str, ...], tuple[Source, str]] = {}
    terms, decided = [], False
    for order in orders:
        end = _end_of(writer, source, order.path[:-1], joins)
        field = end.field(order.path[-1])
        descending = (order.direction == "desc") != reverse
        nulls_last: bool | None = None
        if field.nullable or len(order.path) > 1:
            nulls_last = (order.nulls == "last" if order.nulls else order.direction == "asc") != reverse
        terms.append(
            writer.dialect.ordered(end.column(field.column), descending=descending, nulls_last=nulls_last)
        )
        decided = decided or order.path == ("id",)
    if not decided:
        terms.append(writer.dialect.ordered(source.column("id"), descending=reverse, nulls_last=None))
    return Ordering("".join(text for _, text in joins.values()), ", ".join(terms))


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
