"""Shapes of the deposition language as commented YAML: given values, places to fill in, and what may be added."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tomoportal.config.identifiers import described
from tomoportal.config.shapes import Items, Key, Matrix, Object, Scalar, Shape
from tomoportal.model.fields import Kind, Level

FILL_IN = "FILL IN"
"""Stands in the comment of every place that must be filled in."""

_COLUMN = 44
_PLAIN = re.compile(r"[A-Za-z][\w()./-]*(?: [\w()./-]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_SHARED = ("authors", "dates")
"""Written once; later entries repeat them by alias."""
_EXPECTED = {
    Kind.INT: "a whole number",
    Kind.FLOAT: "a number",
    Kind.BOOL: "true or false",
    Kind.DATE: "a date such as 2025-01-31",
}


@dataclass
class Text:
    """Lines of a deposition file, written from top to bottom. `notes` by key: what its comment says besides."""

    notes: Mapping[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    _anchors: set[str] = field(default_factory=set)

    def add(self, code: str = "", comment: str = "") -> None:
        """One line; the comment begins at a column of its own."""
        said = f"# {comment}" if comment else ""
        self.lines.append(f"{code:<{_COLUMN - 2}}  {said}" if code and said else code or said)

    def object(self, shape: Object, given: Mapping[str, Any], indent: int, *, off: bool = False) -> None:
        """Every key of an object: given ones with their values, required ones to be filled in, the others commented out."""
        for name, key in shape.keys.items():
            if name in given:
                self._value(name, key, given[name], indent, off)
            elif name in self._anchors and not off:
                self.add(f"{' ' * indent}{name}: *{name}")
            elif key.level is Level.REQUIRED or off:
                self._empty(name, key, indent, off)
            else:
                self._empty(name, key, indent, True)

    def _value(self, name: str, key: Key, value: Any, indent: int, off: bool) -> None:
        start = self._start(name, indent, off)
        if isinstance(key.shape, Object):
            self.add(start, comment_of(key))
            self.object(key.shape, dict(value or {}), indent + 2, off=off)
        elif isinstance(key.shape, Items) and isinstance(key.shape.item, Object):
            self.add(start, comment_of(key))
            for item in value:
                self._item(key.shape.item, item, indent, off)
        else:
            self.add(f"{start} {scalar(value)}", self._comment(name, key))

    def _empty(self, name: str, key: Key, indent: int, off: bool) -> None:
        start = self._start(name, indent, off)
        if isinstance(key.shape, Object):
            asks = any(inner.level is Level.REQUIRED for inner in key.shape.keys.values())
            self.add(
                start,
                comment_of(key) if off or asks else f"{FILL_IN}: some of what follows; {comment_of(key)}",
            )
            self.object(key.shape, {}, indent + 2, off=off)
        elif isinstance(key.shape, Items) and isinstance(key.shape.item, Object):
            self.add(start, comment_of(key))
            self._item(key.shape.item, {}, indent, off)
        else:
            self.add(start, self._comment(name, key) if off else f"{FILL_IN}: {self._comment(name, key)}")

    def _comment(self, name: str, key: Key) -> str:
        return "; ".join([comment_of(key), *([self.notes[name]] if name in self.notes else [])])

    def _item(self, shape: Object, given: Mapping[str, Any], indent: int, off: bool) -> None:
        """One item of a list: its first line has the dash. What is not asked for is left out of items after the first."""
        first = len(self.lines)
        shown = {
            name: key
            for name, key in shape.keys.items()
            if name in given or key.level is not Level.OPTIONAL or off
        }
        ordered = sorted(
            shown.items(), key=lambda pair: not (pair[0] in given or pair[1].level is Level.REQUIRED)
        )
        self.object(Object(dict(ordered)), given, indent + 2, off=off)
        mark = f"{' ' * indent}# - " if off else f"{' ' * indent}- "
        cut = indent + (4 if off else 2)
        self.lines[first] = mark + self.lines[first][cut:]

    def _start(self, name: str, indent: int, off: bool) -> str:
        anchor = ""
        if name in _SHARED and not off and name not in self._anchors:
            self._anchors.add(name)
            anchor = f" &{name}"
        return f"{' ' * indent}{'# ' if off else ''}{name}:{anchor}"


def comment_of(key: Key) -> str:
    """What a key means and what it takes, in one line."""
    parts = [said for said in (_meaning(key.shape), _takes(key.shape)) if said]
    level = key.level.value if key.level is not Level.OPTIONAL else ""
    return "; ".join([*parts, *([level] if level else [])])


def _meaning(shape: Shape) -> str:
    text = " ".join(shape.description.split())
    return text.rstrip(".")


def _takes(shape: Shape) -> str:
    if isinstance(shape, Items) and isinstance(shape.item, Scalar):
        inner = _takes(shape.item)
        return f"a list: {inner}" if inner else "a list"
    if isinstance(shape, Matrix):
        return f"{shape.size} rows of {shape.size} numbers"
    if not isinstance(shape, Scalar):
        return ""
    if shape.words:
        return "one of " + ", ".join(shape.words)
    if shape.rule.pattern:
        return described(shape.rule.pattern)
    what = _EXPECTED.get(shape.kind, "")
    return f"{what} in {shape.unit}" if what and shape.unit else what


def scalar(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {scalar(item)}" for name, item in value.items()) + "}"
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else f'"{"".join(map(_escaped, text))}"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"
