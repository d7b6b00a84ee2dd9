"""The kinds of databases that a catalogue can lie in."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tomoportal.catalog.database import Database
from tomoportal.errors import UsageError

EXPECTED = "expected sqlite:///path or postgresql://user:password@host/database"


def database_at(url: str) -> Database:
    """The database at a URL. Raises `UsageError`."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite":
        from tomoportal.catalog.backends.sqlite import SqliteDatabase

        return SqliteDatabase(parsed)
    try:
        from tomoportal.catalog.backends.postgres import PostgresDatabase
    except ModuleNotFoundError as error:
        if error.name not in ("psycopg", "psycopg_binary"):
            raise
        raise UsageError(
            "catalogues in PostgreSQL need the package psycopg: install tomoportal[postgres]"
        ) from None
    return PostgresDatabase(parsed)


def parsed_url(url: str | URL) -> URL:
    """A database URL as SQLAlchemy takes it: every spelling of PostgreSQL (`postgres://`, `postgresql://`) means psycopg. Raises
    `UsageError`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError(f"{url!r} is not a database URL; {EXPECTED}") from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if not parsed.database or parsed.database == ":memory:":
            raise UsageError("a catalogue needs a file: sqlite:///path")
        return parsed
    if parsed.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise UsageError(f"{shown}: a catalogue cannot lie in {parsed.drivername}; {EXPECTED}")
    if not parsed.database:
        raise UsageError(f"{shown} names no database; {EXPECTED}")
    return parsed.set(drivername="postgresql+psycopg")
