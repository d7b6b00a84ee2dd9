"""The query tree: what a reader wants, as plain data.

Client expressions, GraphQL documents, page filters and the command line all build it; only `catalog` turns it into SQL.
Names of fields and relations are those of the Python classes (snake case).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from tomoportal.errors import QueryError

Operator = Literal[
    "eq", "neq", "in", "nin", "gt", "gte", "lt", "lte", "is_null",
    "like", "nlike", "ilike", "nilike", "regex", "nregex", "iregex", "niregex",
]  # fmt: skip
Direction = Literal["asc", "desc"]
Nulls = Literal["first", "last"]


class Condition:
    """A yes-or-no question about a row. Combine with `&`, `|` and `~`."""

    __slots__ = ()

    def __and__(self, other: Condition) -> Condition:
        return And((*_parts(And, self), *_parts(And, other)))

    def __or__(self, other: Condition) -> Condition:
        return Or((*_parts(Or, self), *_parts(Or, other)))

    def __invert__(self) -> Condition:
        return self.condition if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        """No answer before a row is looked at: `1 < Run.id < 5` and `a and b` would silently drop one half."""
        raise QueryError(
            "A filter is neither true nor false. Combine filters with & | ~ (each in brackets) instead of and, or, not; "
            "write a range with .between()."
        )


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """A field of the row against a value. `eq`/`neq` with None ask for (not) null; `in` of nothing matches nothing;
    `like` knows `%`, `_` and backslash as escape; regular expressions are RE2, unanchored."""

    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Related(Condition):
    """There is a related row that fulfils `where`: both halves of an `And` inside speak of the same related row."""

    relation: str
    where: Condition


@dataclass(frozen=True, slots=True)
class RelatedCount(Condition):
    """The number of related rows that fulfil `where`, against a value. With `distinct`, different values of the field
    `column` are counted instead of rows; with `column` alone, the rows where it is not null."""

    relation: str
    where: Condition
    operator: Operator
    value: Any
    column: str | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Search(Condition):
    """Every word of `text` begins a word of the row or of what belongs to it (accents and case folded); words in quotes stand side
    by side, a word after a minus does not occur. `labels`: only texts with these labels, such as `object`; all when empty."""

    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class And(Condition):
    """All of them; true when empty."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Or(Condition):
    """Any of them; false when empty."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """The opposite; unknown (a comparison with null) stays unmatched."""

    condition: Condition


EVERYTHING = And()


def all_of(conditions: Iterable[Condition]) -> Condition:
    """`And` of them, without needless nesting."""
    flat = tuple(part for condition in conditions for part in _parts(And, condition))
    return flat[0] if len(flat) == 1 else And(flat)


def through(path: Iterable[str], condition: Condition) -> Condition:
    """`condition` about the row at the end of a path of relations."""
    for relation in reversed(tuple(path)):
        condition = Related(relation, condition)
    return condition


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by the field at the end of `path` (to-one relations, then the field). Without `nulls`: nulls come last when
    ascending and first when descending, as PostgreSQL has it."""

    path: tuple[str, ...]
    direction: Direction = "asc"
    nulls: Nulls | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar field in the answer, under the key `name`."""

    name: str
    field: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every row, such as GraphQL's `__typename`."""

    name: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class One:
    """A to-one relation: an object, or null when there is none or it does not fulfil `where`."""

    name: str
    relation: str
    fields: tuple[Selection, ...]
    where: Condition = EVERYTHING


@dataclass(frozen=True, slots=True)
class Many:
    """A to-many relation: a list of objects."""

    name: str
    relation: str
    fields: tuple[Selection, ...]
    where: Condition = EVERYTHING
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class RelatedTotal:
    """How many related rows fulfil `where`; with `distinct`, how many different values of the field they have."""

    name: str
    relation: str
    where: Condition = EVERYTHING
    distinct: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number about the rows of a group: `count` (rows, or with `field` those where it is not null, or with `distinct` its
    different values), or `sum`, `avg`, `min`, `max`, `stddev`, `variance` (of a sample) of `field`; `rounded` to a whole number."""

    name: str
    function: Literal["count", "sum", "avg", "min", "max", "stddev", "variance"]
    field: str | None = None
    distinct: bool = False
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A value by which rows are put into groups: the field at the end of `path` (relations of any kind, then the field). Rows
    without a related row belong to no group; a row with several counts once for each."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nested:
    """An object made of figures and keys."""

    name: str
    fields: tuple[GroupSelection, ...]


GroupSelection = Figure | GroupKey | Nested | Constant


@dataclass(frozen=True, slots=True)
class Groups:
    """A list with one object for every group, in order of the keys; without keys one object about all rows."""

    name: str
    fields: tuple[GroupSelection, ...]


@dataclass(frozen=True, slots=True)
class RelatedAggregate:
    """An object of figures about the related rows that fulfil `where`."""

    name: str
    relation: str
    fields: tuple[Groups | Constant, ...]
    where: Condition = EVERYTHING


@dataclass(frozen=True, slots=True)
class GlobalId:
    """The opaque identifier of GraphQL's `Node`: base64 of `Type:id`."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a row in a `Page`: base64 of `arrayconnection:n`, n from 0."""

    name: str


@dataclass(frozen=True, slots=True)
class Node:
    """The row itself, as an object."""

    name: str
    fields: tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class Edges:
    """The rows of a page, each wrapped in an object."""

    name: str
    fields: tuple[Node | Cursor | Constant, ...]


PageFact = Literal["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What is known about a page: pairs of key and fact."""

    name: str
    facts: tuple[tuple[str, PageFact] | Constant, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A to-many relation as a connection: an object with edges and facts about the page. Of the rows at the places `start` (from 0)
    to `stop`, the `first` or `last` so many; all when nothing limits."""

    name: str
    relation: str
    fields: tuple[Edges | PageInfo | Constant, ...]
    where: Condition = EVERYTHING
    order_by: tuple[Order, ...] = ()
    start: int = 0
    stop: int | None = None
    first: int | None = None
    last: int | None = None


Selection = Value | Constant | One | Many | RelatedTotal | RelatedAggregate | GlobalId | Page


@dataclass(frozen=True, slots=True)
class Select:
    """Rows of one entity (its class name), in order (by id when `order_by` does not decide), as a list of objects."""

    entity: str
    fields: tuple[Selection, ...]
    where: Condition = EVERYTHING
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An object of figures about the rows of an entity that fulfil `where`."""

    entity: str
    fields: tuple[Groups | Constant, ...]
    where: Condition = EVERYTHING


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows of several entities (all that can be searched for when empty) that fulfil `Search(text)`, best first, with where it
    matched; nothing without a word to look for. `where` is about rows of the only entity. The answer is an object: `total`,
    `counts` of entities, and `hits` with `entity`, `id`, `title`, `score` and `matches` (`label`, `words` for it, `text`, and
    `parts` of it with `isMatch`)."""

    text: str
    entities: tuple[str, ...] = ()
    where: Condition = EVERYTHING
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """What fits all words of a search: texts with these labels by which rows of `entity` are found, those of most rows first.
    The answer is a list of objects with `label`, `name`, `text`, the number of rows `count`, and `id` of the first of them."""

    text: str
    entity: str
    labels: tuple[str, ...]
    limit: int = 8


def _parts(kind: type[And] | type[Or], condition: Condition) -> tuple[Condition, ...]:
    return condition.conditions if isinstance(condition, kind) else (condition,)
