"""What only PostgreSQL has: connections that fail, schemas, locks, time limits. And: the same text of answers as SQLite."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sql

from fixtures_catalog import TODAY, awkward_rows, fill, row, small_portal
from fixtures_postgres import PostgresBackend
from tomoportal.catalog import Catalog, backends, open_catalog
from tomoportal.catalog.database import Excess
from tomoportal.errors import CatalogError, TooMuch, UsageError
from tomoportal.model import query as q
from tomoportal.model.fields import Kind
from tomoportal.model.registry import ENTITIES


@pytest.fixture(scope="module")
def url(postgres: PostgresBackend) -> str:
    return postgres.url(Path())


@pytest.fixture(scope="module")
def portal(url: str) -> Iterator[Catalog]:
    with small_portal(url) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def guarded(postgres: PostgresBackend) -> str:
    """The URL, without password, of somebody who needs one."""
    postgres.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
    rules = Path(str(postgres.server.query["host"])) / "pg_hba.conf"
    rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
    postgres.execute("SELECT pg_reload_conf()")
    return postgres.server.set(username="guarded", password=None).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def both(
    postgres: PostgresBackend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Catalog, Catalog]]:
    """The same awkward rows in SQLite and in PostgreSQL."""
    lite = f"sqlite:///{tmp_path_factory.mktemp('lite') / 'catalog.sqlite'}"
    with open_catalog(lite, create=True) as one, open_catalog(postgres.url(Path()), create=True) as other:
        for catalog in (one, other):
            fill(catalog, awkward_rows())
        yield one, other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "127.0.0.1", "port": 1}, "whether PostgreSQL runs there"),
        ({"host": "no.such.host.invalid"}, "correct the host"),
        ({"database": "nowhere"}, "CREATE DATABASE"),
    ],
)
def test_connections_that_cannot_be_made(url: str, change: dict[str, Any], words: str) -> None:
    address = backends.parsed_url(url).set(password="secret", **change)
    if "host" in change:
        address = address.set(query={})
    with pytest.raises(CatalogError, match=words) as raised:
        open_catalog(address.render_as_string(hide_password=False), create=True)
    assert "secret" not in str(raised.value)


def test_wrong_passwords(guarded: str) -> None:
    address = backends.parsed_url(guarded)
    for password in ("wrong", None):
        with pytest.raises(CatalogError, match="check user and password") as raised:
            open_catalog(address.set(password=password).render_as_string(hide_password=False))
        assert "wrong" not in str(raised.value)


def test_without_the_driver(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tomoportal.catalog.backends.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"tomoportal\[postgres\]"):
        open_catalog(url)


def test_a_schema_of_its_own(postgres: PostgresBackend) -> None:
    address = backends.parsed_url(postgres.url(Path()))
    with_schema = address.update_query_dict({"options": "-csearch_path=portal"})
    url = with_schema.render_as_string(hide_password=False)
    with pytest.raises(CatalogError, match="CREATE SCHEMA"):
        open_catalog(url, create=True)
    engine = sql.create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA portal")
        connection.exec_driver_sql("CREATE TABLE public.photos (id integer)")
    with small_portal(url) as catalog:
        assert catalog.view(today=TODAY).totals()["runs"] == 4
    with open_catalog(url) as catalog:
        assert not catalog.fresh
    assert sql.inspect(engine).get_table_names("public") == ["photos"]
    assert "run" in sql.inspect(engine).get_table_names("portal")
    engine.dispose()


def test_who_may_not_make_tables_is_told(postgres: PostgresBackend, guarded: str) -> None:
    database_name = backends.parsed_url(postgres.url(Path())).database
    address = backends.parsed_url(guarded).set(password="right", database=database_name)
    with pytest.raises(CatalogError, match="permission denied for schema public"):
        open_catalog(address.render_as_string(hide_password=False), create=True)


def test_readers_cannot_write(portal: Catalog) -> None:
    with portal.database.connect() as connection, pytest.raises(sql.exc.DBAPIError, match="read-only"):
        connection.exec_driver_sql("DELETE FROM run")


def test_who_writes_waits_for_the_other(portal: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    from tomoportal.catalog.backends import postgres as module

    begun, go_on = Event(), Event()

    def first() -> None:
        with portal.database.write() as connection:
            connection.exec_driver_sql("INSERT INTO catalog VALUES ('who', 'first')")
            begun.set()
            go_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(first)
        assert begun.wait(60)
        monkeypatch.setattr(module, "PATIENCE", 0.05)
        with pytest.raises(CatalogError, match="lock timeout"), portal.database.write():
            pass
        assert "who" not in portal.database.state()
        go_on.set()
        writing.result()
    with portal.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM catalog WHERE key = 'who'")


def test_what_takes_too_long_is_stopped_in_the_database(portal: Catalog) -> None:
    with portal.database.connect(0.2) as connection:
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(sql.exc.OperationalError) as raised:
            connection.exec_driver_sql("SELECT pg_sleep(600)")
    assert portal.database.excess(raised.value) is Excess.TIME


@pytest.mark.parametrize(
    "pattern", ["(a?){200}(a*)*b{200}$", "((a|b|ab)*c{0,60}){0,15}x", "(.{0,99}s){0,9}¥"]
)
def test_hostile_expressions_end(portal: Catalog, pattern: str) -> None:
    """RE2 refuses them, PostgreSQL answers, or the time is over."""
    view = portal.view(today=TODAY)
    where = q.Compare("description", "iregex", pattern)
    with view.snapshot(5) as ask, suppress(TooMuch):
        assert json.loads(ask(q.Select("Dataset", (q.Value("id", "id"),), where))) == []


def test_connections_that_are_all_busy_are_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tomoportal.catalog.backends import postgres as module

    monkeypatch.setattr(module, "READERS", 1)
    catalog = open_catalog(url)
    catalog.database.reader.pool._timeout = 0.05  # type: ignore[attr-defined]
    connect = catalog.database.connect
    with catalog, connect(), connect(), pytest.raises(CatalogError, match="busy"), connect():
        pass


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.__name__)
def test_the_same_text_as_from_sqlite(both: tuple[Catalog, Catalog], entity: Any) -> None:
    """Only the exponents of very large and small numbers are spelled in two ways, and viewer states from which layers were taken."""
    stored = [field for field in entity.fields.values() if field.stored and field.kind is not Kind.STATE]
    plain = tuple(q.Value(field.name, field.name) for field in stored)
    relations = tuple(
        q.RelatedTotal(f"n_{name}", name) if relation.many else q.One(name, name, (q.Value("id", "id"),))
        for name, relation in entity.relations.items()
    )
    order = tuple(q.Order((field.name,), "desc") for field in stored if field.kind is not Kind.MATRIX)[:3]
    one, other = (
        catalog.view(today=TODAY).json(q.Select(entity.__name__, (*plain, *relations), order_by=order))
        for catalog in both
    )
    assert other.replace("1e+300", "1.0e+300") == one


def test_large_loads_leave_statistics(postgres: PostgresBackend) -> None:
    with open_catalog(postgres.url(Path()), create=True) as catalog:
        fill(
            catalog,
            {"Run": [row("Run", id=number, dataset_id=1, name=f"R{number}") for number in range(1, 400)]},
        )
        asked = "SELECT relname, reltuples FROM pg_class WHERE relname IN ('run', 'search_link', 'dataset') ORDER BY 1"
        with catalog.database.connect() as connection:
            sizes = {row.relname: row.reltuples for row in connection.exec_driver_sql(asked)}
    assert sizes["run"] == 399
    assert sizes["search_link"] >= 399
    assert sizes["dataset"] == -1


def test_settings_of_connections(portal: Catalog) -> None:
    with portal.database.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("jit", "transaction_isolation")
        }
    assert shown == {"jit": "off", "transaction_isolation": "repeatable read"}
