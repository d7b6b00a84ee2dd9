"""The schema: everything that the official client knows, made from the model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, print_schema, validate_schema
from graphql.utilities import BreakingChange, find_breaking_changes

from tomoportal.api.graphql.schema import make_schema
from tomoportal.model.registry import ENTITIES

OFFICIAL = Path(__file__).parents[3] / ".cache/official"
MUTATIONS = re.compile(r"Mutation|CreateInput|UpdateInput|WhereClauseMutations")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return make_schema()


def official_schema() -> GraphQLSchema:
    found = list(OFFICIAL.glob("lib/python*/site-packages/cryoet_data_portal/data/schema.graphql"))
    if not found:
        pytest.skip("the official client is not there; `make setup` brings it")
    return build_schema(found[0].read_text())


def breaking(official: GraphQLSchema, ours: GraphQLSchema) -> list[BreakingChange]:
    return [
        change for change in find_breaking_changes(official, ours) if not MUTATIONS.search(change.description)
    ]


def test_it_is_a_valid_schema(schema: GraphQLSchema) -> None:
    assert validate_schema(schema) == []
    assert build_schema(print_schema(schema)).query_type


def test_nothing_of_the_official_schema_is_missing(schema: GraphQLSchema) -> None:
    assert breaking(official_schema(), schema) == []


def test_the_comparison_would_notice(schema: GraphQLSchema) -> None:
    official = official_schema()
    assert isinstance(official.type_map["Run"], GraphQLObjectType)
    less = print_schema(schema).replace("  httpsPrefix: String!", "  prefix: String!")
    assert breaking(official, build_schema(less))


def test_roots_of_all_entities(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    names = {entity.names.root for entity in ENTITIES}
    assert set(schema.query_type.fields) == names | {f"{name}Aggregate" for name in names} | {"search"}
    assert schema.mutation_type is None


def test_nullability_and_descriptions_are_those_of_the_model(schema: GraphQLSchema) -> None:
    for entity in ENTITIES:
        made = schema.type_map[entity.names.graphql]
        assert isinstance(made, GraphQLObjectType)
        fields = {re.sub(r"_", "", name).lower(): field for name, field in made.fields.items()}
        for field in entity.public_fields():
            found = fields[field.name.replace("_", "")]
            assert str(found.type).endswith("!") == (not field.nullable), field
            assert (found.description or "").startswith(field.description)
