"""The database of a catalogue: what all kinds have in common. Each kind is a module of `backends`."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import URL, Engine

from tomoportal.catalog.compile.dialect import Dialect
from tomoportal.catalog.tables import META, make_tables, model_hash
from tomoportal.errors import CatalogError

REPAIR = "Run `tomoportal load`; it makes the catalogue anew from the files."
LONGEST = 30
"""Seconds after which a statement of a reader is stopped."""
PATIENCE = 300
"""Seconds that one who writes waits for another: putting in a dataset of 20,000 runs takes some ten of them, more on a busy machine."""
READERS = 16
"""Connections that are kept; more are opened when all are busy."""

Row = Mapping[str, Any]


class Excess(StrEnum):
    """What a statement had too much of when the database gave it up."""

    TIME = "time"
    ROWS = "rows"
    SIZE = "size"


class Database(ABC):
    """Two engines on one database: readers may not write. `url` is shown to people and holds no password; `path` is the file, of
    databases that are one. `address` is for whoever else opens it."""

    dialect: Dialect
    path: Path | None = None

    def __init__(self, address: URL) -> None:
        self.address, self.url = address, address.render_as_string(hide_password=True)
        self.tables, self.model = make_tables(), model_hash()
        self.reader = self._engine(read_only=True)
        self.writer = self._engine(read_only=False)

    @abstractmethod
    def _engine(self, *, read_only: bool) -> Engine: ...

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a database at all."""

    @abstractmethod
    def limited(self, connection: sql.Connection, seconds: float) -> AbstractContextManager[None]:
        """Begin a transaction that sees one state of the catalogue, and stop what takes longer than so many seconds, all statements
        together."""

    @abstractmethod
    def excess(self, error: sql.exc.DBAPIError) -> Excess | None:
        """Why the database gave a statement up, when it was the statement's fault."""

    @abstractmethod
    def insert(self, connection: sql.Connection, table: sql.Table, rows: Sequence[Row]) -> None:
        """Put rows in that have all columns. Raises `sqlalchemy.exc.IntegrityError`."""

    @abstractmethod
    def look_over(self, connection: sql.Connection) -> None:
        """Called when rows were put in and out, before the transaction ends: time for statistics."""

    @abstractmethod
    def _lock(self, connection: sql.Connection) -> None:
        """Begin a transaction of the only one who writes."""

    @abstractmethod
    def _prepare(self) -> None:
        """See to it that a database can be made. Raises `CatalogError`."""

    @abstractmethod
    def _drop_ours(self, connection: sql.Connection) -> None:
        """Remove all tables of a catalogue. Raises `CatalogError` when there are others."""

    @abstractmethod
    def _add_more(self, connection: sql.Connection) -> None:
        """Make what the tables alone do not say."""

    @abstractmethod
    def _holds_nothing(self, error: sql.exc.DBAPIError) -> bool:
        """Whether reading failed because there are no tables of ours."""

    @contextmanager
    def connect(self, seconds: float = LONGEST) -> Iterator[sql.Connection]:
        """A connection that sees one state of the catalogue, for so many seconds. Raises `CatalogError`."""
        try:
            connection = self.reader.connect()
        except sql.exc.TimeoutError as error:
            raise CatalogError(f"all connections to {self.url} are busy; try again later") from error
        with connection, self.limited(connection, seconds):
            yield connection

    def state(self) -> dict[str, str]:
        """The notes of the catalogue about itself; empty when it has no tables of ours."""
        try:
            with self.reader.connect() as connection:
                rows = connection.execute(sql.select(self.tables.tables[META])).all()
        except sql.exc.DBAPIError as error:
            if self._holds_nothing(error):
                return {}
            raise CatalogError(self._unreadable(error)) from error
        return {row.key: row.value for row in rows}

    def _unreadable(self, error: sql.exc.DBAPIError) -> str:
        return f"{self.url} cannot be read ({error.orig})."

    @contextmanager
    def write(self) -> Iterator[sql.Connection]:
        """One transaction that writes; others wait. Raises `CatalogError`."""
        try:
            with self.writer.begin() as connection:
                self._lock(connection)
                yield connection
        except sql.exc.IntegrityError:
            raise
        except sql.exc.DBAPIError as error:
            raise CatalogError(f"{self.url} cannot be written: {error.orig}") from error

    def create(self) -> None:
        """Make all tables, without rows, in place of those of another version. A database with tables of someone else is
        refused."""
        self._prepare()
        with self.write() as connection:
            self._drop_ours(connection)
            self.tables.create_all(connection, checkfirst=False)
            self._add_more(connection)
            values = {"model": self.model, "made": uuid.uuid4().hex[:12], "version": "0"}
            notes = [{"key": key, "value": value} for key, value in values.items()]
            connection.execute(self.tables.tables[META].insert(), notes)

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()
        self.writer.dispose()
