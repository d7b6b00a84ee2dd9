"""Query string ↔ query tree: the filters of a list, as a table. One more filter is one more row.

Takes the parameters of a request, gives a `Choice` of what was asked for: the condition for the catalogue, the addresses with one
thing more or less, and the offers with their counts. Junk is left out with a notice and never raises. No HTML here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.web.facts import UNSTATED
from tomoportal.web.members import Ids, by_value, ids

MOST_VALUES = 50
"""Values of one filter that are looked at."""
LONGEST = 200
"""Letters of a value or search text that are looked at."""
LAST_PAGE = 1_000_000
_IGNORED_PREFIXES = ("utm_", "_")


@dataclass(frozen=True, slots=True)
class Option:
    """A value that a filter offers, and how many rows there would be with it."""

    value: str
    label: str
    count: int
    is_chosen: bool


class Filter(Protocol):
    """One filter of a list. `parameter` is its name in the query string."""

    @property
    def parameter(self) -> str: ...
    @property
    def legend(self) -> str: ...
    @property
    def help(self) -> str: ...

    def accepted(self, value: str) -> str | None:
        """The value as this filter knows it, None when it makes no sense."""

    def label(self, value: str) -> str:
        """The value as people read it."""

    @property
    def needs_all(self) -> bool:
        """Whether a row must be under every chosen value, or under any of them."""

    def members(self, view: View, entity: str, within: query.Condition) -> dict[str, Ids]:
        """The rows under each value that is on offer, among those that fulfil `within`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """Rows with any of the chosen values of the field at the end of `path` (relations, then the field). `kind` is the type of
    the field, as far as what people write must be checked."""

    parameter: str
    legend: str
    path: tuple[str, ...]
    help: str = ""
    wording: Callable[[str], str] = str
    kind: Callable[[str], Any] = str
    needs_all: bool = False

    def accepted(self, value: str) -> str | None:
        try:
            return str(self.kind(value))
        except ValueError:
            return None

    def label(self, value: str) -> str:
        return self.wording(value)

    def members(self, view: View, entity: str, within: query.Condition) -> dict[str, Ids]:
        found = by_value(view, entity, self.path, within)
        return {value: rows for value, rows in found.items() if value not in UNSTATED}


