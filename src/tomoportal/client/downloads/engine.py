"""Bringing what a manifest lists into a folder: many requests at a time, each file checked, everything resumable.

One thread looks at what is there and gives out work; `Options.jobs` threads with a connection each do it. The thread that asked for
it only waits: Ctrl-C, which reaches no other, finds it between two steps of nothing. A file that cannot be had does not stop the
others; a full disk, a portal that does not answer for long, and Ctrl-C do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Full, Queue
from threading import Condition, Event, Lock, Thread

from tomoportal.client.downloads.checksums import Sum, begun, check_sum
from tomoportal.client.downloads.fetch import Asking, Fetcher, WriteFailed
from tomoportal.client.downloads.manifest import Item, Manifest, Totals, Unit
from tomoportal.client.downloads.names import Distinct
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.patience import Gate, Stopped
from tomoportal.client.downloads.pieces import LARGE, Pieces
from tomoportal.client.downloads.place import (
    NO_LINKS,
    Destination,
    DiskTrouble,
    Place,
    Standing,
    disk_error,
)
from tomoportal.client.downloads.progress import Counter, shown
from tomoportal.errors import PortalError, RemoteError, StorageError

SPARE = 16 << 20
"""Bytes that stay free on the disk."""
_LOOK = 0.2
"""Seconds after which the thread that waits looks whether it was interrupted, where waiting does not end then (Windows)."""
_TRIES = 3
"""How often a small file is fetched whose checksum is wrong."""

Job = Callable[[Fetcher], None]


@dataclass(slots=True)
class Outcome:
    """How a download ended: files and bytes in all, how many were here already, and what failed."""

    totals: Totals
    kept_files: int = 0
    kept_bytes: int = 0
    failed: list[PortalError] = field(default_factory=list)
    failed_units: int = 0

    def fail(self, error: PortalError) -> None:
        """One more; the first hundred are told."""
        self.failed_units += 1
        if len(self.failed) < 100:
            self.failed.append(error)


class _Running:
    """A unit whose files are on the way."""

    def __init__(self, unit: Unit, place: Place) -> None:
        self.unit, self.place = unit, place
        self.error: PortalError | None = None
        self._open, self._lock = 1, Lock()

    def more(self) -> None:
        with self._lock:
            self._open += 1

    def less(self) -> bool:
        """Whether that was the last."""
        with self._lock:
            self._open -= 1
            return self._open == 0


class Engine:
    """One download."""

    def __init__(self, manifest: Manifest, destination: Destination, options: Options) -> None:
        self._manifest, self._destination, self._options = manifest, destination, options
        self._stop, self._over = Event(), Event()
        self._fatal: BaseException | None = None
        self._asking = Asking(Gate(options.jobs), self._stop, options.patience)
        self._queue: Queue[tuple[_Running, Job] | None] = Queue(2 * options.jobs)
        self._fetchers: list[Fetcher] = []
        self._threads: list[Thread] = []
        self._lock, self._ended, self._open = Lock(), Condition(), 0
        self._outcome = Outcome(Totals())
        self.counter = Counter()

    def run(self) -> Outcome:
        """Do it. Raises what makes going on useless; everything that has come then stays for the next time. Returns or raises when no
        thread writes any more."""
        totals = self._checked()
        self._outcome = Outcome(totals)
        if self._destination.is_empty():
            self._check_room("This download", totals.all_bytes)
        giver = Thread(target=self._give_all, name="download", daemon=True)
        with shown(self.counter, totals, self._options.progress):
            try:
                giver.start()
                self._wait()
            except BaseException:
                self._cut()
                if giver.ident is not None:
                    self._wait()
                raise
        if self._fatal is not None:
            raise self._fatal
        return self._outcome

    def _wait(self) -> None:
        """An interrupted `Thread.join` takes the thread for ended (Python 3.11): an event says when it is over."""
        while not self._over.wait(_LOOK):
            pass

    def _checked(self) -> Totals:
        """Looks at all names and sizes before anything is written."""
        totals, distinct = Totals(), Distinct(self._destination.folds_case())
        for item in self._manifest.items():
            distinct.add(item.path)
            totals.add(item)
        return totals

    def _give_all(self) -> None:
        """All units, one after the other, until they are brought or somebody ends it."""
        try:
            for unit in self._manifest.units():
                if self._stop.is_set():
                    break
                self._begin(unit)
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            self._end_with(error)
        try:
            self._join()
        finally:
            self._over.set()

    def _begin(self, unit: Unit) -> None:
        place, outcome = Place(self._destination, unit), self._outcome
        try:
            standing = place.standing(self._items(unit), self._options.verify)
            if standing is Standing.WHOLE:
                place.tidy()
                outcome.kept_files += unit.files
                outcome.kept_bytes += unit.size
                self.counter.add(unit.files, unit.size)
                return
            if standing is Standing.OTHER and not self._options.overwrite:
                raise place.refusal()
            self._check_room(unit.path, unit.size - place.held())
            place.begin()
            if place.is_of_other_version:
                place.remove_strangers(self._items(unit))
        except PortalError as error:
            place.leave()
            if isinstance(error, DiskTrouble):
                raise
            with self._ended:
                outcome.fail(error)
            self.counter.add(unit.files, unit.size)
            return
        with self._ended:
            self._open += 1
        self._give_out(_Running(unit, place))

    def _check_room(self, what: str, needed: int) -> None:
        free = self._destination.free()
        if needed > max(free - SPARE, 0) and needed > SPARE:
            message = f"{what} needs {needed / 1e9:.3f} GB, and {free / 1e9:.3f} GB are free. Make room and run it again"
            raise DiskTrouble(str(self._destination.root), message)

    def _items(self, unit: Unit) -> Iterator[Item]:
        for _, item in zip(range(unit.files), self._manifest.items(unit.offset), strict=False):
            yield item

    def _give_out(self, running: _Running) -> None:
        try:
            for item in self._items(running.unit):
                if running.error is not None or self._stop.is_set():
                    break
                if item.folder and running.place.is_done(item):
                    self.counter.add(1, item.size or 0)
                elif item.size is not None and item.size >= LARGE:
                    more = partial(self._put, running, waits=False)
                    self._put(running, Pieces(running.place, item, self.counter, more).bring)
                else:
                    self._put(running, _small(self, running, item))
        except PortalError as error:
            self._failed(running, error)
        except BaseException:
            self._stop.set()
            raise
        finally:
            self._one_less(running)

    def _put(self, running: _Running, job: Job, *, waits: bool = True) -> bool:
        """Give a job to some thread; False when all have enough to do and it should not wait."""
        with self._lock:
            if len(self._threads) < self._options.jobs:
                thread = Thread(target=self._work, name=f"download-{len(self._threads)}", daemon=True)
                thread.start()
                self._threads.append(thread)
        running.more()
        try:
            self._queue.put((running, job), block=waits)
        except Full:
            running.less()
            return False
        return True

    def _work(self) -> None:
        fetcher = Fetcher(self._asking)
        with self._lock:
            self._fetchers.append(fetcher)
        try:
            while (given := self._queue.get()) is not None:
                self._do(*given, fetcher)
        finally:
            fetcher.wire.drop()

    def _do(self, running: _Running, job: Job, fetcher: Fetcher) -> None:
        try:
            if not self._stop.is_set() and running.error is None:
                job(fetcher)
        except Stopped:
            pass
        except PortalError as error:
            self._failed(running, error)
        except OSError as error:
            self._failed(running, disk_error(running.place.target, error))
        except BaseException as error:  # noqa: BLE001 - a mistake of this program: the thread that waits raises it
            self._end_with(error)
        finally:
            self._one_less(running)

    def _failed(self, running: _Running, error: PortalError) -> None:
        running.error = running.error or error
        is_away = isinstance(error, RemoteError) and error.status is None and error.__cause__ is not None
        if isinstance(error, DiskTrouble) or is_away:
            self._end_with(error)

    def _one_less(self, running: _Running) -> None:
        """The last one gives the unit its name."""
        if not running.less():
            return
        try:
            if running.error is None and not self._stop.is_set():
                running.place.finish(self._options.overwrite)
                self.counter.add(0 if running.unit.is_folder else 1, 0)
        except PortalError as error:
            self._failed(running, error)
        finally:
            running.place.leave()
            with self._ended:
                if running.error is not None:
                    self._outcome.fail(running.error)
                self._open -= 1
                self._ended.notify()

    def _join(self) -> None:
        """Wait for all units, then let the threads go."""
        with self._ended:
            while self._open:
                self._ended.wait()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _end_with(self, error: BaseException) -> None:
        """Nothing goes on; the first error is the one that is told."""
        self._fatal = self._fatal or error
        self._cut()

    def _cut(self) -> None:
        """Ends what all threads wait for; jobs that are left are passed over."""
        self._stop.set()
        with self._lock:
            for fetcher in self._fetchers:
                fetcher.wire.cut()


def _small(engine: Engine, running: _Running, item: Item) -> Job:
    """A file that one request brings."""

    def job(fetcher: Fetcher) -> None:
        path = running.place.part_of(item)
        for attempt in range(_TRIES):
            found = _fetched(fetcher, item, path, engine.counter)
            try:
                check_sum(item, found)
                break
            except RemoteError:
                path.unlink(missing_ok=True)
                if attempt == _TRIES - 1:
                    raise
        if item.folder:
            running.place.mark_done(item)
            engine.counter.add(1, 0)

    return job


def _fetched(fetcher: Fetcher, item: Item, path: Path, counter: Counter) -> Sum:
    """The checksum of what came."""
    found = begun(item)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_LINKS, 0o644)
    try:

        def write(_: int, data: memoryview) -> None:
            write_all(handle, data)
            found.update(data)
            counter.add(0, len(data))

        fetcher.fetch(item, 0, item.size, write)
    except StorageError:
        raise
    except WriteFailed as error:
        raise disk_error(path, error) from error
    finally:
        os.close(handle)
    return found


def write_all(handle: int, data: memoryview) -> None:
    """Raises `WriteFailed`."""
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError as error:
        raise WriteFailed(error.errno, error.strerror) from error
