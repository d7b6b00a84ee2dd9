"""The tables of full-text search. A text that many rows have in common stands there once, as do its words."""

from __future__ import annotations

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql

TEXT, WORD, LINK = "search_text", "search_word", "search_link"
RELEASE = "_release"
_LETTERS = sql.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Compared code point by code point in every database."""


def add_search_tables(metadata: sql.MetaData) -> None:
    """`search_text`: `digest` is that of the text as the fields give it, `text` may have lines with synonyms added.
    `search_word`: words by place; places in different lines are never neighbours.
    `search_link`: a row of the entity number `kind` is found by a text from the moment `_release` on."""
    sql.Table(
        TEXT, metadata,
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("digest", _LETTERS, nullable=False, unique=True),
        sql.Column("text", _LETTERS, nullable=False),
    )  # fmt: skip
    words = sql.Table(
        WORD, metadata,
        sql.Column("word", _LETTERS, primary_key=True),
        sql.Column("text_id", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("position", sql.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )  # fmt: skip
    sql.Index(f"ix_{WORD}_text", words.c.text_id)
    links = sql.Table(
        LINK, metadata,
        *(sql.Column(name, sql.Integer, primary_key=True, autoincrement=False) for name in ("text_id", "kind", "row_id", "place")),
        sql.Column("weight", sql.Integer, nullable=False),
        sql.Column(RELEASE, _LETTERS, nullable=False),
        sqlite_with_rowid=False,
    )  # fmt: skip
    sql.Index(f"ix_{LINK}_row", links.c.kind, links.c.row_id)
