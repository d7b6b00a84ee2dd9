"""What one reader may see of the catalogue. Every read of the program goes through a `View`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from tomoportal.catalog.compile import aggregate, search, selection
from tomoportal.catalog.compile.condition import condition
from tomoportal.catalog.compile.writer import Addresses, Scope, Statement, Writer
from tomoportal.catalog.database import LONGEST, Excess
from tomoportal.catalog.search import matches
from tomoportal.catalog.tables import FOLDER, RELEASE, REPLACING, below
from tomoportal.catalog.tombstones import Tombstone, tombstone, tombstone_at, tombstones_in
from tomoportal.errors import CatalogError, TooMuch
from tomoportal.layout.paths import Key, folder, owner
from tomoportal.layout.tree import own_entity
from tomoportal.model import query
from tomoportal.model.annotation import Annotation
from tomoportal.model.registry import ENTITIES

if TYPE_CHECKING:
    from tomoportal.catalog.database import Database


Query = query.Select | query.Aggregate | query.Ranked | query.Named


class Visibility(StrEnum):
    """Whether a file may be given out."""

    PUBLIC = "public"
    HIDDEN = "hidden"
    REPLACING = "replacing"
    """Its entity is being replaced: come back later."""


class View:
    """The rows that are released at `today`, with public addresses. Rows of the future do not exist for it: not in lists,
    not nested, not in counts, not in searches. Safe to use from several threads."""

    def __init__(self, database: Database, today: date, addresses: Addresses, version: str) -> None:
        self.database, self.today, self.addresses, self.version = database, today, addresses, version
        self._scope = Scope(f"{today.isoformat()}T00:00:00+00:00", addresses)

    @property
    def key(self) -> tuple[str, ...]:
        """Views with the same key see the same rows: what is remembered of a view is remembered under it."""
        return (self.database.url, self.version, self._scope.now)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return (*self.key, self._scope)

    def json(self, asked: Query) -> str:
        """The answer as JSON text, a list for `Select` and an object for `Aggregate`; made by one SQL statement."""
        with self.database.connect() as connection:
            return self._told(connection, asked)

    @contextmanager
    def snapshot(self, seconds: float = LONGEST, most_rows: int = 0) -> Iterator[Callable[[Query], str]]:
        """A function that answers like `json`, every time from the same state of the catalogue, for so many seconds. Raises `TooMuch`
        when a list would hold more than `most_rows` (0: any number)."""
        bounded = View(self.database, self.today, self.addresses, self.version)
        bounded._scope = replace(self._scope, most_rows=most_rows)
        with self.database.connect(seconds) as connection:
            yield lambda asked: bounded._told(connection, asked)

    def rows(self, select: query.Select) -> list[dict[str, Any]]:
        """The same, parsed."""
        return json.loads(self.json(select))

    def search(self, asked: query.Ranked) -> dict[str, Any]:
        """Rows that fit words, best first, with where they match, as `query.Ranked` describes them."""
        return json.loads(self.json(asked))

    def names(self, asked: query.Named) -> list[dict[str, Any]]:
        """Names that fit words, as `query.Named` describes them."""
        return json.loads(self.json(asked))

    def one(
        self, entity_name: str, id: int, fields: Sequence[query.Selection | str]
    ) -> dict[str, Any] | None:
        """The row with this id, None when there is none. A plain name stands for the field of that name."""
        selected = tuple(query.Value(field, field) if isinstance(field, str) else field for field in fields)
        found = self.rows(query.Select(entity_name, selected, query.Compare("id", "eq", id)))
        return found[0] if found else None

    def count(self, entity_name: str, where: query.Condition = query.EVERYTHING) -> int:
        """How many rows fulfil `where`."""
        writer = Writer(self.database.dialect, self._scope)
        return json.loads(self._run(aggregate.count(writer, entity_name, where)))

    def sizes(self) -> dict[str, int]:
        """How many rows each entity has by class name, hidden ones included: for estimates, not for readers."""
        tables = self.database.tables.tables
        counts = [
            sql.select(sql.func.count())
            .select_from(tables[entity.names.table])
            .scalar_subquery()
            .label(entity.__name__)
            for entity in ENTITIES
        ]
        with self.database.connect() as connection:
            return dict(connection.execute(sql.select(*counts)).one()._mapping)

    def pairs(
        self, entity_name: str, where: query.Condition, path: tuple[str, ...]
    ) -> Sequence[tuple[Any, int]]:
        """Each value of the field at the end of `path` (relations, then a field) with the id of each row that fulfils `where` and
        has it, once for each related row that it comes from."""
        writer = Writer(self.database.dialect, self._scope)
        statement = aggregate.pairs(writer, entity_name, where, path)
        with self.database.connect() as connection, self._explained():
            return connection.exec_driver_sql(statement.text, statement.values).cursor.fetchall()

    def totals(self) -> dict[str, int]:
        """Numbers for the front page. They take time that grows with the portal, so they are remembered."""
        return dict(_totals(self))

    def _counted(self) -> dict[str, int]:
        names = {"datasets": "Dataset", "runs": "Run", "tomograms": "Tomogram", "annotations": "Annotation"}
        totals = {word: self.count(entity) for word, entity in names.items()}
        species = query.Aggregate(
            "Dataset",
            (query.Groups("groups", (query.Figure("n", "count", "organism_taxid", distinct=True),)),),
        )
        return {**totals, "species": json.loads(self.json(species))["groups"][0]["n"]}

    def visible(self, path: str) -> Visibility:
        """Whether the file (or folder) at this path of the layout may be given out."""
        key = owner(path)
        if key is None:
            return Visibility.HIDDEN
        return self.visible_entity(key)

    def visible_entity(self, key: Key) -> Visibility:
        """Whether an entity of the layout exists for this reader; a stored view of a tomogram does when all its annotations do."""
        if key.kind == "view":
            if self._shows_hidden(key):
                return Visibility.HIDDEN
            key = key.of("tomogram", id=key.id)
        while (entity := own_entity(key.kind)) is None:
            key = key.of("run", spacing="")
        place = folder(key)
        table = self.database.tables.tables[entity.names.table]
        replacing = self.database.tables.tables[REPLACING]
        found = (
            sql.select(
                sql.exists(sql.select(table.c.id).where(table.c[FOLDER] == place, table.c[RELEASE] <= self._scope.now)),
                sql.exists(sql.select(replacing.c.folder).where(replacing.c.folder == place)),
            )
        )  # fmt: skip
        with self.database.connect() as connection:
            is_there, is_replaced = connection.execute(found).one()
        if not is_there:
            return Visibility.HIDDEN
        return Visibility.REPLACING if is_replaced else Visibility.PUBLIC

    def tombstone(self, kind: str, number: int) -> Tombstone | None:
        """That of the dataset, run, … which had this id; None for what was not withdrawn, or not public before."""
        with self.database.connect() as connection:
            return tombstone(connection, self.database, self._scope.now, kind, number)

    def tombstone_at(self, key: Key) -> Tombstone | None:
        """That of an entity of the layout, or of the nearest one around it."""
        with self.database.connect() as connection:
            return tombstone_at(connection, self.database, self._scope.now, key)

    def tombstones_in(self, place: Key) -> tuple[Tombstone, ...]:
        """Those of what lay in a dataset or run, last withdrawn first."""
        with self.database.connect() as connection:
            return tombstones_in(connection, self.database, self._scope.now, place)

    def _shows_hidden(self, view: Key) -> bool:
        """Whether what is made of a tomogram and the annotations of its run may show some that are not released yet."""
        run = folder(view.of("run", spacing=""))
        table = self.database.tables.tables[Annotation.names.table]
        hidden = sql.select(table.c.id).where(below(table, run), table.c[RELEASE] > self._scope.now)
        with self.database.connect() as connection:
            return connection.execute(sql.select(sql.exists(hidden))).scalar_one()

    def _statement(self, asked: Query) -> Statement:
        writer = Writer(self.database.dialect, self._scope)
        match asked:
            case query.Aggregate():
                return aggregate.aggregate(writer, asked)
            case query.Ranked():
                return search.ranked(writer, asked, condition)
            case query.Named():
                return search.named(writer, asked)
        return selection.select(writer, asked)

    def _told(self, connection: sql.Connection, asked: Query) -> str:
        answer = self._answer(connection, self._statement(asked))
        match asked:
            case query.Ranked():
                return matches.told(answer, asked)
            case query.Named():
                return matches.names_told(answer)
        return answer

    def _run(self, statement: Statement) -> str:
        with self.database.connect() as connection:
            return self._answer(connection, statement)

    def _answer(self, connection: sql.Connection, statement: Statement) -> str:
        with self._explained():
            answer = connection.exec_driver_sql(statement.text, statement.values).scalar_one()
        if answer is None:
            raise TooMuch("size", "this query is too large for the database: ask for fewer rows or fields")
        return answer

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the database refuses, in sentences. Raises `TooMuch`, `CatalogError`."""
        try:
            yield
        except sql.exc.DBAPIError as error:
            match self.database.excess(error):
                case Excess.TIME:
                    raise TooMuch(
                        "time", "this query takes longer than the portal allows; ask for less"
                    ) from error
                case Excess.ROWS:
                    most = self._scope.most_rows
                    reason = f"a list of this answer would hold more than {most} rows; ask for pages with limitOffset or first"
                    raise TooMuch("rows", reason) from error
                case Excess.SIZE:
                    raise TooMuch(
                        "size", f"this query is too large for the database ({error.orig})"
                    ) from error
            raise CatalogError(f"the catalogue {self.database.url} cannot answer: {error.orig}") from error


@lru_cache(maxsize=16)
def _totals(view: View) -> dict[str, int]:
    return view._counted()
