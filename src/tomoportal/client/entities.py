"""What every entity of the client can do: look things up, and be looked at.

`classes` declares the 23 entities; each takes its fields and relations from the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from tomoportal.client import filters
from tomoportal.client.connection import Client
from tomoportal.client.document import Document, camel, count_document, list_document
from tomoportal.client.filters import Filters, Ordering, Paths, Tree
from tomoportal.client.relations import Unpublished, typed_relation
from tomoportal.client.renames import old_names_of
from tomoportal.client.results import Results
from tomoportal.client.values import PYTHON_TYPES, received
from tomoportal.errors import QueryError, TooMuch, UsageError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Relation

E = TypeVar("E", bound="ClientEntity")

CLASSES: dict[str, type[Any]] = {}
"""Class name → class; `classes` fills it."""

PAGE_SIZE = 500
_PLUMBING = {
    "columns", "config_fields", "document", "fields", "groups", "names", "public_fields", "related", "relations", "rows",
}  # fmt: skip


class ClientEntity(Entity):
    """What every entity of the client can do. Scalars are values. A relation is asked for each time it is read, unless it came with
    `prefetch`. Two are equal when they are the same row of the same portal."""

    client: Client
    _reading: ClassVar[tuple[tuple[str, str, Field[Any]], ...]]
    """(name, name in GraphQL, field) of each field."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.fields:
            return
        for name in [name for name, field in cls.fields.items() if not field.public]:
            del cls.fields[name]
            setattr(cls, name, Unpublished(name))
        for name, relation in cls.relations.items():
            setattr(cls, name, typed_relation(cls, relation))
        for renamed in old_names_of(cls.__name__):
            setattr(cls, renamed.old, renamed)
        cls.__annotations__ = {name: PYTHON_TYPES[field.kind] for name, field in cls.fields.items()}
        cls.__annotations__ |= {name: relation.target for name, relation in cls.relations.items()}
        cls._reading = tuple((name, camel(name), field) for name, field in cls.fields.items())
        CLASSES[cls.__name__] = cls

    def __init__(self, client: Client, **values: Any) -> None:
        """An entity with these fields, named as in GraphQL (`sizeX`) or as here (`size_x`)."""
        names = {camel(name): name for name in self.fields}
        known = {names.get(name, name): value for name, value in values.items()}
        if unknown := known.keys() - self.fields.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}.")
        super().__init__(client=client, **{name: received(self.fields[name], known[name]) for name in known})

    @classmethod
    def find(
        cls,
        client: Client,
        query_filters: Filters = None,
        *,
        order_by: Ordering = (),
        limit: int | None = None,
        offset: int = 0,
        prefetch: Paths = (),
    ) -> Results[Self]:
        """The rows that fulfil all filters, in order of id unless `order_by` (`"-release_date"`, `Run.name.descending()`) says otherwise.

        What several filters say through one relation they say about one and the same related row. `prefetch` names relations
        (`("runs", "runs.tomograms")`) that come in the same request. Raises `QueryError`, `RemoteError`.
        """
        tree = filters.relation_tree(cls, prefetch)
        select = _select(cls, tree, query_filters, order_by, limit, offset)
        return Results((_entity(cls, client, row, tree) for row in _rows(cls, client, select)), cls)

    @classmethod
    def iterate(
        cls,
        client: Client,
        query_filters: Filters = None,
        *,
        order_by: Ordering = (),
        page_size: int = PAGE_SIZE,
        prefetch: Paths = (),
    ) -> Iterator[Self]:
        """The same rows as `find`, one after the other; so many are asked for at a time. In order of id (the default) every row comes
        once, whatever happens at the portal meanwhile; in another order rows may move between pages."""
        if page_size < 1:
            raise UsageError(f"page_size is {page_size}; expected 1 or more.")
        orders = filters.orders(cls, order_by)
        where, start, last = filters.condition(query_filters), 0, None
        while True:
            seen = where if last is None or orders else where & query.Compare("id", "gt", last)
            by = (*orders, query.Order(("id",)))
            page = cls.find(client, seen, order_by=by, limit=page_size, offset=start, prefetch=prefetch)
            yield from page
            if len(page) < page_size:
                return
            start, last = (start + page_size if orders else 0), page[-1].__dict__["id"]

    @classmethod
    def get_by_id(cls, client: Client, id: int, *, prefetch: Paths = ()) -> Self | None:
        """The row with this id, or None."""
        found = cls.find(client, query.Compare("id", "eq", id), prefetch=prefetch)
        return found[0] if found else None

    @classmethod
    def count(cls, client: Client, query_filters: Filters = None) -> int:
        """How many rows fulfil all filters."""
        document = count_document(cls, filters.condition(query_filters))
        answer = client.query(document.text, document.variables)[f"{cls.names.root}Aggregate"]
        groups = answer["aggregate"]
        return groups[0]["count"] if groups else 0

    @classmethod
    def document(cls, query_filters: Filters = None) -> Document:
        """What `find` with these filters sends."""
        return list_document(_select(cls, {}, query_filters, (), None, 0))

    if TYPE_CHECKING:

        @classmethod
        def any(cls, *conditions: query.Condition) -> query.Condition:
            """Of relations (`Run.annotations.any(…)`): see `model.expressions.RelationPath`."""
            ...

    def related(self, relation: Relation) -> Any:
        """The related row or rows, asked for now."""
        target = CLASSES[relation.target]
        if relation.many:
            return target.find(self.client, query.Compare(relation.key, "eq", self.__dict__["id"]))
        key = getattr(self, relation.key)
        return None if key is None else target.get_by_id(self.client, key)

    def to_dict(self, *, json_ready: bool = False) -> dict[str, Any]:
        """All scalars by name; with `json_ready`, dates as ISO text."""
        values = {name: self.__dict__[name] for name in self.fields if name in self.__dict__}
        if not json_ready:
            return values
        return {name: item.isoformat() if isinstance(item, date) else item for name, item in values.items()}

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or "id" not in self.__dict__:
            return self is other
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str, Any]:
        return type(self).__name__, self.client.url, self.__dict__.get("id", id(self))

    def __dir__(self) -> list[str]:
        """Without what the model needs for itself, and without old names."""
        hidden = _PLUMBING | {renamed.old for renamed in old_names_of(type(self).__name__)}
        hidden |= {name for name in super().__dir__() if isinstance(vars(type(self)).get(name), Unpublished)}
        return [name for name in super().__dir__() if name not in hidden]

    def __repr__(self) -> str:
        shown = next(
            (self.__dict__[name] for name in ("name", "title", "object_name") if self.__dict__.get(name)), ""
        )
        return f"{type(self).__name__}(id={self.__dict__.get('id')}{f', {shown!r}' if shown else ''})"

    def _repr_html_(self) -> str:
        from tomoportal.client.notebook import card

        return card(self)


