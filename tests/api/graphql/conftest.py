"""The service over the invented portal, in both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from fixtures_catalog import TODAY, small_portal
from fixtures_postgres import Backend
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import Addresses, Catalog

Ask = Callable[..., Any]


@pytest.fixture(scope="package")
def portal(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with small_portal(backend.url(tmp_path_factory.mktemp("graphql"))) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def service() -> Service:
    return Service()


@pytest.fixture
def answer(portal: Catalog, service: Service) -> Ask:
    def ask(query: str, today: date = TODAY, operation: str | None = None, **variables: Any) -> Any:
        view = portal.view(today=today, addresses=Addresses("http://portal.test/files/", "s3://bucket/"))
        return json.loads(service.answer(view, Request(query, variables or None, operation)))

    return ask


@pytest.fixture
def ask(answer: Ask) -> Ask:
    def good(query: str, **rest: Any) -> Any:
        response = answer(query, **rest)
        assert "errors" not in response, response["errors"]
        return response["data"]

    return good


@pytest.fixture
def error(answer: Ask) -> Ask:
    def bad(query: str, **rest: Any) -> str:
        response = answer(query, **rest)
        assert response["data"] is None
        return response["errors"][0]["message"]

    return bad
