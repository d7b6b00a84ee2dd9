"""What `/graphql` says when something is wrong with the server itself, and which settings it obeys."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from fixtures_catalog import small_portal
from fixtures_server import serving
from tomoportal.api.graphql.execute import Service
from tomoportal.errors import UsageError
from tomoportal.server import build_app
from tomoportal.settings import QueryLimits, Settings

QUERY = {"query": "{ runs { id httpsPrefix } }"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("errors")
    database = f"sqlite:///{folder / 'catalog.sqlite'}"
    small_portal(database).close()
    (folder / "files").mkdir()
    return Settings(storage=str(folder / "files"), database=database)


@pytest.fixture
def http(settings: Settings) -> Iterator[TestClient]:
    with TestClient(build_app(settings), "http://localhost", raise_server_exceptions=False) as client:
        yield client


def test_what_nobody_has_foreseen_is_logged_and_not_told(http, monkeypatch, caplog) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(Service, "run", broken)
    with caplog.at_level(logging.ERROR, "tomoportal"):
        response = http.post("/graphql", json=QUERY)
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert response.json()["data"] is None
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert "its log has the details" in error["message"]
    assert "swordfish" not in response.text
    assert "swordfish" in caplog.text


def test_a_catalogue_that_is_gone(tmp_path) -> None:
    database = f"sqlite:///{tmp_path / 'none.sqlite'}"
    with TestClient(
        build_app(Settings(storage=str(tmp_path), database=database)), "http://localhost"
    ) as http:
        response = http.post("/graphql", json=QUERY)
        page = http.get("/graphql", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "CATALOG_UNAVAILABLE"}
    assert str(tmp_path) not in response.text
    assert page.status_code == 200


def test_a_portal_that_does_not_know_its_address(http) -> None:
    response = http.post("/graphql", json=QUERY, headers={"host": "tomo.example.org"})
    assert response.status_code == 421
    assert response.json()["errors"][0]["extensions"] == {"code": "NO_PUBLIC_URL"}
    assert "TOMOPORTAL_URL" in response.json()["errors"][0]["message"]


def test_other_methods(http) -> None:
    response = http.put("/graphql", json=QUERY)
    assert response.status_code == 405
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert http.head("/graphql", params=QUERY).status_code == 200


def test_settings_of_the_environment(monkeypatch) -> None:
    assert Settings.from_environment().limits == QueryLimits()
    assert Settings.from_environment().origins == ("*",)
    for name, value in (
        ("COST", "5"),
        ("DEPTH", "3"),
        ("SECONDS", "7"),
        ("ROWS", "0"),
        ("BODY", "9"),
        ("AT_ONCE", "1"),
        ("WAITING", "0"),
    ):
        monkeypatch.setenv(f"TOMOPORTAL_QUERY_{name}", value)
    monkeypatch.setenv("TOMOPORTAL_ORIGINS", "https://a.example, https://b.example")
    found = Settings.from_environment()
    assert found.limits == QueryLimits(cost=5, depth=3, seconds=7, rows=0, body=9, at_once=1, waiting=0)
    assert found.origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [("COST", "much"), ("DEPTH", "0"), ("SECONDS", "-1"), ("ROWS", "1.5"), ("AT_ONCE", "²")],
)
def test_settings_that_make_no_sense(monkeypatch, name, value) -> None:
    monkeypatch.setenv(f"TOMOPORTAL_QUERY_{name}", value)
    with pytest.raises(UsageError, match=f"TOMOPORTAL_QUERY_{name} must be a whole number"):
        Settings.from_environment()


def test_the_server_obeys_them(settings) -> None:
    with serving(replace(settings, limits=QueryLimits(rows=2), origins=("https://a.example",))) as url:
        answer = httpx.post(f"{url}/graphql", json=QUERY, headers={"origin": "https://b.example"})
        assert answer.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_ROWS"}
        assert "access-control-allow-origin" not in answer.headers
        allowed = httpx.options(f"{url}/graphql", headers={"origin": "https://a.example"})
        assert allowed.headers["access-control-allow-origin"] == "https://a.example"
        posted = httpx.post(
            f"{url}/graphql", data={"query": "{ datasets { id } }"}, headers={"accept": "text/html"}
        )
        assert posted.headers["content-type"].startswith("text/html")
        assert "30001" in posted.text
        zipped = httpx.get(f"{url}/graphql", params={"query": "{ __schema { types { name description } } }"})
        assert zipped.headers["content-encoding"] == "gzip"
        again = httpx.get(zipped.url, headers={"if-none-match": zipped.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
