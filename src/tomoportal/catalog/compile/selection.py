"""Selections → JSON objects and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tomoportal.catalog.compile import values
from tomoportal.catalog.compile.aggregate import related_aggregate
from tomoportal.catalog.compile.condition import all_conditions, related_rows
from tomoportal.catalog.compile.order import ordering, whole
from tomoportal.catalog.compile.page import page
from tomoportal.catalog.compile.writer import Source, Statement, Writer, literal
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
        case query.GlobalId():
            return writer.dialect.base64(f"{literal(selected.type + ':')} || {source.column('id')}")
        case query.Page():
            return page(writer, source, selected, json_object)
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
