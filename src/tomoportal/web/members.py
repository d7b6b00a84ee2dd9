"""Which rows have which value: remembered for as long as a catalogue stays the same, so that filters with counts cost no joins.

Takes a `View`, gives sets of ids; all of it comes out of that view, and is kept under `View.key`.
"""

from __future__ import annotations

from functools import lru_cache

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Select, Value

Ids = frozenset[int]
KEPT = 512


class _Seen:
    """A view as the key of what is remembered: equal when the same rows are seen."""

    __slots__ = ("key", "view")

    def __init__(self, view: View) -> None:
        self.view, self.key = view, view.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


def ids(view: View, entity: str, where: query.Condition) -> Ids:
    """The rows that fulfil a condition."""
    return _ids(_Seen(view), entity, where)


def by_value(view: View, entity: str, path: tuple[str, ...], where: query.Condition) -> dict[str, Ids]:
    """The rows that fulfil a condition, by each value of the field at the end of a path; a row can stand under several."""
    return _by_value(_Seen(view), entity, path, where)


@lru_cache(maxsize=KEPT)
def _ids(seen: _Seen, entity: str, where: query.Condition) -> Ids:
    rows = seen.view.rows(Select(entity, (Value("id", "id"),), where))
    return frozenset(row["id"] for row in rows)


@lru_cache(maxsize=KEPT)
def _by_value(seen: _Seen, entity: str, path: tuple[str, ...], where: query.Condition) -> dict[str, Ids]:
    found = seen.view.holders(entity, where, path)
    return {str(value): members for value, members in found.items()}