def _select(
    cls: type[ClientEntity], tree: Tree, where: Filters, order_by: Ordering, limit: int | None, offset: int
) -> query.Select:
    if offset and limit is None:
        raise QueryError("An offset needs a limit: how many rows after it are wanted?")
    for name, number in (("limit", limit), ("offset", offset)):
        if number is not None and number < 0:
            raise QueryError(f"{name} is {number}; expected 0 or more.")
    orders = filters.orders(cls, order_by) or (query.Order(("id",)),)
    return query.Select(cls.__name__, _selections(cls, tree), filters.condition(where), orders, limit, offset)


def _selections(cls: type[ClientEntity], tree: Tree) -> tuple[query.Selection, ...]:
    found: list[query.Selection] = [query.Value(name, name) for name in cls.fields]
    for name, branch in tree.items():
        relation = cls.relations[name]
        inner = _selections(CLASSES[relation.target], branch)
        found.append(query.Many(name, name, inner) if relation.many else query.One(name, name, inner))
    return tuple(found)


def _rows(cls: type[ClientEntity], client: Client, select: query.Select) -> list[dict[str, Any]]:
    """The answer; of a portal that does not know all our fields, those that it knows."""
    if select.limit == 0:
        return []
    document = list_document(select, client.words)
    try:
        return client.query(document.text, document.variables)[cls.names.root]
    except QueryError as error:
        if isinstance(error, TooMuch) or not client.learn_words():
            raise
    document = list_document(select, client.words)
    return client.query(document.text, document.variables)[cls.names.root]


def _entity(cls: type[E], client: Client, row: dict[str, Any], tree: Tree) -> E:
    """A row of an answer. A relation of which only a part came is left out, to be asked for when it is read."""
    values = {name: received(field, row[key]) for name, key, field in cls._reading if key in row}
    for name, branch in tree.items():
        relation, inner = cls.relations[name], row[camel(name)]
        target = CLASSES[relation.target]
        if not relation.many:
            values[name] = None if inner is None else _entity(target, client, inner, branch)
        elif not inner["pageInfo"]["hasNextPage"]:
            nodes = (_entity(target, client, edge["node"], branch) for edge in inner["edges"])
            values[name] = Results(nodes, target)
    made = cls.__new__(cls)
    made.__dict__.update(values, client=client)
    return made
