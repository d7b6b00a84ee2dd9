"""Expressions on the entity classes build the query tree."""

from datetime import date

import pytest

from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.acquisition import Run
from tomoportal.model.deposition import Dataset
from tomoportal.model.reconstruction import Tomogram
from tomoportal.model.registry import ENTITIES, entity


def test_a_field_compared_on_its_class_is_a_condition():
    assert (Tomogram.size_x > 900) == query.Compare("size_x", "gt", 900)
    assert (Run.name == None) == query.Compare("name", "eq", None)  # noqa: E711


def test_a_path_through_relations_asks_for_one_related_row():
    condition = Run.tomogram_voxel_spacings.tomograms.size_x > 900
    expected = query.Compare("size_x", "gt", 900)
    assert condition == query.Related("tomogram_voxel_spacings", query.Related("tomograms", expected))


def test_conditions_combine_without_needless_nesting():
    a, b, c = Run.id == 1, Run.id == 2, Run.name.ilike("%x%")
    assert (a & b & c) == query.And((a, b, c))
    assert ((a | b) & c) == query.And((query.Or((a, b)), c))
    assert ~~a == a


def test_values_travel_as_plain_data():
    assert (Dataset.release_date >= date(2024, 5, 1)).value == "2024-05-01"
    assert Run.id.is_in({3: "x", 5: "y"}.keys()).value == (3, 5)


def test_order_through_a_relation():
    assert Tomogram.deposition.deposition_date.descending() == query.Order(
        ("deposition", "deposition_date"), "desc"
    )


def test_comparing_a_relation_is_refused_with_a_way_out():
    with pytest.raises(QueryError, match=r"is an object and can't be compared directly.*Run\.dataset\.id"):
        _ = Run.dataset == 3


def test_an_unknown_field_behind_a_relation_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no field or relation 'colour'"):
        _ = Run.dataset.colour


@pytest.mark.parametrize("one", ENTITIES, ids=lambda e: e.__name__)
def test_every_relation_has_its_foreign_key(one):
    for relation in one.relations.values():
        holder = entity(relation.target) if relation.many else one
        key = holder.fields[relation.key]
        assert key.target == (one.__name__ if relation.many else relation.target)


@pytest.mark.parametrize("one", ENTITIES, ids=lambda e: e.__name__)
def test_every_field_is_described_and_every_address_has_its_path(one):
    for field in one.fields.values():
        assert field.description, field
        if field.address_of:
            assert field.column in one.fields, field


def test_there_are_twenty_three_entities():
    assert len({one.names.graphql for one in ENTITIES}) == len({one.names.table for one in ENTITIES}) == 23
