"""A large file in pieces that come at the same time, and its checksum, which follows them."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from threading import Lock

from tomoportal.client.downloads.fetch import BLOCK, Fetcher, WriteFailed
from tomoportal.client.downloads.manifest import Item
from tomoportal.client.downloads.place import NO_LINKS, Place, check_sum, told
from tomoportal.client.downloads.progress import Counter
from tomoportal.errors import RemoteError

LARGE = 16 << 20
"""Bytes from which a file is fetched in pieces."""
PIECE = 8 << 20


class Pieces:
    """The pieces of one file. Its place on the disk is reserved at once."""

    def __init__(self, place: Place, item: Item, counter: Counter) -> None:
        assert item.size is not None
        self._place, self._item, self._counter, self._size = place, item, counter, item.size
        self._path = place.part_of(item)
        self._done = [place.is_done(item, number) for number in range(-(-item.size // PIECE))]
        self._left = self._done.count(False)
        self._lock, self._hashing = Lock(), Lock()
        self._digest, self._hashed = hashlib.sha256(), 0
        with told(self._path):
            self._reserve()

    def _reserve(self) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | NO_LINKS, 0o644)
        try:
            if os.fstat(handle).st_size != self._size:
                os.ftruncate(handle, self._size)
            if hasattr(os, "posix_fallocate"):
                _allocate(handle, self._size)
        finally:
            os.close(handle)

    def missing(self) -> Iterator[int]:
        """The pieces that have not come yet."""
        for number, is_done in enumerate(list(self._done)):
            if is_done:
                self._counter.add(0, self._end(number) - number * PIECE)
            else:
                yield number

    def left(self) -> int:
        """How many there are of these."""
        return self._left

    def _end(self, number: int) -> int:
        return min((number + 1) * PIECE, self._size)

    def fetch(self, number: int, fetcher: Fetcher) -> None:
        """Bring one piece. With the last one the checksum is compared."""
        with told(self._path), open(self._path, "r+b", buffering=0, opener=_opener) as file:
            at = number * PIECE
            file.seek(at)

            def write(_: int, data: memoryview) -> None:
                self._counter.add(0, len(data))
                try:
                    while data:
                        data = data[file.write(data) :]
                except OSError as error:
                    raise WriteFailed(error.errno, error.strerror) from error

            fetcher.fetch(self._item, at, self._end(number), write)
        self._place.mark_done(self._item, number)
        with self._lock:
            self._done[number] = True
            self._left -= 1
            is_last = not self._left
        if is_last:
            self.check()
        elif self._item.sha256 and self._hashing.acquire(blocking=False):
            try:
                self._follow()
            finally:
                self._hashing.release()

    def check(self) -> None:
        """Raises `RemoteError` when the checksum is not the recorded one; the bytes are removed then."""
        if not self._item.sha256:
            self._finish()
            return
        with self._hashing:
            self._follow()
        try:
            check_sum(self._item, self._digest.hexdigest())
        except RemoteError:
            self._path.unlink(missing_ok=True)
            raise
        self._finish()

    def _finish(self) -> None:
        if self._item.folder:
            self._place.mark_done(self._item)
            self._counter.add(1, 0)

    def _follow(self) -> None:
        """Hash what lies before the first piece that is missing."""
        with told(self._path), open(self._path, "rb", buffering=0, opener=_opener) as file:
            file.seek(self._hashed * PIECE)
            buffer = memoryview(bytearray(2 * BLOCK))
            while self._hashed < len(self._done) and self._done[self._hashed]:
                left = self._end(self._hashed) - self._hashed * PIECE
                while left and (came := file.readinto(buffer[: min(left, len(buffer))])):
                    self._digest.update(buffer[:came])
                    left -= came
                self._hashed += 1


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | NO_LINKS)


def _allocate(handle: int, size: int) -> None:
    """Where the file system can; a full disk is told at once then."""
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV):
            raise
