"""Opening the database of a catalogue: engines, pragmas, and whether its tables fit this version of the program."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Engine, make_url

from tomoportal.catalog.compile import sqlite
from tomoportal.catalog.compile.dialect import Dialect
from tomoportal.catalog.tables import META, make_tables, model_hash, search_table
from tomoportal.errors import CatalogError, UsageError
from tomoportal.model.registry import ENTITIES

REPAIR = "Run `tomoportal load`; it makes the catalogue anew from the files."
LONGEST = 30
"""Seconds after which a statement of a reader is stopped."""
READERS = 16
"""Connections that are kept; more are opened when all are busy."""


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
        self.tables = make_tables()
        self.dialect: Dialect = sqlite.Sqlite()
        self.reader = self._engine(read_only=True)
        self.writer = self._engine(read_only=False)

    def _engine(self, *, read_only: bool) -> Engine:
        engine = sql.create_engine(self.url, pool_size=READERS, max_overflow=READERS, pool_timeout=30)

        @sql.event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _record: Any) -> None:
            sqlite.register(connection)
            for pragma in (
                "busy_timeout=30000",
                "cache_size=-65536",
                "mmap_size=1073741824",
                "temp_store=memory",
            ):
                connection.execute(f"PRAGMA {pragma}")
            if read_only:
                connection.execute("PRAGMA query_only=ON")
            else:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")

        return engine

    @contextmanager
    def limited(self, connection: sql.Connection) -> Iterator[None]:
        """Stop what takes too long."""
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        end = time.monotonic() + LONGEST
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
            raise CatalogError(f"{self.url} cannot be read ({error.orig}). {REPAIR}") from error
        return {row.key: row.value for row in rows}

    def create(self) -> None:
        """Make all tables, without rows; an older catalogue goes. Raises `CatalogError` when the place cannot be written, or holds
        the tables of another program."""
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._create()
        except OSError as error:
            raise CatalogError(
                f"{self.url} cannot be written: {error.filename}: {error.strerror}. Choose another --database."
            ) from error
        except sql.exc.DBAPIError as error:
            raise CatalogError(f"{self.url} cannot be written ({error.orig}).") from error

    def _create(self) -> None:
        with self.writer.begin() as connection:
            self._refuse_foreign(connection)
            self._drop_all(connection)
            self.tables.create_all(connection)
            for name in search_tables():
                connection.exec_driver_sql(
                    f'CREATE VIRTUAL TABLE "{name}_text" USING fts5(words, tokenize="unicode61 remove_diacritics 0")'
                )
            notes = [{"key": "model", "value": model_hash()}, {"key": "version", "value": "0"}]
            connection.execute(self.tables.tables[META].insert(), notes)

    def _refuse_foreign(self, connection: sql.Connection) -> None:
        names = sql.inspect(connection).get_table_names()
        if names and META not in names:
            raise CatalogError(
                f"{self.url} holds tables of another program ({', '.join(sorted(names)[:3])}…) and is left as it is. "
                "Choose another --database."
            )

    def _drop_all(self, connection: sql.Connection) -> None:
        old = sql.MetaData()
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
        ).scalars()
        for name in list(names):
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
        old.reflect(connection)
        old.drop_all(connection)

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()
        self.writer.dispose()


def search_tables() -> list[str]:
    """Names of the tables with searchable text."""
    names = {search_table(entity) for entity in ENTITIES}
    return [name for name in make_tables().tables if name in names]
