"""A list as a page shows it: its rows, filters with counts, chips, steps, and the ways to other pages that take filters along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from urllib.parse import urlencode

from tomoportal.model import query
from tomoportal.web import urls
from tomoportal.web.context import Paging, Visit
from tomoportal.web.found import Hit, best, hits_of
from tomoportal.web.kept import remembered
from tomoportal.web.lists.filter_kinds import AllOf, Filter, OneOf, Range
from tomoportal.web.lists.filters import BEST, Bar, Chip, Choice, ListOf, Option
from tomoportal.web.lists.members import Bits, Members
from tomoportal.web.lists.offered import PAGE
from tomoportal.web.ways import LONGEST_BACK, Origin, came_from


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter as the page shows it: what it offers, or what is written into its fields, or its bounds over a histogram."""

    item: Filter
    values: tuple[str, ...]
    options: tuple[Option, ...] = ()
    bars: tuple[Bar, ...] = ()

    @property
    def is_useful(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self.options or self.bars or self.values) or self.item.kind == "text"

    @property
    def highest(self) -> int:
        """The number of rows of the highest bar."""
        return max((bar.count for bar in self.bars), default=0) or 1


@dataclass(frozen=True, slots=True)
class Tab:
    """The way to another list, with as much of what is chosen as it understands."""

    text: str
    total: int
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows of a page: their ids in order, the same as a condition, and where the words of the search are found, by id."""

    ids: tuple[int, ...]
    hits: dict[int, Hit]

    @property
    def where(self) -> query.Condition:
        """The rows as a condition."""
        return query.Compare("id", "in", self.ids)


@dataclass(frozen=True, slots=True)
class Listing:
    """What all lists have in common. `address` is where the form leads, `fragment` the place on that page; `origin`: where the visitor
    came from, to be kept."""

    address: str
    choice: Choice
    members: Members
    found: Bits
    facets: tuple[Facet, ...]
    chips: tuple[Chip, ...]
    paging: Paging
    total: int
    notices: tuple[str, ...]
    origin: Origin
    fragment: str = ""

    @staticmethod
    def of(
        visit: Visit,
        list_of: ListOf,
        address: str,
        within: query.Condition = query.EVERYTHING,
        fragment: str = "",
    ) -> Listing:
        """The list that the query string of this visit asks for, inside the rows that fulfil `within`."""
        choice = list_of.read(visit.request.query_params.multi_items())
        members = choice.members(visit.view, within)
        found, _ = choice.matching(members)
        origin = came_from(visit)
        paging = Paging.of(
            found.bit_count(),
            choice.page,
            PAGE,
            lambda page: urls.with_query(address, (*choice.parameters(page=page), *origin.parameters)),
        )
        facets = tuple(facet for facet in _facets(choice, members) if facet.is_useful)
        total = len(members.places.rows)
        return Listing(
            address, choice, members, found, facets, choice.chips(), paging, total, choice.notices, origin, fragment
        )  # fmt: skip

    @property
    def sections(self) -> tuple[tuple[str, tuple[Facet, ...]], ...]:
        """The filters under their headings."""
        order = list(dict.fromkeys(facet.item.section for facet in self.facets))
        placed = sorted(self.facets, key=lambda facet: order.index(facet.item.section))
        return tuple(
            (title, tuple(group)) for title, group in groupby(placed, lambda facet: facet.item.section)
        )

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """Parameters that every way inside this list takes along."""
        return self.origin.parameters

    def link(self, parameters: tuple[tuple[str, str], ...] = ()) -> str:
        """This list with other parameters."""
        return urls.with_query(self.address, (*parameters, *self.kept))

    def onward(self, to: ListOf | None = None, place: str = "") -> tuple[tuple[str, str], ...]:
        """The parameters of a way to the page of a row: what a list there can be asked for as well, and the way back here. `place`
        names this list where it is not the page above."""
        here = urlencode((*self.choice.parameters(page=self.paging.page), *self.kept))
        carried = self.choice.carried(to) if to else ()
        is_told = here and len(here) <= LONGEST_BACK
        return (*carried, *Origin(place, here).parameters) if is_told else carried

    def page(self) -> Shown:
        """The rows of this page."""
        text, offset = self.choice.text, (self.paging.page - 1) * PAGE
        if self.choice.sort is BEST:
            hits = _best(self.members, text, self.found if self.choice.chosen else None, offset)
            return Shown(tuple(hit.id for hit in hits), {hit.id: hit for hit in hits})
        ids = self._in_order(offset)
        found = _hits_of(self.members, text, ids) if text and self.choice.of.is_ranked else {}
        return Shown(ids, found)

    def _in_order(self, offset: int) -> tuple[int, ...]:
        """The ids of the rows that were found, on the page from `offset` on."""
        order = self.members.in_order(self.choice.sort.order)
        if self.found == self.members.places.everything:
            return tuple(id for id, _ in order[offset : offset + PAGE])
        held = self.found.to_bytes((self.found.bit_length() + 7) // 8, "little")
        last = len(held) * 8
        found = (id for id, at in order if at < last and held[at >> 3] >> (at & 7) & 1)
        return tuple(islice(found, offset, offset + PAGE))


@remembered
def _best(members: Members, text: str, found: Bits | None, offset: int) -> tuple[Hit, ...]:
    """The rows of a page, those that match best first; `found`: among which, None for all."""
    where = query.Compare("id", "in", members.places.ids(found)) if found is not None else members.within
    return best(members.view, members.entity, text, where, PAGE, offset)


@remembered
def _hits_of(members: Members, text: str, ids: tuple[int, ...]) -> dict[int, Hit]:
    return hits_of(members.view, members.entity, text, ids)


def _facets(choice: Choice, members: Members) -> Iterator[Facet]:
    for item in choice.of.filters:
        values = choice.chosen.get(item.parameter, ())
        match item:
            case OneOf() | AllOf():
                yield Facet(item, values, options=choice.options(item, members))
            case Range():
                yield Facet(item, values, bars=choice.spread(item, members))
            case _:
                yield Facet(item, values)
