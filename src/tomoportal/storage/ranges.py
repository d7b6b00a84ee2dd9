"""Byte ranges from servers whose answers to them break the protocol, such as `rclone serve s3`: the right bytes, but with the
status 200 instead of 206, which other clients refuse. The address is signed by the store's own client and asked plainly.
"""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError

from tomoportal.errors import StorageError
from tomoportal.storage.access import PATIENCE, attempts

_VALID = timedelta(minutes=15)
_PASSING = (429, 500, 502, 503, 504)
_BEYOND_THE_END = 416
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def plain_range(store: Any, key: str, start: int, length: int | None, where: str) -> bytes | None:
    """`length` bytes (at least 1) of an object from `start`, fewer at its end, to the end when None; None when the answer is not
    this range, so that it must be had in another way.

    Passing trouble is tried again with growing pauses. Raises `StorageError` when it lasts."""
    try:
        address = obstore.sign(store, "GET", key, _VALID)
    except BaseError:  # there is nothing to sign with
        return None
    trouble = ""
    for _ in attempts():
        try:
            return _asked(address, start, length)
        except urllib.error.HTTPError as error:
            if error.code not in _PASSING:
                return b"" if error.code == _BEYOND_THE_END else None
            trouble = f"the server answers {error.code} ({error.reason})"
        except (OSError, http.client.HTTPException) as error:
            trouble = f"the connection failed ({error or type(error).__name__})"
    raise StorageError(where, f"{trouble}, every time it was asked; try again later")


def _asked(address: str, start: int, length: int | None) -> bytes | None:
    last = "" if length is None else start + length - 1
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-{last}"})
    with urllib.request.urlopen(request, timeout=PATIENCE["timeout"]) as answer:
        told = _RANGE.fullmatch(answer.headers["Content-Range"] or "")
        if told is None:
            return None
        first, final, size = map(int, told.groups())
        end = size if length is None else min(size, start + length)
        if (first, final + 1) != (start, end):
            return None
        data: bytes = answer.read()
    if len(data) != end - start:
        raise http.client.IncompleteRead(data, end - start - len(data))
    return data
