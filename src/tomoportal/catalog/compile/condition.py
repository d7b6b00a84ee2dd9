"""`query.Condition` → SQL truth value."""

from __future__ import annotations

from typing import Any

from tomoportal.catalog.compile import values
from tomoportal.catalog.compile.expressions import check_regex
from tomoportal.catalog.compile.search import found_by
from tomoportal.catalog.compile.writer import Source, Writer, joined
from tomoportal.catalog.tables import is_indexed
from tomoportal.errors import QueryError, TooMuch
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind
from tomoportal.model.registry import entity as entity_named

_SIGNS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TEXT_ONLY = {"like", "nlike", "ilike", "nilike", "regex", "nregex", "iregex", "niregex"}
_TEXT_KINDS = {Kind.STR, Kind.STATE}
_NO_ORDER = {Kind.BOOL, Kind.MATRIX}
LONGEST_PATTERN = 10_000
"""Letters. SQLite compares 50,000 bytes at most, PostgreSQL compiles longer expressions slowly."""


def condition(writer: Writer, source: Source, asked: query.Condition) -> str:
    """The condition about a row of `source`, as SQL in brackets."""
    match asked:
        case query.And(parts):
            return joined("AND", [condition(writer, source, part) for part in parts]) if parts else "TRUE"
        case query.Or(parts):
            return joined("OR", [condition(writer, source, part) for part in parts]) if parts else "FALSE"
        case query.Not(part):
            return f"(NOT {condition(writer, source, part)})"
        case query.Compare():
            return f"({_compare(writer, source, asked)})"
        case query.Related():
            return _related(writer, source, asked)
        case query.RelatedCount():
            return f"({_related_count(writer, source, asked)})"
        case query.Search():
            return found_by(writer, source, asked, condition)
    raise QueryError(f"{asked!r} is not a condition")


def all_conditions(writer: Writer, source: Source, where: query.Condition, join: str = "") -> str:
    """Everything that a row must fulfil."""
    parts = [join] if join else []
    parts.append(writer.visible(source))
    if where != query.EVERYTHING:
        parts.append(condition(writer, source, where))
    return " AND ".join(parts)


def related_rows(writer: Writer, source: Source, relation: str, where: query.Condition) -> tuple[Source, str]:
    """The related rows that fulfil `where` and may be seen: their source, and FROM … WHERE …."""
    target, _, join = writer.follow(source, relation)
    text = f"FROM {writer.table(target)} WHERE {join} AND {writer.visible(target)}"
    if where != query.EVERYTHING:
        text += f" AND {condition(writer, target, where)}"
    return target, text


def _related(writer: Writer, source: Source, asked: query.Related) -> str:
    """Where a relation leads to one row, and few can stand at its end, databases may begin with those."""
    relation = source.relation(asked.relation)
    if relation.many or not _picks_few(entity_named(relation.target), asked.where):
        return f"EXISTS (SELECT 1 {related_rows(writer, source, asked.relation, asked.where)[1]})"
    target, key = writer.source(relation.target, source.depth + 1), source.column(relation.key)
    rows = f"FROM {writer.table(target)} WHERE {all_conditions(writer, target, asked.where)}"
    return f"({key} IS NOT NULL AND {key} IN (SELECT {target.column('id')} {rows}))"


def _picks_few(entity: type[Entity], where: query.Condition) -> bool:
    """Whether an index leads to the rows that fulfil a condition."""
    match where:
        case query.And(parts):
            return any(_picks_few(entity, part) for part in parts)
        case query.Compare(field, "eq" | "in", value):
            return value is not None and is_indexed(entity, field)
        case query.Related(name, inner) if name in entity.relations:
            relation = entity.relations[name]
            return not relation.many and _picks_few(entity_named(relation.target), inner)
    return False


def compared(writer: Writer, operator: str, expression: str, value: Any, *, nullable: bool = True) -> str:
    """A comparison of SQL with a checked value, for the operators that every type has."""
    match operator:
        case "in" | "nin":
            if not value:
                return "FALSE" if operator == "in" else "TRUE"
            inside = writer.dialect.is_in(expression, value, writer.bind)
            return inside if operator == "in" else f"NOT ({inside})"
        case _:
            return f"{expression} {_SIGNS[operator]} {writer.bind(value)}"


