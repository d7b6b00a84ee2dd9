"""What was withdrawn, so that its pages and files can say so: out of the ledgers into a table, and out of that again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sql

from tomoportal.catalog.database import Database
from tomoportal.catalog.tables import FOLDER, RELEASE, TOMBSTONES, below
from tomoportal.layout.paths import Key, folder
from tomoportal.layout.private import Record
from tomoportal.layout.tree import OWN, own_entity


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A withdrawn entity. `on` is the day (ISO), `reason` may be empty, `number` is its portal-wide id."""

    kind: str
    folder: str
    title: str
    reason: str
    on: str
    number: int | None = None


def tombstones_of(records: Iterable[Record]) -> list[dict[str, object]]:
    """The rows of the table for withdrawn entities."""
    return [_row(record) for record in records if own_entity(record.key.kind)]


def bury(connection: sql.Connection, database: Database, rows: Sequence[Mapping[str, object]]) -> None:
    """Put tombstones in."""
    if rows:
        connection.execute(database.tables.tables[TOMBSTONES].insert(), list(rows))


def dig_up(connection: sql.Connection, database: Database, scopes: Iterable[str]) -> None:
    """Remove the tombstones below folders."""
    table = database.tables.tables[TOMBSTONES]
    for scope in scopes:
        connection.execute(table.delete().where(below(table, scope)))


def _row(record: Record) -> dict[str, object]:
    told = record.withdrawal or {}
    key, entity = record.key, own_entity(record.key.kind)
    number: int | None = record.ids.get(entity.__name__, {}).get(OWN) if entity else None
    if key.kind in ("dataset", "deposition"):
        name = key.dataset or key.deposition
        number = int(name) if name.isdecimal() else None
    return {
        FOLDER: folder(key), "number": number, "kind": key.kind, "title": str(told.get("title") or ""),
        "reason": str(told.get("reason") or ""), "withdrawn": str(told["on"])[:10], RELEASE: str(told.get("release_date") or ""),
    }  # fmt: skip


def tombstone(
    connection: sql.Connection, database: Database, now: str, kind: str, number: int
) -> Tombstone | None:
    """The tombstone of the entity that had this id; None when it was not public when it was withdrawn."""
    table = database.tables.tables[TOMBSTONES]
    return _found(connection, table, now, sql.and_(table.c.kind == kind, table.c.number == number))


def tombstone_at(connection: sql.Connection, database: Database, now: str, key: Key) -> Tombstone | None:
    """The tombstone of an entity, or of the nearest one around it."""
    table = database.tables.tables[TOMBSTONES]
    parts = folder(key).split("/")
    around = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return _found(connection, table, now, table.c[FOLDER].in_(around))


def tombstones_in(
    connection: sql.Connection, database: Database, now: str, place: Key
) -> tuple[Tombstone, ...]:
    """Those of what lay in a dataset or run, last withdrawn first."""
    table = database.tables.tables[TOMBSTONES]
    inside = sql.and_(below(table, folder(place)), table.c[FOLDER] != folder(place), table.c[RELEASE] <= now)
    asked = sql.select(table).where(inside).order_by(table.c.withdrawn.desc(), table.c[FOLDER])
    return tuple(map(_stone, connection.execute(asked).mappings()))


def folder_of(connection: sql.Connection, database: Database, kind: str, number: int) -> str | None:
    """Where the entity with a portal-wide id lies or lay."""
    entity = own_entity(kind)
    if entity is None:
        return None
    rows = database.tables.tables[entity.names.table]
    stones = database.tables.tables[TOMBSTONES]
    found = connection.execute(sql.select(rows.c[FOLDER]).where(rows.c.id == number)).scalar()
    buried = sql.select(stones.c[FOLDER]).where(stones.c.kind == kind, stones.c.number == number)
    return found or connection.execute(buried).scalar()


def _found(
    connection: sql.Connection, table: sql.Table, now: str, where: sql.ColumnElement[bool]
) -> Tombstone | None:
    longest = sql.func.length(table.c[FOLDER]).desc()
    asked = sql.select(table).where(where, table.c[RELEASE] <= now).order_by(longest).limit(1)
    row = connection.execute(asked).mappings().first()
    return _stone(row) if row else None


def _stone(row: sql.RowMapping) -> Tombstone:
    return Tombstone(row["kind"], row[FOLDER], row["title"], row["reason"], row["withdrawn"], row["number"])
