"""SQLite 3.38 and later: JSON as text, functions of ours registered on every connection."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import sqlite3
from collections.abc import Sequence
from typing import Any

from tomoportal.catalog.compile.dialect import TOO_MANY_ROWS
from tomoportal.catalog.compile.expressions import compiled
from tomoportal.catalog.compile.layers import without_layers
from tomoportal.catalog.compile.letters import lower_case
from tomoportal.model.fields import Kind

_MOST_MEMBERS = 60
"""SQLite functions take at most 127 arguments."""
_INLINE = 12
"""Up to so many values stand as single bound values in an IN list; more travel as one JSON list."""


class Sqlite:
    """See `Dialect`."""

    name = "sqlite"
    greatest, least = "max", "min"

    def placeholder(self, name: str) -> str:
        return f":{name}"

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def constant(self, value: Any) -> str:
        if isinstance(value, bool):
            return "json('true')" if value else "json('false')"
        return "NULL" if value is None else self.literal(value) if isinstance(value, str) else repr(value)

    def shown(self, expression: str, kind: Kind) -> str:
        match kind:
            case Kind.BOOL:
                return f"json(CASE {expression} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
            case Kind.FLOAT:
                short = f"CAST(CAST({expression} AS TEXT) AS REAL)"
                return f"CASE WHEN {short} <> {expression} THEN json(exact_number({expression})) ELSE {expression} END"
            case Kind.MATRIX:
                return f"json({expression})"
            case _:
                return expression

    def json_object(self, members: Sequence[tuple[str, str]]) -> str:
        if len(members) <= _MOST_MEMBERS:
            return f"json_object({', '.join(f'{self.literal(key)}, {value}' for key, value in members)})"
        first = self.json_object(members[:_MOST_MEMBERS])
        rest = self.json_object(members[_MOST_MEMBERS:])
        return f"json(substr({first}, 1, length({first}) - 1) || ',' || substr({rest}, 2))"

    def json_list(self, item: str, rows: str, most: int = 0) -> str:
        made = f"'[' || coalesce(group_concat({item}), '') || ']'"
        if most:
            made = f"CASE WHEN count(*) > {most} THEN {_refusal(most)} ELSE {made} END"
        return f"(SELECT {made} FROM {rows})"

    def from_picked(self, picked: str, table: str, id_column: str) -> str:
        return f"FROM {picked} AS picked CROSS JOIN {table} ON {id_column} = picked.id"

    def is_among(self, expression: str, rows: str, *, is_first: bool) -> str:
        return f"{expression} IN ({rows})"

    def nested(self, expression: str) -> str:
        return f"json({expression})"

    def text(self, expression: str) -> str:
        return expression

    def like(self, expression: str, pattern: str, *, ignore_case: bool, bind: Any) -> str:
        glob = _glob(lower_case(pattern) if ignore_case else pattern)
        if not ignore_case:
            return f"{expression} GLOB {bind(glob)}"
        only_ascii = f"length({expression}) = length(CAST({expression} AS BLOB))"
        return f"iif({only_ascii}, lower({expression}), lower_case({expression})) GLOB {bind(glob)}"

    def regex(self, expression: str, pattern: str, *, ignore_case: bool, bind: Any) -> str:
        return f"{'matches_any_case' if ignore_case else 'matches'}({bind(pattern)}, {expression})"

    def is_in(self, expression: str, values: Sequence[Any], bind: Any) -> str:
        if len(values) <= _INLINE:
            return f"{expression} IN ({', '.join(bind(value) for value in values)})"
        return f"{expression} IN (SELECT value FROM json_each({bind(json.dumps(list(values)))}))"

    def window(self, limit: str | None, offset: str | None) -> str:
        if limit is None and offset is None:
            return ""
        return f" LIMIT {limit or '-1'}" + (f" OFFSET {offset}" if offset else "")

    def base64(self, text: str) -> str:
        return f"base64_of({text})"

    def without_layers(self, state: str, folder: str, rows: str) -> str:
        layers = f"without_layers({state}, (SELECT group_concat({folder}, char(10)) {rows}))"
        return f"CASE WHEN EXISTS (SELECT 1 {rows}) THEN {layers} ELSE {state} END"

    def number(self, function: str, argument: str) -> str:
        return f"avg({argument})" if function == "avg" else f"sample_{function}({argument})"

    def rounded(self, number: str) -> str:
        return f"CAST(round({number}) AS INTEGER)"


def register(connection: sqlite3.Connection) -> None:
    """Add our functions to a connection."""
    for name, arguments, function in (
        ("lower_case", 1, _lower_case),
        ("exact_number", 1, repr),
        ("matches", 2, _matches),
        ("matches_any_case", 2, _matches_any_case),
        ("base64_of", 1, _base64),
        ("md5", 1, _md5),
        ("without_layers", 2, _without_layers),
    ):
        connection.create_function(name, arguments, function, deterministic=True)
    connection.create_aggregate("sample_variance", 1, _Variance)  # type: ignore[arg-type]
    connection.create_aggregate("sample_stddev", 1, _Deviation)  # type: ignore[arg-type]


def _base64(text: str | None) -> str | None:
    return None if text is None else base64.b64encode(text.encode()).decode()


def _md5(text: str) -> str:
    """As PostgreSQL has it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _lower_case(text: str | None) -> str | None:
    return None if text is None else lower_case(text)


def _matches(pattern: str, text: str | None) -> bool | None:
    return None if text is None else compiled(pattern, False).search(text) is not None


def _matches_any_case(pattern: str, text: str | None) -> bool | None:
    return None if text is None else compiled(pattern, True).search(text) is not None


def _glob(pattern: str) -> str:
    """A LIKE pattern as a GLOB pattern, which SQLite compares case-sensitively."""
    words = {"%": "*", "_": "?"}
    literal = {"*": "[*]", "?": "[?]", "[": "[[]"}
    parts, letters = [], iter(pattern)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters)
            parts.append(literal.get(escaped, escaped))
        else:
            parts.append(words.get(letter) or literal.get(letter, letter))
    return "".join(parts)


def _without_layers(state: str | None, folders: str) -> str | None:
    return None if state is None else without_layers(state, folders)


class _Variance:
    """Sample variance, by the updates of Youngs and Cramer (Technometrics 13, 657, 1971), which PostgreSQL uses, too; null for fewer
    than two values."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0

    def step(self, value: float | None) -> None:
        if value is not None:
            self.count += 1
            self.total += value
            if self.count > 1:
                change = value * self.count - self.total
                self.squares += change * change / (self.count * (self.count - 1))

    def finalize(self) -> float | None:
        return self.squares / (self.count - 1) if self.count > 1 else None


class _Deviation(_Variance):
    """Sample standard deviation."""

    def finalize(self) -> float | None:
        variance = super().finalize()
        return None if variance is None else math.sqrt(variance)


def _refusal(most: int) -> str:
    """An expression that fails when it is computed, not before."""
    return f"json_extract('[]', '{TOO_MANY_ROWS} {most}' || substr('', count(*)))"
