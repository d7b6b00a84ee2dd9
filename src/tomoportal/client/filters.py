"""What users write → conditions, orders and paths of relations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.expressions import Expression, RelationPath
from tomoportal.model.registry import entity

Filters = query.Condition | Iterable[query.Condition] | None
Ordering = str | query.Order | Expression | Iterable["str | query.Order | Expression"]
Paths = str | type | Iterable[str | type]
"""Relations by name (`"runs.tomograms"`) or as written on a class (`Dataset.runs.tomograms`), one or several."""
Tree = dict[str, "Tree"]


def condition(filters: Filters) -> query.Condition:
    """All of them at once. What they say through the same relation they say about the same related row, unless it is in an `any`."""
    if filters is None:
        return query.EVERYTHING
    conditions = (filters,) if isinstance(filters, query.Condition) else tuple(filters)
    for one in conditions:
        if not isinstance(one, query.Condition):
            raise QueryError(f"{one!r} is no filter; write it like `Run.name == 'TS_001'`.")
    return _joined(query.And(conditions))


def _joined(asked: query.Condition) -> query.Condition:
    match asked:
        case query.And():
            return query.all_of(_one_each(_parts(asked)))
        case query.Or(parts):
            return query.Or(tuple(_joined(part) for part in parts))
        case query.Not(part):
            return query.Not(_joined(part))
        case query.Related(relation, where):
            return query.Related(relation, _joined(where))
    return asked


def _parts(asked: query.Condition) -> Iterator[query.Condition]:
    """The conditions of nested `And`s."""
    if isinstance(asked, query.And):
        for part in asked.conditions:
            yield from _parts(part)
    else:
        yield asked


def _one_each(parts: Iterable[query.Condition]) -> Iterator[query.Condition]:
    """One `Related` for each relation, where it was first named."""
    related: dict[str, list[query.Condition]] = {}
    placed: list[query.Condition | str] = []
    for part in parts:
        if isinstance(part, query.Related):
            if part.relation not in related:
                placed.append(part.relation)
            related.setdefault(part.relation, []).append(part.where)
        else:
            placed.append(_joined(part))
    for item in placed:
        if isinstance(item, str):
            yield query.Related(item, _joined(query.And(tuple(related[item]))))
        else:
            yield item


def orders(kind: type[Entity], ordering: Ordering) -> tuple[query.Order, ...]:
    """Orders given as `Run.name.descending()`, `Run.name` (ascending), `"name"` or `"-dataset.title"`."""
    given = [ordering] if isinstance(ordering, (str, query.Order, Expression)) else list(ordering)
    return tuple(_order(kind, one) for one in given)


def _order(kind: type[Entity], one: Any) -> query.Order:
    if isinstance(one, query.Order):
        return one
    if isinstance(one, Expression):
        return one.ascending()
    if not isinstance(one, str):
        raise QueryError(f"{one!r} is no order; write it like `Run.name.descending()` or '-name'.")
    *relations, name = path = tuple(one.removeprefix("-").split("."))
    end = _end(kind, relations, one)
    if name not in end.fields:
        raise _unknown(end, name, list(end.fields), one)
    return query.Order(path, "desc" if one.startswith("-") else "asc")


def relation_tree(kind: type[Entity], paths: Paths) -> Tree:
    """Paths of relations as a tree of names: `("runs", "runs.tomograms")` → `{"runs": {"tomograms": {}}}`."""
    tree: Tree = {}
    for path in [paths] if isinstance(paths, (str, type, RelationPath)) else paths:
        names = path.path if isinstance(path, RelationPath) else str(path).split(".")
        _end(kind, names, str(path))
        branch = tree
        for name in names:
            branch = branch.setdefault(name, {})
    return tree


def _end(kind: type[Entity], relations: Iterable[str], said: str) -> type[Entity]:
    """The entity at the end of a path."""
    for name in relations:
        if name not in kind.relations:
            raise _unknown(kind, name, list(kind.relations), said)
        kind = entity(kind.relations[name].target)
    return kind


def _unknown(kind: type[Entity], name: str, known: list[str], said: str) -> QueryError:
    near = get_close_matches(name, known) or sorted(known)
    return QueryError(f"{said!r}: {kind.__name__} has no {name!r}; expected one of {', '.join(near)}.")
