"""The entities of the model with a portal behind them, made from the model when this module is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from tomoportal.client.connection import Client
from tomoportal.client.document import camel, count_document, list_document
from tomoportal.client.download import mixins_for
from tomoportal.client.fitting import fitting_for
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind, Relation
from tomoportal.model.registry import ENTITIES

E = TypeVar("E", bound="ClientEntity")

_PLUMBING = {
    "columns",
    "config_fields",
    "fields",
    "groups",
    "names",
    "public_fields",
    "related",
    "relations",
    "rows",
}


class Results(list[E], Generic[E]):
    """A list of entities. With exactly one in it, its attributes and methods can be used directly."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if len(self) != 1:
            raise AttributeError(f"{name}: there are {len(self)} results; choose one of them first.")
        return getattr(self[0], name)


class ClientEntity(Entity):
    """What every entity of the client can do. Scalars are values; a relation is looked up once, when it is first read."""

    client: Client

    @classmethod
    def find(
        cls,
        client: Client,
        query_filters: query.Condition | Iterable[query.Condition] = (),
        *,
        order_by: Iterable[query.Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> Results[Self]:
        """The rows that fulfil all filters, by id unless `order_by` says otherwise."""
        fields = tuple(query.Value(field.name, field.name) for field in cls.public_fields())
        select = query.Select(cls.__name__, fields, _all(query_filters), tuple(order_by), limit, offset)
        rows = client.query(list_document(select))[cls.names.root]
        return Results(cls._from_row(client, row) for row in rows)

    @classmethod
    def get_by_id(cls, client: Client, id: int) -> Self | None:
        """The row with this id, or None."""
        found = cls.find(client, query.Compare("id", "eq", id))
        return found[0] if found else None

    @classmethod
    def count(cls, client: Client, query_filters: query.Condition | Iterable[query.Condition] = ()) -> int:
        """How many rows fulfil all filters."""
        answer = client.query(count_document(cls, _all(query_filters)))[f"{cls.names.root}Aggregate"]
        groups = answer["aggregate"]
        return groups[0]["count"] if groups else 0

    @classmethod
    def _from_row(cls, client: Client, row: dict[str, Any]) -> Self:
        values = {field.name: _value(field, row[camel(field.name)]) for field in cls.public_fields()}
        return cls(client=client, **values)

    def related(self, relation: Relation) -> Any:
        """The related row or rows."""
        cache = self.__dict__.setdefault("_related", {})
        if relation.name not in cache:
            cache[relation.name] = self._look_up(relation)
        return cache[relation.name]

    def to_dict(self) -> dict[str, Any]:
        """All scalars by name."""
        return {field.name: self.__dict__[field.name] for field in self.public_fields()}

    def _look_up(self, relation: Relation) -> Any:
        target = CLASSES[relation.target]
        if relation.many:
            return target.find(self.client, query.Compare(relation.key, "eq", self.__dict__["id"]))
        key = self.__dict__[relation.key]
        return None if key is None else target.get_by_id(self.client, key)

    def __dir__(self) -> list[str]:
        """Without what the model needs for itself."""
        return [name for name in super().__dir__() if name not in _PLUMBING]

    def __repr__(self) -> str:
        shown = self.__dict__.get("name") or self.__dict__.get("title") or ""
        return f"{type(self).__name__}(id={self.__dict__.get('id')}{f', {shown!r}' if shown else ''})"


def _all(filters: query.Condition | Iterable[query.Condition]) -> query.Condition:
    if isinstance(filters, query.Condition):
        return filters
    conditions = tuple(filters)
    for condition in conditions:
        if not isinstance(condition, query.Condition):
            raise QueryError(f"{condition!r} is no filter; write it like `Run.name == 'TS_001'`.")
    return query.all_of(conditions)


def _value(field: Field, value: Any) -> Any:
    if value is not None and field.kind is Kind.DATE:
        return datetime.fromisoformat(value)
    if value is not None and field.kind is Kind.MATRIX and isinstance(value, str):
        return json.loads(value)
    return value


CLASSES: dict[str, type[ClientEntity]] = {
    one.__name__: type(
        one.__name__,
        (ClientEntity, *fitting_for(one), *mixins_for(one), one),
        {"__doc__": one.__doc__, "__module__": "tomoportal"},
    )
    for one in ENTITIES
}
"""Class name → class: the entity of the model, with a portal behind it."""
