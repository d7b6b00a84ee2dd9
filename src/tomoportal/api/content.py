"""One stored file as a request wants it: found, allowed, opened, compared with what the client has, cut to its ranges.

Used by the file service and the S3 service, which differ in headers and in how they tell errors. A local file is opened on the
event loop, as nginx does, and what the page cache holds is read there, too, since a change of threads costs several times that;
all other waiting is done in threads.
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
LONGEST_PATH = 1024
"""No longer key fits into an object store. What is remembered of paths stays bounded so."""
FIRST = 128 << 10
"""Larger whole files of a local disk are handed to the server, which reads them without Python."""

ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO}
"""What the system says of files that are not there."""
_KNOWS_CACHE = hasattr(os, "RWF_NOWAIT")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK

_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="files")
_remote_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="remote-files")


@dataclass(slots=True)
class Opened:
    """A file ready to be sent: `handle` is an open descriptor (-1 when there is none), `first` the first piece of what is wanted
    (empty when it is not at hand)."""

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


async def open_file(portal: Portal, path: str, scope: Scope, *, several: bool = True) -> Opened:
    """Find the file, check who may see it, decide what to send, read the beginning of it if that is at hand. `several`: whether
    more than one range may be answered.

    Raises `NotFound` for whatever must not be seen, `Refused` (503) for what is being replaced, `StorageError`.
    """
    if isinstance(portal.storage, LocalStorage):
        return _open_local(portal, portal.storage.url, path, scope, several)
    return await in_thread(portal, _open_remote, portal, path, scope, several)


def _open_remote(portal: Portal, path: str, scope: Scope, several: bool) -> Opened:
    """The first piece is read before anything is answered, so that a store in trouble gives an error and no broken answer."""
    key = _admitted(portal, path)
    entry = _found(portal, key, path, lambda: portal.storage.stat(path))
    if portal.replacing(key):
        raise being_replaced(path)
    version = Version(entry.tag, entry.modified, entry.size)
    opened = Opened(path, version, wanted(dict(scope["headers"]), version, several=several))
    if scope["method"] != "HEAD" and opened.wanted.length:
        start, end = opened.wanted.spans[0]
        opened.first = read_piece(portal, opened, start, min(end - start, REMOTE_PIECE))
    return opened


def _open_local(portal: Portal, root: str, path: str, scope: Scope, several: bool) -> Opened:
    key = _admitted(portal, path)
    handle, found, real = _found(portal, key, path, lambda: _open_inside(root, path))
    try:
        target = key if real == path else portal.admit(real)
        if portal.replacing(key) or (target != key and portal.replacing(target)):
            raise being_replaced(path)
        version = Version(f"{found.st_mtime_ns:x}-{found.st_size:x}", found.st_mtime, found.st_size)
        asked = wanted(dict(scope["headers"]), version, several=several)
    except BaseException:
        os.close(handle)
        raise
    opened = Opened(path, version, asked, handle)
    if scope["method"] == "HEAD" or not asked.length:
        opened.close()
    elif asked.status == 200 and version.size > FIRST and _server_can_send(scope):
        opened.send_path = f"{root}/{path}"
        opened.close()
    else:
        _read_cached(opened)
    return opened


def _read_cached(opened: Opened) -> None:
    start, end = opened.wanted.spans[0]
    opened.first = _cached(opened.handle, min(end - start, PIECE), start)
    if len(opened.first) == opened.wanted.length:
        opened.close()


def _found(portal: Portal, key: Key, path: str, look: Callable[[], T]) -> T:
    """What `look` finds. A file that is absent while its entity is being replaced may come yet: a reader of Zarr must not take
    that for a chunk of zeros. Looking again covers a replacement that ended in between."""
    try:
        return look()
    except NotFound:
        if portal.replacing(key, now=True):
            raise being_replaced(path) from None
        portal.check_reach(path)
        return look()


def _admitted(portal: Portal, path: str) -> Key:
    if len(path) > LONGEST_PATH:
        raise NotFound(path)
    try:
        clean_path(path)
    except StorageError:
        raise NotFound(path) from None
    return portal.admit(path)


def _server_can_send(scope: Scope) -> bool:
    return "http.response.pathsend" in (scope.get("extensions") or {})


def _cached(handle: int, length: int, start: int) -> bytes:
    """A part of a file if all of it is in memory already; nothing where it is not, or that cannot be known."""
    if not _KNOWS_CACHE:
        return b""
    data = bytearray(length)
    try:
        count = os.preadv(handle, [data], start, os.RWF_NOWAIT)
    except OSError:
        return b""
    return bytes(data) if count == length else b""


def _open_inside(root: str, path: str) -> tuple[int, os.stat_result, str]:
    """Open a regular file below `root`, wherever links lead as long as they stay inside; with the path that they lead to."""
    try:
        handle = os.open(f"{root}/{path}", _FLAGS)
    except OSError as error:
        if error.errno in ABSENT:
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


def read_piece(portal: Portal, opened: Opened, start: int, length: int) -> bytes:
    """`length` bytes of the opened version of the file. Raises `StorageError` when there are no longer so many, or the object is
    another one by now."""
    if opened.handle >= 0:
        data = _read(opened.handle, start, length)
    else:
        data = portal.storage.read(opened.path, start, length)
        if length < opened.wanted.length and start + length == opened.wanted.spans[-1][1]:
            _check_unchanged(portal, opened)
    if len(data) != length:
        raise StorageError(opened.path, "the file became shorter while it was being sent")
    return data


def _read(handle: int, start: int, length: int) -> bytes:
    data = os.pread(handle, length, start)
    while 0 < len(data) < length and (more := os.pread(handle, length - len(data), start + len(data))):
        data += more
    return data


def _check_unchanged(portal: Portal, opened: Opened) -> None:
    """Before the last of several pieces: an object that was replaced meanwhile would be sent as a mix."""
    if portal.storage.stat(opened.path).tag != opened.version.tag:
        raise StorageError(opened.path, "the object was replaced while it was being sent; ask for it again")
