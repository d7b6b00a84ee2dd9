"""Typed descriptors: on a class an expression (`Tomogram.size_x > 900`), on an instance a value.

A field knows everything that is ever said about it: type, nullability, unit, label, description; its place in the
deposition file (`config`) and in the sidecar (`sidecar`, the same unless stated); what the deposition language demands of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from tomoportal.errors import QueryError
from tomoportal.model import query

if TYPE_CHECKING:
    from tomoportal.model.entity import Entity

T = TypeVar("T")


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
    `layout`). `read` turns the JSON value into the stored one.
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
        searched: bool = False,
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
        return instance.__dict__[self.name]

    def __repr__(self) -> str:
        return f"<{self.owner.__name__}.{self.name}: {self.kind.value}>"


@dataclass(frozen=True, eq=False)
class Expression:
    """A field as seen from a class, perhaps through relations. Comparing it gives a `query.Condition`."""

    root: type[Entity]
    path: tuple[str, ...]
    field: Field

    def _compare(self, operator: query.Operator, value: Any) -> query.Condition:
        return query.through(self.path, query.Compare(self.field.name, operator, plain(value)))

    def __eq__(self, other: object) -> query.Condition:  # type: ignore[override]
        return self._compare("eq", other)

    def __ne__(self, other: object) -> query.Condition:  # type: ignore[override]
        return self._compare("neq", other)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> query.Condition:
        return self._compare("lt", other)

    def __le__(self, other: Any) -> query.Condition:
        return self._compare("lte", other)

    def __gt__(self, other: Any) -> query.Condition:
        return self._compare("gt", other)

    def __ge__(self, other: Any) -> query.Condition:
        return self._compare("gte", other)

    def like(self, pattern: str) -> query.Condition:
        """Matches `%` (any text) and `_` (any character), case-sensitive."""
        return self._compare("like", pattern)

    def ilike(self, pattern: str) -> query.Condition:
        """`like` that ignores case."""
        return self._compare("ilike", pattern)

    def regex(self, pattern: str) -> query.Condition:
        """Contains a match of the RE2 regular expression."""
        return self._compare("regex", pattern)

    def is_in(self, values: Iterable[Any]) -> query.Condition:
        """Is one of the values."""
        return self._compare("in", tuple(values))

    _in = is_in

    def not_in(self, values: Iterable[Any]) -> query.Condition:
        """Is none of the values (null is not matched)."""
        return self._compare("nin", tuple(values))

    def is_null(self, value: bool = True) -> query.Condition:
        """Has no value (or has one, with False)."""
        return self._compare("is_null", value)

    def ascending(self) -> query.Order:
        """Smallest first."""
        return query.Order((*self.path, self.field.name), "asc")

    def descending(self) -> query.Order:
        """Largest first."""
        return query.Order((*self.path, self.field.name), "desc")


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


@dataclass(frozen=True, eq=False)
class RelationPath:
    """Relations followed from a class; its attributes are the fields and relations of the entity at the end."""

    root: type[Entity]
    path: tuple[str, ...]
    relation: Relation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from tomoportal.model.registry import entity

        target = entity(self.relation.target)
        if name in target.fields:
            return Expression(self.root, self.path, target.fields[name])
        if name in target.relations:
            return replace(self, path=(*self.path, name), relation=target.relations[name])
        near = ", ".join(get_close_matches(name, [*target.fields, *target.relations]))
        raise AttributeError(
            f"{target.__name__} has no field or relation {name!r}" + (f"; nearest: {near}" if near else "")
        )

    def _refuse(self, _other: object) -> Any:
        raise QueryError(
            f'"{self.path[-1]}" is an object and can\'t be compared directly. '
            f"Compare one of its fields instead, for example {'.'.join((self.root.__name__, *self.path, 'id'))}."
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = None  # type: ignore[assignment]


def plain(value: Any) -> Any:
    """A comparison value as it travels: dates as ISO text, enumeration members as their word, sets as tuples."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)) or hasattr(value, "keys"):
        return tuple(plain(item) for item in value)
    return value


def Int(description: str, **rest: Any) -> Field[int]:
    """A 32-bit integer."""
    return Field(Kind.INT, description, **rest)


def Float(description: str, **rest: Any) -> Field[float]:
    """A 64-bit float; also byte sizes, which may pass 32 bits."""
    return Field(Kind.FLOAT, description, **rest)


def Str(description: str, **rest: Any) -> Field[str]:
    """Text."""
    return Field(Kind.STR, description, **rest)


def Bool(description: str, **rest: Any) -> Field[bool]:
    """Yes or no."""
    return Field(Kind.BOOL, description, **rest)


def Date(description: str, **rest: Any) -> Field[date]:
    """A day; the API shows it as a time stamp at midnight UTC."""
    return Field(Kind.DATE, description, **rest)


def Choice(enum: type[StrEnum], description: str, **rest: Any) -> Field[str]:
    """A word out of an enumeration."""
    return Field(Kind.ENUM, description, enum=enum, **rest)


def Matrix(description: str, **rest: Any) -> Field[list[list[float]]]:
    """A list of rows of numbers."""
    return Field(Kind.MATRIX, description, **rest)


def StoredPath(description: str, **rest: Any) -> Field[str]:
    """A path inside the layout, kept for the addresses made from it. Folder prefixes end with `/`, all else does not."""
    return Field(Kind.STR, description, public=False, **rest)


def S3Address(path: str, description: str, **rest: Any) -> Field[str]:
    """The s3:// address of the stored path of this name."""
    return Field(Kind.STR, description, address_of=(Address.S3, path), **rest)


def HttpsAddress(path: str, description: str, **rest: Any) -> Field[str]:
    """The http(s):// address of the stored path of this name."""
    return Field(Kind.STR, description, address_of=(Address.HTTPS, path), **rest)


def ForeignKey(target: str, description: str, **rest: Any) -> Field[int]:
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
