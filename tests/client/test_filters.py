"""What users write as conditions, orders and paths."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tomoportal import Annotation, AnnotationFile, Dataset, Run, Tomogram
from tomoportal.client.filters import condition, orders, relation_tree
from tomoportal.errors import QueryError
from tomoportal.model.query import EVERYTHING, And, Compare, Not, Or, Order, Related, through


def test_conditions_of_a_list_speak_of_the_same_related_row():
    asked = condition([Run.annotations.object_name == "ribosome", Run.annotations.method_type == "manual"])
    both = And((Compare("object_name", "eq", "ribosome"), Compare("method_type", "eq", "manual")))
    assert asked == Related("annotations", both)


def test_so_do_those_joined_with_and_at_every_depth():
    shapes = Run.annotations.annotation_shapes
    first, second = shapes.shape_type == "Point", shapes.annotation_files.format == "ndjson"
    files = Related("annotation_files", Compare("format", "eq", "ndjson"))
    same = Related("annotation_shapes", And((Compare("shape_type", "eq", "Point"), files)))
    assert condition(first & second) == Related("annotations", same)
    assert condition(~(first & second)) == Not(Related("annotations", same))
    assert condition((first & second) | (Run.id == 1)) == Or(
        (Related("annotations", same), Compare("id", "eq", 1))
    )


def test_any_speaks_of_a_row_of_its_own():
    ribosome = Run.annotations.any(Annotation.object_name == "ribosome")
    membrane = Run.annotations.any(Annotation.object_name == "membrane", Annotation.method_type == "manual")
    asked = condition([ribosome, membrane])
    assert isinstance(asked, And)
    assert len(asked.conditions) == 2
    assert condition(Run.tomograms.any()) == Or((Related("tomograms", EVERYTHING),))


def test_alternatives_stay_apart():
    asked = condition((Run.annotations.id == 1) | (Run.annotations.id == 2))
    assert asked == Or(
        (through(["annotations"], Compare("id", "eq", 1)), through(["annotations"], Compare("id", "eq", 2)))
    )


def test_nothing_asked_is_everything():
    assert condition(None) == condition([]) == EVERYTHING
    with pytest.raises(QueryError, match="is no filter; write it like"):
        condition([Run.name])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("made", "operator", "value"),
    [
        (lambda: Tomogram.id.not_in({1}), "nin", (1,)),
        (lambda: Tomogram.id._in({2: "a", 3: "b"}.keys()), "in", (2, 3)),
        (lambda: Tomogram.id.is_in(n for n in (4, 5)), "in", (4, 5)),
        (lambda: Tomogram.name.regex("^TS"), "regex", "^TS"),
        (lambda: Tomogram.name.iregex("^ts"), "iregex", "^ts"),
        (lambda: Tomogram.name.is_null(False), "is_null", False),
        (lambda: Tomogram.release_date > date(2025, 1, 31), "gt", "2025-01-31"),
        (
            lambda: Tomogram.release_date <= datetime(2025, 1, 31, tzinfo=UTC),
            "lte",
            "2025-01-31T00:00:00+00:00",
        ),
    ],
)
def test_operators(made, operator, value):
    asked = made()
    assert (asked.operator, asked.value) == (operator, value)


def test_between_speaks_of_one_row():
    assert (Run.tomograms.size_x.between(900, 1000)) == Related(
        "tomograms", And((Compare("size_x", "gte", 900), Compare("size_x", "lte", 1000)))
    )


@pytest.mark.parametrize(
    "compare",
    [lambda: Run.dataset == 1, lambda: Run.tomograms != None, lambda: Run.annotations.run > 3],  # noqa: E711
)
def test_a_relation_cannot_be_compared(compare):
    with pytest.raises(QueryError, match="is an object and can't be compared directly"):
        compare()


@pytest.mark.parametrize(
    "wrong", [lambda: Tomogram.voxel_spacing.run, lambda: Run.sizex, lambda: Run.tomograms.mrc_path, lambda: Run.folder_path]
)  # fmt: skip
def test_unknown_and_unpublished_attributes_are_attribute_errors(wrong):
    with pytest.raises(AttributeError):
        wrong()


def test_orders_in_every_spelling():
    by_title = Order(("dataset", "title"), "desc")
    assert orders(Run, "-dataset.title") == orders(Run, Run.dataset.title.descending()) == (by_title,)
    assert orders(Run, [Run.name, "id"]) == (Order(("name",)), Order(("id",)))
    with pytest.raises(QueryError, match="Run has no 'nam'; expected one of name"):
        orders(Run, "nam")
    with pytest.raises(QueryError, match="Dataset has no 'tomograms'"):
        orders(Dataset, "tomograms.id")
    with pytest.raises(QueryError, match="is no order"):
        orders(Run, [3])  # type: ignore[list-item]


def test_paths_of_relations_as_a_tree():
    assert relation_tree(Dataset, ("runs", "runs.tomograms", "deposition")) == {
        "runs": {"tomograms": {}},
        "deposition": {},
    }
    assert relation_tree(Dataset, Dataset.runs.tomograms) == relation_tree(Dataset, "runs.tomograms")
    with pytest.raises(QueryError, match="Run has no 'tomogram'; expected one of tomograms"):
        relation_tree(Dataset, "runs.tomogram")
    assert relation_tree(AnnotationFile, ()) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: 10 <= Tomogram.voxel_spacing <= 20,
        lambda: (Run.id == 1) and (Run.id == 2),
        lambda: not Run.id.is_null(),
    ],
)
def test_what_python_would_cut_in_half_is_refused(wrong):
    with pytest.raises(QueryError, match="instead of and, or, not"):
        wrong()
