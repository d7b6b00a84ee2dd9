"""Query string ↔ rows: the filters of a list, as a table. One more filter is one more row.

Takes the parameters of a request, gives a `Choice` of what was asked for: the rows, the addresses with one thing more or less, and
the offers with their counts. Junk is left out with a notice and never raises. No HTML here.

Filters about what is inside rows (runs of datasets) must all hold for the same run. The count of an option is the number of rows
that the list would have with it, by the same bits that make the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, or_
from typing import Any, Protocol

from tomoportal.catalog import View
from tomoportal.catalog.search.terms import terms
from tomoportal.model import query
from tomoportal.web.facts import UNSTATED
from tomoportal.web.members import Bits, Members

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

    def is_inside(self, members: Members) -> bool:
        """Whether it speaks of what is inside the rows."""

    def by_value(self, members: Members) -> dict[str, Bits]:
        """The rows, or what is inside them, under each value that is on offer."""


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

    def is_inside(self, members: Members) -> bool:
        return members.is_inside(self.path)

    def by_value(self, members: Members) -> dict[str, Bits]:
        found = members.by_value(self.path)
        return {value: bits for value, bits in found.items() if value not in UNSTATED}


@dataclass(frozen=True, slots=True)
class Demand:
    """A named condition that people can ask for."""

    value: str
    label: str
    condition: query.Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Rows that fulfil every chosen demand. `inside`: the demands are about what is inside the rows."""

    parameter: str
    legend: str
    demands: tuple[Demand, ...]
    help: str = ""
    needs_all: bool = True
    inside: bool = False

    def accepted(self, value: str) -> str | None:
        return value if any(value == demand.value for demand in self.demands) else None

    def label(self, value: str) -> str:
        return next(demand.label for demand in self.demands if demand.value == value)

    def is_inside(self, members: Members) -> bool:
        return self.inside

    def by_value(self, members: Members) -> dict[str, Bits]:
        fulfilling = members.fulfilling_inside if self.inside else members.fulfilling
        return {demand.value: fulfilling(demand.condition) for demand in self.demands}


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that people can choose; without `order`, by how well the words of the search fit."""

    value: str
    label: str
    order: tuple[query.Order, ...] = ()


BEST = Sort("relevance", "Best match")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of rows of an entity as a page offers it: its filters, orders (the first is the usual one), and other spellings of
    sorts that old links use. `inner`: the relation to what filters may speak of inside the rows. `text` makes the condition of the
    search box; `is_ranked` when the words of it can put the rows in order, which then is the usual order."""

    entity: str
    inner: str = ""
    filters: tuple[Filter, ...]
    sorts: tuple[Sort, ...]
    text: Callable[[str], query.Condition] = query.Search
    text_parameter: str = "search"
    is_ranked: bool = False
    sort_aliases: dict[str, str] = field(default_factory=dict)

    def read(self, parameters: Iterable[tuple[str, str]]) -> Choice:
        """What the parameters ask for."""
        choice = Choice(self)
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
    """What was asked of a list; `asked_sort` None for the usual order. `notices` say what of the query string was left out."""

    of: ListOf
    asked_sort: Sort | None = None
    text: str = ""
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    page: int = 1
    notices: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is searched or filtered for."""
        return bool(self.text or self.chosen)

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """The orders on offer, the usual one first."""
        has_words = self.of.is_ranked and bool(terms(self.text).wanted)
        return (BEST, *self.of.sorts) if has_words else self.of.sorts

    @property
    def sort(self) -> Sort:
        """The order of the list."""
        return self.asked_sort if self.asked_sort in self.sorts else self.sorts[0]

    def members(self, view: View, within: query.Condition = query.EVERYTHING) -> Members:
        """The rows that fulfil `within`, before anything is searched or filtered for."""
        return Members(view, self.of.entity, self.of.inner, within)

    def matching(self, members: Members, *, without: str = "") -> tuple[Bits, Bits]:
        """The rows that are asked for, perhaps as if one filter were not set, and what is inside them that fulfils the filters."""
        places = members.places
        rows, inside = places.everything, places.full
        if self.text:
            rows &= members.fulfilling(self.of.text(self.text))
        for item in self.of.filters:
            if item.parameter in self.chosen and item.parameter != without:
                known = item.by_value(members)
                chosen = [known.get(value, 0) for value in self.chosen[item.parameter]]
                bits = reduce(and_ if item.needs_all else or_, chosen)
                if item.is_inside(members):
                    inside &= bits
                    rows &= places.holding(inside)
                else:
                    rows &= bits
        return rows, inside

    def parameters(self, *, page: int = 1) -> tuple[tuple[str, str], ...]:
        """The query string that asks for the same, on a page of it."""
        found = [(self.of.text_parameter, self.text)] if self.text else []
        found += [(name, value) for name, values in self.chosen.items() for value in values]
        if self.sort is not self.sorts[0]:
            found.append(("sort", self.sort.value))
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

    def options(self, item: Filter, members: Members, *, most: int = 100) -> tuple[Option, ...]:
        """What a filter offers under everything else that is chosen: the count is the number of rows that there would be with this
        value; for a filter that takes any of its values, with it alone. Chosen values are always among it, others only when they
        lead to something."""
        chosen = self.chosen.get(item.parameter, ())
        rows, inside = self.matching(members, without="" if item.needs_all else item.parameter)
        holding, is_inside = members.places.holding, item.is_inside(members)
        counts = {
            value: ((holding(inside & bits) if is_inside else bits) & rows).bit_count()
            for value, bits in item.by_value(members).items()
        }
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
            known = (*self.of.sorts, BEST) if self.of.is_ranked else self.of.sorts
            sort = next((sort for sort in known if sort.value == value), None)
            return (
                replace(self, asked_sort=sort) if sort else self._noting(f"There is no order “{value[:40]}”.")
            )
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