def _compare(writer: Writer, source: Source, asked: query.Compare) -> str:
    field, operator, value = source.field(asked.field), asked.operator, asked.value
    name = f"{source.entity.__name__}.{field.name}"
    column = source.column(field.column)
    if operator == "is_null":
        if not isinstance(value, bool):
            raise QueryError(f"{name}: is_null takes true or false, not {value!r}")
        return f"{column} IS {'' if value else 'NOT '}NULL"
    if value is None:
        if operator not in ("eq", "neq"):
            raise QueryError(f"{name}: {operator} needs a value; ask for null with is_null")
        return f"{column} IS {'' if operator == 'eq' else 'NOT '}NULL"
    if operator in _TEXT_ONLY:
        return _pattern(writer, source, field, operator, value)
    if operator not in _SIGNS and operator not in ("in", "nin"):
        raise QueryError(f"{name}: there is no comparator {operator!r}")
    if field.kind in _NO_ORDER and operator in ("gt", "gte", "lt", "lte"):
        raise QueryError(f"{name} has no order; {operator} cannot be used")
    if field.address_of and operator in ("eq", "neq", "in", "nin"):
        return _address(writer, column, field, operator, value)
    expression = values.expression(writer, source, field)
    if operator in ("in", "nin"):
        return compared(
            writer, operator, expression, [values.checked(field, v) for v in _listed(name, value)]
        )
    return compared(writer, operator, expression, values.checked(field, value))


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise QueryError(f"{name}: expected a list of values, not {value!r}")
    return list(value)


def _address(writer: Writer, column: str, field: Field, operator: str, value: Any) -> str:
    """An address is compared by the path behind it, so that indexes serve and nothing public is stored."""
    given = [value] if operator in ("eq", "neq") else _listed(field.name, value)
    paths = [path for item in given if (path := values.stored_path(writer, field, item)) is not None]
    if given and not paths:
        return (
            f"({column} IS NULL AND NULL)" if operator in ("eq", "in") else f"({column} IS NOT NULL OR NULL)"
        )
    return compared(writer, "in" if operator in ("eq", "in") else "nin", column, paths)


def _pattern(writer: Writer, source: Source, field: Field, operator: str, pattern: Any) -> str:
    if field.kind not in _TEXT_KINDS:
        raise QueryError(f"{source.entity.__name__}.{field.name} is not text; {operator} cannot be used")
    values.checked(field, pattern)
    if len(pattern) > LONGEST_PATTERN:
        reason = f"a pattern has {len(pattern):,} letters, and at most {LONGEST_PATTERN:,} are compared"
        raise TooMuch("size", f"this query is too large for the database: {reason}")
    expression = values.expression(writer, source, field)
    negated, word = operator.startswith("n"), operator.removeprefix("n")
    ignore_case = word.startswith("i")
    if word.endswith("like"):
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise QueryError(f"the pattern {pattern!r} ends with a lone backslash")
        matches = writer.dialect.like(expression, pattern, ignore_case=ignore_case, bind=writer.bind)
    else:
        check_regex(pattern, ignore_case)
        matches = writer.dialect.regex(expression, pattern, ignore_case=ignore_case, bind=writer.bind)
    return f"NOT ({matches})" if negated else matches


def _related_count(writer: Writer, source: Source, asked: query.RelatedCount) -> str:
    target, rows = related_rows(writer, source, asked.relation, asked.where)
    if not source.relation(asked.relation).many:
        raise QueryError(
            f"{source.entity.__name__}.{asked.relation} leads to one row; there is nothing to count"
        )
    counted = "*"
    if asked.column:
        column = target.column(target.field(asked.column).column)
        counted = f"DISTINCT {column}" if asked.distinct else column
    total = f"(SELECT count({counted}) {rows})"
    if asked.operator == "is_null":
        return "FALSE" if asked.value else "TRUE"
    if asked.operator not in (*_SIGNS, "in", "nin"):
        raise QueryError(f"a number of rows cannot be compared with {asked.operator!r}")
    given = _listed(asked.relation, asked.value) if asked.operator in ("in", "nin") else [asked.value]
    if any(isinstance(item, bool) or not isinstance(item, int) for item in given):
        raise QueryError(f"a number of {asked.relation} is compared with whole numbers, not {asked.value!r}")
    return compared(writer, asked.operator, total, given if asked.operator in ("in", "nin") else given[0])
