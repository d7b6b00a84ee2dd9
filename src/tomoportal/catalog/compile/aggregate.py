"""Figures about groups of rows: counts, sums, facets."""

from __future__ import annotations

from tomoportal.catalog.compile import values
from tomoportal.catalog.compile.condition import all_conditions
from tomoportal.catalog.compile.writer import Source, Statement, Writer, joined, literal
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.fields import Kind

_NUMBERS = {Kind.INT, Kind.FLOAT}
_FUNCTIONS = {"sum", "avg", "min", "max", "stddev", "variance", "count"}

Joins = dict[tuple[str, ...], tuple[Source, str]]


def aggregate(writer: Writer, asked: query.Aggregate) -> Statement:
    """One object with figures about the rows of an entity."""
    members = []
    for selected in asked.fields:
        source = writer.source(asked.entity)
        members.append((literal(selected.name), _part(writer, source, selected, asked.where, "")))
    return writer.statement(f"SELECT {writer.dialect.text(writer.dialect.json_object(members))}")


def related_aggregate(writer: Writer, source: Source, selected: query.RelatedAggregate) -> str:
    """The same about the related rows of one row, as a member of its object."""
    members = []
    for part in selected.fields:
        target, relation, join = writer.follow(source, selected.relation)
        if not relation.many:
            raise QueryError(
                f"{source.entity.__name__}.{selected.relation} leads to one row; there are no figures about it"
            )
        members.append((literal(part.name), _part(writer, target, part, selected.where, join)))
    return writer.dialect.json_object(members)


def count(writer: Writer, entity: str, where: query.Condition) -> Statement:
    """The number of rows."""
    source = writer.source(entity)
    return writer.statement(
        f"SELECT CAST(count(*) AS TEXT) FROM {writer.table(source)} WHERE {all_conditions(writer, source, where)}"
    )


def facets(writer: Writer, entity: str, where: query.Condition, path: tuple[str, ...]) -> Statement:
    """`[{"value", "count"}]`: distinct rows for every value at the end of a path."""
    source = writer.source(entity)
    joins: Joins = {}
    end = _joined(writer, source, path[:-1], joins)
    field = end.field(path[-1])
    if field.kind in (Kind.MATRIX, Kind.STATE):
        raise QueryError(f"{end.entity.__name__}.{field.name} has no values to count by")
    expression = values.expression(writer, end, field)
    counted = f"DISTINCT {source.column('id')}" if len(path) > 1 else "*"
    where_sql = all_conditions(writer, source, where)
    grouped = (
        f"SELECT {expression} AS v, count({counted}) AS n FROM {writer.table(source)}"
        f"{''.join(text for _, text in joins.values())} WHERE {where_sql} AND {expression} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    members = [("'value'", writer.dialect.shown("v", field.kind)), ("'count'", "n")]
    rows = f"SELECT {writer.dialect.json_object(members)} AS j FROM ({grouped}) AS g"
    return writer.statement(f"SELECT {writer.dialect.text(writer.dialect.json_list(rows))}")


def _part(
    writer: Writer, source: Source, selected: query.Groups | query.Constant, where: query.Condition, join: str
) -> str:
    if isinstance(selected, query.Constant):
        return values.constant(writer, selected.value)
    return writer.dialect.nested(writer.dialect.json_list(_groups(writer, source, selected, where, join)))


def _groups(writer: Writer, source: Source, selected: query.Groups, where: query.Condition, join: str) -> str:
    joins: Joins = {}
    keys: list[str] = []
    members = _members(writer, source, selected.fields, joins, keys)
    from_sql = writer.table(source) + "".join(text for _, text in joins.values())
    text = (
        f"SELECT {writer.dialect.json_object(members)} AS j FROM {from_sql} "
        f"WHERE {all_conditions(writer, source, where, join)}"
    )
    if keys:
        distinct = ", ".join(dict.fromkeys(keys))
        text += f" GROUP BY {distinct} ORDER BY {distinct}"
    return text


def _members(
    writer: Writer, source: Source, fields: tuple[query.GroupSelection, ...], joins: Joins, keys: list[str]
) -> list[tuple[str, str]]:
    members = []
    for selected in fields:
        match selected:
            case query.Constant():
                member = values.constant(writer, selected.value)
            case query.Nested():
                inner = _members(writer, source, selected.fields, joins, keys)
                member = writer.dialect.json_object(inner)
            case query.GroupKey():
                member = _key(writer, source, selected, joins, keys)
            case query.Figure():
                member = _figure(writer, source, selected)
        members.append((literal(selected.name), member))
    return members


def _key(writer: Writer, source: Source, selected: query.GroupKey, joins: Joins, keys: list[str]) -> str:
    end = _joined(writer, source, selected.path[:-1], joins)
    field = end.field(selected.path[-1])
    keys.append(end.column(field.column))
    return values.shown(writer, end, field)


def _joined(writer: Writer, source: Source, path: tuple[str, ...], joins: Joins) -> Source:
    """Rows without a related row vanish, and a row counts once for each of its related rows."""
    for length in range(1, len(path) + 1):
        step = path[:length]
        if step not in joins:
            target, _, join = writer.follow(source, step[-1])
            text = f" JOIN {writer.table(target)} ON {joined('AND', [join, writer.visible(target)])}"
            joins[step] = (target, text)
        source = joins[step][0]
    return source


def _figure(writer: Writer, source: Source, selected: query.Figure) -> str:
    if selected.function not in _FUNCTIONS:
        raise QueryError(f"there is no aggregate function {selected.function!r}")
    if selected.function == "count":
        if selected.field is None:
            return f"count({'DISTINCT ' if selected.distinct else ''}{source.column('id')})"
        column = source.column(source.field(selected.field).column)
        return f"count({'DISTINCT ' if selected.distinct else ''}{column})"
    if selected.field is None:
        raise QueryError(f"{selected.function} needs a field")
    field = source.field(selected.field)
    name = f"{source.entity.__name__}.{field.name}"
    if selected.function in ("min", "max"):
        if field.kind in (Kind.BOOL, Kind.MATRIX):
            raise QueryError(f"{name} has no smallest and largest value")
        extreme = f"{selected.function}({values.expression(writer, source, field)})"
        return writer.dialect.shown(extreme, field.kind)
    if field.kind not in _NUMBERS:
        raise QueryError(f"{name} is not a number; {selected.function} cannot be computed")
    return _number(writer, selected, source.column(field.column), field.kind)


def _number(writer: Writer, selected: query.Figure, column: str, kind: Kind) -> str:
    function = selected.function
    if function == "sum":
        return writer.dialect.shown(f"sum({column})", kind)
    value = f"avg({column})" if function == "avg" else writer.dialect.number(function, column)
    if selected.rounded:
        return f"CAST(round({value}) AS INTEGER)"
    return writer.dialect.shown(value, Kind.FLOAT)
