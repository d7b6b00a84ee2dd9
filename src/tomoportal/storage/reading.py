"""Reading objects so that a part is never taken for the whole.

The store's client notices when an answer breaks off, but gives up then; here it is asked again. What an answer says about its own
length is compared with what was asked for, and a whole object with its checksum or the size that the store tells.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import obstore
from obstore.exceptions import GenericError

from tomoportal.errors import StorageError
from tomoportal.storage.access import attempts
from tomoportal.storage.ranges import plain_range

_BROKEN_OFF = re.compile(
    r"body error|invalid list response|decoding response body|incomplete|connection closed", re.IGNORECASE
)
_RANGE_REFUSED = re.compile(r"\b416\b|non-partial|InvalidRange")
_STEP = 1 << 20

T = TypeVar("T")


class _Short(Exception):
    """Fewer bytes came than belong there."""


def again(where: str, ask: Callable[[], T]) -> T:
    """What `ask` gives, asked anew while answers break off. Raises its other errors, and `StorageError` when it goes on."""
    trouble = ""
    for _ in attempts():
        try:
            return ask()
        except _Short as error:
            trouble = str(error)
        except GenericError as error:
            if not _BROKEN_OFF.search(str(error)):
                raise
            trouble = "the answer broke off"
    raise StorageError(where, f"{trouble}, every time it was asked; try again later")


class Reader:
    """Reads objects of `store`, which messages call `url`. Raises obstore's errors, and `StorageError` where answers stay short."""

    def __init__(self, store: Any, url: str) -> None:
        self._store, self._url = store, url
        self._answers_ranges = True

    def whole(self, key: str) -> bytes:
        """All bytes of an object."""
        return self._again(key, lambda: self._whole(key))

    def part(self, key: str, start: int, length: int | None) -> bytes:
        """`length` bytes from `start`, to the end when None; fewer at the end of the object."""
        if length == 0:
            obstore.head(self._store, key)
            return b""
        if self._answers_ranges:
            try:
                return self._again(key, lambda: self._part(key, start, length))
            except GenericError as error:
                if not _RANGE_REFUSED.search(str(error)):
                    raise
                self._answers_ranges = "non-partial" not in str(error)
        plain = plain_range(self._store, key, start, length, f"{self._url}/{key}")
        return self._again(key, lambda: self._skipped(key, start, length)) if plain is None else plain

    def _again(self, key: str, ask: Callable[[], bytes]) -> bytes:
        return again(f"{self._url}/{key}", ask)

    def _whole(self, key: str) -> bytes:
        answer = obstore.get(self._store, key)
        data, told = bytes(answer.bytes()), answer.meta
        tag = (told["e_tag"] or "").strip('"')
        if tag != hashlib.md5(data, usedforsecurity=False).hexdigest():
            _check(len(data), obstore.head(self._store, key)["size"])
        return data

    def _part(self, key: str, start: int, length: int | None) -> bytes:
        wanted: Any = {"offset": start} if length is None else (start, start + length)
        answer = obstore.get(self._store, key, options={"range": wanted})
        data = bytes(answer.bytes())
        size = answer.meta["size"]
        _check(len(data), (size if length is None else min(size, start + length)) - start)
        return data

    def _skipped(self, key: str, start: int, length: int | None) -> bytes:
        """For servers that give no ranges at all: stream the object from its beginning and keep the part."""
        kept = bytearray()
        end = math.inf if length is None else start + length
        answer = obstore.get(self._store, key)
        position = 0
        for piece in answer.stream(min_chunk_size=_STEP):
            data = memoryview(piece)
            kept += data[max(0, start - position) : max(0, int(min(len(data), end - position)))]
            position += len(data)
            if position >= end:
                return bytes(kept)
        _check(position, obstore.head(self._store, key)["size"])
        return bytes(kept)


def _check(came: int, expected: int) -> None:
    if came != expected:
        raise _Short(f"{came} bytes came instead of {expected}")
