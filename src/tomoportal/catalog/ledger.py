"""Ids and measured sizes of what has no private area, kept beside the database so that they outlive the catalogue.

For `sqlite:///portal/catalog.sqlite` that is `portal/catalog.mirrors.sqlite`, for PostgreSQL the schema `<schema of the catalogue>_mirrors`
of the same database. It is made when it is first needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import URL

from tomoportal.catalog.backends import parsed_url
from tomoportal.errors import CatalogError
from tomoportal.layout.ids import FIRST_OF_MIRRORS, LARGEST_OF_MIRRORS
from tomoportal.layout.private import packed_ids, unpacked_ids

AT_ONCE = 500
"""Folders asked for in one statement."""
PATIENCE = 60.0
"""Seconds that one who writes waits for another."""

Ids = dict[str, dict[str, int]]
"""Entity class name → row key → id."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in a run: bytes of everything below it while its metadata were those of `fingerprint`, and of each volume (path →
    tag of the metadata that name it, bytes)."""

    fingerprint: str
    total: int
    volumes: Mapping[str, tuple[str, int]] = field(default_factory=dict)


class MirrorLedger(AbstractContextManager["MirrorLedger"]):
    """The ledger of the catalogue at a database URL. Raises `CatalogError` when it cannot be read or written."""

    def __init__(self, database_url: str | URL) -> None:
        url = parsed_url(database_url)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        file = Path(url.database or "")
        if self.is_sqlite:
            file = file.with_name(f"{file.stem}.mirrors.sqlite")
            url = url.set(database=str(file))
        self.where = url.render_as_string(hide_password=True)
        arguments = {"timeout": PATIENCE} if self.is_sqlite else {}
        self._engine = sql.create_engine(url, poolclass=sql.NullPool, connect_args=arguments)
        with self._told():
            if self.is_sqlite:
                file.parent.mkdir(parents=True, exist_ok=True)
            with self._engine.connect() as connection:
                self._make(connection)

    def _make(self, connection: sql.Connection) -> None:
        schema = None
        if not self.is_sqlite:
            schema = f"{connection.execute(sql.text('SELECT current_schema()')).scalar_one()}_mirrors"
            connection.execute(sql.schema.CreateSchema(schema, if_not_exists=True))
        tables = sql.MetaData(schema=schema)
        self._ids = _table(tables, "ids", sql.Column("ids", sql.Text, nullable=False))
        self._next = sql.Table(
            "next_id", tables, sql.Column("entity", sql.Text, primary_key=True), sql.Column("id", sql.Integer)
        )
        self._sizes = _table(
            tables, "sizes", sql.Column("fingerprint", sql.Text), sql.Column("total", sql.BigInteger), sql.Column("volumes", sql.Text),
        )  # fmt: skip
        for table in tables.sorted_tables:
            connection.execute(sql.schema.CreateTable(table, if_not_exists=True))
        connection.commit()

    def assign(self, wanted: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Ids]:
        """The ids of rows, by the folder of the sidecar in which they stand: `wanted` has (entity class name, row key) of each. Rows that
        have none get the next that nobody ever had."""
        with self._told(), self._engine.connect() as connection:
            self._lock(connection)
            known = self._known(connection, wanted)
            counters = {row.entity: row.id for row in connection.execute(sql.select(self._next))}
            changed = {
                folder: ids
                for folder, rows in wanted.items()
                if (ids := _completed(known.get(folder, {}), rows, counters)) is not known.get(folder)
            }
            if changed:
                self._keep(connection, changed, counters)
            connection.commit()
        return known | changed

    def measured(self, runs: Iterable[str]) -> dict[str, Measured]:
        """What was measured of some runs, by folder."""
        with self._told(), self._engine.connect() as connection:
            rows = self._rows(connection, self._sizes, runs)
            return {row.folder: _measured(row) for row in rows}

    def keep_measured(self, run: str, found: Measured) -> None:
        """Remember what was measured of a run."""
        volumes = json.dumps({path: list(told) for path, told in found.volumes.items()})
        values = {"folder": run, "fingerprint": found.fingerprint, "total": found.total, "volumes": volumes}
        with self._told(), self._engine.begin() as connection:
            connection.execute(self._sizes.delete().where(self._sizes.c.folder == run))
            connection.execute(self._sizes.insert(), values)

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def _lock(self, connection: sql.Connection) -> None:
        """Nobody else allots ids until the transaction ends."""
        if self.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(
                f'LOCK TABLE "{self._next.schema}"."{self._next.name}" IN EXCLUSIVE MODE'
            )

    def _known(self, connection: sql.Connection, folders: Iterable[str]) -> dict[str, Ids]:
        rows = self._rows(connection, self._ids, folders)
        return {row.folder: {e: unpacked_ids(ids) for e, ids in json.loads(row.ids).items()} for row in rows}

    @staticmethod
    def _rows(connection: sql.Connection, table: sql.Table, folders: Iterable[str]) -> Iterator[Any]:
        left = list(folders)
        for start in range(0, len(left), AT_ONCE):
            some = table.c.folder.in_(left[start : start + AT_ONCE])
            yield from connection.execute(sql.select(table).where(some))

    def _keep(self, connection: sql.Connection, ids: Mapping[str, Ids], counters: Mapping[str, int]) -> None:
        folders = list(ids)
        for start in range(0, len(folders), AT_ONCE):
            some = self._ids.c.folder.in_(folders[start : start + AT_ONCE])
            connection.execute(self._ids.delete().where(some))
        texts = {
            folder: json.dumps({e: packed_ids(rows) for e, rows in item.items()})
            for folder, item in ids.items()
        }
        connection.execute(
            self._ids.insert(), [{"folder": folder, "ids": text} for folder, text in texts.items()]
        )
        connection.execute(self._next.delete())
        connection.execute(self._next.insert(), [{"entity": e, "id": id} for e, id in counters.items()])

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sql.exc.DBAPIError, OSError, ValueError) as error:
            reason = getattr(error, "orig", error)
            raise CatalogError(
                f"the ids of mirrored datasets in {self.where} cannot be read or written ({reason}). "
                "Restore this file from a backup; without it these datasets get other ids."
            ) from error


def _table(tables: sql.MetaData, name: str, *columns: sql.Column) -> sql.Table:
    return sql.Table(name, tables, sql.Column("folder", sql.Text, primary_key=True), *columns)


def _completed(known: Ids, rows: Sequence[tuple[str, str]], counters: dict[str, int]) -> Ids:
    """`known` itself when no row lacks an id."""
    missing = [(entity, key) for entity, key in rows if key not in known.get(entity, {})]
    if not missing:
        return known
    ids = {entity: dict(items) for entity, items in known.items()}
    for entity, key in missing:
        number = counters.get(entity, FIRST_OF_MIRRORS)
        if number > LARGEST_OF_MIRRORS:
            raise ValueError(f"the identifiers of {entity} are used up")
        counters[entity] = number + 1
        ids.setdefault(entity, {})[key] = number
    return ids


def _measured(row: Any) -> Measured:
    volumes = {path: (tag, size) for path, (tag, size) in json.loads(row.volumes).items()}
    return Measured(row.fingerprint, row.total, volumes)
