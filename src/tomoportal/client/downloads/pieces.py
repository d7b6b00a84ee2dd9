"""A large file: as many streams as make it faster, and its checksum, which follows them.

The first stream begins at the beginning. While a further one makes the whole faster, another begins in the middle of the largest gap; a
stream ends where the next one began. On a fast line one stream is all there is, and costs the server least.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import BinaryIO

from tomoportal.client.downloads.checksums import begun, check_sum, recorded
from tomoportal.client.downloads.fetch import BLOCK, Fetcher, WriteFailed
from tomoportal.client.downloads.manifest import Item
from tomoportal.client.downloads.place import NO_LINKS, Place, told
from tomoportal.client.downloads.progress import Counter
from tomoportal.errors import RemoteError

LARGE = 16 << 20
"""Bytes from which a file is fetched in this way."""
PIECE = 8 << 20
"""Bytes that are remembered as complete."""
STREAMS = 8
PAUSE = 0.5
"""Seconds for which a number of streams is measured."""
FAST = 100e6
"""Bytes a second that one stream is expected to bring alone: more would only cost."""
GAIN = 1.25
"""What a further stream must have brought for yet another one."""

_FREE, _TAKEN, _DONE = 0, 1, 2
Job = Callable[[Fetcher], None]


class _Met(Exception):
    """A stream has come to what another one brings."""


class Pieces:
    """One file. Its place on the disk is reserved at once. `more` gives a job to another thread; False when all are busy."""

    def __init__(self, place: Place, item: Item, counter: Counter, more: Callable[[Job], bool]) -> None:
        assert item.size is not None
        self._place, self._item, self._counter, self._size, self._more = place, item, counter, item.size, more
        self._path = place.part_of(item)
        count = -(-item.size // PIECE)
        self._pieces = bytearray(_DONE if place.is_done(item, number) else _FREE for number in range(count))
        self._lock, self._hashing = Lock(), Lock()
        self._sum, self._hashed = begun(item), 0
        self._speed = _Speed()
        counter.add(
            0, sum(self._end(number) - number * PIECE for number, one in enumerate(self._pieces) if one)
        )
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

    def _end(self, number: int) -> int:
        return min((number + 1) * PIECE, self._size)

    def bring(self, fetcher: Fetcher) -> None:
        """One stream after the other until nothing is free. Whoever brings the last piece compares the checksum."""
        with told(self._path), open(self._path, "r+b", buffering=0, opener=_opener) as file:
            while (gap := self._gap()) is not None:
                self._stream(fetcher, file, *gap)
        with self._lock:
            is_last = self._speed.leave() == 0 and self._pieces.count(_DONE) == len(self._pieces)
        if is_last:
            self._check()

    def _gap(self) -> tuple[int, int] | None:
        """Where to begin and what not to pass: the first gap if nobody is at it, else the second half of the largest."""
        with self._lock:
            gaps = self._free_gaps()
            if not gaps:
                return None
            start, end = max(gaps, key=lambda gap: gap[1] - gap[0])
            if start and self._pieces[start - 1] == _TAKEN:
                start = (start + end) // 2
            self._pieces[start] = _TAKEN
            return start, end

    def _free_gaps(self) -> list[tuple[int, int]]:
        gaps, at = [], self._pieces.find(_FREE)
        while at >= 0:
            end = next(
                (n for n in range(at, len(self._pieces)) if self._pieces[n] != _FREE), len(self._pieces)
            )
            gaps.append((at, end))
            at = self._pieces.find(_FREE, end)
        return gaps

    def _stream(self, fetcher: Fetcher, file: BinaryIO, start: int, end: int) -> None:
        begin, number = start * PIECE, start
        file.seek(begin)

        def write(at: int, data: memoryview) -> None:
            nonlocal number
            while data:
                room = self._end(number) - at
                _write_all(file, data[:room])
                self._counter.add(0, min(room, len(data)))
                if len(data) >= room:
                    self._complete(number)
                    if number + 1 == end:
                        return
                    if not self._take(number + 1):
                        raise _Met
                    number += 1
                data, at = data[room:], at + room

        try:
            fetcher.fetch(self._item, begin, self._end(end - 1), write)
        except _Met:
            pass
        finally:
            with self._lock:
                if self._pieces[number] == _TAKEN:
                    self._pieces[number] = _FREE

    def _take(self, number: int) -> bool:
        with self._lock:
            if self._pieces[number] != _FREE:
                return False
            self._pieces[number] = _TAKEN
            return True

    def _complete(self, number: int) -> None:
        self._place.mark_done(self._item, number)
        with self._lock:
            self._pieces[number] = _DONE
            wants_more = _FREE in self._pieces and self._speed.wants_more(self._end(number) - number * PIECE)
        if wants_more and not self._more(self.bring):
            with self._lock:
                self._speed.leave()
        if recorded(self._item) and not self._hashing.locked() and self._can_follow():
            self._more(self._follow_if_free)

    def _can_follow(self) -> bool:
        return self._hashed < len(self._pieces) and self._pieces[self._hashed] == _DONE

    def _follow_if_free(self, _: Fetcher) -> None:
        if self._hashing.acquire(blocking=False):
            try:
                if self._can_follow():
                    self._follow()
            finally:
                self._hashing.release()

    def _check(self) -> None:
        """Raises `RemoteError` when the checksum is not the recorded one; the bytes are removed then."""
        if recorded(self._item):
            with self._hashing:
                self._follow()
            try:
                check_sum(self._item, self._sum)
            except RemoteError:
                self._path.unlink(missing_ok=True)
                raise
        if self._item.folder:
            self._place.mark_done(self._item)
            self._counter.add(1, 0)

    def _follow(self) -> None:
        """Hash what lies before the first piece that is missing."""
        with told(self._path), open(self._path, "rb", buffering=0, opener=_opener) as file:
            file.seek(self._hashed * PIECE)
            buffer = memoryview(bytearray(2 * BLOCK))
            while self._hashed < len(self._pieces) and self._pieces[self._hashed] == _DONE:
                left = self._end(self._hashed) - self._hashed * PIECE
                while left and (came := file.readinto(buffer[: min(left, len(buffer))])):
                    self._sum.update(buffer[:came])
                    left -= came
                self._hashed += 1


class _Speed:
    """Decides whether another stream is worth it. The caller holds a lock."""

    def __init__(self) -> None:
        self._streams, self._best = 1, 0.0
        self._since, self._came = monotonic(), 0
        self._is_settled = False

    def wants_more(self, size: int) -> bool:
        """So many bytes more have come; True: one more stream was counted."""
        self._came += size
        passed = monotonic() - self._since
        if self._is_settled or passed < PAUSE:
            return False
        rate = self._came / passed
        self._since, self._came = monotonic(), 0
        if self._streams >= STREAMS or rate < self._best * GAIN or (self._streams == 1 and rate > FAST):
            self._is_settled = True
            return False
        self._best, self._streams = rate, self._streams + 1
        return True

    def leave(self) -> int:
        """One less; how many are left."""
        self._streams -= 1
        return self._streams


def _write_all(file: BinaryIO, data: memoryview) -> None:
    try:
        while data:
            data = data[file.write(data) :]
    except OSError as error:
        raise WriteFailed(error.errno, error.strerror) from error


def _allocate(handle: int, size: int) -> None:
    """Where the file system can; a full disk is told at once then."""
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV):
            raise


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | NO_LINKS)
