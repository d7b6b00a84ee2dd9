"""The lists of datasets and of depositions."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.model import query
from tomoportal.model.query import Many, Order, RelatedTotal, Value
from tomoportal.web import formats, urls
from tomoportal.web.cards import DatasetCard, Picture, dataset_cards
from tomoportal.web.context import Head, Paging, Visit
from tomoportal.web.filters import BEST, Chip, Choice, ListOf, Option
from tomoportal.web.found import Hit, best, hits_of
from tomoportal.web.lists import DATASETS, DEPOSITIONS, PAGE


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter as the page shows it."""

    parameter: str
    legend: str
    help: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What all lists have in common. `address` is where the form leads, `where` what its
    rows fulfil."""

    address: str
    choice: Choice
    facets: tuple[Facet, ...]
    chips: tuple[Chip, ...]
    paging: Paging
    total: int
    where: query.Condition
    notices: tuple[str, ...]

    @staticmethod
    def of(
        visit: Visit, list_of: ListOf, address: str, within: query.Condition = query.EVERYTHING
    ) -> Listing:
        """The list that the query string of this visit asks for, inside the rows that fulfil `within`."""
        choice = list_of.read(visit.request.query_params.multi_items())
        members = choice.members(visit.view, within)
        found, _ = choice.matching(members)
        where = query.Compare("id", "in", members.places.ids(found)) if choice.is_narrowed else within
        paging = Paging.of(
            found.bit_count(),
            choice.page,
            PAGE,
            lambda page: urls.with_query(address, choice.parameters(page=page)),
        )
        facets = tuple(
            Facet(item.parameter, item.legend, item.help, choice.options(item, members))
            for item in list_of.filters
        )
        total = len(members.places.rows)
        return Listing(address, choice, facets, choice.chips(), paging, total, where, choice.notices)

    def page(self, visit: Visit) -> tuple[query.Condition, tuple[int, ...], dict[int, Hit]]:
        """The rows of this page as a condition, their ids in order if words decide about it, and where words match."""
        text, view, entity = self.choice.text, visit.view, self.choice.of.entity
        offset = (self.paging.page - 1) * PAGE
        if self.choice.sort is BEST:
            hits = best(view, entity, text, self.where, PAGE, offset)
            ids = tuple(hit.id for hit in hits)
            return query.Compare("id", "in", ids), ids, {hit.id: hit for hit in hits}
        shown = query.Select(
            entity, (query.Value("id", "id"),), self.where, self.choice.sort.order, PAGE, offset
        )
        ids = tuple(row["id"] for row in view.rows(shown))
        found = hits_of(view, entity, text, ids) if text and self.choice.of.is_ranked else {}
        return query.Compare("id", "in", ids), ids, found


@dataclass(frozen=True, slots=True)
class BrowseDatasets:
    """A page of the list of datasets; `hits`: by id, where the words of the search are found."""

    head: Head
    listing: Listing
    datasets: tuple[DatasetCard, ...]
    hits: dict[int, Hit]


def browse_datasets(visit: Visit) -> BrowseDatasets:
    """The list of datasets."""
    listing = Listing.of(visit, DATASETS, urls.DATASETS)
    where, ids, hits = listing.page(visit)
    cards = sorted(dataset_cards(visit.view, where, limit=PAGE), key=lambda card: ids.index(card.id))
    head = Head(
        title=f"Datasets · {visit.settings.title}",
        description=f"{formats.plural(listing.total, 'dataset')} of cryo-electron tomography, by organism, annotated object and "
        "type of data.",
        canonical=urls.DATASETS,
        section="datasets",
    )
    return BrowseDatasets(head, listing, tuple(cards), hits)


@dataclass(frozen=True, slots=True)
class DepositionCard:
    """What the list tells about a deposition."""

    id: int
    title: str
    date: str
    picture: Picture | None
    authors: tuple[str, ...]
    counts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class BrowseDepositions:
    """A page of the list of depositions; `hits`: by id, where the words of the search are found."""

    head: Head
    listing: Listing
    depositions: tuple[DepositionCard, ...]
    hits: dict[int, Hit]


_DEPOSITION: tuple[query.Selection, ...] = (
    *(
        Value(name, name)
        for name in ("id", "title", "deposition_date", "key_photo_url", "key_photo_thumbnail_url")
    ),
    Many("authors", "authors", (Value("name", "name"),), order_by=(Order(("author_list_order",)),)),
    RelatedTotal("datasets", "datasets"),
    RelatedTotal("tomograms", "tomograms"),
    RelatedTotal("annotations", "annotations"),
)


def browse_depositions(visit: Visit) -> BrowseDepositions:
    """The list of depositions."""
    listing = Listing.of(visit, DEPOSITIONS, urls.DEPOSITIONS)
    where, ids, hits = listing.page(visit)
    rows = visit.view.rows(query.Select("Deposition", _DEPOSITION, where))
    cards = tuple(
        DepositionCard(
            id=row["id"],
            title=row["title"],
            date=row["deposition_date"],
            picture=Picture.of(row),
            authors=tuple(author["name"] for author in row["authors"]),
            counts=tuple(
                (row[f"{word}s"], formats.noun(row[f"{word}s"], word))
                for word in ("dataset", "tomogram", "annotation")
            ),
        )
        for row in sorted(rows, key=lambda row: ids.index(row["id"]))
    )
    head = Head(
        title=f"Depositions · {visit.settings.title}",
        description="Cryo-electron tomography data by who submitted them together.",
        canonical=urls.DEPOSITIONS,
        section="depositions",
    )
    return BrowseDepositions(head, listing, cards, hits)
