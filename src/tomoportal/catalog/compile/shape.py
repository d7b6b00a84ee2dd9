"""JSON made in two steps: an inner SELECT computes columns, the outer one puts them into objects and a list.

    (SELECT list of {object of r.v0, r.v1 …} FROM (SELECT … AS v0, … AS v1 FROM … WHERE … ORDER BY …) AS r)

A nested list is such a column. In this form every level of nesting costs the parser of the database little; the obvious form,
lists inside the arguments of functions, makes SQLite give up at four levels.
"""

from __future__ import annotations

from collections.abc import Sequence

from tomoportal.catalog.compile.writer import Writer

Members = Sequence[tuple[str, str]]
"""(key, member)."""


class Shape:
    """The columns of an inner SELECT."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.alias = writer.alias()
        self.columns: list[str] = []
        self.is_nested = False
        """Whether computing a column means asking for other rows."""

    def put(self, expression: str, *, nested: bool = False) -> str:
        """Have an expression computed; returns what the outer SELECT calls it."""
        self.is_nested = self.is_nested or nested
        name = f"v{len(self.columns)}"
        self.columns.append(f"{expression} AS {name}")
        return f"{self.alias}.{name}"

    def select(self) -> str:
        """SELECT … of the inner part."""
        return f"SELECT {', '.join(self.columns) or '1 AS v0'}"

    def json_list(self, members: Members, rest: str) -> str:
        """All rows as a JSON list; `rest` is the inner SELECT from FROM on."""
        inner = f"({self.select()} {rest}) AS {self.alias}"
        most = self.writer.scope.most_rows
        return self.writer.dialect.json_list(self.writer.dialect.json_object(members), inner, most)

    def json_one(self, members: Members, rest: str) -> str:
        """The only row as a JSON object, null when there is none."""
        made = self.writer.dialect.json_object(members)
        return f"(SELECT {made} FROM ({self.select()} {rest}) AS {self.alias})"
