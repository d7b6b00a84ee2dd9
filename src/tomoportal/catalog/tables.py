"""The tables of the catalogue, made from the model when a catalogue is opened.

Every entity has one table with its stored fields and two columns of our own: `_release`, the moment from which the row
is visible (the latest of its own release date and those of all rows it points at, empty when there is none), and
`_folder`, the layout folder of the entity whose sidecar the row stands in. Nothing here reads or writes rows.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql

from tomoportal.catalog.search.passages import fingerprint
from tomoportal.catalog.search.tables import add_search_tables
from tomoportal.model.annotation import Annotation
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind
from tomoportal.model.registry import ENTITIES

FORMAT = 6
"""Changes when the same model gives other tables."""

RELEASE, FOLDER = "_release", "_folder"
META = "catalog"
REPLACING = "replacing"
TOMBSTONES = "tombstone"

_TEXT = sql.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Compared code point by code point in every database."""

_TYPES: dict[Kind, Any] = {
    Kind.INT: sql.Integer,
    Kind.FLOAT: sql.Double,
    Kind.BOOL: sql.Boolean,
}
_ALSO_INDEXED = {
    "Dataset": ("release_date", "organism_name", "organism_taxid"),
    "Deposition": ("deposition_date",),
    "Run": ("name",),
    "Annotation": ("object_name",),
    "IdentifiedObject": ("object_name", "object_id"),
    "DatasetAuthor": ("name", "orcid"),
    "DepositionAuthor": ("name", "orcid"),
    "TomogramAuthor": ("name", "orcid"),
    "AnnotationAuthor": ("name", "orcid"),
}
"""Fields that pages filter or sort by, beside foreign keys."""


def make_tables() -> sql.MetaData:
    """All tables; those of entities are named after `names.table`. Catalogues of one model share them and the statements about
    them: nobody may change them."""
    return _made(model_hash())


@lru_cache(maxsize=4)
def _made(model: str) -> sql.MetaData:
    metadata = sql.MetaData()
    sql.Table(META, metadata, sql.Column("key", _TEXT, primary_key=True), sql.Column("value", _TEXT))
    sql.Table(REPLACING, metadata, sql.Column("folder", _TEXT, primary_key=True))
    _tombstone_table(metadata)
    add_search_tables(metadata)
    for entity in ENTITIES:
        _entity_table(metadata, entity)
    return metadata


def model_hash() -> str:
    """Changes with everything that decides what the tables look like and what stands in them."""
    lines = [f"format {FORMAT} {fingerprint()}"]
    for entity in ENTITIES:
        lines.append(f"{entity.__name__} {entity.names.table} {entity.rows}")
        lines += [
            f"{f.name} {f.kind.value} {f.nullable} {f.sidecar} {f.default!r} {f.target}"
            for f in entity.columns()
        ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def is_indexed(entity: type[Entity], name: str) -> bool:
    """Whether rows with one value of a field are found without reading all."""
    field = entity.fields.get(name)
    is_by_object = entity is Annotation and name == "object_id"
    return (
        name == "id"
        or name in _ALSO_INDEXED.get(entity.__name__, ())
        or is_by_object
        or bool(field and field.target)
    )


def below(table: sql.Table, scope: str | None) -> sql.ColumnElement[bool]:
    """Rows of a folder and everything below it; of None, all rows."""
    if scope is None:
        return sql.true()
    folder = table.c[FOLDER]
    return sql.or_(folder == scope, sql.and_(folder >= f"{scope}/", folder < f"{scope}0"))


def below_bound(table: sql.Table) -> sql.ColumnElement[bool]:
    """The same for the folder of `scope_values`: statements with it can be kept."""
    folder = table.c[FOLDER]
    inside = sql.and_(folder >= sql.bindparam("scope_first"), folder < sql.bindparam("scope_behind"))
    return sql.or_(folder == sql.bindparam("scope"), inside)


def scope_values(scope: str) -> dict[str, str]:
    """What `below_bound` is given when a statement runs."""
    return {"scope": scope, "scope_first": f"{scope}/", "scope_behind": f"{scope}0"}


def _tombstone_table(metadata: sql.MetaData) -> None:
    """What was withdrawn: `number` is its portal-wide id, `kind` that of the layout."""
    texts = [
        sql.Column(name, _TEXT, nullable=False) for name in ("kind", "title", "reason", "withdrawn", RELEASE)
    ]
    number = sql.Column("number", sql.Integer)
    table = sql.Table(TOMBSTONES, metadata, sql.Column(FOLDER, _TEXT, primary_key=True), number, *texts)
    sql.Index(f"ix_{TOMBSTONES}_number", table.c.number)


def _entity_table(metadata: sql.MetaData, entity: type[Entity]) -> None:
    name = entity.names.table
    columns = [_column(field) for field in entity.columns()]
    table = sql.Table(
        name,
        metadata,
        *columns,
        sql.Column(RELEASE, _TEXT, nullable=False, default=""),
        sql.Column(FOLDER, _TEXT, nullable=False),
    )
    sql.Index(f"ix_{name}_folder", table.c[FOLDER])
    for field in entity.columns():
        if field.target:
            sql.Index(f"ix_{name}_{field.name}", table.c[field.name], table.c[RELEASE])
    for field_name in _ALSO_INDEXED.get(entity.__name__, ()):
        sql.Index(f"ix_{name}_{field_name}", table.c[field_name])
    if entity is Annotation:
        _index_by_object(table)


def _index_by_object(table: sql.Table) -> None:
    """Annotations of an object as its page lists them: ground truth first, then the latest. Only PostgreSQL takes NULLS LAST in an
    index; SQLite has them there when it descends."""
    truth, day = table.c.ground_truth_status.desc(), table.c.deposition_date.desc()
    for dialect, first in (("sqlite", truth), ("postgresql", truth.nulls_last())):
        found = sql.Index(f"ix_{table.name}_object_id", table.c.object_id, first, day, table.c.id)
        found.ddl_if(dialect=dialect)


def _column(field: Field) -> sql.Column:
    kind = _TYPES.get(field.kind, _TEXT)
    if field.name == "id":
        return sql.Column("id", kind, primary_key=True, autoincrement=False)
    return sql.Column(field.name, kind, nullable=field.nullable)
