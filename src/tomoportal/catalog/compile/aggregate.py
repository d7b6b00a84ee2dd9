"""Figures about groups of rows: counts, sums; which rows have which value."""

from __future__ import annotations

from tomoportal.catalog.compile import values
from tomoportal.catalog.compile.condition import all_conditions
from tomoportal.catalog.compile.dialect import ordered
from tomoportal.catalog.compile.shape import Members, Shape
from tomoportal.catalog.compile.writer import Source, Statement, Writer, joined
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
        part = _part(writer, writer.source(asked.entity), selected, asked.where, "")
        is_list = isinstance(selected, query.Groups)
        members.append((selected.name, writer.dialect.nested(part) if is_list else part))
    return writer.statement(f"SELECT {writer.dialect.text(writer.dialect.json_object(members))}")


def related_aggregate(writer: Writer, source: Source, selected: query.RelatedAggregate, shape: Shape) -> str:
    """The same about the related rows of one row, as a member of its object."""
    members = []
    for part in selected.fields:
        target, relation, join = writer.follow(source, selected.relation)
        if not relation.many:
            name = f"{source.entity.__name__}.{selected.relation}"
            raise QueryError(f"{name} leads to one row; there are no figures about it")
        member = _part(writer, target, part, selected.where, join)
        if isinstance(part, query.Groups):
            member = writer.dialect.nested(shape.put(member, nested=True))
        members.append((part.name, member))
    return writer.dialect.json_object(members)


def count(writer: Writer, entity: str, where: query.Condition) -> Statement:
    """The number of rows."""
    source = writer.source(entity)
    return writer.statement(
        f"SELECT CAST(count(*) AS TEXT) FROM {writer.table(source)} WHERE {all_conditions(writer, source, where)}"
    )


def pairs(writer: Writer, entity: str, where: query.Condition, path: tuple[str, ...]) -> Statement:
    """Rows of (value at the end of a path, id of the row that has it), once for each related row. What can be seen belongs to rows that
    can be seen, so that all rows need not be joined when none is left out."""
    source = writer.source(entity)
    relation = source.relation(path[0]) if len(path) > 1 else None
    if relation is not None and relation.many and where == query.EVERYTHING:
        target = writer.source(relation.target, 1)
        rows, value = _joined_rows(writer, target, where, path[1:])
        id = target.column(relation.key)
        return writer.statement(f"SELECT {value}, {id} {rows} AND {id} IS NOT NULL")
    rows, value = _joined_rows(writer, source, where, path)
    return writer.statement(f"SELECT {value}, {source.column('id')} {rows}")


def _joined_rows(
    writer: Writer, source: Source, where: query.Condition, path: tuple[str, ...]
) -> tuple[str, str]:
    """FROM … WHERE … of the rows with a value at the end of a path, and the value."""
    joins: Joins = {}
    end = _joined(writer, source, path[:-1], joins)
    field = end.field(path[-1])
    if field.kind in (Kind.MATRIX, Kind.STATE):
        raise QueryError(f"{end.entity.__name__}.{field.name} has no values to count by")
    value = values.expression(writer, end, field)
    rows = (
        f"FROM {writer.table(source)}{''.join(text for _, text in joins.values())} "
        f"WHERE {all_conditions(writer, source, where)} AND {value} IS NOT NULL"
    )
    return rows, value


def _part(
    writer: Writer, source: Source, selected: query.Groups | query.Constant, where: query.Condition, join: str
) -> str:
    if isinstance(selected, query.Constant):
        return writer.dialect.constant(selected.value)
    groups = _Groups(writer, source)
    members = groups.members(selected.fields)
    return groups.shape.json_list(members, groups.rest(where, join))


class _Groups:
    """Groups of rows in the making: joins that keys need, keys, columns."""

    def __init__(self, writer: Writer, source: Source) -> None:
        self.writer, self.source, self.shape = writer, source, Shape(writer)
        self.joins: Joins = {}
        self.keys: list[str] = []
        """Places of columns, from 1."""

    def members(self, fields: tuple[query.GroupSelection, ...]) -> Members:
        """The members of the object of a group."""
        return [(selected.name, self._member(selected)) for selected in fields]

    def rest(self, where: query.Condition, join: str) -> str:
        """The SELECT from FROM on."""
        joins = "".join(text for _, text in self.joins.values())
        text = f"FROM {self.writer.table(self.source)}{joins} WHERE {all_conditions(self.writer, self.source, where, join)}"
        if self.keys:
            order = (ordered(key, descending=False, nulls_last=False) for key in self.keys)
            text += f" GROUP BY {', '.join(self.keys)} ORDER BY {', '.join(order)}"
        elif not self.shape.columns:
            text += " LIMIT 1"
        return text

    def _member(self, selected: query.GroupSelection) -> str:
        match selected:
            case query.Constant():
                return self.writer.dialect.constant(selected.value)
            case query.Nested():
                return self.writer.dialect.json_object(self.members(selected.fields))
            case query.GroupKey():
                return self._key(selected)
            case query.Figure():
                expression, kind = _figure(self.writer, self.source, selected)
                return self.writer.dialect.shown(self.shape.put(expression), kind)

    def _key(self, selected: query.GroupKey) -> str:
        end = _joined(self.writer, self.source, selected.path[:-1], self.joins)
        field = end.field(selected.path[-1])
        shown = self.shape.put(values.expression(self.writer, end, field))
        self.keys.append(str(len(self.shape.columns)))
        return self.writer.dialect.shown(shown, field.kind)


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


def _figure(writer: Writer, source: Source, selected: query.Figure) -> tuple[str, Kind]:
    """A figure as SQL, and its kind."""
    if selected.function not in _FUNCTIONS:
        raise QueryError(f"there is no aggregate function {selected.function!r}")
    if selected.function == "count":
        return _count(source, selected), Kind.INT
    if selected.field is None:
        raise QueryError(f"{selected.function} needs a field")
    field = source.field(selected.field)
    name = f"{source.entity.__name__}.{field.name}"
    if selected.function in ("min", "max"):
        if field.kind in (Kind.BOOL, Kind.MATRIX):
            raise QueryError(f"{name} has no smallest and largest value")
        return f"{selected.function}({values.expression(writer, source, field)})", field.kind
    if field.kind not in _NUMBERS:
        raise QueryError(f"{name} is not a number; {selected.function} cannot be computed")
    return _number(writer, selected, source.column(field.column), field.kind)


def _count(source: Source, selected: query.Figure) -> str:
    """All rows are counted as such, since any index that knows which of them can be seen is then enough."""
    if selected.field is None:
        return f"count(DISTINCT {source.column('id')})" if selected.distinct else "count(*)"
    return f"count({'DISTINCT ' if selected.distinct else ''}{source.column(source.field(selected.field).column)})"


def _number(writer: Writer, selected: query.Figure, column: str, kind: Kind) -> tuple[str, Kind]:
    function = selected.function
    if function == "sum":
        return f"sum({column})", kind
    value = writer.dialect.number(function, column)
    return (writer.dialect.rounded(value), Kind.INT) if selected.rounded else (value, Kind.FLOAT)
