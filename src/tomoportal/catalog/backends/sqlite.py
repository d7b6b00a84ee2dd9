"""Catalogues in a file of SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import URL, Engine

from tomoportal.catalog.compile import sqlite
from tomoportal.catalog.compile.dialect import TOO_MANY_ROWS
from tomoportal.catalog.compile.writer import insertion
from tomoportal.catalog.database import PATIENCE, READERS, Database, Excess, Row
from tomoportal.errors import CatalogError

LARGEST_ANSWER = 128 * 2**20
"""Bytes of one JSON answer (and of anything made on the way to it)."""
_TOO_LARGE = (
    "too many",
    "too large",
    "too deep",
    "stack overflow",
    "too long",
    "too big",
    "too complex",
    "tables in a join",
)


class SqliteDatabase(Database):
    """See `Database`."""

    dialect = sqlite.Sqlite()

    def __init__(self, address: URL) -> None:
        self.path = Path(address.database or "")
        super().__init__(address)

    def _engine(self, *, read_only: bool) -> Engine:
        engine = sql.create_engine(self.address, pool_size=READERS, max_overflow=-1)

        @sql.event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _record: Any) -> None:
            sqlite.register(connection)
            for pragma in (
                f"busy_timeout={PATIENCE * 1000}",
                "cache_size=-65536",
                "mmap_size=1073741824",
                f"temp_store={'memory' if read_only else 'file'}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            if read_only:
                connection.execute("PRAGMA query_only=ON")
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ANSWER)
            else:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")

        return engine

    def exists(self) -> bool:
        return self.path is not None and self.path.is_file()

    @contextmanager
    def limited(self, connection: sql.Connection, seconds: float) -> Iterator[None]:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        end = time.monotonic() + seconds
        raw.set_progress_handler(lambda: time.monotonic() > end, 100_000)
        connection.exec_driver_sql("BEGIN")
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)

    def excess(self, error: sql.exc.DBAPIError) -> Excess | None:
        reason = str(error.orig)
        if "interrupted" in reason:
            return Excess.TIME
        if TOO_MANY_ROWS in reason:
            return Excess.ROWS
        return Excess.SIZE if any(words in reason for words in _TOO_LARGE) else None

    def insert(self, connection: sql.Connection, table: sql.Table, rows: Sequence[Row]) -> None:
        text = insertion(self.dialect, table.name, [column.name for column in table.c])
        connection.exec_driver_sql(text, [dict(row) for row in rows])

    def look_over(self, connection: sql.Connection) -> None:
        """The indexes say enough."""

    def _lock(self, connection: sql.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _prepare(self) -> None:
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{self.url} cannot be written ({error.filename}: {error.strerror}); name another place for the catalogue"
            raise CatalogError(message) from error

    def _drop_ours(self, connection: sql.Connection) -> None:
        found = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        names = connection.exec_driver_sql(found).scalars().all()
        if names and "model" not in self.state():
            raise CatalogError(
                f"{self.url} is a database of something else (it has a table {names[0]!r}); name another file for the catalogue"
            )
        virtual = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        for name in connection.exec_driver_sql(virtual).scalars().all():
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
        old = sql.MetaData()
        old.reflect(connection)
        old.drop_all(connection, checkfirst=False)

    def _add_more(self, connection: sql.Connection) -> None:
        """There is nothing more."""

    def _holds_nothing(self, error: sql.exc.DBAPIError) -> bool:
        return "no such table" in str(error)

    def _unreadable(self, error: sql.exc.DBAPIError) -> str:
        return f"{super()._unreadable(error)} Move this file away, then run `tomoportal load`."
