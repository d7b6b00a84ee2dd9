"""Conditions and selections as GraphQL text."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from graphql import GraphQLObjectType, build_schema, parse, validate

from tomoportal import Annotation, Run, Tomogram
from tomoportal.client import CLASSES
from tomoportal.client.document import camel, count_document, list_document, where_object
from tomoportal.client.filters import condition
from tomoportal.errors import QueryError
from tomoportal.model import query


def _where(kind, condition):
    return where_object(kind, condition)


def test_a_path_nests():
    condition = Run.tomogram_voxel_spacings.tomograms.size_x > 900
    assert _where(Run, condition) == "{tomogramVoxelSpacings: {tomograms: {sizeX: {_gt: 900}}}}"


def test_conditions_keep_their_logic():
    either = (Run.name == "a") | ~(Run.id >= 3)
    assert _where(Run, either) == '{_or: [{name: {_eq: "a"}}, {id: {_lt: 3}}]}'


def test_text_is_quoted_and_words_of_enumerations_are_not():
    assert _where(Run, Run.name == 'a"b\n') == '{name: {_eq: "a\\"b\\n"}}'
    assert (
        _where(Tomogram, Tomogram.processing.is_in(["raw", "denoised"]))
        == "{processing: {_in: [raw, denoised]}}"
    )


def test_an_unknown_word_is_refused_here():
    with pytest.raises(QueryError, match="processing is one of denoised, filtered, raw"):
        _where(Tomogram, Tomogram.processing == "blurred")


@pytest.mark.parametrize(
    ("kind", "condition", "said"),
    [
        (Run, lambda: Run.name > 5, "Run.name is text; 5 is not"),
        (Run, lambda: Run.tomograms.size_x > "big", "Tomogram.size_x is a whole number; 'big' is not"),
        (Run, lambda: Run.tomograms.size_x == 2.5, "Tomogram.size_x is a whole number; 2.5 is not"),
        (Tomogram, lambda: Tomogram.voxel_spacing < float("nan"), "Tomogram.voxel_spacing is a number; nan"),
        (Tomogram, lambda: Tomogram.voxel_spacing.is_in([10.0, "x"]), "voxel_spacing is a number; 'x'"),
        (Annotation, lambda: Annotation.ground_truth_status == 1, "ground_truth_status is True or False; 1"),
        (Annotation, lambda: Annotation.release_date > 2024, "release_date is a date; 2024 is not"),
    ],
)
def test_a_value_of_another_type_is_refused_here_with_the_field(kind, condition, said):
    with pytest.raises(QueryError, match=re.escape(said)):
        _where(kind, condition())


def test_numbers_of_other_libraries_are_numbers():
    assert _where(Run, Run.id.is_in([np.int64(3), "4"])) == "{id: {_in: [3, 4]}}"
    assert _where(Tomogram, Tomogram.voxel_spacing >= np.float32(2.5)) == "{voxelSpacing: {_gte: 2.5}}"
    assert _where(Run, Run.name.is_null()) == "{name: {_is_null: true}}"


def test_a_wrong_name_after_a_relation_is_told_the_nearest():
    with pytest.raises(AttributeError, match="Tomogram has no field or relation 'sizex'; nearest: size_x"):
        _ = Run.tomograms.sizex


def test_null_and_truth():
    assert _where(Annotation, Annotation.ground_truth_status == True) == "{groundTruthStatus: {_eq: true}}"  # noqa: E712
    assert _where(Annotation, Annotation.object_state == None) == "{objectState: {_eq: null}}"  # noqa: E711


def test_documents_are_graphql():
    select = query.Select(
        "Run", (query.Value("id", "id"),), Run.id < 5, (Run.dataset.title.descending(),), 10, 20
    )
    text = list_document(select).text
    assert parse(text)
    assert "orderBy: [{dataset: {title: desc}}]" in text
    assert "limitOffset: {limit: 10, offset: 20}" in text
    assert parse(count_document(Run, query.EVERYTHING).text)


OFFICIAL = Path(__file__).parents[2] / ".cache" / "official"


@pytest.fixture(scope="module")
def official_schema():
    """The schema inside the package of the official client."""
    found = list(OFFICIAL.glob("lib/python3*/site-packages/cryoet_data_portal/data/schema.graphql"))
    if not found:
        pytest.skip("the official client is not installed (tests/prepare does it)")
    return build_schema(found[0].read_text())


def _words(schema):
    objects = {name: one for name, one in schema.type_map.items() if isinstance(one, GraphQLObjectType)}
    return {name: frozenset(one.fields) for name, one in objects.items()}


@pytest.mark.parametrize("kind", CLASSES.values(), ids=lambda kind: kind.__name__)
def test_the_official_schema_takes_what_every_class_asks_for(kind, official_schema):
    select = query.Select(kind.__name__, tuple(query.Value(name, name) for name in kind.fields), kind.id > 3)
    document = list_document(select, _words(official_schema))
    assert validate(official_schema, parse(document.text)) == []


@pytest.mark.parametrize(
    ("kind", "conditions"),
    [
        (Run, lambda: [Run.id >= 3, Run.id < 9, Run.name != None, ~Run.name.ilike("%x%")]),  # noqa: E711
        (Run, lambda: [Run.tomograms.size_x.between(1, 2), Run.tomograms.processing == "raw", Run.dataset.id == 1]),
        (Run, lambda: [Run.id.is_in(range(5000)), Run.tomograms.processing.is_in(["raw"] * 300)]),
        (Tomogram, lambda: [Tomogram.release_date > date(2025, 1, 1), ~(Tomogram.voxel_spacing > 3)]),
        (Annotation, lambda: ~Annotation.object_name.not_in(["a", "b"])),
    ],
)  # fmt: skip
def test_conjunctions_and_plain_negations_are_said_as_the_official_schema_has_it(
    kind, conditions, official_schema
):
    select = query.Select(kind.__name__, (query.Value("id", "id"),), condition(conditions()))
    document = list_document(select)
    assert validate(official_schema, parse(document.text)) == []
    assert "_and" not in document.text
    assert all(len(value) > 200 for value in document.variables.values())
    assert len(document.text) < 400, "long lists travel beside it"


def test_what_cannot_be_merged_stands_below_and():
    same = condition([Run.name == "a", Run.name == "b", Run.id == 1])
    assert _where(Run, same) == '{_and: [{name: {_eq: "a"}, id: {_eq: 1}}, {name: {_eq: "b"}}]}'
    rows = condition([Run.annotations.any(Annotation.id == 1), Run.annotations.any(Annotation.id == 2)])
    assert _where(Run, rows).count("annotations") == 2


def test_negations_keep_what_negation_means():
    assert _where(Run, ~Run.name.is_null()) == "{name: {_is_null: false}}"
    assert _where(Run, ~Run.id.is_in([])) == "{_not: {id: {_in: []}}}"
    assert _where(Run, ~~(Run.id == 1)) == "{id: {_eq: 1}}"


def test_prefetched_relations_come_as_connections():
    inner = (query.Value("id", "id"),)
    select = query.Select(
        "Run", (query.One("dataset", "dataset", inner), query.Many("tomograms", "tomograms", inner))
    )
    text = list_document(select).text
    assert "dataset { id } tomograms { edges { node { id } } pageInfo { hasNextPage } }" in text


@pytest.mark.parametrize("kind", CLASSES.values(), ids=lambda kind: kind.__name__)
def test_the_official_schema_takes_prefetched_relations(kind, official_schema):
    words = _words(official_schema)
    known = words[kind.names.graphql]
    inner = (query.Value("id", "id"),)
    relations = tuple(
        (query.Many if relation.many else query.One)(name, name, inner)
        for name, relation in kind.relations.items()
        if camel(name) in known
    )
    document = list_document(query.Select(kind.__name__, relations, order_by=(query.Order(("id",)),)), words)
    assert validate(official_schema, parse(document.text)) == []
