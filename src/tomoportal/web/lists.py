"""The lists of the site: which filters and orders each one offers. A new filter is a new row here."""

from __future__ import annotations

import re

from tomoportal.model import query
from tomoportal.model.query import EVERYTHING, Order, through
from tomoportal.web.filters import AllOf, Demand, ListOf, OneOf, Sort

PAGE = 20
"""Rows on a page of a list."""


def _has(*path: str, where: query.Condition = EVERYTHING) -> query.Condition:
    return through(path, where)


WITH_FILE = query.Compare("https_frame_path", "is_null", False)
"""Frames whose movie is here; others are only known from an mdoc file."""

DEPOSITED = query.Compare("alignment_method", "is_null", False) | query.Related(
    "per_section_alignments", EVERYTHING
)
"""Alignments that somebody made; others only hold the place of one that was not deposited."""

CONTENTS = (
    Demand("annotation", "Annotations", _has("runs", "annotations")),
    Demand("tomogram", "Tomograms", _has("runs", "tomograms")),
    Demand("raw-frames", "Movie frames", _has("runs", "frames", where=WITH_FILE)),
    Demand("tilt-series", "Tilt series", _has("runs", "tiltseries")),
    Demand(
        "ctf",
        "CTF estimates",
        _has("runs", "per_section_parameters", where=query.Compare("major_defocus", "is_null", False)),
    ),
    Demand("tilt-series-alignment", "Alignments", _has("runs", "alignments", where=DEPOSITED)),
)

_SHOWN_ID = re.compile(r"(DS|RN|TS|AL|TM|AN|CZCDP)-(\d{1,9})", re.IGNORECASE)
_TAXID = re.compile(r"(?:NCBI(?:Taxon)?:)?(\d{1,9})", re.IGNORECASE)
_HOLDERS = {
    "DS": ("id",),
    "CZCDP": ("deposition_id",),
    "RN": ("runs", "id"),
    "TS": ("runs", "tiltseries", "id"),
    "AL": ("runs", "alignments", "id"),
    "TM": ("runs", "tomograms", "id"),
    "AN": ("runs", "annotations", "id"),
}


def _called(text: str) -> query.Condition:
    """Datasets with these words; also those that hold what has such an identifier (RN-1), or are of such a species (9606)."""
    words: query.Condition = query.Search(text)
    if shown := _SHOWN_ID.fullmatch(text):
        *path, name = _HOLDERS[shown[1].upper()]
        return words | through(path, query.Compare(name, "eq", int(shown[2])))
    if species := _TAXID.fullmatch(text):
        return words | query.Compare("organism_taxid", "eq", int(species[1]))
    return words


DATASETS = ListOf(
    entity="Dataset",
    text=_called,
    filters=(
        OneOf(parameter="organism", legend="Organism", path=("organism_name",)),
        OneOf(
            parameter="object",
            legend="Annotated object",
            path=("runs", "annotations", "object_name"),
            help="Datasets with annotations of any of these",
        ),
        AllOf(
            parameter="files", legend="Data types", demands=CONTENTS, help="Datasets that have all of these"
        ),
    ),
    sorts=(
        Sort("newest", "Newest first", (Order(("release_date",), "desc"), Order(("title",)))),
        Sort("oldest", "Oldest first", (Order(("release_date",)), Order(("title",)))),
        Sort("title", "Title, A to Z", (Order(("title",)),)),
        Sort("title-desc", "Title, Z to A", (Order(("title",), "desc"),)),
    ),
    sort_aliases={"asc": "title", "desc": "title-desc"},
)

DEPOSITIONS = ListOf(
    entity="Deposition",
    filters=(),
    sorts=(
        Sort("newest", "Newest first", (Order(("deposition_date",), "desc"), Order(("id",), "desc"))),
        Sort("oldest", "Oldest first", (Order(("deposition_date",)), Order(("id",)))),
    ),
    sort_aliases={"asc": "oldest", "desc": "newest"},
)


def _named_like(text: str) -> query.Condition:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return query.Compare("name", "ilike", f"%{escaped}%")


RUNS = ListOf(
    entity="Run",
    filters=(
        OneOf(parameter="object", legend="Annotated object", path=("annotations", "object_name")),
        OneOf(
            parameter="quality_score",
            legend="Tilt series quality",
            path=("tiltseries", "tilt_series_quality"),
            kind=int,
        ),
    ),
    sorts=(
        Sort("name", "Name, A to Z", (Order(("name",)),)),
        Sort("name-desc", "Name, Z to A", (Order(("name",), "desc"),)),
    ),
    text=_named_like,
    text_parameter="run-name",
    sort_aliases={"asc": "name", "desc": "name-desc"},
)
