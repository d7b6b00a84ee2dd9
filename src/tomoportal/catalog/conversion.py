"""JSON values of sidecars as stored values. Nothing is guessed: what does not fit raises `ValueError` with what was expected."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import Any

from tomoportal.model.fields import Field, Kind

_INT32 = 2**31


def stored(field: Field, value: Any) -> Any:
    """The value as its column holds it; `value` is not None."""
    match field.kind:
        case Kind.INT:
            return _whole(value)
        case Kind.FLOAT:
            return _number(value)
        case Kind.BOOL:
            if not isinstance(value, bool):
                raise ValueError("true or false")
            return value
        case Kind.DATE:
            return _moment(value)
        case Kind.ENUM:
            assert field.enum is not None
            if value not in list(field.enum):
                raise ValueError(f"one of {', '.join(field.enum)}")
            return str(value)
        case Kind.MATRIX:
            return _matrix(value)
        case _:
            return _text(value)


def _whole(value: Any) -> int:
    is_text = isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1
    if not (is_text or is_number) or abs(int(value)) >= _INT32:
        raise ValueError("a whole number of at most 32 bits")
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("a finite number")
    return float(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("text")
    return str(value)


def _moment(value: Any) -> str:
    """UTC, as the API shows it; a day is its midnight."""
    try:
        parsed = value if isinstance(value, date) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a date such as 2024-05-23") from None
    if not isinstance(parsed, datetime):
        parsed = datetime(parsed.year, parsed.month, parsed.day)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _matrix(value: Any) -> str:
    rows = value if isinstance(value, list) else None
    if rows is None or not all(isinstance(row, list) for row in rows):
        raise ValueError("a list of rows of numbers")
    return json.dumps([[_number(item) for item in row] for row in rows], separators=(",", ":"))
