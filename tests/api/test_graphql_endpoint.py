"""`/graphql` over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from fixtures_catalog import TODAY, small_portal
from tomoportal.api.graphql.endpoint import LARGEST_BODY, graphql_endpoint

QUERY = "query Q($id: Int) { runs(where: {id: {_eq: $id}}) { id } }"
ANSWER = {"data": {"runs": [{"id": 300011}]}}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("endpoint")
    with small_portal(folder) as catalog:
        handler = graphql_endpoint(lambda _request: catalog.view(today=TODAY))
        app = Starlette(routes=[Route("/graphql", handler, methods=["GET", "POST"])])
        with TestClient(app) as client:
            yield client


def test_post(http: TestClient) -> None:
    response = http.post("/graphql", json={"query": QUERY, "variables": {"id": 300011}, "operationName": "Q"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == ANSWER


def test_get(http: TestClient) -> None:
    response = http.get("/graphql", params={"query": QUERY, "variables": '{"id": 300011}'})
    assert response.json() == ANSWER


def test_errors_of_a_query_are_200(http: TestClient) -> None:
    response = http.post("/graphql", json={"query": "{ runs { colour } }"})
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert "colour" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b'{"query": "{runs{id}}"}', "text/plain", "application/json"),
        (b"{", "application/json", "cannot be read as JSON"),
        (b"[]", "application/json", "one by one"),
        (b"3", "application/json", "must be a JSON object"),
        (b"{}", "application/json", "there is no query"),
        (b'{"query": "{runs{id}}", "variables": 3}', "application/json", "variables"),
        (b'{"query": "{runs{id}}", "operationName": 3}', "application/json", "operationName"),
        (b"[" * 100_000, "application/json", "cannot be read"),
        (b'{"query": "{runs{id}}\xff"}', "application/json", "cannot be read"),
        (b'{"query": "{runs{id}}", "variables": {"a": "\\ud800"}}', "application/json", "surrogates"),
        (
            b'{"query": "{runs{id}}", "variables": {"a": "\xed\xa0\x80"}}',
            "application/json",
            "cannot be read",
        ),
    ],
)
def test_requests_that_are_none(http: TestClient, body: bytes, kind: str, words: str) -> None:
    response = http.post("/graphql", content=body, headers={"content-type": kind})
    assert response.status_code == 400
    assert words in response.json()["errors"][0]["message"]


def test_too_large(http: TestClient) -> None:
    body = json.dumps({"query": "#" * LARGEST_BODY})
    response = http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_five_thousand_ids(http: TestClient) -> None:
    numbers = ", ".join(str(n) for n in range(300000, 305000))
    response = http.post(
        "/graphql", json={"query": f"{{ runs(where: {{id: {{_in: [{numbers}]}}}}) {{ id }} }}"}
    )
    assert len(response.json()["data"]["runs"]) == 4


def test_browsers_get_a_page(http: TestClient) -> None:
    response = http.get("/graphql", headers={"accept": "text/html,*/*"})
    assert response.headers["content-type"].startswith("text/html")
    assert "<textarea" in response.text
    assert "https://" not in response.text.replace("https://example.org", "")
    assert http.get("/graphql", headers={"accept": "application/json"}).status_code == 400
