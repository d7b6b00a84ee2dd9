"""What answering a query tree costs, estimated from the sizes of the tables before anything runs.

A point is a row that has to be looked at or given out; a value in it is a tenth of a point. Through a relation an average row has
`rows of the target / rows of the source` related rows, never fewer than one. So

    list        rows looked at · (1 + condition) + rows given out · (1 + 0.1 · values + what is nested in each)
    condition   per row: 1 for a pattern or words, and for a relation its related rows · (1 + their condition)
    search      0.1 · rows of the types searched for + rows given out
    figures     rows looked at · (1 + condition) · related rows of every grouping relation · (1 + 0.1 · figures and keys)

Rows looked at are all of the entity, or those that its ids, its foreign keys or those of its related rows leave; given out are
these, or the limit if that is smaller. It is an average: a dataset with more runs than others costs more than is estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tomoportal.catalog.search.passages import SUBJECTS
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.registry import entity as entity_named

VALUE = 0.1
PATTERNS = ("like", "nlike", "ilike", "nilike", "regex", "nregex", "iregex", "niregex")


class Estimator:
    """Estimates for tables of these sizes (rows by entity class name)."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes

    def cost(self, asked: query.Select | query.Aggregate | query.Ranked) -> float:
        """Points of a root field."""
        if isinstance(asked, query.Ranked):
            return 1 + asked.limit + VALUE * sum(self.sizes[name] for name in asked.entities or SUBJECTS)
        entity = entity_named(asked.entity)
        if isinstance(asked, query.Aggregate):
            looked = self.matching(entity, asked.where) * (1 + self._condition(entity, asked.where))
            return 1 + sum(looked * self._group(entity, part) for part in asked.fields)
        rows = self.matching(entity, asked.where)
        wanted = rows if asked.limit is None else min(rows, asked.limit)
        stops_early = asked.where == query.EVERYTHING and not asked.order_by
        looked = min(rows, wanted + asked.offset) if stops_early else rows
        return (
            1 + looked * (1 + self._condition(entity, asked.where)) + wanted * self._row(entity, asked.fields)
        )

    def matching(self, entity: type[Entity], where: query.Condition) -> float:
        """How many rows may have to be looked at, because an index leads to no fewer."""
        size = float(self.sizes[entity.__name__])
        match where:
            case query.And(parts):
                return min((self.matching(entity, part) for part in parts), default=size)
            case query.Or(parts):
                return min(size, sum(self.matching(entity, part) for part in parts))
            case query.Compare(name, "eq" | "in" as operator, value) if value is not None:
                given = 1 if operator == "eq" else len(value)
                target = entity.fields[name].target if name in entity.fields else None
                if name == "id":
                    return min(size, given)
                return min(size, given * size / max(1, self.sizes[target])) if target else size
            case query.Related(name, inner):
                return self._leading(entity, name, inner)
        return size

    def _leading(self, entity: type[Entity], relation: str, inner: query.Condition) -> float:
        size = float(self.sizes[entity.__name__])
        target = entity_named(entity.relations[relation].target)
        found = self.matching(target, inner)
        if entity.relations[relation].many:
            return min(size, found)
        return min(size, found * size / max(1, self.sizes[target.__name__]))

    def _fan(self, entity: type[Entity], relation: str) -> tuple[type[Entity], float]:
        """The entity at the other end, and how many rows an average row has there."""
        found = entity.relations[relation]
        target = entity_named(found.target)
        related = self.sizes[found.target] / max(1, self.sizes[entity.__name__]) if found.many else 1.0
        return target, max(1.0, related)

    def _condition(self, entity: type[Entity], where: query.Condition) -> float:
        match where:
            case query.And(parts) | query.Or(parts):
                return sum(self._condition(entity, part) for part in parts)
            case query.Not(part):
                return self._condition(entity, part)
            case query.Compare(_, operator, _):
                return 1.0 if operator in PATTERNS else 0.0
            case query.Related() | query.RelatedCount():
                return self._looked(entity, where.relation, where.where)
        return 1.0

    def _looked(self, entity: type[Entity], relation: str, where: query.Condition) -> float:
        target, related = self._fan(entity, relation)
        return related * (1 + self._condition(target, where))

    def _row(self, entity: type[Entity], fields: Sequence[Any]) -> float:
        """A row that is given out, with everything in it."""
        return 1 + sum(self._member(entity, field) for field in fields)

    def _member(self, entity: type[Entity], field: Any) -> float:
        match field:
            case query.One():
                target, _ = self._fan(entity, field.relation)
                return self._looked(entity, field.relation, field.where) + self._row(target, field.fields)
            case query.Many():
                return self._list(entity, field, field.fields, [field.limit])
            case query.Page():
                return sum(self._page_part(entity, field, part) for part in field.fields)
            case query.RelatedTotal():
                return self._looked(entity, field.relation, field.where)
            case query.RelatedAggregate():
                target, _ = self._fan(entity, field.relation)
                looked = self._looked(entity, field.relation, field.where)
                return sum(looked * self._group(target, part) for part in field.fields)
        return VALUE

    def _page_part(self, entity: type[Entity], page: query.Page, part: Any) -> float:
        match part:
            case query.Edges():
                nodes = [
                    field for node in part.fields if isinstance(node, query.Node) for field in node.fields
                ]
                return self._list(entity, page, nodes, [page.first, page.last]) + VALUE * len(part.fields)
            case query.PageInfo():
                return self._looked(entity, page.relation, page.where)
        return VALUE

    def _list(
        self,
        entity: type[Entity],
        asked: query.Many | query.Page,
        fields: Sequence[Any],
        limits: Iterable[int | None],
    ) -> float:
        target, related = self._fan(entity, asked.relation)
        given = min([related, *(limit for limit in limits if limit is not None)])
        return self._looked(entity, asked.relation, asked.where) + given * self._row(target, fields)

    def _group(self, entity: type[Entity], part: query.Groups | query.Constant) -> float:
        """Points per row of one list of groups."""
        if isinstance(part, query.Constant):
            return 0.0
        values = list(_values(part.fields))
        joined, steps = (
            1.0,
            {
                value.path[:n]
                for value in values
                if isinstance(value, query.GroupKey)
                for n in range(1, len(value.path))
            },
        )
        for step in steps:
            source = entity
            for name in step[:-1]:
                source = entity_named(source.relations[name].target)
            joined *= self._fan(source, step[-1])[1]
        return joined * (1 + VALUE * len(values))


