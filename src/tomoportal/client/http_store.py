"""A folder behind HTTP as a store of zarr-python: only reads what is asked for, over the connections of a client, which asks again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

from tomoportal.errors import RemoteError

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer, BufferPrototype

    from tomoportal.client.connection import Client

ABSENT = (404, 410)


class HttpStore(Store):
    """What lies below `address`, which ends without a slash. Cannot be listed or written; can be sent to other processes."""

    supports_writes = supports_deletes = supports_listing = False

    def __init__(self, client: Client, address: str) -> None:
        super().__init__(read_only=True)
        self.client, self.address = client, address

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """The bytes of a key, or of a part of it; None when there is no such key."""
        content = await asyncio.to_thread(self._fetched, key, byte_range)
        return None if content is None else prototype.buffer.from_bytes(content)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Several parts."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        return await asyncio.to_thread(self._fetched, key, RangeByteRequest(0, 1)) is not None

    def _fetched(self, key: str, part: ByteRequest | None) -> bytes | None:
        url = f"{self.address}/{quote(key)}"
        answer = self.client.get(url, {"Range": _header(part)} if part else {})
        if answer.status_code in ABSENT:
            return None
        if answer.status_code == 206 and part:
            return answer.content
        if answer.status_code == 200:
            return _cut(answer.content, part)
        raise RemoteError(f"{url} answered {answer.status_code}.", answer.status_code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HttpStore) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __str__(self) -> str:
        return self.address

    async def set(self, key: str, value: Buffer) -> NoReturn:
        """Not possible."""
        raise NotImplementedError(f"{self} can only be read.")

    async def delete(self, key: str) -> NoReturn:
        """Not possible."""
        raise NotImplementedError(f"{self} can only be read.")

    def list(self) -> AsyncIterator[str]:
        """Not possible."""
        raise NotImplementedError(f"{self} cannot be listed.")

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Not possible."""
        return self.list()

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Not possible."""
        return self.list()


def _header(part: ByteRequest) -> str:
    match part:
        case RangeByteRequest(start, end):
            return f"bytes={start}-{end - 1}"
        case OffsetByteRequest(offset):
            return f"bytes={offset}-"
        case SuffixByteRequest(suffix):
            return f"bytes=-{suffix}"
    raise TypeError(f"{part!r} is no range of bytes")


def _cut(content: bytes, part: Any) -> bytes:
    """The part of a whole that was sent instead of it."""
    match part:
        case RangeByteRequest(start, end):
            return content[start:end]
        case OffsetByteRequest(offset):
            return content[offset:]
        case SuffixByteRequest(suffix):
            return content[-suffix:]
    return content
