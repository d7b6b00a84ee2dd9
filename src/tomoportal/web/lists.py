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
    Demand("annotation", "Annotations", _has("annotations")),
    Demand("tomogram", "Tomograms", _has("tomograms")),
    Demand("raw-frames", "Movie frames", _has("frames", where=WITH_FILE)),
    Demand("tilt-series", "Tilt series", _has("tiltseries")),
    Demand(
        "ctf",
        "CTF estimates",
        _has("per_section_parameters", where=query.Compare("major_defocus", "is_null", False)),
    ),
    Demand("tilt-series-alignment", "Alignments", _has("alignments", where=DEPOSITED)),
)
"""What a run can hold."""

GROUND_TRUTH = Demand(
    "true",
    "Annotated as ground truth",
    _has("annotations", where=query.Compare("ground_truth_status", "eq", True)),
)


def _spaced(word: str) -> str:
    """`SegmentationMask` → `Segmentation mask`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).capitalize()


DATASETS = ListOf(
    entity="Dataset",
    inner="runs",
    is_ranked=True,
    filters=(
        OneOf(parameter="organism", legend="Organism", path=("organism_name",)),
        OneOf(
            parameter="object",
            legend="Annotated object",
            path=("runs", "annotations", "object_name"),
            help="Datasets with annotations of any of these",
        ),
        AllOf(
            parameter="files",
            legend="Data types",
            demands=CONTENTS,
            help="Datasets with a run that has all of these",
            inside=True,
        ),
        AllOf(parameter="ground_truth", legend="Ground truth", demands=(GROUND_TRUTH,), inside=True),
        OneOf(
            parameter="object_shape",
            legend="Annotation shape",
            path=("runs", "annotations", "annotation_shapes", "shape_type"),
            wording=_spaced,
        ),
        OneOf(
            parameter="camera_manufacturer",
            legend="Camera manufacturer",
            path=("runs", "tiltseries", "camera_manufacturer"),
        ),
        OneOf(
            parameter="reconstruction_method",
            legend="Reconstruction method",
            path=("runs", "tomograms", "reconstruction_method"),
        ),
        OneOf(
            parameter="reconstruction_software",
            legend="Reconstruction software",
            path=("runs", "tomograms", "reconstruction_software"),
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
    is_ranked=True,
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
