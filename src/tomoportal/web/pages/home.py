"""The front page: what this portal holds, and the ways in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import EVERYTHING, Compare, One, Order, Value
from tomoportal.web import formats, urls
from tomoportal.web.context import Head, Visit
from tomoportal.web.entities.cards import DatasetCard, Picture, dataset_cards
from tomoportal.web.entities.run_rows import VIEWABLE
from tomoportal.web.kept import kept
from tomoportal.web.lists.offered import DATASETS

NEWEST = 8
SIGHTS = 4


@dataclass(frozen=True, slots=True)
class Sight:
    """A tomogram worth a look, from a run of a dataset (its title)."""

    tomogram: int
    run: int
    name: str
    dataset: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class Home:
    """`counters`: (number, label, address of its list or nothing) of what there is; `newest`: the latest datasets;
    `sights`: pictures that lead into the viewer."""

    head: Head
    counters: tuple[tuple[int, str, str], ...]
    newest: tuple[DatasetCard, ...]
    sights: tuple[Sight, ...]
    endpoint: str


_LISTS = {"datasets": urls.DATASETS, "species": urls.ORGANISMS, "runs": urls.RUNS}


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
        (
            totals[key],
            formats.noun(totals[key], key if key == "species" else key.removesuffix("s"), key),
            _LISTS.get(key, ""),
        )
        for key in ("datasets", "species", "runs", "tomograms", "annotations")
    )
    return Home(head, counters, newest, sights(visit), visit.absolute(urls.GRAPHQL))


_SIGHT: tuple[query.Selection, ...] = (
    *(Value(name, name) for name in ("id", "key_photo_url", "key_photo_thumbnail_url")),
    One(
        "run",
        "run",
        (Value("id", "id"), Value("name", "name"), One("dataset", "dataset", (Value("title", "title"),))),
    ),
)


_LATEST = (Order(("id",), "desc"),)
_PICTURED = query.all_of(
    [
        Compare("is_visualization_default", "eq", True),
        Compare("key_photo_url", "is_null", False),
        VIEWABLE,
    ]
)


@kept
def pictured(view: View) -> tuple[int, ...]:
    """The latest tomograms with a picture that can be looked at."""
    select = query.Select("Tomogram", (Value("id", "id"),), _PICTURED, _LATEST, limit=12 * SIGHTS)
    return tuple(row["id"] for row in view.rows(select))


def sights(visit: Visit) -> tuple[Sight, ...]:
    """The latest runs with a picture that can be looked at, each once, of as many datasets as possible."""
    select = query.Select("Tomogram", _SIGHT, Compare("id", "in", pictured(visit.view)), _LATEST)
    by_dataset: dict[str, dict[int, Sight]] = {}
    for row in visit.view.rows(select):
        run, picture = row["run"], Picture.of(row)
        if run and picture:
            title = run["dataset"]["title"]
            sight = Sight(row["id"], run["id"], run["name"], title, picture)
            by_dataset.setdefault(title, {})[sight.run] = sight
    in_turn = itertools.chain.from_iterable(
        itertools.zip_longest(*(runs.values() for runs in by_dataset.values()))
    )
    return tuple(sight for sight in in_turn if sight)[:SIGHTS]
