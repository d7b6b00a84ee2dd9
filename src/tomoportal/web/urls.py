"""Every address of the site, built in one place: templates and pages never join strings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.requests import Request

STATIC = Path(__file__).parent / "static"

HOME = "/"
DATASETS = "/browse-data/datasets"
RUNS = "/browse-data/runs"
DEPOSITIONS = "/browse-data/depositions"
SEARCH = "/search"
SUGGESTIONS = "/search/suggest"
OBJECTS = "/objects"
ORGANISMS = "/organisms"
AUTHORS = "/authors"
GRAPHQL = "/graphql"
FEED = "/feed.atom"
ABOUT = "/about"
DOCS = "/docs"
BASKET = "/basket"
SITE_STYLE = "/site/style.css"
"""The colours of the site's own."""
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


def runs(parameters: Parameters = ()) -> str:
    """The list of runs."""
    return with_query(RUNS, parameters)


def search(text: str) -> str:
    """Everything that fits some words."""
    return with_query(SEARCH, [("q", text)])


def dataset(id: int, parameters: Parameters = ()) -> str:
    """A dataset."""
    return with_query(f"/datasets/{id}", parameters)


def run(id: int, fragment: str = "", parameters: Parameters = ()) -> str:
    """A run, or a place on its page."""
    return with_query(f"/runs/{id}", parameters) + (f"#{fragment}" if fragment else "")


def deposition(id: int, parameters: Parameters = ()) -> str:
    """A deposition."""
    return with_query(f"/depositions/{id}", parameters)


def view_run(id: int, tomogram: int | None = None) -> str:
    """The viewer page of a run, on one of its tomograms."""
    return with_query(f"/view/runs/{id}", [("tomogram", str(tomogram))] if tomogram is not None else [])


def tomogram(id: int, parameters: Parameters = ()) -> str:
    """A tomogram with its slices."""
    return with_query(f"/tomograms/{id}", parameters)


def tiltseries(id: int, parameters: Parameters = ()) -> str:
    """A tilt series with its sections."""
    return with_query(f"/tiltseries/{id}", parameters)


def annotation(id: int) -> str:
    """An annotation."""
    return f"/annotations/{id}"


def alignment(id: int) -> str:
    """An alignment."""
    return f"/alignments/{id}"


def run_files(id: int) -> str:
    """The files of a run, with their sizes."""
    return f"/runs/{id}/files"


def findings(id: int) -> str:
    """What ingestion noticed about a dataset."""
    return f"/datasets/{id}/findings"


def object(id: str, parameters: Parameters = ()) -> str:
    """What is annotated under an ontology identifier."""
    return with_query(f"{OBJECTS}/{quote(id, safe=':')}", parameters)


def organism(taxid: int, parameters: Parameters = ()) -> str:
    """The datasets of a species of the NCBI taxonomy."""
    return with_query(f"{ORGANISMS}/{taxid}", parameters)


def author(key: str, parameters: Parameters = ()) -> str:
    """What an author contributed; `key` is the ORCID iD, or the name of one without."""
    return with_query(f"{AUTHORS}/{quote(key, safe='')}", parameters)


def slice_picture(tomogram: int, parameters: Parameters) -> str:
    """A cut of a tomogram as a picture."""
    return with_query(f"/tomograms/{tomogram}/slice.jpg", parameters)


def section_picture(tiltseries: int, parameters: Parameters) -> str:
    """An image of a tilt series as a picture."""
    return with_query(f"/tiltseries/{tiltseries}/section.jpg", parameters)


def overlay(annotation: int, file: str, parameters: Parameters = ()) -> str:
    """What an annotation draws over a cut: `points.json`, `points.svg` or `mask.png`."""
    return with_query(f"/annotations/{annotation}/{file}", parameters)


def export(annotation: int) -> str:
    """The points of an annotation in other formats."""
    return f"/api/annotations/{annotation}/export"


def download(word: str, id: int, parameters: Parameters = ()) -> str:
    """Where visitors choose what to download of a `dataset`, `run`, `tomogram`, `annotation` or `deposition`."""
    return with_query("/download", [(word, str(id)), *parameters])


def download_list(parameters: Parameters) -> str:
    """The files of a choice, for `curl -K`."""
    return with_query("/download.curl", parameters)


def basket(parameters: Parameters = ()) -> str:
    """What was picked on several pages; the parameters hold it."""
    return with_query(BASKET, parameters)


def selection(export: str, parameters: Parameters) -> str:
    """An export (`particles`, `copick`, `manifest`) of what was picked."""
    return with_query(f"/api/selection/{export}", parameters)


def table(path: str, parameters: Parameters = ()) -> str:
    """The list at a path as comma-separated values."""
    return with_query(f"{path}.csv", parameters)


def twin(path: str) -> str:
    """Where the JSON twin of the page at a path lies."""
    return "/index.json" if path == HOME else f"{path}.json"


def twin_of(request: Request) -> str:
    """The JSON twin of the page that is asked for, with the same query string."""
    path = quote(request.url.path, safe="/:@!$&'()*+,;=~")
    asked = quote(request.url.query, safe="%/:@!$&'()*+,;=~?")
    return twin(path) + (f"?{asked}" if asked else "")


def croissant(id: int) -> str:
    """A dataset as machine learning tools read it."""
    return f"/datasets/{id}/croissant.json"


def cite(home: str) -> str:
    """How to cite the dataset or deposition whose page has the address `home`."""
    return f"{home}/cite"


def cite_file(home: str, ending: str) -> str:
    """The reference itself: `txt`, `bib`, `ris` or `cff`."""
    return f"{home}/CITATION.cff" if ending == "cff" else f"{home}/cite.{ending}"


def page(slug: str) -> str:
    """A page of text."""
    return ABOUT if slug == "about" else f"{ABOUT}/{slug}"


def guide(slug: str) -> str:
    """A guide of the project."""
    return f"{DOCS}/{slug}"


def guide_file(path: str) -> str:
    """A picture in a guide."""
    return f"{DOCS}/{quote(path)}"


def site_file(name: str) -> str:
    """A picture of the site's own, such as its logo."""
    return f"/site/files/{quote(name)}"


def viewer(state: str) -> str:
    """The Neuroglancer client itself, with a state (JSON text)."""
    return f"{VIEWER}#!{quote(state, safe='')}"


def static(name: str) -> str:
    """A file of ours, with a mark of its content so that browsers may keep it for ever."""
    return f"/static/{name}?v={_mark(name)}"


@lru_cache(maxsize=64)
def _mark(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
