"""The base class of all entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tomoportal.model.fields import Field, Level, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The public names of an entity: GraphQL type, GraphQL root field, table, prefix of its ids as people write them
    (`RN-12`), words for one and for many, and its section in the deposition file."""

    graphql: str
    root: str
    table: str
    one: str
    many: str
    prefix: str = ""
    section: str = ""

    def number(self, id: int) -> str:
        """An id as people write it: `RN-12`."""
        return f"{self.prefix}-{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where the rows of an entity come from: one per sidecar of the kind `sidecar`, or one per item of the list at the place
    `items` inside it, told apart by `key` (names of fields, unique inside the list), or by `else_by` where all of those are null.

    `level`, `at_least`: what the deposition language demands of the list. `in_config`: whether depositors write it.
    """

    sidecar: str
    items: str = ""
    key: tuple[str, ...] = ()
    else_by: tuple[str, ...] = ()
    in_config: bool = False
    level: Level = Level.OPTIONAL
    at_least: int = 0


class Entity:
    """One row of one type. Subclasses declare fields and relations as class attributes."""

    names: ClassVar[Names]
    rows: ClassVar[Rows]
    groups: ClassVar[dict[str, Level]] = {}
    """Demand on whole objects of the deposition file, such as `organism`; an object that is not named is required as soon as
    one of its fields is."""
    fields: ClassVar[dict[str, Field]]
    relations: ClassVar[dict[str, Relation]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.fields, cls.relations = {}, {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(member, Field):
                    cls.fields[name] = member if base is cls else member.bound_to(cls)
                elif isinstance(member, Relation):
                    cls.relations[name] = member

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    @classmethod
    def public_fields(cls) -> list[Field]:
        """The scalars of the API, foreign keys included, in order."""
        return [field for field in cls.fields.values() if field.public]

    @classmethod
    def columns(cls) -> list[Field]:
        """The fields that have a column of their own."""
        return [field for field in cls.fields.values() if field.stored and field.address_of is None]

    @classmethod
    def config_fields(cls) -> list[Field]:
        """The fields that a depositor writes."""
        return [field for field in cls.fields.values() if field.config is not None]

    def related(self, relation: Relation) -> Any:
        """The related object(s); entities of a client look them up."""
        raise NotImplementedError(f"{type(self).__name__} is not connected to a portal")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.__dict__.get('id')})"
