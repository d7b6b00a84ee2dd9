"""`tomoportal sql`: reading, and nothing but reading, on both databases."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from fixtures_catalog import small_portal
from fixtures_command import Ran, tomoportal
from fixtures_postgres import PostgresBackend
from tomoportal.catalog.operator import asked
from tomoportal.errors import QueryError


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    small_portal(folder).close()
    return folder / "catalog.sqlite"


@pytest.fixture
def sql(database: Path) -> Callable[..., Ran]:
    def run(*words: object) -> Ran:
        return tomoportal("sql", *words, "--database", f"sqlite:///{database}")

    return run


def test_a_table_for_people(sql) -> None:
    ran = sql("SELECT id, name, NULL AS none FROM run WHERE dataset_id = 30001 ORDER BY id")
    assert ran.code == 0
    lines = [line.split("│") for line in ran.out.splitlines() if "│" in line]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["300011", "TS_01", ""],
        ["300012", "TS_02", ""],
    ]
    assert "(2 rows)" in ran.err


def test_long_lines_are_whole_for_other_programs(sql) -> None:
    long = "x" * 5000
    assert long in sql(f"SELECT '{long}' AS x").out


def test_csv_and_json(sql) -> None:
    statement = "SELECT id, name AS \"a,b\", x'00ff' AS bytes, NULL AS none FROM run ORDER BY id LIMIT 2"
    rows = list(csv.reader(io.StringIO(sql("--csv", statement).out)))
    assert rows == [
        ["id", "a,b", "bytes", "none"],
        ["300011", "TS_01", "00ff", ""],
        ["300012", "TS_02", "00ff", ""],
    ]
    first = json.loads(sql("--json", statement).out.splitlines()[0])
    assert first == {"id": 300011, "a,b": "TS_01", "bytes": "00ff", "none": None}


def test_many_rows_are_all_given_or_said_to_be_more(sql) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i FROM n"
    assert len(sql("--csv", many).out.splitlines()) == 1501
    shown = sql(many)
    assert "the first 1000 rows; --csv and --json print all" in shown.err


def test_the_tables(sql) -> None:
    rows = {row["table"]: row for row in map(json.loads, sql("--tables", "--json").out.splitlines())}
    assert rows["run"]["rows"] == 6
    assert "dataset_id" in rows["run"]["columns"].split(", ")
    assert "annotation" in sql("--tables").out


def test_statements_at_pipes(sql, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT count(*) AS n FROM dataset;\n"))
    assert json.loads(sql("--json").out) == {"n": 3}


WRITING = [
    "DELETE FROM run", "UPDATE run SET name = 'x'", "CREATE TABLE mine (a)", "DROP TABLE run", "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE", "PRAGMA writable_schema = ON", "ATTACH '{folder}/other.db' AS other", "VACUUM INTO '{folder}/copy.db'",
    "VACUUM", "REINDEX", "INSERT INTO dataset_search (dataset_search) VALUES ('rebuild')",
]  # fmt: skip


@pytest.mark.parametrize("statement", WRITING)
def test_nothing_can_be_changed(sql, database, tmp_path, statement) -> None:
    def state() -> tuple[str, list[str]]:
        return hashlib.sha256(database.read_bytes()).hexdigest(), sorted(p.name for p in tmp_path.iterdir())

    before = state()
    ran = sql(statement.format(folder=tmp_path))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: ")
    assert state() == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("SELEC 1",), 1, "syntax error"),
        (("SELECT 1; SELECT 2",), 1, "one statement"),
        (("  ",), 2, "no SQL statement"),
        (
            (
                "--seconds",
                "0.2",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            ),
            1,
            "longer than 0.2 s",
        ),
    ],
)
def test_what_is_not_answered(sql, words, code, said) -> None:
    ran = sql(*words)
    assert ran.code == code
    assert said in ran.err


def test_a_database_that_is_not_there(tmp_path) -> None:
    ran = tomoportal("sql", "SELECT 1", "--database", f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert ran.code == 3
    assert "no such file" in ran.err
    assert not (tmp_path / "none.sqlite").exists()


@pytest.fixture(scope="module")
def postgresql(postgres: PostgresBackend, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a table `a` of five rows."""
    url = postgres.url(tmp_path_factory.mktemp("sql"))
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE a AS SELECT generate_series(1, 5) AS n")
    return url


def test_reading_of_postgresql(postgresql) -> None:
    with asked(postgresql, "SELECT n, '50%' AS share FROM a ORDER BY n", 20) as found:
        assert found.columns == ("n", "share")
        assert list(found.rows) == [(n, "50%") for n in range(1, 6)]
    with asked(postgresql, "SELECT n FROM a WHERE false", 20) as found:
        assert (found.columns, list(found.rows)) == (("n",), [])


def test_nothing_of_postgresql_can_be_changed(postgresql) -> None:
    for statement in (
        "DELETE FROM a", "CREATE TEMP TABLE b (n int)", "SELECT 1; DELETE FROM a", "COMMIT; DELETE FROM a", "SET TRANSACTION READ WRITE",
        "WITH gone AS (DELETE FROM a RETURNING n) SELECT * FROM gone",
    ):  # fmt: skip
        with pytest.raises(QueryError), asked(postgresql, statement, 20) as found:
            list(found.rows)
    with asked(postgresql, "SELECT count(*) FROM a", 20) as found:
        assert list(found.rows) == [(5,)]
    with pytest.raises(QueryError, match="takes longer"), asked(postgresql, "SELECT pg_sleep(20)", 0.3):
        pass
