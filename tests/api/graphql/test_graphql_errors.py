"""What GraphQL refuses, and in which words."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from fixtures_catalog import TODAY
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import Catalog
from tomoportal.settings import QueryLimits

Ask = Callable[..., Any]


def cursor(place: str) -> str:
    code = base64.b64encode(f"arrayconnection:{place}".encode()).decode()
    return f'{{ runs {{ tomograms(after: "{code}") {{ edges {{ node {{ id }} }} }} }} }}'


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ runs { colour } }", "Cannot query field 'colour' on type 'Run'"),
        ("{ runs(where: {nam: {_eq: 1}}) { id } }", "Did you mean 'name'"),
        ("{ runs(where: {name: {_eq: 1}}) { id } }", "String cannot represent a non string value"),
        ("{ runs(where: {name: null}) { id } }", "null comparator"),
        ("{ runs(where: {name: {_gt: null}}) { id } }", "is_null"),
        ("{ runs(where: {name: {_in: [null]}}) { id } }", "Expected value of non-null type"),
        ('{ runs(where: {name: {_regex: "("}}) { id } }', "RE2"),
        ("{ runs(limitOffset: {limit: -1}) { id } }", "limit must be 0 or more"),
        ("{ runs { tomograms(first: -1) { edges { node { id } } } } }", "first must be 0 or more"),
        ('{ runs { tomograms(after: "x") { edges { node { id } } } } }', "not a cursor"),
        (cursor("9" * 30), "not a cursor"),
        (cursor("9" * 5000), "not a cursor"),
        ('{ runs { tomograms(after: "é") { edges { node { id } } } } }', "not a cursor"),
        (f'{{ runs(where: {{name: {{_like: "{"%a" * 50_000}"}}}}) {{ id }} }}', "too large for the database"),
        ("{ runsAggregate { aggregate { __typename } } }", "no aggregate functions selected"),
        ("{ runs(where: {id: {_eq: 99999999999}}) { id } }", "32-bit"),
        ('{ datasets(where: {releaseDate: {_gt: "soon"}}) { id } }', "ISO 8601"),
        ("{ runs ", "Syntax Error"),
        ("mutation { deleteRun(where: {}) { id } }", "mutation"),
        ("fragment A on Run { id }", "never used"),
    ],
)
def test_errors_are_sentences(error: Ask, query: str, words: str) -> None:
    assert words in error(query)


def test_errors_tell_the_place(answer: Ask) -> None:
    response = answer("{ a: runs { id }\n  b: runs(limitOffset: {limit: -1}) { id } }")
    assert response["data"] is None
    assert response["errors"][0]["path"] == ["b"]
    assert response["errors"][0]["locations"] == [{"line": 2, "column": 3}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ runs ", "GRAPHQL_PARSE_FAILED"),
        ("{ runs { colour } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ runs { " + "id " * 2000 + "} }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: Int!) { runs(where: {id: {_eq: $id}}) { id } }", "BAD_USER_INPUT"),
        ("{ runs(limitOffset: {limit: -1}) { id } }", "BAD_USER_INPUT"),
        ("query A { runs { id } } query B { runs { id } }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ runs(where: " + "{_not: " * 3000 + "{}" + "}" * 3000 + ") { id } }", "GRAPHQL_PARSE_FAILED"),
        (f'{{ runs(where: {{name: {{_like: "{"%a" * 50_000}"}}}}) {{ id }} }}', "QUERY_TOO_LARGE"),
    ],
)  # fmt: skip
def test_errors_have_codes(answer: Ask, query: str, code: str) -> None:
    response = answer(query)
    assert response["data"] is None
    assert {error["extensions"]["code"] for error in response["errors"]} == {code}
    assert all(len(error["message"]) > 20 for error in response["errors"])


def test_deep_documents_are_refused_and_not_fatal(error: Ask) -> None:
    deep = "{ runs(where: " + "{_not: " * 3000 + "{}" + "}" * 3000 + ") { id } }"
    assert "nested too deeply" in error(deep) or "too large" in error(deep)
    far = "{ runs { " + "dataset { runs { edges { node { " * 20 + "id" + " } } } }" * 20 + " } }"
    assert "12 relations" in error(far)


def test_fragments_that_double_each_other_are_no_danger(ask: Ask, answer: Ask) -> None:
    """Fields by fragments: linear where they are the same, refused soon where each is asked for under another name."""
    chain = " ".join(f"fragment F{n} on Run {{ id ...F{n + 1} ...F{n + 1} }}" for n in range(30))
    assert ask(f"{{ runs {{ ...F0 }} }} {chain} fragment F30 on Run {{ name }}")["runs"][0]["name"] == "TS_01"
    pairs = " ".join(
        f"fragment G{n} on Dataset {{ deposition {{ a: datasets {{ edges {{ node {{ ...G{n + 1} }} }} }} "
        f"b: datasets {{ edges {{ node {{ ...G{n + 1} }} }} }} }} }}"
        for n in range(30)
    )
    (error,) = answer(f"{{ datasets {{ ...G0 }} }} {pairs} fragment G30 on Dataset {{ id }}")["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COSTLY"
    assert "20,000 fields" in error["message"]


def test_no_list_is_longer_than_the_portal_allows(portal: Catalog) -> None:
    """Counted, not guessed: whatever would be longer is an error, in root lists, connections and groups."""
    service = Service(QueryLimits(rows=2))

    def asked(text: str) -> dict[str, Any]:
        return json.loads(service.answer(portal.view(today=TODAY), Request(text)))

    connection = "{{ runs(where: {{id: {{_eq: 300011}}}}) {{ frames{} {{ edges {{ node {{ id }} }} }} }} }}"
    for text in (
        "{ runs(limitOffset: {limit: 2}) { id dataset { title } } }",
        "{ datasets { id } }",
        "{ runsAggregate { aggregate { count } } }",
        connection.format(""),
        connection.format("(last: 1)"),
        "{ annotationsAggregate { aggregate { count groupBy { objectName } } } }",
        "{ runs(where: {id: {_in: [1, 2, 3, 300011]}}) { id } }",
    ):
        assert "errors" not in asked(text), text
    frames = "{ depositions(where: {id: {_eq: 20001}}) { frames%s { edges { node { id } } } } }"
    for text in (
        "{ runs { id } }",
        "{ runs(limitOffset: {limit: 3}) { id tomograms { edges { node { id } } } } }",
        frames % "",
        frames % "(last: 3)",
        frames % "(first: 3)",
        "{ annotationsAggregate { aggregate { count groupBy { id } } } }",
    ):
        (error,) = asked(text)["errors"]
        assert error["extensions"]["code"] == "TOO_MANY_ROWS", text
        assert "more than 2 rows" in error["message"]
