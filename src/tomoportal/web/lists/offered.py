"""The lists of the site: which filters and orders each one offers. A new filter is a new row here or in `run_filters`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tomoportal.model import query
from tomoportal.model.query import Order, through
from tomoportal.web.entities.contents import DEPOSITED, ESTIMATED, WITH_FILE
from tomoportal.web.lists.filter_kinds import AllOf, Demand, Filter, OneOf, Range, Values, Written
from tomoportal.web.lists.filters import ListOf, Sort
from tomoportal.web.lists.numbers import Measured
from tomoportal.web.lists.run_filters import (
    CONTENT,
    GROUND_TRUTH,
    OBJECTS,
    about_runs,
    authored,
    has_id,
    numbered_rows,
    spaced,
)
from tomoportal.web.lists.spellings import containing, listed

PAGE = 20
"""Rows on a page of a list."""
SAMPLE = "Sample"


def _entry(parameter: str, legend: str, prefix: str, *path: str) -> Written:
    """Datasets with this entry of another database."""

    def condition(values: Values) -> query.Condition:
        return through(path, listed("related_database_entries", prefix, values))

    return numbered_rows(parameter, legend, prefix, 11830, condition, also=(f"{prefix}B",))


def _dataset_id(field: str) -> Written:
    return numbered_rows("dataset_id", "Dataset ID", "DS", 10301, partial(has_id, field=field))


def _deposition_id(condition: Callable[[Values], query.Condition], help: str = "") -> Written:
    return numbered_rows("deposition_id", "Deposition ID", "CZCDP", 10300, condition, help=help)


def _holding_deposition(*ways: tuple[str, ...]) -> Written:
    """Rows of a deposition, or with anything of it at the end of one of the ways."""

    def condition(values: Values) -> query.Condition:
        mine = has_id(values, "deposition_id")
        return query.Or(tuple(through(way, mine) for way in ways))

    return _deposition_id(condition, "Anything of this deposition")


def _many_runs() -> Filter:
    return Range(
        parameter="runs", legend="Number of runs", measured=Measured("runs"), section=CONTENT, is_whole=True
    )


_MADE = ("annotations", "tomograms", "alignments")

DATASETS = ListOf(
    entity="Dataset",
    inner="runs",
    is_ranked=True,
    filters=(
        OneOf(parameter="organism", legend="Organism", path=("organism_name",), section=SAMPLE),
        *about_runs("runs"),
        _many_runs(),
        _dataset_id("id"),
        _holding_deposition((), *(("runs", name) for name in _MADE)),
        _entry("empiar_id", "EMPIAR ID", "EMPIAR"),
        _entry("emdb_id", "EMDB ID", "EMD"),
        *authored("authors"),
    ),
    sorts=(
        Sort("newest", "Newest first", (Order(("release_date",), "desc"), Order(("title",)))),
        Sort("oldest", "Oldest first", (Order(("release_date",)), Order(("title",)))),
        Sort("title", "Title, A to Z", (Order(("title",)),)),
        Sort("title-desc", "Title, Z to A", (Order(("title",), "desc"),)),
    ),
    sort_aliases={"asc": "title", "desc": "title-desc"},
)

_BY_NAME = (
    Sort("name", "Name, A to Z", (Order(("name",)), Order(("id",)))),
    Sort("name-desc", "Name, Z to A", (Order(("name",), "desc"), Order(("id",)))),
)
_NAME_ALIASES = {"asc": "name", "desc": "name-desc"}

RUNS = ListOf(
    entity="Run",
    is_ranked=True,
    filters=(
        OneOf(parameter="organism", legend="Organism", path=("dataset", "organism_name"), section=SAMPLE),
        *about_runs(),
        _dataset_id("dataset_id"),
        _holding_deposition(("dataset",), *((name,) for name in _MADE)),
        _entry("empiar_id", "EMPIAR ID", "EMPIAR", "dataset"),
        _entry("emdb_id", "EMDB ID", "EMD", "dataset"),
        *authored("dataset", "authors"),
    ),
    sorts=(
        Sort(
            "newest",
            "Newest datasets first",
            (Order(("dataset", "release_date"), "desc"), Order(("dataset_id",)), Order(("name",))),
        ),
        *_BY_NAME,
    ),
    sort_aliases=_NAME_ALIASES,
)

RUNS_OF_DATASET = ListOf(
    entity="Run",
    filters=(
        *(item for item in about_runs() if item.parameter != "run_name"),
        _holding_deposition(("dataset",), *((name,) for name in _MADE)),
    ),
    sorts=_BY_NAME,
    text=lambda text: containing("name", text),
    text_parameter="run_name",
    sort_aliases=_NAME_ALIASES,
)

_HELD = (
    Demand("annotation", "Annotations", through(("annotations",), query.EVERYTHING)),
    Demand("tomogram", "Tomograms", through(("tomograms",), query.EVERYTHING)),
    Demand("raw-frames", "Movie frames", through(("frames",), WITH_FILE)),
    Demand("tilt-series", "Tilt series", through(("tiltseries",), query.EVERYTHING)),
    Demand("ctf", "CTF estimates", through(("tiltseries", "per_section_parameters"), ESTIMATED)),
    Demand("tilt-series-alignment", "Alignments", through(("alignments",), DEPOSITED)),
)
"""What a deposition can hold."""

DEPOSITIONS = ListOf(
    entity="Deposition",
    is_ranked=True,
    filters=(
        AllOf(parameter="files", legend="Data types", demands=_HELD, section=CONTENT),
        AllOf(parameter="ground_truth", legend="Ground truth", demands=(GROUND_TRUTH,), section=CONTENT),
        OneOf(parameter="organism", legend="Organism", path=("datasets", "organism_name"), section=SAMPLE),
        OneOf(parameter="object", legend="Object", path=("annotations", "object_name"), section=OBJECTS),
        OneOf(
            parameter="object_shape",
            legend="Annotation shape",
            path=("annotations", "annotation_shapes", "shape_type"),
            wording=spaced,
            section=OBJECTS,
        ),
        _deposition_id(has_id),
        *authored("authors"),
    ),
    sorts=(
        Sort("newest", "Newest first", (Order(("deposition_date",), "desc"), Order(("id",), "desc"))),
        Sort("oldest", "Oldest first", (Order(("deposition_date",)), Order(("id",)))),
    ),
    sort_aliases={"asc": "oldest", "desc": "newest"},
)
