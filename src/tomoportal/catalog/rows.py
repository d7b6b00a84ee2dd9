"""Putting rows into the tables, and what follows from them: release dates that reach down, searchable words.

Works inside a transaction of the caller. A scope is the layout folder of a dataset or deposition (with everything below
it), or None for the whole catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Any

import sqlalchemy as sql

from tomoportal.catalog.database import Database
from tomoportal.catalog.search import index
from tomoportal.catalog.tables import (
    FOLDER,
    META,
    RELEASE,
    REPLACING,
    below,
    below_bound,
    scope_values,
)
from tomoportal.layout.paths import DEPOSITIONS
from tomoportal.model.entity import Entity
from tomoportal.model.ontology import Ontologies
from tomoportal.model.registry import ENTITIES
from tomoportal.model.registry import entity as entity_named


def in_order_of_need() -> list[type[Entity]]:
    """Every entity behind those that its rows point at."""
    needs = {
        entity.__name__: {r.target for r in entity.relations.values() if not r.many} for entity in ENTITIES
    }
    return [entity_named(name) for name in TopologicalSorter(needs).static_order()]


def insert(
    connection: sql.Connection, database: Database, rows: Mapping[str, Sequence[Mapping[str, Any]]]
) -> int:
    """Put rows, by entity class name, into their tables; returns how many. Every row has all columns; `_release` may be absent, or a
    guess, since `settle` corrects it."""
    for name, items in rows.items():
        if items:
            table = database.tables.tables[entity_named(name).names.table]
            database.insert(connection, table, [{RELEASE: "", **item} for item in items])
    return sum(len(items) for items in rows.values())


def delete(connection: sql.Connection, database: Database, scopes: Iterable[str]) -> None:
    """Remove the rows below folders, except those of entities that are marked as being replaced."""
    kept = sql.select(database.tables.tables[REPLACING].c.folder)
    for scope in scopes:
        for entity in _standing_in(ENTITIES, scope):
            table = database.tables.tables[entity.names.table]
            where = sql.and_(below(table, scope), table.c[FOLDER].not_in(kept))
            connection.execute(table.delete().where(where))


def mark_replaced(
    connection: sql.Connection, database: Database, scopes: Iterable[str], replaced: Sequence[str]
) -> None:
    """Below some folders, these and no others are entities that are being replaced."""
    marks = database.tables.tables[REPLACING]
    for scope in scopes:
        inside = sql.or_(marks.c.folder == scope, marks.c.folder.startswith(f"{scope}/", autoescape=True))
        connection.execute(marks.delete().where(inside))
    if replaced:
        connection.execute(marks.insert(), [{"folder": folder} for folder in replaced])


def settle(
    connection: sql.Connection,
    database: Database,
    scope: str | None,
    forgotten: index.Forgotten = index.NOTHING_FORGOTTEN,
    ontologies: index.GetOntologies = Ontologies,
) -> None:
    """Bring release dates and what rows are found by up to date for everything below a folder; `ontologies` knows other names
    of terms."""
    for entity in _standing_in(in_order_of_need(), scope):
        _settle_releases(connection, database, entity, scope)
    index.settle(connection, database, scope, forgotten, ontologies)


def count_load(connection: sql.Connection, database: Database) -> None:
    """Tell readers that something changed."""
    meta = database.tables.tables[META]
    number = sql.cast(sql.cast(meta.c.value, sql.Integer) + 1, sql.Text)
    connection.execute(meta.update().where(meta.c.key == "version").values(value=number))
    database.look_over(connection)


def note(database: Database, key: str, value: str) -> None:
    """Keep a note of the catalogue about itself."""
    meta = database.tables.tables[META]
    with database.write() as connection:
        connection.execute(meta.delete().where(meta.c.key == key))
        connection.execute(meta.insert().values(key=key, value=value))


def _standing_in(entities: Iterable[type[Entity]], scope: str | None) -> list[type[Entity]]:
    """Those whose rows may lie below a folder: what depositions have, or what datasets have."""
    if scope is None:
        return list(entities)
    is_of_deposition = scope.startswith(f"{DEPOSITIONS}/")
    return [entity for entity in entities if (entity.rows.sidecar == "deposition") == is_of_deposition]


def _settle_releases(
    connection: sql.Connection, database: Database, entity: type[Entity], scope: str | None
) -> None:
    """A row is visible from the latest of its own date and those of the rows it points at."""
    statement = _settling(
        database.tables, entity.__name__, database.dialect.greatest, everything=scope is None
    )
    if statement is not None:
        connection.execute(statement, {} if scope is None else scope_values(scope))


@lru_cache(maxsize=256)
def _settling(metadata: sql.MetaData, name: str, greatest: str, *, everything: bool) -> sql.Update | None:
    """Correct the release dates of an entity, of all rows or of those below a folder; None where no date can reach."""
    entity, tables = entity_named(name), metadata.tables
    table = tables[entity.names.table]
    dates: list[sql.ColumnElement[str]] = [sql.literal("")]
    if "release_date" in table.c:
        dates.append(sql.func.coalesce(table.c.release_date, ""))
    for relation in entity.relations.values():
        if not relation.many:
            target = tables[entity_named(relation.target).names.table].alias()
            date = sql.select(target.c[RELEASE]).where(target.c.id == table.c[relation.key]).scalar_subquery()
            dates.append(sql.func.coalesce(date, ""))
    if len(dates) == 1:
        return None
    latest = getattr(sql.func, greatest)(*dates)
    wrong = table.c[RELEASE] != latest
    where = wrong if everything else sql.and_(below_bound(table), wrong)
    return table.update().where(where).values({RELEASE: latest})
