"""Selections → JSON objects and lists."""

from __future__ import annotations

from collections.abc import Sequence

from tomoportal.catalog.compile import values
from tomoportal.catalog.compile.aggregate import related_aggregate
from tomoportal.catalog.compile.condition import all_conditions, related_rows
from tomoportal.catalog.compile.order import ordering, whole
from tomoportal.catalog.compile.page import page
from tomoportal.catalog.compile.shape import Members, Shape
from tomoportal.catalog.compile.writer import Source, Statement, Writer
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.fields import Kind


def select(writer: Writer, asked: query.Select) -> Statement:
    """A list of objects."""
    rows = _list_of(writer, writer.source(asked.entity), asked)
    return writer.statement(f"SELECT {writer.dialect.text(rows)}")


def members_of(writer: Writer, source: Source, fields: Sequence[query.Selection], shape: Shape) -> Members:
    """The members of the object of a row, out of columns that are put into `shape`."""
    return [(field.name, _member(writer, source, field, shape)) for field in fields]


def _list_of(
    writer: Writer, source: Source, rows: query.Select | query.Many, parent: Source | None = None
) -> str:
    """All rows as a JSON list. Which rows a limit leaves is decided before anything nested is computed."""
    shape = Shape(writer)
    members = members_of(writer, source, rows.fields, shape)
    is_limited = rows.limit is not None or rows.offset > 0
    chosen = writer.source(source.entity, source.depth) if is_limited and shape.is_nested else source
    order = ordering(writer, chosen, rows.order_by)
    join = "" if parent is None else writer.join(parent, rows.relation, chosen)  # type: ignore[union-attr]
    limit = None if rows.limit is None else writer.bind(whole("limit", rows.limit))
    offset = writer.bind(whole("offset", rows.offset)) if rows.offset else None
    rest = (
        f"FROM {writer.table(chosen)}{order.joins} WHERE {all_conditions(writer, chosen, rows.where, join)} "
        f"ORDER BY {order.terms}{writer.dialect.window(limit, offset)}"
    )
    if chosen is not source:
        picked = f"(SELECT {chosen.column('id')} AS id {rest})"
        rest = writer.dialect.from_picked(picked, writer.table(source), source.column("id"))
    return shape.json_list(members, rest)


def _member(writer: Writer, source: Source, selected: query.Selection, shape: Shape) -> str:
    match selected:
        case query.Value():
            field = source.field(selected.field)
            return writer.dialect.shown(shape.put(values.expression(writer, source, field)), field.kind)
        case query.Constant():
            return writer.dialect.constant(selected.value)
        case query.GlobalId():
            prefix = writer.dialect.literal(selected.type + ":")
            made = writer.dialect.base64(f"{prefix} || {shape.put(source.column('id'))}")
            return writer.dialect.shown(made, Kind.STR)
        case query.One():
            return writer.dialect.nested(shape.put(_one(writer, source, selected), nested=True))
        case query.Many():
            return writer.dialect.nested(shape.put(_many(writer, source, selected), nested=True))
        case query.RelatedTotal():
            total = shape.put(_total(writer, source, selected), nested=True)
            return writer.dialect.shown(total, Kind.INT)
        case query.RelatedAggregate():
            return related_aggregate(writer, source, selected, shape)
        case query.Page():
            return page(writer, source, selected, shape, members_of)
    raise QueryError(f"{selected!r} cannot be selected")


def _one(writer: Writer, source: Source, selected: query.One) -> str:
    if source.relation(selected.relation).many:
        raise QueryError(f"{source.entity.__name__}.{selected.relation} leads to many rows, not to one")
    target, rows = related_rows(writer, source, selected.relation, selected.where)
    shape = Shape(writer)
    return shape.json_one(members_of(writer, target, selected.fields, shape), rows)


def _many(writer: Writer, source: Source, selected: query.Many) -> str:
    if not source.relation(selected.relation).many:
        raise QueryError(f"{source.entity.__name__}.{selected.relation} leads to one row, not to many")
    target, _, _ = writer.follow(source, selected.relation)
    return _list_of(writer, target, selected, source)


def _total(writer: Writer, source: Source, selected: query.RelatedTotal) -> str:
    target, rows = related_rows(writer, source, selected.relation, selected.where)
    if selected.distinct is None:
        return f"(SELECT count(*) {rows})"
    return f"(SELECT count(DISTINCT {target.column(target.field(selected.distinct).column)}) {rows})"
