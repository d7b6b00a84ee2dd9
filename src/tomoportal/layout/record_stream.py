"""The records of an index one after the other, without ever holding the whole JSON object that they stand in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from tomoportal.errors import StorageError

PIECE = 2**18
"""Characters read at a time."""
_HEAD = re.compile(r'\s*\{\s*"format"\s*:\s*\d+\s*,\s*"records"\s*:\s*\[\s*(?P<empty>\])?')
_AFTER = re.compile(r"\s*([,\]])\s*")
_END = re.compile(r"\s*\}\s*\Z")
_ELEMENT = json.JSONDecoder().raw_decode


def records_in(text: IO[str], where: str) -> Iterator[dict[str, Any]]:
    """The elements of `{"format": 1, "records": […]}`, each decoded when it is asked for. Raises `StorageError` about `where` when
    this is not what is there, or when it ends too early."""
    held = text.read(PIECE)
    head = _HEAD.match(held)
    if head is None:
        raise StorageError(where, 'this index is damaged: it does not begin with {"format": …, "records": […')
    position, sign = head.end(), "," if head["empty"] is None else "]"
    while sign == ",":
        found = _next(held, position)
        if found is not None:
            record, sign, position = found
            yield _object(record, where)
        elif piece := text.read(max(PIECE, len(held) - position)):
            held, position = held[position:] + piece, 0
        else:
            raise StorageError(where, "this index is damaged, or ends in the middle")
    if _END.match(held[position:] + text.read(PIECE)) is None:
        raise StorageError(where, "this index is damaged: its end is missing, or something stands behind it")


def _next(held: str, position: int) -> tuple[Any, str, int] | None:
    """The element here, the sign behind it, and where the next one begins; None when more must be read."""
    try:
        record, end = _ELEMENT(held, position)
    except ValueError:
        return None
    after = _AFTER.match(held, end)
    if after is None or (after[1] == "," and after.end() == len(held)):
        return None
    return record, after[1], after.end()


def _object(record: Any, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise StorageError(where, f"this index is damaged: a record is {str(record)[:40]!r}")
    return record
