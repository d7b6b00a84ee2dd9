"""Fields as stored, as shown and as compared."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any

from tomoportal.catalog.compile.writer import Source, Writer
from tomoportal.catalog.tables import FOLDER
from tomoportal.errors import QueryError
from tomoportal.model.fields import FILES_MARK, Address, Field, Kind

_LONGEST_INT = 2**63
_UNICODE = re.compile("[^\x00\ud800-\udfff]*")
"""What every database can hold."""


def expression(writer: Writer, source: Source, field: Field) -> str:
    """The value that the API shows, as SQL: addresses and viewer states with the public address in them."""
    column = source.column(field.column)
    addresses = writer.scope.addresses
    if field.address_of and field.address_of[0] is Address.S3:
        return f"({writer.constant('s3', addresses.s3)} || {column})"
    if field.address_of:
        return f"({writer.constant('files', addresses.files)} || {_in_address(writer, column)})"
    if field.kind is Kind.STATE:
        state = _seen_layers(writer, source, column)
        return f"replace({state}, '{FILES_MARK}', {writer.constant('files', addresses.files)})"
    return column


def _seen_layers(writer: Writer, source: Source, column: str) -> str:
    """A viewer state without the layers of those annotations of its run that are not released yet."""
    annotation = writer.source("Annotation")
    rows = (
        f"FROM {writer.table(annotation)} "
        f"WHERE {annotation.column('run_id')} = {source.column('run_id')} AND NOT ({writer.visible(annotation)})"
    )
    return writer.dialect.without_layers(column, annotation.column(FOLDER), rows)


def stored_path(writer: Writer, field: Field, value: Any) -> str | None:
    """The stored path behind an address that a reader compares with; None when the address is not one of ours."""
    addresses = writer.scope.addresses
    assert field.address_of is not None
    is_s3 = field.address_of[0] is Address.S3
    prefix = addresses.s3 if is_s3 else addresses.files
    checked(field, value)
    if not value.startswith(prefix):
        return None
    path = value[len(prefix) :]
    return path if is_s3 else path.replace("%23", "#").replace("%3F", "?").replace("%25", "%")


def checked(field: Field, value: Any) -> Any:
    """A value that this field can be compared with, as stored. Raises `QueryError`."""
    match field.kind:
        case Kind.INT:
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LONGEST_INT:
                raise wrong_type(field, value, "a whole number")
            return value
        case Kind.FLOAT:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise wrong_type(field, value, "a number")
            return float(value)
        case Kind.BOOL:
            if not isinstance(value, bool):
                raise wrong_type(field, value, "true or false")
            return value
        case Kind.DATE:
            return moment(field, value)
        case Kind.ENUM:
            assert field.enum is not None
            if value not in list(field.enum):
                raise wrong_type(field, value, f"one of {', '.join(field.enum)}")
            return str(value)
        case Kind.MATRIX:
            raise QueryError(f"{_name(field)} is a matrix and cannot be compared")
        case _:
            if not isinstance(value, str) or not _UNICODE.fullmatch(value):
                raise wrong_type(field, value, "text without NUL characters and lone surrogates")
            return value


def moment(field: Field, value: Any) -> str:
    """A day or a time as it is stored: `2024-05-23T00:00:00+00:00`; without a zone UTC is meant."""
    if isinstance(value, datetime):
        parsed = value
    elif isinstance(value, date):
        parsed = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        try:
            parsed = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise wrong_type(field, value, "a date such as 2024-05-23 or 2024-05-23T12:00:00+00:00") from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return parsed.astimezone(UTC).isoformat()


def wrong_type(field: Field, value: Any, expected: str) -> QueryError:
    """The sentence about a value that does not fit a field."""
    return QueryError(f"{_name(field)} cannot be compared with {value!r}; expected {expected}")


def _name(field: Field) -> str:
    return f"{field.owner.__name__}.{field.name}"


def _in_address(writer: Writer, column: str) -> str:
    """The characters that would end the path of a URL, escaped; all others stay as official clients expect them."""
    for letter, escaped in (("%", "%25"), ("#", "%23"), ("?", "%3F")):
        column = f"replace({column}, {writer.dialect.literal(letter)}, {writer.dialect.literal(escaped)})"
    return column
