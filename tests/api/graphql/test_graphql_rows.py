"""Rows of a GraphQL answer: what is selected, and by which conditions, as clients and front ends ask for them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tomoportal.api.graphql.execute import Service
from tomoportal.model.registry import ENTITIES

Ask = Callable[..., Any]


def test_the_request_of_the_official_client(ask: Ask) -> None:
    found = ask(
        'query { runs(where: {name: {_ilike: "%ts%"}, tomogramVoxelSpacings: {tomograms: {sizeX: {_gt: 900}}}})'
        " { id datasetId name s3Prefix httpsPrefix } }"
    )
    assert [run["id"] for run in found["runs"]] == [300011, 300012, 300021, 300022]
    assert found["runs"][0] == {
        "id": 300011, "datasetId": 30001, "name": "TS_01", "s3Prefix": "s3://bucket/30001/TS_01/",
        "httpsPrefix": "http://portal.test/files/30001/TS_01/",
    }  # fmt: skip


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.names.root)
def test_every_scalar_of_every_type(ask: Ask, service: Service, entity: Any) -> None:
    """What the official client selects; non-null fields are not null."""
    fields = service.words[entity.__name__].fields
    rows = ask(f"{{ {entity.names.root} {{ {' '.join(fields)} }} }}")[entity.names.root]
    assert rows
    for row in rows:
        assert list(row) == list(fields)
        assert all(row[name] is not None for name, field in fields.items() if not field.nullable)


def test_names_of_types_and_global_ids(ask: Ask) -> None:
    run = ask("{ runs(limitOffset: {limit: 1}) { __typename _id dataset { __typename _id } } __typename }")
    assert run["__typename"] == "Query"
    assert run["runs"][0]["__typename"] == "Run"
    assert base64.b64decode(run["runs"][0]["_id"]) == b"Run:300011"
    assert run["runs"][0]["dataset"] == {
        "__typename": "Dataset",
        "_id": base64.b64encode(b"Dataset:30001").decode(),
    }


def test_the_same_relation_twice_with_different_filters(ask: Ask) -> None:
    run = ask("""{ runs(limitOffset: {limit: 1}) {
      points: annotations(where: {objectName: {_like: "%ribosome"}}, orderBy: {objectName: asc}) { edges { node { objectName } } }
      others: annotations(where: {objectName: {_eq: "membrane"}}, orderBy: {objectName: asc}) { edges { node { objectName } } } } }""")[
        "runs"
    ][0]
    assert [e["node"]["objectName"] for e in run["points"]["edges"]] == ["cytosolic ribosome"]
    assert [e["node"]["objectName"] for e in run["others"]["edges"]] == ["membrane"]


def test_four_levels_of_selection_and_of_conditions(ask: Ask) -> None:
    where = 'runs: {annotations: {annotationShapes: {annotationFiles: {format: {_eq: "ndjson"}}}}}'
    found = ask(f"""{{ datasets(where: {{{where}}}, limitOffset: {{limit: 1}}) {{ id runs {{ edges {{ node {{
      annotations {{ edges {{ node {{ annotationShapes {{ edges {{ node {{ shapeType annotationFiles {{ edges {{ node {{ format
      alignment {{ tiltseries {{ pixelSpacing }} }} }} }} }} }} }} }} }} }} }} }} }} }} }} }}""")["datasets"]
    run = found[0]["runs"]["edges"][0]["node"]
    shapes = [s["node"] for a in run["annotations"]["edges"] for s in a["node"]["annotationShapes"]["edges"]]
    assert [s["shapeType"] for s in shapes] == ["Point", "SegmentationMask"]
    files = [f["node"] for f in shapes[1]["annotationFiles"]["edges"]]
    assert [f["format"] for f in files] == ["mrc", "zarr"]
    assert files[0]["alignment"]["tiltseries"]["pixelSpacing"] == 13.479999542236328


@pytest.mark.parametrize(
    ("comparator", "count"),
    [
        ("_eq: null", 4),
        ("_neq: null", 4),
        ("_is_null: true", 4),
        ("_is_null: false", 4),
        ("_neq: 7", 4),
        ("_in: []", 0),
        ("_in: [120, 7]", 4),
        ("_nin: [120]", 0),
        ("_gt: 100, _lt: 200", 4),
        ("", 8),
    ],
)
def test_null_semantics(ask: Ask, comparator: str, count: int) -> None:
    assert (
        len(ask(f"{{ annotations(where: {{objectCount: {{{comparator}}}}}) {{ id }} }}")["annotations"])
        == count
    )


def test_variables_that_are_not_given_do_not_filter(ask: Ask) -> None:
    text = "query ($id: Int) { datasets(where: {id: {_eq: $id}}) { id } }"
    assert len(ask(text)["datasets"]) == 2
    assert ask(text, id=None)["datasets"] == []
    assert ask(text, id=30002)["datasets"] == [{"id": 30002}]


def test_whole_clauses_as_variables(ask: Ask) -> None:
    text = """query ($where: RunWhereClause, $order: [RunOrderByClause!], $page: LimitOffsetClause) {
      runs(where: $where, orderBy: $order, limitOffset: $page) { id } }"""
    where = {"dataset": {"organismName": {"_in": ["Saccharomyces cerevisiae"]}}}
    found = ask(text, where=where, order=[{"name": "desc"}], page={"limit": 1})
    assert found["runs"] == [{"id": 300022}]
    assert len(ask(text)["runs"]) == 4


def test_and_or_not_and_search(ask: Ask) -> None:
    def runs(where: str) -> list[int]:
        return [run["id"] for run in ask(f"{{ runs(where: {where}) {{ id }} }}")["runs"]]

    assert runs('{_or: [{id: {_eq: 300011}}, {name: {_eq: "TS_02"}}]}') == [300011, 300012, 300022]
    assert runs('{_not: {name: {_eq: "TS_02"}}}') == [300011, 300021]
    assert runs('{_and: [{name: {_eq: "TS_02"}}, {dataset: {search: "yeast"}}]}') == [300022]
    assert runs("{_or: []}") == []
    assert runs("{dataset: null}") == [300011, 300012, 300021, 300022]
    assert runs("{tomograms: {}}") == [300011, 300012, 300021, 300022]


def test_numbers_of_related_rows_as_conditions(ask: Ask) -> None:
    def runs(count: str) -> int:
        return len(
            ask(f"{{ runs(where: {{annotationsAggregate: {{count: {{{count}}}}}}}) {{ id }} }}")["runs"]
        )

    assert runs("predicate: {_eq: 2}") == 4
    assert runs('filter: {objectName: {_eq: "thylakoid"}}, predicate: {_eq: 0}') == 4
    assert runs("arguments: objectCount, predicate: {_eq: 1}") == 4
    assert runs("arguments: releaseDate, distinct: true, predicate: {_gte: 1, _lt: 2}") == 4
    assert runs('filter: {objectName: {_eq: "thylakoid"}}') == 4


def test_fragments_directives_and_merged_fields(ask: Ask) -> None:
    text = """query Q($no: Boolean!, $yes: Boolean!) { runs(limitOffset: {limit: 1}) {
      ...R id @skip(if: $yes) label: name @include(if: $yes) ... on Run { dataset { title } } ... @include(if: $no) { s3Prefix }
      ... on Node { _id } dataset { id } } }
      fragment R on Run { name dataset { ...D } } fragment D on Dataset { organismName }"""
    run = ask(text, no=False, yes=True)["runs"][0]
    assert list(run) == ["name", "dataset", "label", "_id"]
    assert run["dataset"] == {
        "organismName": "Chlamydomonas reinhardtii",
        "title": "Chloroplasts, frozen",
        "id": 30001,
    }


def test_operations_by_name(ask: Ask, error: Ask) -> None:
    text = "query A { runs { id } } query B { datasets { id } }"
    assert list(ask(text, operation="B")) == ["datasets"]
    assert "say which one" in error(text)
    assert "no operation 'C'" in error(text, operation="C")
