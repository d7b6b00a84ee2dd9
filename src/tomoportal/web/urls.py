"""Every address of the site, built in one place: templates and pages never join strings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlencode

STATIC = Path(__file__).parent / "static"

HOME = "/"
DATASETS = "/browse-data/datasets"
DEPOSITIONS = "/browse-data/depositions"
SEARCH = "/search"
SUGGESTIONS = "/search/suggest"
GRAPHQL = "/graphql"
VIEWER = "/viewer/v/p/"
"""Where the vendored Neuroglancer client lies."""

Parameters = Iterable[tuple[str, str]]


def with_query(path: str, parameters: Parameters = ()) -> str:
    """`path?a=1&b=2`, or `path` alone."""
    text = urlencode(list(parameters))
    return f"{path}?{text}" if text else path


def datasets(parameters: Parameters = ()) -> str:
    """The list of datasets."""
    return with_query(DATASETS, parameters)


def depositions(parameters: Parameters = ()) -> str:
    """The list of depositions."""
    return with_query(DEPOSITIONS, parameters)


def search(text: str) -> str:
    """Everything that fits some words."""
    return with_query(SEARCH, [("q", text)])


def dataset(id: int, parameters: Parameters = ()) -> str:
    """A dataset."""
    return with_query(f"/datasets/{id}", parameters)


def run(id: int, fragment: str = "") -> str:
    """A run, or a place on its page."""
    return f"/runs/{id}" + (f"#{fragment}" if fragment else "")


def deposition(id: int, parameters: Parameters = ()) -> str:
    """A deposition."""
    return with_query(f"/depositions/{id}", parameters)


def view_run(id: int, tomogram: int | None = None) -> str:
    """The viewer page of a run, on one of its tomograms."""
    return with_query(f"/view/runs/{id}", [("tomogram", str(tomogram))] if tomogram is not None else [])


def export(annotation: int) -> str:
    """The points of an annotation in other formats."""
    return f"/api/annotations/{annotation}/export"


def viewer(state: str) -> str:
    """The Neuroglancer client itself, with a state (JSON text)."""
    return f"{VIEWER}#!{quote(state, safe='')}"


def static(name: str) -> str:
    """A file of ours, with a mark of its content so that browsers may keep it for ever."""
    return f"/static/{name}?v={_mark(name)}"


@lru_cache(maxsize=64)
def _mark(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
