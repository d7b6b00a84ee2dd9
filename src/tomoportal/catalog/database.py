"""Opening the database of a catalogue: engines, pragmas, and whether its tables fit this version of the program."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Engine, make_url

from tomoportal.catalog.compile import sqlite
from tomoportal.catalog.compile.dialect import Dialect
from tomoportal.catalog.tables import META, make_tables, model_hash
from tomoportal.errors import CatalogError, UsageError

REPAIR = "Run `tomoportal load`; it makes the catalogue anew from the files."
LONGEST = 30
"""Seconds after which a statement of a reader is stopped."""
PATIENCE = 300
"""Seconds that one who writes waits for another: putting in a dataset of 20,000 runs takes some ten of them, more on a busy machine."""
READERS = 16
"""Connections that are kept; more are opened when all are busy."""
LARGEST_ANSWER = 128 * 2**20
"""Bytes of one JSON answer (and of anything made on the way to it)."""


class Database:
    """Two engines on one database: readers may not write."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            parsed = make_url(url)
        except sql.exc.ArgumentError:
            raise UsageError(
                f"{url!r} is not a database URL; expected sqlite:///path or postgresql+psycopg://…"
            ) from None
        if parsed.get_backend_name() != "sqlite":
            raise UsageError(
                f"{url}: catalogues on {parsed.get_backend_name()} are not supported yet; use sqlite:///path"
            )
        self.path = Path(parsed.database) if parsed.database and parsed.database != ":memory:" else None
        if self.path is None:
            raise UsageError("a catalogue needs a file: sqlite:///path")
        self.tables, self.model = make_tables(), model_hash()
        self.dialect: Dialect = sqlite.Sqlite()
        self.reader = self._engine(read_only=True)
        self.writer = self._engine(read_only=False)

    def _engine(self, *, read_only: bool) -> Engine:
        engine = sql.create_engine(self.url, pool_size=READERS, max_overflow=-1)

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

    @contextmanager
    def limited(self, connection: sql.Connection, seconds: float = LONGEST) -> Iterator[None]:
        """Stop what takes longer than so many seconds, all statements together."""
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        end = time.monotonic() + seconds
        raw.set_progress_handler(lambda: time.monotonic() > end, 100_000)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)

    def exists(self) -> bool:
        """Whether there is a database at all."""
        return self.path is not None and self.path.is_file()

    def state(self) -> dict[str, str]:
        """The notes of the catalogue about itself; empty when it has no tables of ours."""
        try:
            with self.reader.connect() as connection:
                rows = connection.execute(sql.select(self.tables.tables[META])).all()
        except sql.exc.DBAPIError as error:
            if "no such table" in str(error):
                return {}
            raise CatalogError(
                f"{self.url} cannot be read ({error.orig}). Move this file away, then run `tomoportal load`."
            ) from error
        return {row.key: row.value for row in rows}

    @contextmanager
    def write(self) -> Iterator[sql.Connection]:
        """One transaction that writes; others wait. Raises `CatalogError`."""
        try:
            with self.writer.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        except sql.exc.OperationalError as error:
            raise CatalogError(f"{self.url} cannot be written: {error.orig}") from error

    def create(self) -> None:
        """Make all tables, without rows, in place of those of another version. A database with tables of someone else is
        refused."""
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{self.url} cannot be written ({error.filename}: {error.strerror}); name another place for the catalogue"
            raise CatalogError(message) from error
        with self.write() as connection:
            self._drop_ours(connection)
            self.tables.create_all(connection, checkfirst=False)
            values = {"model": self.model, "made": uuid.uuid4().hex[:12], "version": "0"}
            notes = [{"key": key, "value": value} for key, value in values.items()]
            connection.execute(self.tables.tables[META].insert(), notes)

    def _drop_ours(self, connection: sql.Connection) -> None:
        found = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        names = connection.exec_driver_sql(found).scalars().all()
        if names and "model" not in self.state():
            raise CatalogError(
                f"{self.url} is a database of something else (it has a table {names[0]!r}); name another file for the catalogue"
            )
        virtual = [name for name in names if name.endswith("_text")]
        for name in virtual:
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
        old = sql.MetaData()
        old.reflect(connection)
        old.drop_all(connection, checkfirst=False)

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()
        self.writer.dispose()
