"""A dataset with its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.deposition import Dataset, Deposition
from tomoportal.model.query import Compare, Many, Value
from tomoportal.web import identifiers, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.cards import Picture, organism
from tomoportal.web.entities.contents import held_by_dataset
from tomoportal.web.entities.contributions import DEPOSITION, deposition_crumb, further_depositions
from tomoportal.web.entities.downloads import Download, folder
from tomoportal.web.entities.facts import Facts, facts, selected
from tomoportal.web.entities.methods import Methods, methods_of_dataset
from tomoportal.web.entities.people import AUTHORS, Person, people
from tomoportal.web.entities.quality import SCALE, Quality
from tomoportal.web.entities.run_rows import RunRow, run_rows
from tomoportal.web.getting.schema_org import dataset_told
from tomoportal.web.identifiers import Link
from tomoportal.web.lists.annotation_filters import ANNOTATIONS_OF_RUN
from tomoportal.web.lists.listing import Listing
from tomoportal.web.lists.offered import RUNS_OF_DATASET
from tomoportal.web.ways import to_dataset

TOLD_ELSEWHERE = (
    "title", "description", "dataset_publications", "related_database_entries", "deposition_date", "release_date",
    "last_modified_date", "file_size",
)  # fmt: skip
"""Fields that the header shows; the table of sample and experiment tells all others."""


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """Everything on the page of a dataset; `onward`: what the way to a run takes along."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    title: str
    description: str
    picture: Picture | None
    authors: tuple[Person, ...]
    publications: tuple[Link, ...]
    databases: tuple[Link, ...]
    funding: tuple[str, ...]
    organism: Link | None
    further: tuple[Crumb, ...]
    deposition: Crumb | None
    deposition_name: str
    dates: tuple[tuple[str, str], ...]
    contents: tuple[tuple[int, str], ...]
    size: float | None
    sample: Facts
    methods: tuple[Methods, ...]
    scale: tuple[Quality, ...]
    listing: Listing
    runs: tuple[RunRow, ...]
    onward: tuple[tuple[str, str], ...]
    download: Download


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    return (
        *selected(Dataset),
        AUTHORS,
        Many(
            "funding_sources",
            "funding_sources",
            (Value("agency", "funding_agency_name"), Value("grant", "grant_id")),
        ),
        DEPOSITION,
    )


def dataset_page(visit: Visit) -> DatasetPage:
    """The page of the dataset whose number stands in the path."""
    id = visit.id()
    row = visit.row("Dataset", _fields())
    inside = Compare("dataset_id", "eq", id)
    listing = Listing.of(visit, RUNS_OF_DATASET, urls.dataset(id), inside, "#runs")
    deposition = row["deposition"]
    authors = people(row)
    return DatasetPage(
        head=_head(visit, row, authors),
        crumbs=(*to_dataset(visit, listing.origin), Crumb(row["title"])),
        id=id,
        title=row["title"],
        description=row["description"],
        picture=Picture.of(row),
        authors=authors,
        publications=identifiers.links(row["dataset_publications"]),
        databases=identifiers.links(row["related_database_entries"]),
        funding=tuple(", ".join(filter(None, (s["agency"], s["grant"]))) for s in row["funding_sources"]),
        organism=organism(row),
        further=further_depositions(visit.view, id, deposition["id"] if deposition else None),
        deposition=deposition_crumb(row),
        deposition_name=Deposition.names.number(deposition["id"]) if deposition else "",
        dates=_dates(row),
        contents=held_by_dataset(visit.view, id),
        size=row["file_size"],
        sample=facts(Dataset, row, TOLD_ELSEWHERE),
        methods=methods_of_dataset(visit.view, id),
        scale=SCALE,
        listing=listing,
        runs=run_rows(visit.view, listing.page().ids),
        onward=listing.onward(ANNOTATIONS_OF_RUN),
        download=folder(
            visit,
            "The whole dataset",
            row["s3_prefix"],
            row["file_size"],
            f"Dataset.get_by_id(client, {id}).download_everything()",
        ),
    )


def _dates(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    names = {"Released": "release_date", "Deposited": "deposition_date", "Last changed": "last_modified_date"}
    return tuple((label, row[name]) for label, name in names.items() if row[name])


def _head(visit: Visit, row: dict[str, Any], authors: tuple[Person, ...]) -> Head:
    image = row["key_photo_url"] or ""
    return Head(
        title=f"{row['title']} · {visit.settings.title}",
        description=row["description"],
        canonical=urls.dataset(row["id"]),
        image=image,
        section="datasets",
        data=dataset_told(visit, row, authors),
        described_at=urls.croissant(row["id"]),
    )
