"""The query tree, evaluated over plain dictionaries the slow and obvious way: what the compiler is compared with."""

from __future__ import annotations

import re
from typing import Any

from fixtures_catalog import Rows
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Address, Kind
from tomoportal.model.registry import entity as entity_named

Row = dict[str, Any]


class Naive:
    """Rows by entity class name, seen at a moment, with address prefixes."""

    def __init__(self, rows: Rows, now: str, files: str, s3: str) -> None:
        self.rows, self.now, self.files, self.s3 = rows, now, files, s3
        self._releases: dict[tuple[str, int], str] = {}

    def select(self, asked: query.Select) -> list[Row]:
        entity = entity_named(asked.entity)
        rows = [row for row in self.visible(entity) if self.holds(entity, row, asked.where)]
        return self._objects(entity, rows, asked)

    def visible(self, entity: type[Entity]) -> list[Row]:
        return [row for row in self.rows.get(entity.__name__, []) if self.release(entity, row) <= self.now]

    def release(self, entity: type[Entity], row: Row) -> str:
        key = (entity.__name__, row["id"])
        if key not in self._releases:
            dates = [row.get("release_date") or ""]
            for relation in entity.relations.values():
                if not relation.many:
                    target = entity_named(relation.target)
                    dates += [
                        self.release(target, r)
                        for r in self.rows.get(relation.target, [])
                        if r["id"] == row[relation.key]
                    ]
            self._releases[key] = max(dates)
        return self._releases[key]

    def value(self, entity: type[Entity], row: Row, name: str) -> Any:
        field = entity.fields[name]
        value = row[field.column]
        if value is None:
            return None
        if field.address_of and field.address_of[0] is Address.S3:
            return self.s3 + value
        if field.address_of:
            return self.files + value.replace("%", "%25").replace("#", "%23").replace("?", "%3F")
        if field.kind is Kind.STATE:
            return value.replace("{files}", self.files)
        return value

    def related(self, entity: type[Entity], row: Row, name: str) -> list[Row]:
        relation = entity.relations[name]
        rows = self.visible(entity_named(relation.target))
        if relation.many:
            return [r for r in rows if r[relation.key] == row["id"]]
        return [r for r in rows if r["id"] == row[relation.key]]

    def holds(self, entity: type[Entity], row: Row, asked: query.Condition) -> bool | None:
        """True, false, or None for unknown."""
        match asked:
            case query.And(parts):
                found = [self.holds(entity, row, part) for part in parts]
                return False if False in found else None if None in found else True
            case query.Or(parts):
                found = [self.holds(entity, row, part) for part in parts]
                return True if True in found else None if None in found else False
            case query.Not(part):
                inner = self.holds(entity, row, part)
                return None if inner is None else not inner
            case query.Related(relation, where):
                target = entity_named(entity.relations[relation].target)
                return any(self.holds(target, r, where) for r in self.related(entity, row, relation))
            case query.RelatedCount(relation, where, operator, value, column, distinct):
                target = entity_named(entity.relations[relation].target)
                rows = [r for r in self.related(entity, row, relation) if self.holds(target, r, where)]
                counted: Any = rows
                if column:
                    counted = [r[column] for r in rows if r[column] is not None]
                    counted = set(counted) if distinct else counted
                return _compare(operator, len(counted), value)
            case query.Compare(name, operator, value):
                return _compare(operator, self.value(entity, row, name), value)
        raise AssertionError(asked)

    def _objects(self, entity: type[Entity], rows: list[Row], asked: query.Select | query.Many) -> list[Row]:
        rows = sorted(rows, key=lambda row: row["id"])
        for order in reversed(asked.order_by):
            rows = self._sorted(entity, rows, order)
        end = None if asked.limit is None else asked.offset + asked.limit
        return [self._object(entity, row, asked.fields) for row in rows[asked.offset : end]]

    def _sorted(self, entity: type[Entity], rows: list[Row], order: query.Order) -> list[Row]:
        def value(row: Row) -> Any:
            at, kind = row, entity
            for step in order.path[:-1]:
                found = self.related(kind, at, step)
                if not found:
                    return None
                at, kind = found[0], entity_named(kind.relations[step].target)
            return at[kind.fields[order.path[-1]].column]

        nulls_last = order.nulls == "last" if order.nulls else order.direction == "asc"
        some = [row for row in rows if value(row) is not None]
        none = [row for row in rows if value(row) is None]
        some.sort(key=value, reverse=order.direction == "desc")
        return some + none if nulls_last else none + some

    def _object(self, entity: type[Entity], row: Row, fields: tuple[query.Selection, ...]) -> Row:
        return {selected.name: self._member(entity, row, selected) for selected in fields}

    def _member(self, entity: type[Entity], row: Row, selected: query.Selection) -> Any:
        match selected:
            case query.Value(_, name):
                return self.value(entity, row, name)
            case query.Constant(_, value):
                return value
            case query.RelatedTotal(_, relation, where, distinct):
                target = entity_named(entity.relations[relation].target)
                rows = [r for r in self.related(entity, row, relation) if self.holds(target, r, where)]
                return len({r[distinct] for r in rows} - {None}) if distinct else len(rows)
            case query.One(_, relation, fields, where) | query.Many(_, relation, fields, where):
                target = entity_named(entity.relations[relation].target)
                rows = [r for r in self.related(entity, row, relation) if self.holds(target, r, where)]
                if isinstance(selected, query.Many):
                    return self._objects(target, rows, selected)
                return self._object(target, rows[0], fields) if rows else None
        raise AssertionError(selected)


def _compare(operator: str, value: Any, wanted: Any) -> bool | None:
    if operator == "is_null":
        return (value is None) == wanted
    if wanted is None:
        return (value is None) == (operator == "eq")
    if operator == "in" and not wanted:
        return False
    if operator == "nin" and not wanted:
        return True
    if value is None:
        return None
    if operator in ("in", "nin"):
        return (value in wanted) == (operator == "in")
    simple = {
        "eq": lambda: value == wanted, "neq": lambda: value != wanted, "gt": lambda: value > wanted, "gte": lambda: value >= wanted,
        "lt": lambda: value < wanted, "lte": lambda: value <= wanted,
    }  # fmt: skip
    if operator in simple:
        return simple[operator]()
    negated, word = operator.startswith("n"), operator.removeprefix("n")
    flags = re.DOTALL
    if word.startswith("i"):
        if word == "ilike":
            value, wanted = (text.replace("İ", "i").lower().replace("ς", "σ") for text in (value, wanted))
        else:
            flags |= re.IGNORECASE
    if word.endswith("like"):
        found = re.fullmatch(_like(wanted), value, re.DOTALL)
    else:
        found = re.search(wanted, value, flags)
    return (found is not None) != negated


def _like(pattern: str) -> str:
    parts, letters = [], iter(pattern)
    for letter in letters:
        if letter == "\\":
            parts.append(re.escape(next(letters)))
        else:
            parts.append({"%": ".*", "_": "."}.get(letter) or re.escape(letter))
    return "".join(parts)
