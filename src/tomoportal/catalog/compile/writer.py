"""The statement being written: bound values, names of row sources, and what its reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from tomoportal.catalog.compile.dialect import Dialect
from tomoportal.catalog.tables import RELEASE
from tomoportal.errors import QueryError
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Relation
from tomoportal.model.registry import entity as entity_named

DEEPEST = 12
"""Relations that may follow each other in a condition, order or selection."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What is put before stored paths: the public address of the file root, and the s3:// address of the same tree.
    Both end in `/`."""

    files: str = "/files/"
    s3: str = "s3://tomoportal/"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see: rows released at `now` (as stored, `2024-05-23T00:00:00+00:00`), with these addresses, no more than
    `most_rows` in one list (0: any number)."""

    now: str
    addresses: Addresses
    most_rows: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text and its bound values; the answer is one row with one JSON text."""

    text: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A table in a FROM clause under a name; `depth` counts the relations that led there."""

    entity: type[Entity]
    alias: str
    depth: int = 0

    def column(self, name: str) -> str:
        """A stored column as SQL."""
        return f'{self.alias}."{name}"'

    def field(self, name: str) -> Field:
        """The stored field of this name. Raises `QueryError`."""
        field = self.entity.fields.get(name)
        if field is None or not field.stored:
            raise QueryError(f"{self.entity.__name__} has no field {name!r}")
        return field

    def relation(self, name: str) -> Relation:
        """The relation of this name. Raises `QueryError`."""
        try:
            return self.entity.relations[name]
        except KeyError:
            raise QueryError(f"{self.entity.__name__} has no relation {name!r}") from None


class Writer:
    """Collects what a statement needs besides its text."""

    def __init__(self, dialect: Dialect, scope: Scope) -> None:
        self.dialect, self.scope = dialect, scope
        self.values: dict[str, Any] = {}
        self._names = count()

    def bind(self, value: Any) -> str:
        """A bound value, as SQL."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return self.dialect.placeholder(name)

    def constant(self, name: str, value: Any) -> str:
        """A bound value that occurs many times in a statement."""
        self.values[name] = value
        return self.dialect.placeholder(name)

    def source(self, entity: type[Entity] | str, depth: int = 0) -> Source:
        """A fresh row source."""
        if depth > DEEPEST:
            raise QueryError(f"this query follows more than {DEEPEST} relations in a row")
        found = entity_named(entity) if isinstance(entity, str) else entity
        return Source(found, self.alias(), depth)

    def alias(self) -> str:
        """A fresh name in the statement."""
        return f"t{next(self._names)}"

    def table(self, source: Source) -> str:
        """`table AS alias`."""
        return f'"{source.entity.names.table}" AS {source.alias}'

    def visible(self, source: Source) -> str:
        """The reader may see the row."""
        return f"{source.column(RELEASE)} <= {self.constant('now', self.scope.now)}"

    def follow(self, source: Source, name: str) -> tuple[Source, Relation, str]:
        """The source at the end of a relation, the relation, and the condition that joins the two."""
        relation = source.relation(name)
        target = self.source(relation.target, source.depth + 1)
        return target, relation, self.join(source, name, target)

    def join(self, source: Source, name: str, target: Source) -> str:
        """The condition that `target` is related to `source` by the relation `name`."""
        relation = source.relation(name)
        if relation.many:
            return f"{target.column(relation.key)} = {source.column('id')}"
        return f"{target.column('id')} = {source.column(relation.key)}"

    def statement(self, text: str) -> Statement:
        """The finished statement."""
        return Statement(text, self.values)


def insertion(dialect: Dialect, table: str, columns: Sequence[str]) -> str:
    """INSERT of rows given as dictionaries; quicker than an ORM statement for many rows."""
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join(dialect.placeholder(name) for name in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({places})'


def joined(operator: str, parts: Sequence[str]) -> str:
    """Parts joined by AND or OR as a balanced tree: databases limit the depth of expressions."""
    if len(parts) <= 4:
        return "(" + f" {operator} ".join(parts) + ")"
    middle = len(parts) // 2
    return f"({joined(operator, parts[:middle])} {operator} {joined(operator, parts[middle:])})"
