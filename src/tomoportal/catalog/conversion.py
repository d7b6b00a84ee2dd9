"""JSON values of sidecars as stored values. Nothing is guessed: what does not fit raises `ValueError` with what was expected."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from tomoportal.model.fields import Field, Kind

_INT32 = 2**31
_LARGEST = sys.float_info.max
_UNICODE = re.compile("[^\x00\ud800-\udfff]*")


def converter(field: Field) -> Callable[[Any], Any]:
    """The function that makes values of a field as its column holds them; it takes no None."""
    if field.kind is Kind.ENUM:
        assert field.enum is not None
        return partial(_word, frozenset(field.enum), ", ".join(field.enum))
    return _CONVERTERS.get(field.kind, _text)


def _word(words: frozenset[str], told: str, value: Any) -> str:
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"one of {told}")
    return str(value)


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _whole(value: Any) -> int:
    if type(value) is int and -_INT32 < value < _INT32:
        return value
    is_text = isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1
    if not (is_text or is_number) or abs(int(value)) >= _INT32:
        raise ValueError("a whole number of at most 32 bits")
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
        raise ValueError("a finite number")
    return float(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("text")
    if isinstance(value, str) and not _UNICODE.fullmatch(value):
        raise ValueError("text without NUL characters and lone surrogates, which no database takes")
    return str(value)


def _moment(value: Any) -> str:
    """UTC, as the API shows it; a day is its midnight."""
    try:
        parsed = value if isinstance(value, date) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a date such as 2024-05-23") from None
    if not isinstance(parsed, datetime):
        parsed = datetime(parsed.year, parsed.month, parsed.day)
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("a date within the years 1 to 9999") from None


def _matrix(value: Any) -> str:
    rows = value if isinstance(value, list) else None
    if rows is None or not all(isinstance(row, list) for row in rows):
        raise ValueError("a list of rows of numbers")
    return json.dumps([[_number(item) for item in row] for row in rows], separators=(",", ":"))


_CONVERTERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.INT: _whole,
    Kind.FLOAT: _number,
    Kind.BOOL: _yes_or_no,
    Kind.DATE: _moment,
    Kind.MATRIX: _matrix,
}
