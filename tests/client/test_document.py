"""Conditions and selections as GraphQL text."""

import re

import numpy as np
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
