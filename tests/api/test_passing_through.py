"""A large answer goes from the database to the socket as it is: Python neither reads nor writes its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fixtures_catalog import TODAY, row
from fixtures_postgres import Backend
from tomoportal.api.graphql.endpoint import graphql_endpoint
from tomoportal.catalog import Catalog, open_catalog
from tomoportal.catalog.rows import count_load, insert
from tomoportal.catalog.tables import RELEASE

RUNS, SMALL = 20_000, 1000
QUERY = "{ runs { id name datasetId s3Prefix httpsPrefix } all: runsAggregate { aggregate { count } } }"


@pytest.fixture(scope="module")
def catalog(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    first = row("Run", dataset_id=1)
    runs = [
        {**first, "id": number, "name": f"TS “{number}”", "folder_path": f"1/TS {number}/", RELEASE: ""}
        for number in range(1, RUNS + 1)
    ]
    with open_catalog(backend.url(tmp_path_factory.mktemp("large")), create=True) as catalog:
        with catalog.database.write() as connection:
            insert(connection, catalog.database, {"Run": runs})
            count_load(connection, catalog.database)
        yield catalog


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing JSON raises, but for a few letters."""
    loads, dumps = json.loads, json.dumps

    def read(text: Any, *rest: Any, **more: Any) -> Any:
        assert len(text) < SMALL
        return loads(text, *rest, **more)

    def write(value: Any, *rest: Any, **more: Any) -> str:
        assert not isinstance(value, list) or len(value) < SMALL
        text = dumps(value, *rest, **more)
        assert len(text) < SMALL
        return text

    monkeypatch.setattr(json, "loads", read)
    monkeypatch.setattr(json, "dumps", write)


def asked(catalog: Catalog) -> bytes:
    def no_page(_request: Request, _form: Any) -> Response:
        raise AssertionError("no page was asked for")

    handler = graphql_endpoint(lambda _request: catalog.view(today=TODAY), no_page)
    with TestClient(Starlette(routes=[Route("/graphql", handler, methods=["GET"])])) as client:
        response = client.get("/graphql", params={"query": QUERY}, headers={"accept": "application/json"})
    assert response.status_code == 200
    return response.content


def test_nothing_is_rebuilt(catalog: Catalog, forbidden: None, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    asked(catalog)
    sqlalchemy.event.listen(catalog.database.reader, "before_cursor_execute", note)
    answer = asked(catalog)
    sqlalchemy.event.remove(catalog.database.reader, "before_cursor_execute", note)
    monkeypatch.undo()
    data = json.loads(answer)["data"]
    assert len(data["runs"]) == RUNS
    assert data["runs"][-1] == {
        "id": RUNS, "name": f"TS “{RUNS}”", "datasetId": 1, "s3Prefix": f"s3://tomoportal/1/TS {RUNS}/",
        "httpsPrefix": f"/files/1/TS {RUNS}/",
    }  # fmt: skip
    assert data["all"] == {"aggregate": [{"count": RUNS}]}
    assert len([s for s in statements if s.startswith("SELECT") and '"run"' in s]) == 2
