"""What a field or relation of a class is before it has a value: the start of a condition or of an order.

`Tomogram.size_x > 900`, `Run.tomograms.size_x.between(900, 1000)`, `Run.annotations.any(…)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Any

from tomoportal.errors import QueryError
from tomoportal.model import query

if TYPE_CHECKING:
    from tomoportal.model.entity import Entity
    from tomoportal.model.fields import Field, Relation


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

    def iregex(self, pattern: str) -> query.Condition:
        """`regex` that ignores case."""
        return self._compare("iregex", pattern)

    def between(self, least: Any, most: Any) -> query.Condition:
        """From `least` to `most`, both included."""
        least, most = (
            query.Compare(self.field.name, "gte", plain(least)),
            query.Compare(self.field.name, "lte", plain(most)),
        )
        return query.through(self.path, least & most)

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
        if name in target.fields and target.fields[name].public:
            return Expression(self.root, self.path, target.fields[name])
        if name in target.relations:
            return replace(self, path=(*self.path, name), relation=target.relations[name])
        known = [*(field.name for field in target.public_fields()), *target.relations]
        near = ", ".join(get_close_matches(name, known))
        raise AttributeError(
            f"{target.__name__} has no field or relation {name!r}" + (f"; nearest: {near}" if near else "")
        )

    def any(self, *conditions: query.Condition) -> query.Condition:
        """There is a related row that fulfils all `conditions`, which are written about its own class: `Run.annotations.any(
        Annotation.object_name == "ribosome")`. Unlike plain conditions through one relation, which speak of one and the same row,
        it may be another row for each `any`."""
        return query.Or((query.through(self.path, query.all_of(conditions)),))

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
