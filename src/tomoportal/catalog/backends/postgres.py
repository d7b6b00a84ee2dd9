"""Catalogues in PostgreSQL: in the first schema of the search path, which holds nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import psycopg
import sqlalchemy as sql
from sqlalchemy.engine import URL, Engine

from tomoportal.catalog.backends.postgres_functions import FUNCTIONS
from tomoportal.catalog.compile.dialect import TOO_MANY_ROWS
from tomoportal.catalog.compile.postgres import Postgres
from tomoportal.catalog.database import PATIENCE, READERS, Database, Excess, Row
from tomoportal.errors import CatalogError

OURS = "table of a Tomoportal catalogue; thrown away and made anew by `tomoportal load`"
"""The comment on every table, by which it is known again."""
_SETTINGS = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "plan_cache_mode": "force_custom_plan",
    "random_page_cost": "1.1",
    "work_mem": "32MB",
}
"""Questions are many and short: what helps a single long one (compiling, several workers) costs them more than it gives."""
_TOO_MUCH_IN_IT = ("22003", "2201B", "53200", "53400")
"""Numbers out of range, expressions too complex, memory; those of class 54 are limits of the program."""


class PostgresDatabase(Database):
    """See `Database`."""

    dialect = Postgres()

    def __init__(self, address: URL) -> None:
        self._grown: set[str] = set()
        super().__init__(address)

    def _engine(self, *, read_only: bool) -> Engine:
        engine = sql.create_engine(
            self.address, pool_size=READERS, max_overflow=READERS, pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "tomoportal"},
        )  # fmt: skip

        @sql.event.listens_for(engine, "connect")
        def prepare(connection: psycopg.Connection, _record: Any) -> None:
            connection.autocommit = True
            for name, value in _SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            connection.autocommit = False
            if read_only:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True

        @sql.event.listens_for(engine, "handle_error")
        def tell(context: sql.ExceptionContext) -> None:
            if context.connection is None and isinstance(
                context.original_exception, psycopg.OperationalError
            ):
                raise CatalogError(
                    _no_connection(self.url, str(context.original_exception))
                ) from context.original_exception

        return engine

    def exists(self) -> bool:
        return True

    @contextmanager
    def limited(self, connection: sql.Connection, seconds: float) -> Iterator[None]:
        end = time.monotonic() + seconds

        def limit(_connection: Any, cursor: psycopg.Cursor, *_: Any) -> None:
            left = max(1, round((end - time.monotonic()) * 1000))
            cursor.execute(f"SET LOCAL statement_timeout = {left}".encode())

        sql.event.listen(connection, "before_cursor_execute", limit)
        try:
            yield
        finally:
            sql.event.remove(connection, "before_cursor_execute", limit)

    def excess(self, error: sql.exc.DBAPIError) -> Excess | None:
        state = getattr(error.orig, "sqlstate", None) or ""
        if state == "57014":
            return Excess.TIME
        if state == "22P02" and TOO_MANY_ROWS in str(error.orig):
            return Excess.ROWS
        is_large = (
            state in _TOO_MUCH_IN_IT or state.startswith("54") or "number of parameters" in str(error.orig)
        )
        return Excess.SIZE if is_large else None

    def insert(self, connection: sql.Connection, table: sql.Table, rows: Sequence[Row]) -> None:
        names = [column.name for column in table.c]
        self._copy(connection, table.name, names, ([row[name] for name in names] for row in rows))

    def _copy(
        self, connection: sql.Connection, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        columns = ", ".join(f'"{name}"' for name in names)
        statement = f'COPY "{table}" ({columns}) FROM STDIN'
        try:
            with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        except psycopg.Error as error:
            _raise(statement, error)

    @contextmanager
    def write(self) -> Iterator[sql.Connection]:
        with super().write() as connection:
            yield connection
        if self._grown:
            self._vacuum()

    def _vacuum(self) -> None:
        """Indexes alone answer when the database knows which pages everybody sees."""
        tables = ", ".join(f'"{name}"' for name in sorted(self._grown))
        self._grown.clear()
        with self.writer.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"VACUUM {tables}")

    def look_over(self, connection: sql.Connection) -> None:
        """Tables that have grown by a tenth get new statistics."""
        changed = (
            "SELECT relname FROM pg_stat_xact_user_tables JOIN pg_class USING (relname) "
            "WHERE schemaname = current_schema() AND relnamespace = current_schema()::regnamespace "
            "AND n_tup_ins > 200 + 0.1 * reltuples"
        )
        for name in connection.exec_driver_sql(changed).scalars().all():
            connection.exec_driver_sql(f'ANALYZE "{name}"')
            self._grown.add(name)

    def _lock(self, connection: sql.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {PATIENCE * 1000}")
        lock = "SELECT pg_advisory_xact_lock(hashtext('tomoportal catalogue'), hashtext(current_schema()))"
        connection.exec_driver_sql(lock)

    def _prepare(self) -> None:
        with self.writer.connect() as connection:
            asked = (
                "SELECT current_schema(), current_setting('server_encoding'), current_setting('search_path')"
            )
            schema, encoding, path = connection.exec_driver_sql(asked).one()
        if schema is None:
            raise CatalogError(
                f"{self.url} has no schema {path}: make one with CREATE SCHEMA, or name another"
            )
        if encoding != "UTF8":
            raise CatalogError(
                f"{self.url} has the encoding {encoding}: make a database with ENCODING 'UTF8'"
            )

    def _drop_ours(self, connection: sql.Connection) -> None:
        found = (
            "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
            "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1"
        )
        tables = connection.exec_driver_sql(found).all()
        if others := [name for name, comment in tables if comment != OURS]:
            raise CatalogError(
                f"{self.url} is a database of something else (it has a table {others[0]!r}); make one for the catalogue alone with "
                "CREATE DATABASE, or a schema with CREATE SCHEMA, named by ?options=-csearch_path=…"
            )
        if tables:
            names = ", ".join(f'"{name}"' for name, _ in tables)
            connection.exec_driver_sql(f"DROP TABLE {names}")

    def _add_more(self, connection: sql.Connection) -> None:
        for name in self.tables.tables:
            connection.exec_driver_sql(f"COMMENT ON TABLE \"{name}\" IS '{OURS}'")
        for function in FUNCTIONS:
            connection.exec_driver_sql(function)

    def _holds_nothing(self, error: sql.exc.DBAPIError) -> bool:
        return isinstance(error.orig, psycopg.errors.UndefinedTable)


def _raise(statement: str, error: psycopg.Error) -> NoReturn:
    """As SQLAlchemy would, in one sentence."""
    key = re.search(r"\((.+)\)=\((.+)\)", error.diag.message_detail or "")
    if isinstance(error, psycopg.errors.UniqueViolation) and key:
        told = psycopg.Error(f"{error.diag.table_name}.{key[1]} {key[2]} is there already")
    else:
        told = psycopg.Error(error.diag.message_primary or str(error))
    if isinstance(error, psycopg.IntegrityError):
        raise sql.exc.IntegrityError(statement, None, told) from error
    raise sql.exc.DBAPIError(statement, None, told) from error


def _no_connection(url: str, reason: str) -> str:
    """The sentence about a connection that could not be made."""
    last = reason.strip().splitlines()[-1] if reason.strip() else reason
    if "password" in reason:
        hint = "check user and password in the database URL, or set PGPASSWORD or ~/.pgpass"
    elif "does not exist" in reason:
        hint = "make it with CREATE DATABASE and CREATE USER, or correct the database URL"
    elif "could not translate host name" in reason or "resolve" in reason:
        hint = "correct the host in the database URL"
    else:
        hint = "see whether PostgreSQL runs there and lets this machine in"
    return f"{url} cannot be reached ({last}): {hint}"
