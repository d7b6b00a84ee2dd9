"""Filters about the annotations of a run. Those that lists of runs have as well go by the same parameters, so that they follow a
visitor to the run; `author` there is who made the dataset, here who annotated."""

from __future__ import annotations

from dataclasses import replace

from tomoportal.model import query
from tomoportal.model.query import Compare, Order
from tomoportal.web.entities.annotations import ANNOTATION_ORDER
from tomoportal.web.lists.filter_kinds import AllOf, Demand, Filter, OneOf, Range, Written
from tomoportal.web.lists.filters import ListOf, Sort
from tomoportal.web.lists.numbers import Measured
from tomoportal.web.lists.run_filters import GROUND_TRUTH, TRUTH, authored, has_id, numbered_rows, spaced
from tomoportal.web.lists.spellings import containing, numbered, term

OBJECT, MADE = "Object", "How it was made"


def _deposition(text: str) -> int:
    """Raises `ValueError` when it is no number of a deposition."""
    return int(numbered("CZCDP")(text) or "")


def _named(text: str) -> query.Condition:
    names = ("object_name", "annotation_method", "annotation_software")
    return query.Or(tuple(containing(name, text) for name in names))


_OBJECT: tuple[Filter, ...] = (
    AllOf(
        parameter="ground_truth",
        legend="Ground truth",
        demands=(Demand("true", GROUND_TRUTH.label, TRUTH),),
        section=OBJECT,
    ),
    OneOf(parameter="object", legend="Object", path=("object_name",), section=OBJECT),
    Range(
        parameter="objects",
        legend="Number of objects",
        measured=Measured("", "object_count"),
        section=OBJECT,
        is_whole=True,
    ),
    OneOf(
        parameter="object_shape",
        legend="Shape",
        path=("annotation_shapes", "shape_type"),
        wording=spaced,
        section=OBJECT,
    ),
)

_MADE: tuple[Filter, ...] = (
    OneOf(parameter="method_type", legend="Method type", path=("method_type",), wording=spaced, section=MADE),
    OneOf(parameter="annotation_software", legend="Software", path=("annotation_software",), section=MADE),
    OneOf(
        parameter="deposition_id",
        legend="Deposition",
        path=("deposition_id",),
        kind_of_value=_deposition,
        wording=lambda value: f"CZCDP-{value}",
        expected="a number such as 10300 or CZCDP-10300",
        section=MADE,
    ),
)

_NAMES: tuple[Filter, ...] = (
    numbered_rows("annotation", "Annotation ID", "AN", 2480, has_id),
    Written(
        parameter="object_id",
        legend="Object ID",
        condition=lambda value: Compare("object_id", "eq", value),
        accepted=term,
        expected="an identifier such as GO:0005840",
        placeholder="GO:0005840",
    ),
    *(
        replace(item, parameter=f"annotation_{item.parameter}", aliases=(item.parameter,))
        for item in authored("authors")
    ),
)

ANNOTATIONS_OF_RUN = ListOf(
    entity="Annotation",
    filters=(*_OBJECT, *_MADE, *_NAMES),
    sorts=(
        Sort("truth", "Ground truth first", ANNOTATION_ORDER),
        Sort("object", "Object, A to Z", (Order(("object_name",)), Order(("id",)))),
        Sort("count", "Most objects first", (Order(("object_count",), "desc", "last"), Order(("id",)))),
        Sort("newest", "Newest first", (Order(("deposition_date",), "desc", "last"), Order(("id",)))),
    ),
    text=_named,
    text_parameter="find",
)
