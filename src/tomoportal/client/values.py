"""Values on their way to a portal, checked against their field, and on their way back. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime
from numbers import Integral, Real
from typing import Any

from tomoportal.errors import QueryError
from tomoportal.model.fields import Field, Kind


def checked(field: Field, value: Any) -> Any:
    """A value, or list of values, as JSON has it. Raises `QueryError` for a value of another type than the field's."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [checked(field, item) for item in value]
    name = f"{field.owner.__name__}.{field.name}"
    if field.kind is Kind.ENUM:
        words = list(field.enum or ())
        if value not in words:
            raise QueryError(f"{name} is one of {', '.join(words)}, not {value!r}.")
        return str(value)
    wanted, convert = _TYPES.get(field.kind, ("text", _text))
    converted = convert(value)
    if converted is None:
        hint = " Write it like date(2025, 1, 31) or '2025-01-31'." if field.kind is Kind.DATE else ""
        raise QueryError(f"{name} is {wanted}; {value!r} is not.{hint}")
    return converted


def received(field: Field, value: Any) -> Any:
    """A value of an answer in Python's types: dates as `datetime` in UTC."""
    if isinstance(value, str) and field.kind is Kind.DATE:
        return datetime.fromisoformat(value)
    if isinstance(value, str) and field.kind is Kind.MATRIX:
        return json.loads(value)
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return bool(value) if type(value).__name__ == "bool" else None  # numpy's


def _whole(value: Any) -> int | None:
    """Also of other libraries' integers, and of digits."""
    if isinstance(value, str):
        return int(value) if value.removeprefix("-").isdecimal() else None
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, Integral) else float(value)


_TYPES: dict[Kind, tuple[str, Callable[[Any], Any]]] = {
    Kind.INT: ("a whole number", _whole),
    Kind.FLOAT: ("a number", _number),
    Kind.BOOL: ("True or False", _truth),
    Kind.DATE: ("a date", _day),
}

PYTHON_TYPES: dict[Kind, type] = {
    Kind.INT: int, Kind.FLOAT: float, Kind.STR: str, Kind.STATE: str, Kind.ENUM: str, Kind.BOOL: bool, Kind.DATE: datetime,
    Kind.MATRIX: list,
}  # fmt: skip
"""What values of a kind are in Python."""
