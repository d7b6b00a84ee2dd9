"""Query string ↔ rows: what was asked of a list.

Takes the parameters of a request, gives a `Choice`: the rows, the addresses with one thing more or less, and the offers with their
counts. Junk is left out with a notice and never raises. No HTML here; the kinds of filters are in `filter_kinds`.

Filters about what is inside rows (runs of datasets) must all hold for the same run. The count of an option is the number of rows
that the list would have with it, by the same bits that make the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tomoportal.catalog import View
from tomoportal.catalog.search.terms import terms
from tomoportal.model import query
from tomoportal.web.lists.filter_kinds import AllOf, Chosen, Filter, OneOf, Range, Values, bounds
from tomoportal.web.lists.members import Bits, Members

LONGEST = 200
"""Letters of a value or search text that are looked at."""
LAST_PAGE = 1_000_000
_IGNORED_PREFIXES = ("utm_", "_", "download_")
_OF_PAGES = frozenset(
    (
        "annotation_id", "annotation_name", "annotations_page", "back", "deposition_tab", "disable_feature", "enable_feature",
        "file_format", "from", "group_by", "metadata", "method_summary_tab", "ref_tomogram", "showtour", "tab", "table_tab",
        "tomogram_processing", "tomogram_sampling", "tomograms_page", "competition",
    )
)  # fmt: skip
"""Parameters by which pages, here and in the reference system, say other things than filters."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value that a filter offers, and how many rows there would be with it."""

    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of a range from `low` to `high`, with the number of rows there, and whether it reaches into what is chosen."""

    low: float
    high: float
    count: int
    is_chosen: bool


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
            choice = choice._with(_spelled(name), value.replace("\x00", "").strip()[:LONGEST])
        return choice._in_order()


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
        chosen = self._chosen(without)
        for item in self.of.filters:
            if item.parameter in chosen:
                bits = item.bits(chosen[item.parameter], members, chosen)
                if item.is_inside(members):
                    inside &= bits
                    rows &= places.holding(inside)
                else:
                    rows &= bits
        return rows, inside

    def parameters(self, *, page: int = 1) -> tuple[tuple[str, str], ...]:
        """The query string that asks for the same, on a page of it."""
        found = [(self.of.text_parameter, self.text)] if self.text else []
        for item in self.of.filters:
            found += item.parameters(self.chosen.get(item.parameter, ()))
        if self.sort is not self.sorts[0]:
            found.append(("sort", self.sort.value))
        if page > 1:
            found.append(("page", str(page)))
        return tuple(found)

    def chips(self) -> tuple[Chip, ...]:
        """Everything that narrows the list, each with the way to take it off."""
        found = [Chip("Search", self.text, replace(self, text="").parameters())] if self.text else []
        for item in self.of.filters:
            values = self.chosen.get(item.parameter, ())
            for label, left in item.told(values) if values else ():
                found.append(Chip(item.legend, label, self.choosing(item.parameter, left).parameters()))
        return tuple(found)

    def carried(self, to: ListOf) -> tuple[tuple[str, str], ...]:
        """The parameters of what another list can be asked for as well."""
        shared = {item.parameter for item in to.filters}
        return tuple(
            pair
            for item in self.of.filters
            if item.parameter in shared
            for pair in item.parameters(self.chosen.get(item.parameter, ()))
        )

    def options(self, item: OneOf | AllOf, members: Members, *, most: int = 60) -> tuple[Option, ...]:
        """What a filter offers under everything else that is chosen: the count is the number of rows that there would be with this
        value; for a filter that takes any of its values, with it alone. Those of most rows come first; all chosen values are among
        them."""
        chosen = self.chosen.get(item.parameter, ())
        counts = self._counts(item, members)
        values = list(counts) if item.is_sorted else sorted(counts, key=lambda value: (-counts[value], value))
        if not item.needs_all and item.is_sorted:
            values.sort()
        shown = [*values[:most], *(value for value in chosen if value not in values[:most])]
        return tuple(
            Option(value, item.label(value), counts.get(value, 0), value in chosen) for value in shown
        )

    def spread(self, item: Range, members: Members) -> tuple[Bar, ...]:
        """How many rows there would be with a number in each step of a range, under everything else that is chosen."""
        rows, inside = self.matching(members, without=item.parameter)
        low, high = bounds(self.chosen.get(item.parameter, ("", "")))
        holding, is_inside = members.places.holding, item.is_inside(members)
        return tuple(
            Bar(
                found.low,
                found.high,
                ((holding(inside & found.bits) if is_inside else found.bits) & rows).bit_count(),
                found.high > low and found.low <= high,
            )
            for found in item.bins(members, self._chosen(item.parameter))
        )

    def choosing(self, parameter: str, values: Values) -> Choice:
        """The same with other values of a filter, on the first page."""
        others = {name: kept for name, kept in self.chosen.items() if name != parameter}
        return replace(self, chosen={**others, parameter: values} if values else others, page=1)

    def _counts(self, item: OneOf | AllOf, members: Members) -> dict[str, int]:
        """The number of rows with each value."""
        chosen = self.chosen.get(item.parameter, ())
        if item.needs_all:
            with_value = {value: (*chosen, value) for value in item.by_value(members, self.chosen)}
            return {
                value: self.choosing(item.parameter, values).matching(members)[0].bit_count()
                for value, values in with_value.items()
            }
        rows, inside = self.matching(members, without=item.parameter)
        known = item.by_value(members, self._chosen(item.parameter))
        if not item.is_inside(members):
            return {value: (bits & rows).bit_count() for value, bits in known.items()}
        holding = members.places.holding
        return {value: (holding(inside & bits) & rows).bit_count() for value, bits in known.items()}

    def _chosen(self, without: str) -> Chosen:
        return {name: values for name, values in self.chosen.items() if name != without}

    def _with(self, name: str, value: str) -> Choice:
        item = next((item for item in self.of.filters if name in item.names), None)
        if not value or name in _OF_PAGES or name.startswith(_IGNORED_PREFIXES):
            return self
        if name == self.of.text_parameter:
            return replace(self, text=value)
        if item is not None:
            return self._reading(item, name, value)
        if name == "sort":
            return self._sorted(value)
        if name == "page":
            is_page = value.isascii() and value.isdigit() and 1 <= int(value) <= LAST_PAGE
            return replace(self, page=int(value)) if is_page else self._noting(f"“{value[:40]}” is no page.")
        return self._noting(f"This list has no filter “{name[:40]}”.")

    def _sorted(self, value: str) -> Choice:
        value = self.of.sort_aliases.get(value, value)
        known = (*self.of.sorts, BEST) if self.of.is_ranked else self.of.sorts
        sort = next((sort for sort in known if sort.value == value), None)
        if sort is None:
            offered = ", ".join(sort.value for sort in known)
            return self._noting(f"There is no order “{value[:40]}” (expected {offered}).")
        return replace(self, asked_sort=sort)

    def _reading(self, item: Filter, name: str, value: str) -> Choice:
        values = item.read(self.chosen.get(item.parameter, ()), name, value)
        if values is None:
            return self._noting(f"{item.legend} cannot be “{value[:40]}” (expected {item.expected}).")
        return replace(self, chosen={**self.chosen, item.parameter: values}) if values else self

    def _in_order(self) -> Choice:
        """Without ranges whose lower bound lies above the upper one."""
        choice = self
        for item in self.of.filters:
            values = self.chosen.get(item.parameter)
            if isinstance(item, Range) and values and bounds(values)[0] > bounds(values)[1]:
                told = f"{item.legend} cannot be from {values[0]} to {values[1]} (expected the lower bound first)."
                choice = choice.choosing(item.parameter, ())._noting(told)
        return choice if choice is self else replace(choice, page=self.page)

    def _noting(self, sentence: str) -> Choice:
        return (
            self
            if len(self.notices) >= 3
            else replace(self, notices=(*self.notices, f"{sentence} It was left out."))
        )


def _spelled(name: str) -> str:
    """Names of parameters are written with `_` or with `-`, in any case."""
    return name.strip().casefold().replace("-", "_")
