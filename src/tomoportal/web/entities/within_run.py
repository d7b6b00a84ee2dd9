"""Pages of what a run holds: what they ask about the run and its dataset, and the way from the list of datasets to them."""

from __future__ import annotations

from typing import Any

from tomoportal.model.query import One, Selection, Value
from tomoportal.web import urls
from tomoportal.web.context import Crumb

DATASET = One("dataset", "dataset", (Value("id", "id"), Value("title", "title")))


def its_run(*more: Selection) -> One:
    """The run of an entity with its dataset."""
    return One("run", "run", (Value("id", "id"), Value("name", "name"), DATASET, *more))


def run_crumb(run: dict[str, Any]) -> Crumb:
    """Where the run is."""
    return Crumb(run["name"], urls.run(run["id"]))


def dataset_crumb(run: dict[str, Any]) -> Crumb:
    """Where the dataset of a run is."""
    return Crumb(run["dataset"]["title"], urls.dataset(run["dataset"]["id"]))


def crumbs(run: dict[str, Any], here: str) -> tuple[Crumb, ...]:
    """The way to a page that is called `here`."""
    return Crumb("Datasets", urls.datasets()), dataset_crumb(run), run_crumb(run), Crumb(here)
