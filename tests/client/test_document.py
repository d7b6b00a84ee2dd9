"""Conditions and selections as GraphQL text."""

import pytest
from graphql import parse

from tomoportal import Annotation, Run, Tomogram
from tomoportal.client.document import count_document, list_document, where_object
from tomoportal.errors import QueryError
from tomoportal.model import query


def _where(kind, condition):
    return where_object(kind, condition)


def test_a_path_nests():
    condition = Run.tomogram_voxel_spacings.tomograms.size_x > 900
    assert _where(Run, condition) == "{tomogramVoxelSpacings: {tomograms: {sizeX: {_gt: 900}}}}"


def test_conditions_keep_their_logic():
    either = (Run.name == "a") | ~(Run.id >= 3)
    assert _where(Run, either) == '{_or: [{name: {_eq: "a"}}, {_not: {id: {_gte: 3}}}]}'


def test_text_is_quoted_and_words_of_enumerations_are_not():
    assert _where(Run, Run.name == 'a"b\n') == '{name: {_eq: "a\\"b\\n"}}'
    assert (
        _where(Tomogram, Tomogram.processing.is_in(["raw", "denoised"]))
        == "{processing: {_in: [raw, denoised]}}"
    )


def test_an_unknown_word_is_refused_here():
    with pytest.raises(QueryError, match="processing is one of denoised, filtered, raw"):
        _where(Tomogram, Tomogram.processing == "blurred")


def test_null_and_truth():
    assert _where(Annotation, Annotation.ground_truth_status == True) == "{groundTruthStatus: {_eq: true}}"  # noqa: E712
    assert _where(Annotation, Annotation.object_state == None) == "{objectState: {_eq: null}}"  # noqa: E711


def test_documents_are_graphql():
    select = query.Select(
        "Run", (query.Value("id", "id"),), Run.id < 5, (Run.dataset.title.descending(),), 10, 20
    )
    text = list_document(select)
    assert parse(text)
    assert "orderBy: [{dataset: {title: desc}}]" in text
    assert "limitOffset: {limit: 10, offset: 20}" in text
    assert parse(count_document(Run, query.EVERYTHING))
