"""A portal whose catalogue lies in PostgreSQL: made by the commands in the guide, filled and served by ours, like one in SQLite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url

from fixtures_command import tomoportal
from fixtures_postgres import PostgresBackend
from fixtures_server import serving
from fixtures_tiny import Tiny
from tomoportal.settings import Settings

GUIDE = Path(__file__).parents[2] / "docs" / "operate.md"
QUERIES = [
    """{ runs { id name httpsPrefix tiltseries { edges { node { id tiltMin pixelSpacing } } }
      annotationsAggregate { aggregate { count } } } }""",
    """{ tomograms(orderBy: [{name: asc}], where: {name: {_iregex: "r1"}}) { id name sizeX voxelSpacing neuroglancerConfig httpsMrcFile
      authors { edges { node { name } } } alignment { affineTransformationMatrix } } }""",
    "{ annotationsAggregate { aggregate { count avg { objectCount } groupBy { objectName run { name } } } } }",
    '{ datasets(where: {search: "tiny nois"}) { title releaseDate fileSize } }',
]
PAGES = [
    "/",
    "/browse-data/datasets",
    "/datasets/20002",
    "/browse-data/depositions",
    "/browse-data/datasets?search=tiny",
]


@pytest.fixture
def url(postgres: PostgresBackend) -> Iterator[str]:
    """The URL in the guide, after the commands in the guide; the server of these tests takes every password."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.search(r"```sql\n(CREATE USER.*?)```", text, re.DOTALL)
    assert found is not None
    for statement in found[1].strip().split(";\n"):
        postgres.execute(statement)
    told = re.search(r"postgresql://tomoportal:\S+@\S+/tomoportal", text)
    assert told is not None
    yield make_url(told[0]).set(host=None, query=postgres.server.query).render_as_string(hide_password=False)
    for statement in ("DROP DATABASE tomoportal WITH (FORCE)", "DROP USER tomoportal"):
        postgres.execute(statement)


@pytest.fixture
def portals(tiny: Tiny, url: str, tmp_path: Path) -> list[Settings]:
    """The same files with a catalogue of each kind."""
    files, lite = tmp_path / "files", f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    arguments = ("ingest", tiny.file, "--source", tiny.source, "--storage", files, "--json")
    assert tomoportal(*arguments, "--database", url).code == 0
    assert tomoportal("load", "--storage", files, "--database", lite).code == 0
    return [Settings(storage=str(files), database=database) for database in (url, lite)]


def test_the_same_portal(portals: list[Settings]) -> None:
    answers, pages = [], []
    for settings in portals:
        with serving(settings) as address, httpx.Client(base_url=address, timeout=60) as http:
            asked = [http.post("/graphql", json={"query": query}) for query in QUERIES]
            answers.append([_without(response, address) for response in asked])
            pages.append([_without(http.get(path), address) for path in PAGES])
    assert answers[0] == answers[1]
    assert [text for status, text in (*answers[0], *pages[0]) if status != 200 or '"errors"' in text] == []
    assert pages[0] == pages[1]


def _without(response: httpx.Response, address: str) -> tuple[int, str]:
    return response.status_code, response.text.replace(address, "")


def test_loading_again_and_asking(portals: list[Settings]) -> None:
    first, lite = portals
    options = ("--storage", first.storage, "--database", first.database)
    assert tomoportal("load", *options).code == 0
    asked = [tomoportal("query", QUERIES[0], "--database", settings.database) for settings in (first, lite)]
    assert asked[0].out == asked[1].out
    counted = tomoportal("sql", "SELECT count(*) AS runs FROM run", "--database", first.database)
    assert counted.code == 0
    assert "1" in counted.out
    assert tomoportal("sql", "DELETE FROM run", "--database", first.database).code != 0


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    ran = tomoportal("load", "--storage", tmp_path, "--database", "postgresql://me:secret@127.0.0.1:1/portal")
    assert ran.code == 3
    assert "whether PostgreSQL runs there" in ran.err
    assert "secret" not in ran.err + ran.out
