"""`tomoportal query`: the same answers as over HTTP, from a database or a portal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fixtures_answers import Answer, answering
from fixtures_catalog import small_portal
from fixtures_command import Ran, tomoportal
from fixtures_server import serving
from tomoportal.settings import Settings

BY_ID = "query Q($id: Int) { runs(where: {id: {_eq: $id}}) { id httpsPrefix } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("query")
    small_portal(folder).close()
    (folder / "files").mkdir()
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    with serving(
        Settings(storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}")
    ) as url:
        yield url


@pytest.fixture
def query(folder: Path) -> Callable[..., Ran]:
    def run(*words: object) -> Ran:
        return tomoportal("query", *words, "--database", f"sqlite:///{folder / 'catalog.sqlite'}")

    return run


def test_one_line_of_json_for_other_programs(query, monkeypatch) -> None:
    monkeypatch.setenv("TOMOPORTAL_URL", "https://tomo.example.org")
    ran = query(BY_ID, "--variables", '{"id": 300011}')
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    prefix = "https://tomo.example.org/files/30001/TS_01/"
    assert json.loads(ran.out) == {"data": {"runs": [{"id": 300011, "httpsPrefix": prefix}]}}


def test_queries_in_files_and_at_pipes(query, tmp_path, monkeypatch) -> None:
    (tmp_path / "runs.graphql").write_text(BY_ID + " query B { runs { id } }")
    (tmp_path / "values.json").write_text('{"id": 300012}')
    given = ("--variables", f"@{tmp_path / 'values.json'}", "--operation", "Q")
    found = query(tmp_path / "runs.graphql", *given)
    assert json.loads(found.out)["data"]["runs"][0]["id"] == 300012
    for words in ((), ("-",)):
        monkeypatch.setattr(sys, "stdin", io.StringIO("{ datasets { id } }"))
        assert len(json.loads(query(*words).out)["data"]["datasets"]) == 2


def test_errors_are_part_of_the_answer_and_told(query) -> None:
    ran = query("{ runs { colour } }")
    assert ran.code == 1
    assert json.loads(ran.out)["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "Error: Cannot query field 'colour' on type 'Run'. (line 1, column 10)" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("no/such/file",), 2, "neither a query"),
        (("{ runs { id } }", "--variables", "{"), 2, "cannot be read as JSON"),
        (("{ runs { id } }", "--variables", "[1]"), 2, "must be a JSON object"),
        (("{ runs { id } }", "--variables", "@no/such/file"), 2, "cannot be read"),
        (("{ runs { id } }", "--url", "http://127.0.0.1:9"), 2, "exclude each other"),
    ],
)
def test_wrong_usage(query, words, code, said) -> None:
    ran = query(*words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_catalogue_that_is_not_there(tmp_path) -> None:
    ran = tomoportal("query", "{ runs { id } }", "--database", f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert ran.code == 3
    assert "tomoportal load" in ran.err


def test_costs_do_not_count_for_the_database_at_hand(query, monkeypatch) -> None:
    monkeypatch.setenv("TOMOPORTAL_QUERY_COST", "1")
    monkeypatch.setenv("TOMOPORTAL_QUERY_DEPTH", "1")
    assert query("{ runs { id } }").code == 0
    deep = query("{ runs { dataset { deposition { id } } } }")
    assert deep.code == 1
    assert "2 relations" in deep.err


def test_a_portal_somewhere(served) -> None:
    words = (BY_ID, "--variables", '{"id": 300011}')
    for address in (served, f"{served}/", f"{served}/graphql"):
        ran = tomoportal("query", *words, "--url", address)
        assert ran.code == 0
        assert json.loads(ran.out)["data"]["runs"][0]["httpsPrefix"] == f"{served}/files/30001/TS_01/"
    assert (
        ran.out.strip()
        == httpx.post(f"{served}/graphql", json={"query": BY_ID, "variables": {"id": 300011}}).text
    )
    assert tomoportal("query", "{ runs { colour } }", "--url", served).code == 1


def test_addresses_where_no_portal_is() -> None:
    ran = tomoportal("query", "{ runs { id } }", "--url", "http://127.0.0.1:9")
    assert ran.code == 3
    assert "cannot be reached" in ran.err
    with answering(lambda _: Answer(b"<h1>Hello</h1>", headers={"Content-Type": "text/html"})) as url:
        ran = tomoportal("query", "{ runs { id } }", "--url", url)
    assert ran.code == 3
    assert "not as a portal does" in ran.err
