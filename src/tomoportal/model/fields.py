"""Typed descriptors: on a class an expression (`Tomogram.size_x > 900`), on an instance a value.

A field knows everything that is ever said about it: type, nullability, unit, label, description; its place in the
deposition file (`config`) and in the sidecar (`sidecar`, the same unless stated); what the deposition language demands of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from tomoportal.model.expressions import Expression, RelationPath

if TYPE_CHECKING:
    from tomoportal.model.entity import Entity

T = TypeVar("T", covariant=True)


class Kind(Enum):
    """The type of a stored value."""

    INT = "Int"
    FLOAT = "Float"
    STR = "String"
    BOOL = "Boolean"
    DATE = "DateTime"
    ENUM = "enum"
    MATRIX = "[[Float!]!]"
    STATE = "viewer state"
    """JSON text in which `FILES_MARK` stands for the public address of the files."""


FILES_MARK = "{files}"
"""Stands in stored viewer states where the public https address of the file root (with its trailing slash) belongs."""


class Level(StrEnum):
    """What the deposition language demands of a field."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


class Address(StrEnum):
    """Public addresses are computed from a stored path when serving."""

    S3 = "s3"
    HTTPS = "https"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the deposition language accepts: bounds (inclusive unless `above`), a pattern (`re.search`), a list of words,
    and whether a placeholder such as `float {column}` may stand in place of the value."""

    level: Level = Level.OPTIONAL
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    pattern: str | None = None
    words: tuple[str, ...] = ()
    comma_list: bool = False
    placeholder: bool = False


class Field(Generic[T]):
    """A scalar of an entity.

    `nullable`: whether the API may answer null. `public`: part of the API (else only stored). `stored`: has a column (else it
    lives only in the deposition file and the sidecar). `config`, `sidecar`: dotted places in the metadata block of the
    deposition file and in the sidecar JSON (numbers index lists; `@folder`, `@sidecar` and other `@` words are supplied by
    `layout`). `read` turns the JSON value into the stored one. `searched`: the label under which full-text search finds it.
    """

    name: str
    owner: type[Entity]

    def __init__(
        self,
        kind: Kind,
        description: str,
        *,
        nullable: bool = True,
        label: str = "",
        unit: str = "",
        enum: type[StrEnum] | None = None,
        config: str | None = None,
        sidecar: str | None = None,
        rule: Rule | None = None,
        read: Callable[[Any], Any] | None = None,
        default: Any = None,
        public: bool = True,
        stored: bool = True,
        searched: str = "",
        target: str | None = None,
        address_of: tuple[Address, str] | None = None,
    ) -> None:
        self.kind, self.description, self.nullable, self.unit, self.enum = (
            kind,
            description,
            nullable,
            unit,
            enum,
        )
        self.label = label
        self.config = config
        self.sidecar = sidecar if sidecar is not None else config
        self.rule = rule or Rule()
        self.read, self.default = read, default
        self.public, self.stored, self.searched = public, stored, searched
        self.target = target
        """Class name of the entity that this foreign key points at."""
        self.address_of = address_of
        """(scheme, name of the stored path) of a public address."""

    def __set_name__(self, owner: type[Entity], name: str) -> None:
        self.name, self.owner = name, owner
        self.label = self.label or name.replace("_", " ").capitalize()

    def bound_to(self, owner: type[Entity]) -> Self:
        """The same field for a subclass."""
        import copy

        bound = copy.copy(self)
        bound.owner = owner
        return bound

    @property
    def column(self) -> str:
        """Name of the stored column: its own, or that of the path behind an address."""
        return self.address_of[1] if self.address_of else self.name

    @overload
    def __get__(self, instance: None, owner: type) -> Expression: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Expression | T:
        if instance is None:
            return Expression(owner, (), self)
        try:
            return instance.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{instance!r} has no value of {self.name!r}: it was not given.") from None

    def __repr__(self) -> str:
        return f"<{self.owner.__name__}.{self.name}: {self.kind.value}>"


class Relation:
    """A link to another entity: on the class the start of a longer path, on an instance the related object(s)."""

    name: str
    owner: type[Entity]

    def __init__(self, target: str, description: str, *, many: bool, key: str = "") -> None:
        self.target, self.description, self.many = target, description, many
        self.key = key
        """The foreign key: a field of this entity for to-one, of the target for to-many."""

    def __set_name__(self, owner: type[Entity], name: str) -> None:
        self.name, self.owner = name, owner

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return RelationPath(owner, (self.name,), self)
        return instance.related(self)  # type: ignore[attr-defined]


class Maker(Generic[T]):
    """Makes fields of one kind. To type checkers their values are `T`, or `T | None` unless `nullable=False`."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    @overload
    def __call__(self, description: str, *, nullable: Literal[False], **rest: Any) -> Field[T]: ...
    @overload
    def __call__(self, description: str, **rest: Any) -> Field[T | None]: ...
    def __call__(self, description: str, **rest: Any) -> Any:
        return Field(self.kind, description, **rest)