@dataclass(frozen=True, slots=True)
class Demand:
    """A named condition that people can ask for."""

    value: str
    label: str
    condition: query.Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Rows that fulfil every chosen demand."""

    parameter: str
    legend: str
    demands: tuple[Demand, ...]
    help: str = ""
    needs_all: bool = True

    def accepted(self, value: str) -> str | None:
        return value if any(value == demand.value for demand in self.demands) else None

    def label(self, value: str) -> str:
        return next(demand.label for demand in self.demands if demand.value == value)

    def members(self, view: View, entity: str, within: query.Condition) -> dict[str, Ids]:
        return {
            demand.value: ids(view, entity, query.all_of([within, demand.condition]))
            for demand in self.demands
        }


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that people can choose."""

    value: str
    label: str
    order: tuple[query.Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of rows of an entity as a page offers it: its filters, orders (the first is the usual one), and other spellings of
    parameters and sorts that old links use. `text` makes the condition of the search box."""

    entity: str
    filters: tuple[Filter, ...]
    sorts: tuple[Sort, ...]
    text: Callable[[str], query.Condition] = query.Search
    text_parameter: str = "search"
    sort_aliases: dict[str, str] = field(default_factory=dict)

    def read(self, parameters: Iterable[tuple[str, str]]) -> Choice:
        """What the parameters ask for."""
        choice = Choice(self, sort=self.sorts[0])
        for name, value in parameters:
            choice = choice._with(name, value.replace("\x00", "").strip()[:LONGEST])
        return choice


@dataclass(frozen=True, slots=True)
class Chip:
    """A chosen value, and the parameters of the page without it."""

    legend: str
    label: str
    without: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked of a list. `notices` say what of the query string was left out."""

    of: ListOf
    sort: Sort
    text: str = ""
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    page: int = 1
    notices: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is searched or filtered for."""
        return bool(self.text or self.chosen)

    def matching(self, view: View, within: query.Condition, *, without: str = "") -> Ids:
        """The rows that are asked for among those that fulfil `within`, perhaps as if one filter were not set."""
        text = [self.of.text(self.text)] if self.text else []
        found = ids(view, self.of.entity, query.all_of([within, *text]))
        for item in self.of.filters:
            if item.parameter in self.chosen and item.parameter != without:
                members = item.members(view, self.of.entity, within)
                sets = [members.get(value, frozenset()) for value in self.chosen[item.parameter]]
                found &= frozenset.intersection(*sets) if item.needs_all else frozenset().union(*sets)
        return found

    def parameters(self, *, page: int = 1, sort: Sort | None = None) -> tuple[tuple[str, str], ...]:
        """The query string that asks for the same, on a page of it."""
        found = [(self.of.text_parameter, self.text)] if self.text else []
        found += [(name, value) for name, values in self.chosen.items() for value in values]
        wanted = sort or self.sort
        if wanted is not self.of.sorts[0]:
            found.append(("sort", wanted.value))
        if page > 1:
            found.append(("page", str(page)))
        return tuple(found)

    def chips(self) -> tuple[Chip, ...]:
        """Everything that narrows the list, each with the way to take it off."""
        found = [Chip("Search", self.text, replace(self, text="").parameters())] if self.text else []
        for item in self.of.filters:
            for value in self.chosen.get(item.parameter, ()):
                found.append(
                    Chip(item.legend, item.label(value), self._without(item.parameter, value).parameters())
                )
        return tuple(found)

    def options(
        self, item: Filter, view: View, within: query.Condition = query.EVERYTHING, *, most: int = 100
    ) -> tuple[Option, ...]:
        """What a filter offers under everything else that is chosen, among the rows that fulfil `within`: the count is what
        there would be with this value. Chosen values are always among it, others only when they lead to something."""
        chosen = self.chosen.get(item.parameter, ())
        left = self.matching(view, within, without="" if item.needs_all else item.parameter)
        members = item.members(view, self.of.entity, within)
        counts = {value: len(rows & left) for value, rows in members.items()}
        if not item.needs_all:
            most_first = sorted(
                (value for value in counts if counts[value]), key=lambda value: (-counts[value], value)
            )
            counts = {value: counts[value] for value in most_first[:most]}
        counts |= {value: counts.get(value, 0) for value in chosen}
        return tuple(
            Option(value, item.label(value), count, value in chosen) for value, count in counts.items()
        )

    def _with(self, name: str, value: str) -> Choice:
        item = next((item for item in self.of.filters if item.parameter == name), None)
        if not value or name.startswith(_IGNORED_PREFIXES):
            return self
        if name == self.of.text_parameter:
            return replace(self, text=value)
        if item is not None:
            return self._choosing(item, value)
        if name == "sort":
            value = self.of.sort_aliases.get(value, value)
            sort = next((sort for sort in self.of.sorts if sort.value == value), None)
            return replace(self, sort=sort) if sort else self._noting(f"There is no order “{value[:40]}”.")
        if name == "page":
            is_page = value.isascii() and value.isdigit() and 1 <= int(value) <= LAST_PAGE
            return replace(self, page=int(value)) if is_page else self._noting(f"“{value[:40]}” is no page.")
        return self._noting(f"This list has no filter “{name[:40]}”.")

    def _choosing(self, item: Filter, value: str) -> Choice:
        accepted = item.accepted(value)
        if accepted is None:
            return self._noting(f"{item.legend} cannot be “{value[:40]}”.")
        values = self.chosen.get(item.parameter, ())
        if accepted in values or len(values) >= MOST_VALUES:
            return self
        return replace(self, chosen={**self.chosen, item.parameter: (*values, accepted)})

    def _without(self, parameter: str, value: str) -> Choice:
        left = tuple(kept for kept in self.chosen[parameter] if kept != value)
        others = {name: values for name, values in self.chosen.items() if name != parameter}
        return replace(self, chosen={**others, parameter: left} if left else others)

    def _noting(self, sentence: str) -> Choice:
        return (
            self
            if len(self.notices) >= 3
            else replace(self, notices=(*self.notices, f"{sentence} It was left out."))
        )
