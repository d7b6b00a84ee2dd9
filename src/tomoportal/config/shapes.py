"""What a value of a deposition file may look like: plain declarations from which the reader, the JSON Schema and the
reference tables are made. No reading and no rule across values here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tomoportal.model.fields import Kind, Level, Rule

PLACEHOLDER = re.compile(r"^\s*(?:(int|float)\s*)?\{([^{}]+)\}\s*$")
"""A value that is one placeholder, for example `float {tilt_axis}`."""


_NO_RULE = Rule()


class Form(Enum):
    """What a text is, besides being text."""

    TEXT = "text"
    NAME = "name"
    REGEX = "regular expression"
    NAME_REGEX = "regular expression with one group"
    GLOB = "file pattern"
    PATH = "path below the source"
    PICTURE = "address, or path below the source, of a picture"
    ANY = "any value"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `words`: the accepted ones, if they are few."""

    kind: Kind = Kind.STR
    description: str = ""
    rule: Rule = _NO_RULE
    words: tuple[str, ...] = ()
    form: Form = Form.TEXT
    unit: str = ""
    default: Any = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of numbers, `size` × `size`."""

    description: str = ""
    size: int = 4


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape
    at_least: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an object and how much it is wanted."""

    shape: Shape
    level: Level = Level.OPTIONAL


@dataclass(frozen=True, slots=True)
class Object:
    """Named values. Of the keys in `one_of` exactly one must be there."""

    keys: Mapping[str, Key] = field(default_factory=dict)
    description: str = ""
    one_of: tuple[str, ...] = ()


Shape = Scalar | Matrix | Items | Object


def required(shape: Shape) -> Key:
    """A key that must be there."""
    return Key(shape, Level.REQUIRED)


def optional(shape: Shape) -> Key:
    """A key that may be left out."""
    return Key(shape)