Int: Maker[int] = Maker(Kind.INT)
"""A 32-bit integer."""
Float: Maker[float] = Maker(Kind.FLOAT)
"""A 64-bit float; also byte sizes, which may pass 32 bits."""
Str: Maker[str] = Maker(Kind.STR)
"""Text."""
Bool: Maker[bool] = Maker(Kind.BOOL)
"""Yes or no."""
Date: Maker[datetime] = Maker(Kind.DATE)
"""A day; the API shows it as a time stamp at midnight UTC."""
Matrix: Maker[list[list[float]]] = Maker(Kind.MATRIX)
"""A list of rows of numbers."""


@overload
def Choice(enum: type[StrEnum], description: str, *, nullable: Literal[False], **rest: Any) -> Field[str]: ...
@overload
def Choice(enum: type[StrEnum], description: str, **rest: Any) -> Field[str | None]: ...
def Choice(enum: type[StrEnum], description: str, **rest: Any) -> Any:
    """A word out of an enumeration."""
    return Field(Kind.ENUM, description, enum=enum, **rest)


def StoredPath(description: str, **rest: Any) -> Field[str]:
    """A path inside the layout, kept for the addresses made from it. Folder prefixes end with `/`, all else does not."""
    return Field(Kind.STR, description, public=False, **rest)


@overload
def S3Address(path: str, description: str, *, nullable: Literal[False]) -> Field[str]: ...
@overload
def S3Address(path: str, description: str) -> Field[str | None]: ...
def S3Address(path: str, description: str, **rest: Any) -> Any:
    """The s3:// address of the stored path of this name."""
    return Field(Kind.STR, description, address_of=(Address.S3, path), **rest)


@overload
def HttpsAddress(path: str, description: str, *, nullable: Literal[False]) -> Field[str]: ...
@overload
def HttpsAddress(path: str, description: str) -> Field[str | None]: ...
def HttpsAddress(path: str, description: str, **rest: Any) -> Any:
    """The http(s):// address of the stored path of this name."""
    return Field(Kind.STR, description, address_of=(Address.HTTPS, path), **rest)


@overload
def ForeignKey(target: str, description: str, *, nullable: Literal[False], **rest: Any) -> Field[int]: ...
@overload
def ForeignKey(target: str, description: str, **rest: Any) -> Field[int | None]: ...
def ForeignKey(target: str, description: str, **rest: Any) -> Any:
    """The id of a row of another entity."""
    return Field(Kind.INT, description, target=target, **rest)


def ConfigOnly(kind: Kind, description: str, *, config: str, **rest: Any) -> Field[Any]:
    """Said in the deposition file and kept in the sidecar, not part of the API."""
    return Field(kind, description, config=config, public=False, stored=False, **rest)


def ToOne(target: str, key: str, description: str) -> Relation:
    """The row of `target` that the foreign key `key` of this entity names."""
    return Relation(target, description, many=False, key=key)


def ToMany(target: str, key: str, description: str) -> Relation:
    """All rows of `target` whose foreign key `key` names this row."""
    return Relation(target, description, many=True, key=key)
