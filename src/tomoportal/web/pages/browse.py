"""The lists of datasets, of runs and of depositions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.query import RelatedTotal, Value
from tomoportal.web import formats, urls
from tomoportal.web.context import Head, Visit
from tomoportal.web.entities.cards import DatasetCard, Picture, compact, dataset_cards
from tomoportal.web.entities.people import AUTHORS
from tomoportal.web.entities.run_rows import RunRow, run_rows
from tomoportal.web.found import Hit
from tomoportal.web.lists.annotation_filters import ANNOTATIONS_OF_RUN
from tomoportal.web.lists.listing import Listing, Tab
from tomoportal.web.lists.members import Members
from tomoportal.web.lists.offered import DATASETS, DEPOSITIONS, PAGE, RUNS, RUNS_OF_DATASET
from tomoportal.web.ways import FROM_RUNS


def _tabs(listing: Listing) -> tuple[Tab, ...]:
    """The lists of the portal, each with what it understands of this one's filters."""
    lists = (
        ("Datasets", DATASETS, urls.DATASETS),
        ("Runs", RUNS, urls.RUNS),
        ("Depositions", DEPOSITIONS, urls.DEPOSITIONS),
    )
    view, choice = listing.members.view, listing.choice
    search = ((choice.of.text_parameter, choice.text),) if choice.text else ()
    return tuple(
        Tab(
            text,
            len(Members(view, of.entity, of.inner).places.rows),
            urls.with_query(address, (*search, *choice.carried(of))),
            of is choice.of,
        )
        for text, of, address in lists
    )


@dataclass(frozen=True, slots=True)
class BrowseDatasets:
    """A page of the list of datasets; `hits`: by id, where the words of the search are found; `onward`: what the way to a dataset takes
    along."""

    head: Head
    listing: Listing
    tabs: tuple[Tab, ...]
    datasets: tuple[DatasetCard, ...]
    hits: dict[int, Hit]
    onward: tuple[tuple[str, str], ...]


def browse_datasets(visit: Visit) -> BrowseDatasets:
    """The list of datasets."""
    listing = Listing.of(visit, DATASETS, urls.DATASETS)
    shown = listing.page()
    cards = sorted(
        dataset_cards(visit.view, shown.where, limit=PAGE), key=lambda card: shown.ids.index(card.id)
    )
    head = Head(
        title=f"Datasets · {visit.settings.title}",
        description=f"{formats.plural(listing.total, 'dataset')} of cryo-electron tomography, by organism, annotated object and "
        "type of data.",
        canonical=urls.DATASETS,
        section="datasets",
    )
    return BrowseDatasets(
        head, listing, _tabs(listing), tuple(cards), shown.hits, listing.onward(RUNS_OF_DATASET)
    )


@dataclass(frozen=True, slots=True)
class BrowseRuns:
    """A page of the list of runs; `hits`: by id, where the words of the search are found; `onward`: what the way to a run takes along."""

    head: Head
    listing: Listing
    tabs: tuple[Tab, ...]
    runs: tuple[RunRow, ...]
    hits: dict[int, Hit]
    onward: tuple[tuple[str, str], ...]


def browse_runs(visit: Visit) -> BrowseRuns:
    """The list of runs."""
    listing = Listing.of(visit, RUNS, urls.RUNS)
    shown = listing.page()
    head = Head(
        title=f"Runs · {visit.settings.title}",
        description=f"{formats.plural(listing.total, 'run')} of cryo-electron tomography, by quality, object, voxel spacing and "
        "type of data.",
        canonical=urls.RUNS,
        section="runs",
    )
    return BrowseRuns(
        head,
        listing,
        _tabs(listing),
        run_rows(visit.view, shown.ids),
        shown.hits,
        listing.onward(ANNOTATIONS_OF_RUN, FROM_RUNS),
    )


@dataclass(frozen=True, slots=True)
class DepositionCard:
    """What the list tells about a deposition."""

    id: int
    title: str
    date: str
    picture: Picture | None
    authors: tuple[str, ...]
    more_authors: int
    counts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class BrowseDepositions:
    """A page of the list of depositions; `hits`: by id, where the words of the search are found; `onward`: what the way to a
    deposition takes along."""

    head: Head
    listing: Listing
    tabs: tuple[Tab, ...]
    depositions: tuple[DepositionCard, ...]
    hits: dict[int, Hit]
    onward: tuple[tuple[str, str], ...]


_DEPOSITION: tuple[query.Selection, ...] = (
    *(
        Value(name, name)
        for name in ("id", "title", "deposition_date", "key_photo_url", "key_photo_thumbnail_url")
    ),
    AUTHORS,
    RelatedTotal("datasets", "datasets"),
    RelatedTotal("tomograms", "tomograms"),
    RelatedTotal("annotations", "annotations"),
)


def browse_depositions(visit: Visit) -> BrowseDepositions:
    """The list of depositions."""
    listing = Listing.of(visit, DEPOSITIONS, urls.DEPOSITIONS)
    shown = listing.page()
    rows = visit.view.rows(query.Select("Deposition", _DEPOSITION, shown.where))
    cards = tuple(_deposition(row) for row in sorted(rows, key=lambda row: shown.ids.index(row["id"])))
    head = Head(
        title=f"Depositions · {visit.settings.title}",
        description="Cryo-electron tomography data by who submitted them together.",
        canonical=urls.DEPOSITIONS,
        section="depositions",
    )
    return BrowseDepositions(head, listing, _tabs(listing), cards, shown.hits, listing.onward())


def _deposition(row: dict[str, Any]) -> DepositionCard:
    authors, more = compact(row)
    return DepositionCard(
        id=row["id"],
        title=row["title"],
        date=row["deposition_date"],
        picture=Picture.of(row),
        authors=authors,
        more_authors=more,
        counts=tuple(
            (row[f"{word}s"], formats.noun(row[f"{word}s"], word))
            for word in ("dataset", "tomogram", "annotation")
        ),
    )
