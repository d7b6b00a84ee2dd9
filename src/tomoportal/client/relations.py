"""The relations of the client's classes, told apart for type checkers: on a class each is the start of a path, which has the attributes
of the other class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from tomoportal.model.entity import Entity
from tomoportal.model.fields import Relation

if TYPE_CHECKING:
    from tomoportal.client.entities import ClientEntity
    from tomoportal.client.results import Results

E = TypeVar("E", bound="ClientEntity")


class Single(Relation, Generic[E]):
    """A to-one relation."""


class One(Single[E]):
    """A to-one relation that every row has: on a class the start of a path (to type checkers, the other class), on an instance the
    related object."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> type[E]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> E: ...
        def __get__(self, instance: object | None, owner: type) -> type[E] | E: ...


class OneOrNone(Single[E]):
    """A to-one relation that some rows lack: on an instance the related object, or None."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> type[E]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> E | None: ...
        def __get__(self, instance: object | None, owner: type) -> type[E] | E | None: ...


class Many(Relation, Generic[E]):
    """A to-many relation: on a class the start of a path (to type checkers, the other class), on an instance the related objects."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> type[E]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Results[E]: ...
        def __get__(self, instance: object | None, owner: type) -> type[E] | Results[E]: ...


class Unpublished:
    """Stands for a field of the model that is no part of the API."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: object | None, owner: type) -> Any:
        raise AttributeError(f"{owner.__name__} has no attribute {self.name!r}")


def typed_relation(owner: type[Entity], relation: Relation) -> Relation:
    """A relation of the model as one of `owner`, a class of the client."""
    kind: type[Relation] = Many
    if not relation.many:
        kind = OneOrNone if owner.fields[relation.key].nullable else One
    made = kind(relation.target, relation.description, many=relation.many, key=relation.key)
    made.__set_name__(owner, relation.name)
    return made
