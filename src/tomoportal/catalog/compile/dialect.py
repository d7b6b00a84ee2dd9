"""What SQL dialects say differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tomoportal.model.fields import Kind

TOO_MANY_ROWS = "more rows than"
"""What the error of a database says about a list that is longer than it may be."""


class Dialect(Protocol):
    """Pieces of SQL. Arguments are SQL expressions unless said otherwise."""

    name: str
    greatest: str
    least: str
    """Names of the functions that give the greatest and the least of their arguments."""

    def placeholder(self, name: str) -> str:
        """How the bound value `name` stands in the statement."""

    def literal(self, text: str) -> str:
        """A name of the model or a text of the program (no value of a query) as an SQL string."""

    def constant(self, value: Any) -> str:
        """A text, number, truth value or None as a member of a JSON object."""

    def shown(self, expression: str, kind: Kind) -> str:
        """A stored value of this kind as a member of a JSON object."""

    def json_object(self, members: Sequence[tuple[str, str]]) -> str:
        """A JSON object of (key, member)."""

    def json_list(self, item: str, rows: str, most: int = 0) -> str:
        """A JSON list of `item` for every row of `rows` (a sub-select with its alias), in its order. With `most`, more rows are an error
        of the database that says `TOO_MANY_ROWS`."""

    def from_picked(self, picked: str, table: str, id_column: str) -> str:
        """FROM a table (with alias) the rows whose id a sub-select has picked, in its order; the end of a SELECT."""

    def is_among(self, expression: str, rows: str, *, is_first: bool) -> str:
        """Whether a number is among those of a statement; those of the first of several conditions may be begun with."""

    def nested(self, expression: str) -> str:
        """JSON made by a sub-select, as a member of a JSON object."""

    def text(self, expression: str) -> str:
        """JSON as the text of the answer."""

    def like(self, expression: str, pattern: str, *, ignore_case: bool, bind: Any) -> str:
        """`expression` matches a LIKE pattern (the pattern itself, checked already); `bind` binds a value."""

    def regex(self, expression: str, pattern: str, *, ignore_case: bool, bind: Any) -> str:
        """`expression` contains a match of a regular expression (the expression itself, which RE2 understands). Raises `QueryError`."""

    def is_in(self, expression: str, values: Sequence[Any], bind: Any) -> str:
        """`expression` is one of the values (at least one, of one type)."""

    def window(self, limit: str | None, offset: str | None) -> str:
        """LIMIT and OFFSET."""

    def base64(self, text: str) -> str:
        """The base64 of a text."""

    def without_layers(self, state: str, folder: str, rows: str) -> str:
        """A viewer state as `layers.without_layers` leaves it; `folder` is a column of the rows FROM … WHERE … to leave out."""

    def number(self, function: str, argument: str) -> str:
        """The aggregate `avg`, `stddev` or `variance` (of a sample), a floating-point number."""

    def rounded(self, number: str) -> str:
        """The nearest whole number; halves go away from zero."""


def ordered(expression: str, *, descending: bool, nulls_last: bool | None) -> str:
    """A term of ORDER BY, which all dialects say alike; `nulls_last` None when there are no nulls."""
    direction = " DESC" if descending else ""
    nulls = "" if nulls_last is None else f" NULLS {'LAST' if nulls_last else 'FIRST'}"
    return f"{expression}{direction}{nulls}"
