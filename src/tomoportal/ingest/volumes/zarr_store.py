"""A depositor's OME-Zarr folder on any storage, as zarr-python reads it: each object when it is asked for, nothing listed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype

from tomoportal.ingest.depositor import DepositorFiles


class DepositorStore(Store):
    """The folder `path` of `files`, read-only. What is absent is told from what cannot be read: that raises `SourceError`."""

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, files: DepositorFiles, path: str) -> None:
        super().__init__(read_only=True)
        self._files, self._path = files, path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DepositorStore) and (self._files, self._path) == (other._files, other._path)

    def __hash__(self) -> int:
        return hash(self._path)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        data = await asyncio.to_thread(self._read, key, byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return list(await asyncio.gather(*(self.get(key, prototype, wanted) for key, wanted in key_ranges)))

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self._read, key, RangeByteRequest(0, 1)) is not None

    async def set(self, key: str, value: Buffer) -> None:
        raise NotImplementedError("a depositor's files are only read")

    async def delete(self, key: str) -> None:
        raise NotImplementedError("a depositor's files are only read")

    async def list(self) -> AsyncIterator[str]:
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        for key in await asyncio.to_thread(self._keys):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        inside = f"{prefix.rstrip('/')}/" if prefix else ""
        names = {key.removeprefix(inside).partition("/")[0] for key in await asyncio.to_thread(self._keys)
                 if key.startswith(inside)}  # fmt: skip
        for name in sorted(names):
            yield name

    def _keys(self) -> tuple[str, ...]:
        return tuple(entry.path.removeprefix(f"{self._path}/") for entry in self._files.list(self._path))

    def _read(self, key: str, wanted: ByteRequest | None) -> bytes | None:
        path = f"{self._path}/{key}"
        if isinstance(wanted, RangeByteRequest):
            return self._files.read_if_there(path, wanted.start, wanted.end - wanted.start)
        if isinstance(wanted, OffsetByteRequest):
            return self._files.read_if_there(path, wanted.offset)
        if isinstance(wanted, SuffixByteRequest):
            return self._files.read_if_there(path, max(0, self._files.stat(path).size - wanted.suffix))
        return self._files.read_if_there(path)
