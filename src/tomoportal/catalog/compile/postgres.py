"""PostgreSQL: JSON is put together as text, which is quicker than its JSON types and gives what SQLite gives, letter by letter.

Columns of text have the collation "C" (see `tables`), so that order and comparison go by code point, and `\\b` and `lower` know
ASCII alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tomoportal.catalog.compile.dialect import TOO_MANY_ROWS
from tomoportal.catalog.compile.letters import lower_case, lower_letters
from tomoportal.catalog.compile.patterns import portable
from tomoportal.model.fields import Kind

LARGEST_ANSWER = 128 * 2**20
"""Bytes of one JSON answer."""
_MOST_ARGUMENTS = 90
"""A function takes at most 100 arguments."""
_COMPARED = 100
"""Up to so many values are compared one by one; more are joined, since an index goes through all of them for each row."""
_PLAIN = 10**15
"""From here on whole floating-point numbers are written with an exponent."""


class Postgres:
    """See `Dialect`. Every member of a JSON object is JSON as text, never NULL."""

    name = "postgresql"
    greatest, least = "greatest", "least"

    def placeholder(self, name: str) -> str:
        return f"%({name})s"

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''").replace("%", "%%") + "'"

    def constant(self, value: Any) -> str:
        return self.literal(json.dumps(value, ensure_ascii=False))

    def shown(self, expression: str, kind: Kind) -> str:
        match kind:
            case Kind.INT | Kind.BOOL:
                made = f"CAST({expression} AS text)"
            case Kind.FLOAT:
                is_whole = f"{expression} = trunc({expression}) AND abs({expression}) < {_PLAIN}"
                made = f"CASE WHEN {is_whole} THEN CAST({expression} + 0 AS text) || '.0' ELSE CAST({expression} AS text) END"
            case Kind.MATRIX:
                made = expression
            case Kind.ENUM | Kind.DATE:
                made = f"""'"' || {expression} || '"'"""
            case _:
                made = f"CAST(to_json({expression}) AS text)"
        return f"coalesce({made}, 'null')"

    def json_object(self, members: Sequence[tuple[str, str]]) -> str:
        parts, before = [], "{"
        for key, member in members:
            parts += [self.literal(f"{before}{json.dumps(key, ensure_ascii=False)}:"), member]
            before = ","
        return _joined([*parts, "'}'"] if parts else ["'{}'"])

    def json_list(self, item: str, rows: str, most: int = 0) -> str:
        made = f"'[' || coalesce(string_agg({item}, ','), '') || ']'"
        if most:
            made = f"CASE WHEN count(*) > {most} THEN {_refusal(most)} ELSE {made} END"
        return f"(SELECT {made} FROM {rows})"

    def from_picked(self, picked: str, table: str, id_column: str) -> str:
        numbered = f"(SELECT id, row_number() OVER () AS place FROM {picked} AS chosen)"
        return f"FROM {numbered} AS picked JOIN {table} ON {id_column} = picked.id ORDER BY picked.place"

    def is_among(self, expression: str, rows: str, *, is_first: bool) -> str:
        """OFFSET has the rows found by themselves, IS TRUE has them found once and looked up; else PostgreSQL, which expects one row of
        a word that begins so, tries every row with every word."""
        return f"{expression} IN ({rows} OFFSET 0)" if is_first else f"({expression} IN ({rows})) IS TRUE"

    def nested(self, expression: str) -> str:
        return f"coalesce({expression}, 'null')"

    def text(self, expression: str) -> str:
        """NULL when it is longer than `LARGEST_ANSWER`. OFFSET keeps PostgreSQL from computing the answer twice."""
        made = f"(SELECT {expression} AS answer OFFSET 0) AS made"
        return f"(SELECT CASE WHEN octet_length(answer) <= {LARGEST_ANSWER} THEN answer END FROM {made})"

    def like(self, expression: str, pattern: str, *, ignore_case: bool, bind: Any) -> str:
        """ILIKE knows ASCII alone, and so do the statistics that tell how many rows it leaves."""
        if not ignore_case:
            return f"{expression} LIKE {bind(pattern)}"
        upper, lower = map(bind, lower_letters())
        lowered = f"translate({expression}, {upper}, {lower})"
        is_other = f"octet_length({expression}) <> length({expression})"
        folded = bind(lower_case(pattern))
        if pattern.isascii():
            return f"({expression} ILIKE {bind(pattern)} OR ({is_other} AND {lowered} LIKE {folded}))"
        return f"CASE WHEN {is_other} THEN {lowered} ELSE lower({expression}) END LIKE {folded}"

    def regex(self, expression: str, pattern: str, *, ignore_case: bool, bind: Any) -> str:
        return f"{expression} ~ {bind(portable(pattern, ignore_case))}"

    def is_in(self, expression: str, values: Sequence[Any], bind: Any) -> str:
        if len(values) <= _COMPARED:
            return f"{expression} = ANY({bind(list(values))})"
        listed = bind(list(values))
        if isinstance(values[0], str):
            listed = f"CAST({listed} AS text[])"
        return f"{expression} IN (SELECT unnest({listed}))"

    def window(self, limit: str | None, offset: str | None) -> str:
        return (f" LIMIT {limit}" if limit else "") + (f" OFFSET {offset}" if offset else "")

    def base64(self, text: str) -> str:
        return f"translate(encode(convert_to({text}, 'UTF8'), 'base64'), chr(10), '')"

    def without_layers(self, state: str, folder: str, rows: str) -> str:
        layers = f"without_layers({state}, (SELECT string_agg({folder}, chr(10)) {rows}))"
        return f"CASE WHEN EXISTS (SELECT 1 {rows}) THEN {layers} ELSE {state} END"

    def number(self, function: str, argument: str) -> str:
        name = function if function == "avg" else "stddev_samp" if function == "stddev" else "var_samp"
        return f"{name}(CAST({argument} AS double precision))"

    def rounded(self, number: str) -> str:
        return f"CAST(round(CAST({number} AS numeric)) AS bigint)"


def _joined(parts: Sequence[str]) -> str:
    if len(parts) <= _MOST_ARGUMENTS:
        return f"concat({', '.join(parts)})"
    middle = len(parts) // 2
    return f"concat({_joined(parts[:middle])}, {_joined(parts[middle:])})"


def _refusal(most: int) -> str:
    """An expression that fails when it is computed, not before."""
    return f"CAST('{TOO_MANY_ROWS} {most}' || left('', count(*)::int) AS integer)::text"
