"""Comparing what came with what the portal recorded: SHA-256 of a file, CRC-32 of one that is part of a folder."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Protocol

from tomoportal.client.downloads.manifest import Item
from tomoportal.errors import RemoteError

_BLOCK = 1 << 20


class Sum(Protocol):
    """A checksum in the making."""

    def update(self, data: memoryview | bytes | bytearray, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: memoryview | bytes | bytearray, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


class _Nothing:
    def update(self, data: memoryview | bytes | bytearray, /) -> None:
        """Nothing was recorded to compare with."""

    def hexdigest(self) -> str:
        return ""


def begun(item: Item) -> Sum:
    """The checksum of no bytes yet, of the kind that was recorded for the file."""
    if item.sha256:
        return hashlib.sha256()
    return _Crc32() if item.crc32 else _Nothing()


def recorded(item: Item) -> str:
    """What it must be in the end; empty when nothing was recorded."""
    return item.sha256 or item.crc32


def is_as_recorded(item: Item, path: Path) -> bool:
    """Whether the bytes of a file on the disk are those; False when nothing was recorded."""
    if not recorded(item):
        return False
    found = begun(item)
    with path.open("rb", buffering=0) as file:
        buffer = memoryview(bytearray(_BLOCK))
        while came := file.readinto(buffer):
            found.update(buffer[:came])
    return found.hexdigest() == recorded(item)


def check_sum(item: Item, found: Sum) -> None:
    """Raises `RemoteError` when it is not the recorded one."""
    if found.hexdigest() != recorded(item):
        kind = "SHA-256" if item.sha256 else "CRC-32"
        raise RemoteError(
            f"{item.url} does not have the checksum that was recorded for it ({kind} {found.hexdigest()}, expected {recorded(item)}); "
            "what came was removed. Run it again; if it says so again, tell the portal's operator."
        )
