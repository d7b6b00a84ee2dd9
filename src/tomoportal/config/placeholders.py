"""Templates such as `frames/{run_name}_*.tif`: which names they hold, and filling them in.

Names may hold letters, digits, blanks, `_` and `-`. Literal braces are doubled. Formats and attribute access of Python's own
`str.format` are refused. A value that starts with `float ` or `int ` after expansion becomes a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_NAME = re.compile(r"[\w\- ]+$")
_NUMBER = re.compile(r"\s*(int|float)[ ]*(?=\{)")


class Unknown(KeyError):
    """A template holds a name without a value; `str()` is the name."""

    def __str__(self) -> str:
        return str(self.args[0])


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, bool], ...]:
    """(text, is a name) in order. Raises `ValueError` with a sentence."""
    parts: list[tuple[str, bool]] = []
    for token in _TOKEN.finditer(template):
        text, name = token[0], token[1]
        if text in ("{{", "}}"):
            parts.append((text[0], False))
        elif text in ("{", "}"):
            raise ValueError(f"'{template}' has a single brace '{text}'")
        elif name is None:
            parts.append((text, False))
        elif not _NAME.match(name):
            raise ValueError(f"'{template}' has the placeholder '{{{name}}}', which is not a name")
        else:
            parts.append((name, True))
    return tuple(parts)


def template_fault(template: str) -> str | None:
    """What is wrong with a template, as a sentence."""
    try:
        _parts(template)
    except ValueError as error:
        return str(error)
    return None


def names_in(template: str) -> list[str]:
    """The names that stand in a template, in order. Raises `ValueError` for a faulty template."""
    return [text for text, is_name in _parts(template) if is_name]


def expand(
    template: str, values: Mapping[str, str | None], escape: Callable[[str, str], str] | None = None
) -> str:
    """The template with its names replaced. `escape` gets (name, value) and returns what to put in.

    Raises `Unknown` for a name without a value and `ValueError` for a faulty template.
    """
    filled = []
    for text, is_name in _parts(template):
        if not is_name:
            filled.append(text)
            continue
        value = values.get(text)
        if value is None:
            raise Unknown(text)
        filled.append(escape(text, value) if escape else value)
    return "".join(filled)


def expand_value(template: str, values: Mapping[str, str | None]) -> Any:
    """`expand`, then a number if the template starts with `float {` or `int {`.

    Raises `Unknown`, and `ValueError` with a sentence when the value is no such number.
    """
    number = _NUMBER.match(template)
    if not number:
        return expand(template, values)
    text = expand(template[number.end() :], values).strip()
    try:
        value = int(text) if number[1] == "int" else float(text)
    except ValueError:
        kind = "a whole number" if number[1] == "int" else "a number"
        comma = re.fullmatch(r"[+-]?\d+,\d+", text) and number[1] == "float"
        meant = f"; write {text.replace(',', '.')} with a point" if comma else ""
        raise ValueError(f"found '{text}', expected {kind}{meant}") from None
    if value != value or abs(value) == float("inf"):
        raise ValueError(f"found '{text}', expected a finite number")
    return value
