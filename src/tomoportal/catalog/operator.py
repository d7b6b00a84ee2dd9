"""SQL that an operator writes, on the database of a catalogue, which itself keeps such statements from changing anything:
SQLite opens the file for reading and refuses to attach others; PostgreSQL runs a read-only transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sql
from sqlalchemy.engine import URL

from tomoportal.catalog.backends import parsed_url
from tomoportal.catalog.compile import sqlite
from tomoportal.catalog.tables import make_tables
from tomoportal.errors import CatalogError, QueryError, UsageError

_READ_PRAGMAS = {
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "foreign_key_list",
    "database_list",
}
_DENIED = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}


@dataclass(frozen=True, slots=True)
class Found:
    """What a statement gives: names of columns, none when it gives nothing, and rows as they come."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table of the catalogue, its number of rows and the names of its columns."""

    name: str
    rows: int
    columns: tuple[str, ...]


@contextmanager
def asked(database_url: str, statement: str, seconds: float) -> Iterator[Found]:
    """The answer to one statement, for as long as the block lasts. Raises `QueryError` for what the database does not understand,
    allow or finish in so many seconds, `CatalogError` when it cannot be opened."""
    if not statement.strip():
        raise UsageError("there is no SQL statement; give one such as 'SELECT count(*) FROM run'")
    url = parsed_url(database_url)
    backend = _on_sqlite if url.get_backend_name() == "sqlite" else _on_postgresql
    with backend(url, statement, seconds) as found:
        yield found


def tables(database_url: str, seconds: float) -> list[TableFacts]:
    """The tables of the catalogue by name."""
    facts = []
    for name, table in sorted(make_tables().tables.items()):
        with asked(database_url, str(sql.select(sql.func.count()).select_from(table)), seconds) as found:
            (total,) = next(found.rows)
        facts.append(TableFacts(name, total, tuple(column.name for column in table.columns)))
    return facts


@contextmanager
def _on_sqlite(url: URL, statement: str, seconds: float) -> Iterator[Found]:
    path = Path(url.database or "")
    if not path.is_file():
        raise CatalogError(
            f"{url.render_as_string()}: there is no such file; `tomoportal load` makes a catalogue"
        )
    with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
        sqlite.register(connection)
        connection.execute("PRAGMA query_only=ON")
        connection.set_authorizer(_authorised)
        end = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)
        try:
            cursor = connection.execute(statement)
            columns = tuple(column[0] for column in cursor.description or ())
            yield Found(columns, cursor)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _refused(str(error), seconds) from error


def _authorised(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _DENIED or (action == sqlite3.SQLITE_PRAGMA and first not in _READ_PRAGMAS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@contextmanager
def _on_postgresql(url: URL, statement: str, seconds: float) -> Iterator[Found]:
    import psycopg

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(address, autocommit=True)
    except psycopg.Error as error:
        raise CatalogError(f"{url.render_as_string()} cannot be opened: {error}") from error
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        cursor.execute(f"SET statement_timeout = {round(seconds * 1000)}".encode())
        cursor.execute("BEGIN READ ONLY")
        cursor.execute("SELECT 1")
        try:
            cursor.execute(
                statement.encode(), prepare=True
            )  # one statement, which can no longer make the transaction write
            columns = tuple(column.name for column in cursor.description or ())
            yield Found(columns, iter(cursor) if columns else iter(()))
        except psycopg.Error as error:
            raise _refused(str(error), seconds) from error


def _refused(reason: str, seconds: float) -> QueryError:
    if "interrupted" in reason or "statement timeout" in reason:
        return QueryError(f"this statement takes longer than {seconds:g} s; --seconds allows more")
    if any(words in reason for words in ("readonly", "read-only", "not authorized", "authorization denied")):
        return QueryError(f"only reading is possible here: {reason.strip()}")
    return QueryError(f"the database does not answer this: {reason.strip()}")
