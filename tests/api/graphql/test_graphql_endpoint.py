"""`/graphql` over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fixtures_catalog import TODAY, small_portal
from fixtures_postgres import Backend
from tomoportal.api.graphql.endpoint import Form, graphql_endpoint
from tomoportal.api.graphql.execute import Request as GraphqlRequest
from tomoportal.api.graphql.outgoing import SMALLEST_COMPRESSED, tag
from tomoportal.catalog import Addresses, Catalog
from tomoportal.catalog.rows import count_load
from tomoportal.settings import QueryLimits, Settings

QUERY = "query Q($id: Int) { runs(where: {id: {_eq: $id}}) { id } }"
ANSWER = {"data": {"runs": [{"id": 300011}]}}


LARGEST = 100_000
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def portal(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with small_portal(backend.url(tmp_path_factory.mktemp("endpoint"))) as catalog:
        yield catalog


@contextmanager
def asked(catalog: Catalog, settings: Settings) -> Iterator[TestClient]:
    """A client of an application that has nothing but this address; its page is JSON of the form."""

    def page(_: Request, form: Form) -> Response:
        return JSONResponse({"query": form.query, "variables": form.variables, "answer": form.answer})

    handler = graphql_endpoint(lambda _request: catalog.view(today=TODAY), page, settings)
    app = Starlette(routes=[Route("/graphql", handler, methods=["GET", "POST", "OPTIONS"])])
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def http(portal: Catalog) -> Iterator[TestClient]:
    with asked(portal, Settings(limits=QueryLimits(body=LARGEST))) as client:
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
    (error,) = response.json()["errors"]
    assert words in error["message"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}


def test_too_large(http: TestClient) -> None:
    body = json.dumps({"query": "#" * LARGEST})
    response = http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert "larger than 100,000 bytes" in response.json()["errors"][0]["message"]


def test_five_thousand_ids(http: TestClient) -> None:
    numbers = ", ".join(str(n) for n in range(300000, 305000))
    response = http.post(
        "/graphql", json={"query": f"{{ runs(where: {{id: {{_in: [{numbers}]}}}}) {{ id }} }}"}
    )
    assert len(response.json()["data"]["runs"]) == 4


def test_browsers_get_a_page(http: TestClient) -> None:
    assert http.get("/graphql", headers=BROWSER).json() == {"query": "", "variables": "", "answer": ""}
    assert http.get("/graphql", headers={"accept": "application/json"}).status_code == 400
    assert http.get("/graphql", params={"query": "{ __typename }"}, headers=BROWSER).json()["data"]


def test_the_form_of_browsers(http: TestClient) -> None:
    def sent(**form: str) -> dict[str, str]:
        return http.post("/graphql", data=form, headers=BROWSER).json()

    page = sent(query=QUERY, variables='{"id": 300011}')
    assert page["query"] == QUERY
    assert json.loads(page["variables"]) == {"id": 300011}
    assert json.loads(page["answer"]) == ANSWER
    assert "colour" in sent(query="{ runs { colour } }")["answer"]
    assert "no query" in sent(query="")["answer"]
    assert "JSON" in sent(query=QUERY, variables="{")["answer"]
    assert "larger than" in sent(query="#" * LARGEST)["answer"]
    assert http.post("/graphql", data={"query": QUERY}).status_code == 400


def test_the_same_question_to_the_same_rows_is_answered_once(http: TestClient, portal: Catalog) -> None:
    first = http.get("/graphql", params={"query": "{ runs { id } }"})
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, no-cache"
    again = http.get("/graphql", params={"query": "{ runs { id } }"}, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    posted = http.post(
        "/graphql", json={"query": "{ runs { id } }"}, headers={"if-none-match": f'"x", {tag}'}
    )
    assert posted.status_code == 304
    others = [
        {"query": "{ runs { name } }"},
        {"query": "{ runs { id } }", "variables": '{"a": 1}'},
        {"query": "{ runs { id } }", "operationName": "A"},
    ]
    tags = {http.get("/graphql", params=other).headers.get("etag") for other in others}
    assert tag not in tags
    with portal.database.write() as connection:
        count_load(connection, portal.database)
    later = http.get("/graphql", params={"query": "{ runs { id } }"}, headers={"if-none-match": tag})
    assert later.status_code == 200
    assert later.headers["etag"] != tag


def test_the_tag_belongs_to_day_and_addresses(portal: Catalog) -> None:
    request = GraphqlRequest("{ runs { id } }")

    def tag_of(**seen: Any) -> str:
        view = portal.view(**{"today": TODAY, **seen})
        return tag((view.key, view.addresses), request)

    assert tag_of() == tag_of()
    assert (
        len({tag_of(), tag_of(today=date(2031, 1, 1)), tag_of(addresses=Addresses("http://other/files/"))})
        == 3
    )


def test_errors_are_not_kept(http: TestClient) -> None:
    response = http.post("/graphql", json={"query": "{ runs { colour } }"})
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


def test_long_answers_are_compressed_for_those_who_want_it(http: TestClient) -> None:
    text = "{ runs { " + " ".join(f"a{n}: httpsPrefix" for n in range(100)) + " } }"

    def got(accepted: str, query: str = text) -> httpx.Response:
        return http.post("/graphql", json={"query": query}, headers={"accept-encoding": accepted})

    plain = got("identity")
    assert "content-encoding" not in plain.headers
    assert len(plain.content) > SMALLEST_COMPRESSED
    for accepted in ("gzip", "br;q=1, GZip;q=0.5", "*"):
        packed = got(accepted)
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < len(plain.content) / 4
        assert packed.content == plain.content
        assert "accept-encoding" in packed.headers["vary"]
    for accepted in ("gzip;q=0", "br", ""):
        assert "content-encoding" not in got(accepted).headers
    assert "content-encoding" not in got("gzip", "{ runs { id } }").headers


def test_pages_of_all_origins_may_ask(http: TestClient) -> None:
    wanted = {"origin": "https://lab.example", "access-control-request-headers": "content-type, x-trace"}
    permission = http.options("/graphql", headers={**wanted, "access-control-request-method": "POST"})
    assert permission.status_code == 204
    assert permission.headers["access-control-allow-origin"] == "*"
    assert permission.headers["access-control-allow-headers"] == "content-type, x-trace"
    assert permission.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert permission.headers["access-control-max-age"] == "600"
    answer = http.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"origin": "https://lab.example"}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    bad = http.post("/graphql", content=b"{", headers={"origin": "https://lab.example"})
    assert bad.headers["access-control-allow-origin"] == "*"


def test_origins_can_be_chosen(portal: Catalog) -> None:
    with asked(portal, Settings(origins=("https://a.example", "https://b.example"))) as http:
        for origin, status in (("https://b.example", 204), ("https://c.example", 400), ("null", 400)):
            permission = http.options("/graphql", headers={"origin": origin})
            answer = http.get("/graphql", params={"query": "{ __typename }"}, headers={"origin": origin})
            assert permission.status_code == status
            assert answer.status_code == 200
            expected = origin if status == 204 else None
            assert answer.headers.get("access-control-allow-origin") == expected
            assert "origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("limits", "query", "code", "words"),
    [
        (QueryLimits(cost=10), "{ runs { id } datasets { id } }", "QUERY_TOO_COSTLY", "up to 10"),
        (QueryLimits(depth=2), "{ frames { run { dataset { deposition { id } } } } }", "QUERY_TOO_DEEP", "3 relations"),
        (QueryLimits(depth=2), "{ runs(where: {dataset: {deposition: {authors: {}}}}) { id } }", "QUERY_TOO_DEEP", "3 relations"),
        (QueryLimits(depth=1), "{ runs(orderBy: {dataset: {deposition: {id: asc}}}) { id } }", "QUERY_TOO_DEEP", "2 relations"),
        (QueryLimits(depth=1), "{ runsAggregate { aggregate { groupBy { dataset { deposition { id } } } } } }", "QUERY_TOO_DEEP", "2"),
    ],
)  # fmt: skip
def test_limits(portal: Catalog, limits: QueryLimits, query: str, code: str, words: str) -> None:
    with asked(portal, Settings(limits=limits)) as http:
        response = http.post("/graphql", json={"query": query})
        assert response.status_code == 200
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == code
        assert words in error["message"]
        assert http.post("/graphql", json={"query": "{ runs(limitOffset: {limit: 1}) { id } }"}).json()[
            "data"
        ]


def test_a_query_that_takes_too_long_is_stopped_in_the_database(portal: Catalog) -> None:
    """Every tomogram with every other, six times over, in one of many root fields: minutes of work for which one second is allowed."""
    group = "deposition { tomograms { " * 6 + "id" + " } }" * 6
    field = f"tomogramsAggregate {{ aggregate {{ count groupBy {{ {group} }} }} }}"
    many = " ".join(f"a{n}: {field}" for n in range(30))
    with asked(portal, Settings(limits=QueryLimits(seconds=1, cost=10**12))) as http:
        (error,) = http.post("/graphql", json={"query": f"{{ {many} }}"}).json()["errors"]
        assert error["extensions"]["code"] == "QUERY_TIMEOUT"
        assert http.post("/graphql", json={"query": QUERY}).json()["data"]["runs"]
