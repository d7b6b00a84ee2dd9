"""Conditions as people write them with the Python client. Pure; the counterpart for GraphQL is `client.document`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.registry import entity

_SIGNS = {"eq": "==", "neq": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_METHODS = {
    "in": "is_in", "nin": "not_in", "is_null": "is_null", "like": "like", "ilike": "ilike", "regex": "regex", "iregex": "iregex",
}  # fmt: skip


def filters(kind: type[Entity], condition: query.Condition) -> tuple[str, ...]:
    """Expressions that mean the condition when all of them hold; none for everything. Raises `QueryError` for what the client cannot
    say."""
    return tuple(_all(kind, kind.__name__, _parts(condition)))


def classes(kind: type[Entity], condition: query.Condition) -> tuple[str, ...]:
    """The classes that `filters` names, in alphabetical order: what to import."""
    return tuple(sorted({kind.__name__, *_named(kind, condition)}))


def _parts(condition: query.Condition) -> tuple[query.Condition, ...]:
    return condition.conditions if isinstance(condition, query.And) else (condition,)


def _all(kind: type[Entity], path: str, parts: Iterable[query.Condition]) -> Iterator[str]:
    """Conditions through the same relation are about different rows here, and about the same one for the client, unless `any` says so."""
    parts = tuple(parts)
    times = Counter(part.relation for part in parts if isinstance(part, query.Related))
    for part in parts:
        if isinstance(part, query.Related) and times[part.relation] > 1:
            yield _any(kind, path, part)
        else:
            yield _one(kind, path, part)


def _one(kind: type[Entity], path: str, condition: query.Condition) -> str:
    match condition:
        case query.Compare(name, operator, value):
            return _comparison(f"{path}.{name}", operator, value)
        case query.Related(relation, where) if isinstance(where, (query.Compare, query.Related)):
            return _one(entity(kind.relations[relation].target), f"{path}.{relation}", where)
        case query.Related():
            return _any(kind, path, condition)
        case query.Not(part):
            return f"~({_one(kind, path, part)})"
        case query.And(parts) if parts:
            return " & ".join(f"({said})" for said in _all(kind, path, parts))
        case query.Or(parts) if parts:
            return " | ".join(f"({_one(kind, path, part)})" for part in parts)
    raise QueryError(f"{condition!r} cannot be said with the Python client.")


def _any(kind: type[Entity], path: str, related: query.Related) -> str:
    target = entity(kind.relations[related.relation].target)
    inner = ", ".join(filters(target, related.where))
    return f"{path}.{related.relation}.any({inner})"


def _comparison(path: str, operator: str, value: Any) -> str:
    if sign := _SIGNS.get(operator):
        return f"{path} {sign} {value!r}"
    if operator not in _METHODS:
        raise QueryError(f"{operator} cannot be said with the Python client.")
    said = list(value) if isinstance(value, tuple) else value
    return f"{path}.{_METHODS[operator]}({said!r})"


def _named(kind: type[Entity], condition: query.Condition) -> Iterator[str]:
    match condition:
        case query.And(parts) | query.Or(parts):
            for part in parts:
                yield from _named(kind, part)
        case query.Not(part):
            yield from _named(kind, part)
        case query.Related(relation, where):
            target = entity(kind.relations[relation].target)
            yield target.__name__
            yield from _named(target, where)
