"""Filling the tables of full-text search for everything below a folder, and for the depositions that it belongs to.

Works inside a transaction of the caller, after the release dates of the rows are settled. All but the splitting of new texts
into words happens inside the database. A scope is the layout folder of a dataset, run or deposition, or None for everything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sql

from tomoportal.catalog.database import Database
from tomoportal.catalog.search.passages import SPELLED, SUBJECTS, Place, labels_of, places, sources
from tomoportal.catalog.search.tables import LINK, RELEASE, TEXT, WORD
from tomoportal.catalog.tables import FOLDER, below, below_bound, scope_values
from tomoportal.catalog.words import tokens
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Kind
from tomoportal.model.ontology import Ontologies
from tomoportal.model.registry import entity as entity_named

T = TypeVar("T")

LINE = "\n"
ALSO = "also: "
"""Begins the lines of a text that an ontology has added."""
FAR = 1000
"""Places between two lines, so that no phrase is found across them."""
AT_A_TIME = 2000
"""Texts or rows that are held at a time."""
_IDENTIFIER = re.compile(r"[A-Za-z]{2,}:\w+")

GetOntologies = Callable[[], Ontologies]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text to be kept; `lines` may hold names that an ontology has added."""

    number: int
    digest: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was found below some folders before: the depositions that it belonged to, and whether there was anything."""

    depositions: frozenset[int] = frozenset()
    anything: bool = False


NOTHING_FORGOTTEN = Forgotten()


def forget(connection: sql.Connection, database: Database, scopes: Iterable[str]) -> Forgotten:
    """Nothing below these folders is found any more. To be called before the rows are removed."""
    depositions: set[int] = set()
    count = 0
    for scope in scopes:
        depositions.update(connection.execute(_depositions(database, scope)).scalars())
        for kind, subject in enumerate(SUBJECTS):
            table = database.tables.tables[entity_named(subject).names.table]
            count += _unlink(connection, database, kind, sql.select(table.c.id).where(below(table, scope)))
    return Forgotten(frozenset(depositions), count > 0)


def settle(
    connection: sql.Connection,
    database: Database,
    scope: str | None,
    forgotten: Forgotten = NOTHING_FORGOTTEN,
    ontologies: GetOntologies = Ontologies,
) -> None:
    """Bring links and words up to date; `ontologies` knows other names of terms."""
    filling = _Filling(connection, database, scope, ontologies)
    roots = [filling.roots(subject, forgotten.depositions) for subject in SUBJECTS]
    was_linked = filling.unlink(roots)
    filling.add_texts()
    for place in places():
        filling.link(place, roots[place.kind])
    if was_linked or forgotten.anything:
        filling.sweep()


def renew(connection: sql.Connection, database: Database, ontologies: GetOntologies) -> None:
    """Other ontologies are loaded than before: give all texts that name terms the names that are known now."""
    texts, words = (database.tables.tables[name] for name in (TEXT, WORD))
    rows = connection.execute(sql.select(texts).where(texts.c.text.contains(":"))).all()
    for some in _portions([_Text(row.id, row.digest, tuple(row.text.split(LINE))) for row in rows]):
        ids = [text.number for text in some]
        connection.execute(texts.delete().where(texts.c.id.in_(ids)))
        connection.execute(words.delete().where(words.c.text_id.in_(ids)))
        _put_texts(connection, database, some, ontologies)


class _Filling:
    """The tables, and where rows are looked for."""

    def __init__(
        self, connection: sql.Connection, database: Database, scope: str | None, ontologies: GetOntologies
    ) -> None:
        self.connection, self.database, self.scope, self.ontologies = connection, database, scope, ontologies
        self.tables = database.tables.tables
        self.texts, self.words, self.links = (self.tables[name] for name in (TEXT, WORD, LINK))

    def roots(self, subject: str, depositions: Iterable[int]) -> list[int] | None:
        """The rows of an entity whose links are made anew: those below the scope and those that hold it. None for all."""
        if self.scope is None:
            return None
        table = self.tables[entity_named(subject).names.table]
        mine = sql.or_(below(table, self.scope), table.c[FOLDER] == self.scope.partition("/")[0])
        found = set(self.connection.execute(sql.select(table.c.id).where(mine)).scalars())
        if subject == "Deposition":
            found |= {
                *depositions,
                *self.connection.execute(_depositions(self.database, self.scope)).scalars(),
            }
        return sorted(found)

    def unlink(self, roots: Sequence[list[int] | None]) -> bool:
        """Forget what these rows were found by; whether there was anything."""
        if self.scope is None:
            return self.connection.execute(self.links.delete()).rowcount > 0
        count = 0
        for kind, ids in enumerate(roots):
            for some in _portions(ids or []):
                count += _unlink(self.connection, self.database, kind, some)
        return count > 0

    def add_texts(self) -> None:
        """Keep the texts of rows that are not known yet."""
        values = {} if self.scope is None else scope_values(self.scope)
        statement = _new_texts(self.database.tables, everything=self.scope is None)
        new = self.connection.execute(statement, values).scalars().all()
        last = self.connection.execute(sql.select(sql.func.coalesce(sql.func.max(self.texts.c.id), 0)))
        numbered = enumerate((text for text in sorted(new) if text.strip()), last.scalar_one() + 1)
        for some in _portions([_given(number, text) for number, text in numbered]):
            _put_texts(self.connection, self.database, some, self.ontologies)

    def link(self, place: Place, roots: list[int] | None) -> None:
        """Say of which rows the texts of a place are, and from which day on."""
        statement = _linking(self.database.tables, place, everything=roots is None)
        for some in [()] if roots is None else _portions(roots):
            self.connection.execute(statement, {} if roots is None else {"roots": some})

    def sweep(self) -> None:
        """Forget texts by which nothing is found any more."""
        unused = sql.not_(sql.exists().where(self.links.c.text_id == self.texts.c.id))
        ids = list(self.connection.execute(sql.select(self.texts.c.id).where(unused)).scalars())
        for some in _portions(ids):
            self.connection.execute(self.words.delete().where(self.words.c.text_id.in_(some)))
            self.connection.execute(self.texts.delete().where(self.texts.c.id.in_(some)))


@lru_cache(maxsize=16)
def _new_texts(metadata: sql.MetaData, *, everything: bool) -> sql.Select:
    """The texts, of all rows or of those below a folder, that are not known yet."""
    tables, given = metadata.tables, []
    for entity, label in sources():
        table = tables[entity.names.table]
        text = sql.select(_text(table, entity, label).label("text"))
        given.append(text if everything else text.where(below_bound(table)))
    texts, known = sql.union(*given).subquery(), tables[TEXT]
    is_known = sql.exists().where(known.c.digest == sql.func.md5(texts.c.text))
    return sql.select(texts.c.text).where(sql.not_(is_known))


@lru_cache(maxsize=512)
def _linking(metadata: sql.MetaData, place: Place, *, everything: bool) -> sql.Insert:
    """The links of a place, of all rows or of `roots`. Making the statement takes longer than most of them run."""
    tables, root = metadata.tables, metadata.tables[entity_named(place.entity).names.table]
    joined, at = joined_along(tables, entity_named(place.entity), place.path)
    texts, links = tables[TEXT], tables[LINK]
    from_ = joined.join(texts, texts.c.digest == sql.func.md5(_text(at, place.end(), place.label)))
    fixed = [sql.literal(number) for number in (place.kind, place.number, place.weight)]
    release = sql.func.min(at.c[RELEASE]) if place.path else at.c[RELEASE]
    found = sql.select(texts.c.id, root.c.id, *fixed, release).select_from(from_)
    if not everything:
        found = found.where(root.c.id.in_(sql.bindparam("roots", expanding=True)))
    if place.path:
        found = found.group_by(texts.c.id, root.c.id)
    names = ["text_id", "row_id", "kind", "place", "weight", RELEASE]
    return links.insert().from_select(names, found.order_by(texts.c.id, root.c.id))


def joined_along(tables: Any, entity: type[Entity], path: tuple[str, ...]) -> tuple[sql.FromClause, Any]:
    """The table of an entity joined with those along a path of to-many relations, and the last of them."""
    joined: sql.FromClause = tables[entity.names.table]
    at: Any = joined
    for step in path:
        relation = entity.relations[step]
        entity = entity_named(relation.target)
        target = tables[entity.names.table].alias()
        joined = joined.join(target, target.c[relation.key] == at.c.id)
        at = target
    return joined, at


def _depositions(database: Database, scope: str) -> sql.Select:
    """Ids of the depositions that rows below a folder belong to."""
    parts = []
    for name in ("dataset", "annotation"):
        table = database.tables.tables[name]
        parts.append(sql.select(table.c.deposition_id).where(below(table, scope)))
    found = sql.union(*parts).subquery()
    return sql.select(found.c.deposition_id).where(found.c.deposition_id.is_not(None))


def _text(table: Any, entity: type[Entity], label: str) -> sql.ColumnElement[str]:
    """The fields of a label as one text, a line for each, nulls as empty lines."""
    lines: list[sql.ColumnElement[str]] = []
    for field in labels_of(entity)[label]:
        value = table.c[field.name]
        if field.kind is Kind.INT:
            value = sql.literal(SPELLED[field.name]).concat(sql.cast(value, sql.Text))
        lines.append(sql.func.coalesce(value, ""))
    text = lines[0]
    for line in lines[1:]:
        text = text.concat(LINE).concat(line)
    return text


def _given(number: int, text: str) -> _Text:
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return _Text(number, digest, tuple(" ".join(line.split()) for line in text.split(LINE)))


def _put_texts(
    connection: sql.Connection, database: Database, texts: Sequence[_Text], ontologies: GetOntologies
) -> None:
    """Keep texts with the names that ontologies know besides, and the words of all."""
    rows, words = [], []
    for text in texts:
        own = [line for line in text.lines if line and not line.startswith(ALSO)]
        lines = [*own, *_other_names(own, ontologies)]
        rows.append({"id": text.number, "digest": text.digest, "text": LINE.join(lines)})
        words += [{"word": word, "text_id": text.number, "position": at} for at, word in _placed(lines)]
    for name, items in ((TEXT, rows), (WORD, words)):
        if items:
            database.insert(connection, database.tables.tables[name], items)


def _other_names(lines: Sequence[str], ontologies: GetOntologies) -> list[str]:
    """Lines with label and synonyms of the terms that some lines name."""
    known = {line.casefold() for line in lines}
    found: dict[str, None] = {}
    for line in lines:
        term = ontologies().term(line) if _IDENTIFIER.fullmatch(line) else None
        for name in (term.label, *term.synonyms) if term else ():
            if name.casefold() not in known:
                found[f"{ALSO}{' '.join(name.split())}"] = None
    return list(found)


def _placed(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The words with their places; lines lie far from each other."""
    at = 0
    for line in lines:
        for word in tokens(line.removeprefix(ALSO)):
            yield at, word
            at += 1
        at += FAR


def _unlink(connection: sql.Connection, database: Database, kind: int, rows: Any) -> int:
    links = database.tables.tables[LINK]
    return connection.execute(links.delete().where(links.c.kind == kind, links.c.row_id.in_(rows))).rowcount


def _portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), AT_A_TIME):
        yield items[start : start + AT_A_TIME]
