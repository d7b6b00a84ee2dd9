"""The front page: what this portal holds, and the ways in."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.model.query import EVERYTHING
from tomoportal.web import urls
from tomoportal.web.cards import DatasetCard, dataset_cards
from tomoportal.web.context import Head, Visit
from tomoportal.web.lists import DATASETS

NEWEST = 8


@dataclass(frozen=True, slots=True)
class Home:
    """`counters`: (number, label) of what there is; `newest`: the latest datasets."""

    head: Head
    counters: tuple[tuple[int, str], ...]
    newest: tuple[DatasetCard, ...]
    endpoint: str


def home(visit: Visit) -> Home:
    """The front page."""
    totals = visit.view.totals()
    newest = dataset_cards(visit.view, EVERYTHING, DATASETS.sorts[0].order, limit=NEWEST)
    title = visit.settings.title
    description = (
        f"{title} holds cryo-electron tomography data: {totals['datasets']} datasets with {totals['tomograms']} "
        f"tomograms and {totals['annotations']} annotations to browse, look at and download."
    )
    head = Head(
        title=f"{title}: cryo-electron tomograms to browse, see and download",
        description=description,
        canonical=urls.HOME,
        image=newest[0].picture.large if newest and newest[0].picture else "",
        data={
            "@context": "https://schema.org",
            "@type": "DataCatalog",
            "name": title,
            "description": description,
        },
    )
    counters = tuple(
        (totals[key], key) for key in ("datasets", "species", "runs", "tomograms", "annotations")
    )
    return Home(head, counters, newest, visit.absolute(urls.GRAPHQL))