def _values(fields: Iterable[query.GroupSelection]) -> Iterable[query.GroupSelection]:
    for field in fields:
        if isinstance(field, query.Nested):
            yield from _values(field.fields)
        else:
            yield field


def depth(asked: Any) -> int:
    """How many relations follow each other at most: in what is selected, in conditions, orders and keys of groups."""
    match asked:
        case query.Select():
            return max([_deepest(asked.fields), depth(asked.where), _deepest(asked.order_by)])
        case query.Aggregate():
            return max(_deepest(asked.fields), depth(asked.where))
        case query.Ranked():
            return depth(asked.where)
        case query.One() | query.Many() | query.RelatedAggregate():
            return 1 + max(
                _deepest(asked.fields), depth(asked.where), _deepest(getattr(asked, "order_by", ()))
            )
        case query.Page():
            return 1 + max(_deepest(asked.fields), depth(asked.where), _deepest(asked.order_by))
        case query.Edges() | query.Node() | query.Groups() | query.Nested():
            return _deepest(asked.fields)
        case query.Related() | query.RelatedCount() | query.RelatedTotal():
            return 1 + depth(asked.where)
        case query.And(parts) | query.Or(parts):
            return _deepest(parts)
        case query.Not(part):
            return depth(part)
        case query.Order() | query.GroupKey():
            return len(asked.path) - 1
    return 0


def _deepest(parts: Iterable[Any]) -> int:
    return max((depth(part) for part in parts), default=0)
