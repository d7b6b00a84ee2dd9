"""Bytes of one stored file over HTTP: opened, compared with what the client has, cut to its range, sent.

Used by the file service and the S3 service, which differ in headers and in how they tell errors. Nothing is ever compressed
and Content-Length is always known. A local file is opened on the event loop, as nginx does, and what the page cache holds is
read there, too, since a change of threads costs several times that; all other waiting is done in threads.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from tomoportal.api.conditions import Version, Wanted, wanted
from tomoportal.api.portal import Portal, being_replaced
from tomoportal.errors import NotFound, StorageError
from tomoportal.layout.paths import Key
from tomoportal.storage import LocalStorage, clean_path

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Headers = list[tuple[bytes, bytes]]
T = TypeVar("T")

PIECE = 1 << 20
"""Bytes read and sent at once from a local disk."""
REMOTE_PIECE = 4 << 20
FIRST = 128 << 10
"""Larger whole files of a local disk are handed to the server, which reads them without Python."""

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO}
_NOTHING = Wanted(200)
_KNOWS_CACHE = hasattr(os, "RWF_NOWAIT")

_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="files")
_remote_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="remote-files")


@dataclass(slots=True)
class Opened:
    """A file ready to be sent: `handle` is an open descriptor (-1 when there is none), `first` the first bytes of `wanted`."""

    path: str
    version: Version
    wanted: Wanted
    handle: int = -1
    first: bytes = b""
    send_path: str = ""
    """Set when the server should send the whole file by itself."""

    def close(self) -> None:
        """Give the descriptor back."""
        if self.handle >= 0:
            handle, self.handle = self.handle, -1
            os.close(handle)


async def open_file(portal: Portal, path: str, scope: Scope) -> Opened:
    """Find the file, check who may see it, decide what to send, read the beginning of it if that is at hand.

    Raises `NotFound` for whatever must not be seen, `Refused` (503) for what is being replaced, `StorageError`.
    """
    if isinstance(portal.storage, LocalStorage):
        return _open_local(portal, portal.storage.url, path, scope)
    return await in_thread(portal, _open_remote, portal, path, scope)


def _open_remote(portal: Portal, path: str, scope: Scope) -> Opened:
    key = _admitted(portal, path)
    entry = _found(portal, key, path, lambda: portal.storage.stat(path))
    if portal.replacing(key):
        raise being_replaced(path)
    version = Version(entry.tag, entry.modified, entry.size)
    return Opened(path, version, wanted(dict(scope["headers"]), version))


def _open_local(portal: Portal, root: str, path: str, scope: Scope) -> Opened:
    key = _admitted(portal, path)
    handle, found, real = _found(portal, key, path, lambda: _open_inside(root, path))
    opened = Opened(path, _version(found), _NOTHING, handle)
    try:
        target = key if real == path else portal.admit(real)
        if portal.replacing(key) or (target != key and portal.replacing(target)):
            raise being_replaced(path)
        opened.wanted = wanted(dict(scope["headers"]), opened.version)
        length = opened.wanted.end - opened.wanted.start
        if scope["method"] == "HEAD" or not length:
            opened.close()
        elif opened.wanted.status == 200 and length > FIRST and _server_can_send(scope):
            opened.send_path = f"{root}/{path}"
            opened.close()
        else:
            opened.first = _cached(handle, min(length, PIECE), opened.wanted.start)
            if len(opened.first) == length:
                opened.close()
    except BaseException:
        opened.close()
        raise
    return opened


def _found(portal: Portal, key: Key, path: str, look: Callable[[], T]) -> T:
    """What `look` finds. A file that is absent while its entity is being replaced may come yet: a reader of Zarr must not take
    that for a chunk of zeros. Looking again covers a replacement that ended in between."""
    try:
        return look()
    except NotFound:
        if portal.replacing(key):
            raise being_replaced(path) from None
        portal.check_reach(path)
        return look()


def _admitted(portal: Portal, path: str) -> Key:
    try:
        clean_path(path)
    except StorageError:
        raise NotFound(path) from None
    return portal.admit(path)


def _version(found: os.stat_result) -> Version:
    return Version(f"{found.st_mtime_ns:x}-{found.st_size:x}", found.st_mtime, found.st_size)


def _server_can_send(scope: Scope) -> bool:
    return "http.response.pathsend" in (scope.get("extensions") or {})


def _cached(handle: int, length: int, start: int) -> bytes:
    """What of a file is in memory already; nothing where that cannot be known."""
    if not _KNOWS_CACHE:
        return b""
    data = bytearray(length)
    try:
        count = os.preadv(handle, [data], start, os.RWF_NOWAIT)
    except OSError:
        return b""
    return bytes(data) if count == length else bytes(data[:count])


def _open_inside(root: str, path: str) -> tuple[int, os.stat_result, str]:
    """Open a regular file below `root`, wherever links lead as long as they stay inside; with the path that they lead to."""
    try:
        handle = os.open(f"{root}/{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _ABSENT:
            raise NotFound(path) from None
        raise StorageError(path, f"the server cannot read this file ({error.strerror})") from error
    except ValueError:
        raise NotFound(path) from None
    found = os.fstat(handle)
    real = _real_path(handle, f"{root}/{path}")
    if not stat.S_ISREG(found.st_mode) or not real.startswith(f"{root}/"):
        os.close(handle)
        raise NotFound(path)
    return handle, found, real.removeprefix(f"{root}/")


def _real_path(handle: int, path: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:
        return os.path.realpath(path)


async def in_thread(portal: Portal, work: Callable[..., T], *arguments: Any) -> T:
    """Run blocking work of the file services beside the event loop; waiting for a remote storage has threads of its own."""
    threads = _threads if isinstance(portal.storage, LocalStorage) else _remote_threads
    return await asyncio.get_running_loop().run_in_executor(threads, work, *arguments)


async def send_opened(
    portal: Portal, opened: Opened, scope: Scope, receive: Receive, send: Send, headers: Headers
) -> None:
    """Answer with the file (status 200, 206 or 304; the services tell the others as errors). `headers` are those of the service;
    validators, length and range are added."""
    try:
        start = {
            "type": "http.response.start",
            "status": opened.wanted.status,
            "headers": headers + _headers(opened),
        }
        await send(start)
        if scope["method"] == "HEAD" or opened.wanted.status not in (200, 206):
            await send({"type": "http.response.body", "body": b""})
        elif opened.send_path:
            await send({"type": "http.response.pathsend", "path": opened.send_path})
        else:
            await _send_pieces(portal, opened, receive, send)
    finally:
        opened.close()


def _headers(opened: Opened) -> Headers:
    version, what = opened.version, opened.wanted
    headers = [
        (b"etag", version.etag.encode()),
        (b"last-modified", version.last_modified.encode()),
        (b"accept-ranges", b"bytes"),
    ]
    if what.status in (200, 206):
        headers.append((b"content-length", b"%d" % (what.end - what.start)))
    if what.status == 206:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (what.start, what.end - 1, version.size)))
    return headers


async def _send_pieces(portal: Portal, opened: Opened, receive: Receive, send: Send) -> None:
    """What is left is read one piece ahead of what is being sent, unless the client has gone away. A file that has become shorter
    ends the connection."""
    at, end = opened.wanted.start, opened.wanted.end
    data = opened.first
    if at + len(data) < end:
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            while at + len(data) < end and not gone.done():
                at += len(data)
                ahead = asyncio.ensure_future(in_thread(portal, _read, portal, opened, at))
                try:
                    if data:
                        await send({"type": "http.response.body", "body": data, "more_body": True})
                finally:
                    data = await ahead
        finally:
            gone.cancel()
    await send({"type": "http.response.body", "body": data, "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _read(portal: Portal, opened: Opened, at: int) -> bytes:
    if opened.handle >= 0:
        data = os.pread(opened.handle, min(PIECE, opened.wanted.end - at), at)
    else:
        data = portal.storage.read(opened.path, at, min(REMOTE_PIECE, opened.wanted.end - at))
    if not data:
        raise StorageError(opened.path, "the file became shorter while it was being sent")
    return data
