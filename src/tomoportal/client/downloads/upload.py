"""Bringing what a manifest lists into an object store, without a disk in between.

Small files go as a whole, large ones as multipart uploads, which appear when they are complete: a file whose checksum is wrong never
does. Each object remembers the version it was made from, so that a download that broke off goes on file by file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import BoundedSemaphore, Event, Lock, local
from typing import Any

from tomoportal.client.downloads.checksums import begun, check_sum
from tomoportal.client.downloads.engine import Outcome
from tomoportal.client.downloads.fetch import Asking, Fetcher, Write
from tomoportal.client.downloads.manifest import Item, Manifest
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.patience import Gate, Stopped
from tomoportal.client.downloads.progress import Counter, shown
from tomoportal.errors import PortalError, RemoteError, StorageError, UsageError

SMALL = 4 << 20
"""Bytes up to which a file is held in memory."""
PIECE = 8 << 20
AT_ONCE = 16
LARGE_AT_ONCE = 2
PARTS_AT_ONCE = 3
_VERSION = "tomoportal-version"


def upload(manifest: Manifest, url: str, options: Options) -> Outcome:
    """Copy everything below `url` (`s3://bucket/prefix`). Raises `StorageError` when the store cannot be used, `UsageError`."""
    store = _store(url)
    outcome = Outcome(manifest.totals())
    work = _Upload(store, url.rstrip("/"), options)
    with shown(work.counter, outcome.totals, options.progress):
        work.run(manifest, outcome)
    return outcome


def _store(url: str) -> Any:
    from tomoportal.storage.access import open_store, sentence

    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme not in ("s3", "gs", "az") or not bucket:
        raise UsageError(f"{url} is no object store; expected s3://bucket/prefix, gs://… or az://….")
    from obstore.exceptions import BaseError

    try:
        return open_store(scheme, bucket, prefix.strip("/") or None)
    except (BaseError, ValueError) as error:
        raise StorageError(url, f"this store cannot be opened: {sentence(error)}") from None


class _Upload:
    def __init__(self, store: Any, url: str, options: Options) -> None:
        self._store, self._url, self._options = store, url, options
        self._stop = Event()
        self._asking = Asking(Gate(min(options.jobs, AT_ONCE)), self._stop, options.patience)
        self._large = BoundedSemaphore(LARGE_AT_ONCE)
        self._mine, self._lock = local(), Lock()
        self._fetchers: list[Fetcher] = []
        self.counter = Counter()

    def run(self, manifest: Manifest, outcome: Outcome) -> None:
        most = min(self._options.jobs, AT_ONCE)
        running: dict[Future[bool], Item] = {}
        with ThreadPoolExecutor(most) as threads:
            try:
                for item in manifest.items():
                    while len(running) >= 2 * most:
                        self._settle(running, outcome)
                    running[threads.submit(self._one, item)] = item
                while running:
                    self._settle(running, outcome)
            except BaseException:
                self._stop.set()
                for fetcher in self._fetchers:
                    fetcher.wire.cut()
                threads.shutdown(cancel_futures=True)
                raise
            finally:
                for fetcher in self._fetchers:
                    fetcher.wire.drop()

    def _settle(self, running: dict[Future[bool], Item], outcome: Outcome) -> None:
        """Wait for some. Trouble with the store itself ends everything."""
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            item = running.pop(future)
            try:
                if future.result():
                    outcome.kept_files += 1
                    outcome.kept_bytes += item.size or 0
            except StorageError:
                raise
            except PortalError as error:
                if isinstance(error, RemoteError) and error.status is None and error.__cause__ is not None:
                    raise
                outcome.fail(error)

    def _one(self, item: Item) -> bool:
        """Whether it was there already. Raises `PortalError`."""
        from obstore.exceptions import BaseError

        from tomoportal.storage.access import sentence

        if self._stop.is_set():
            raise Stopped
        pieces = _Pieces(self._fetcher(), item, self.counter)
        try:
            if self._is_there(item):
                self.counter.add(1, item.size or 0)
                return True
            if item.size is not None and item.size <= SMALL:
                self._put(item, b"".join(pieces))
            else:
                with self._large:
                    self._put(item, iter(pieces))
        except Exception as error:
            if pieces.error is not None:
                raise pieces.error from pieces.error.__cause__
            if not isinstance(error, (BaseError, FileNotFoundError)):
                raise
            raise StorageError(
                f"{self._url}/{item.path}", f"this cannot be written: {sentence(error)}"
            ) from error
        self.counter.add(1, 0)
        return False

    def _is_there(self, item: Item) -> bool:
        """Raises `UsageError` for something else in its place."""
        import obstore

        if self._options.overwrite:
            return False
        try:
            found = obstore.get(self._store, item.path, options={"head": True})
        except FileNotFoundError:
            return False
        if found.meta["size"] == item.size and found.attributes.get(_VERSION) == _version(item):
            return True
        raise UsageError(
            f"{self._url}/{item.path} is something else than what the portal has today. It was kept: "
            "choose another prefix, or replace it with --overwrite."
        )

    def _put(self, item: Item, content: bytes | Iterator[bytes]) -> None:
        import obstore

        obstore.put(
            self._store, item.path, content, attributes={_VERSION: _version(item)}, chunk_size=PIECE, max_concurrency=PARTS_AT_ONCE
        )  # fmt: skip

    def _fetcher(self) -> Fetcher:
        if not hasattr(self._mine, "fetcher"):
            self._mine.fetcher = Fetcher(self._asking)
            with self._lock:
                self._fetchers.append(self._mine.fetcher)
        return self._mine.fetcher


class _Pieces:
    """The bytes of a file in order, for a store that asks for them, from whatever thread it likes. `error` is what went wrong here: it
    ends the upload before it is complete."""

    def __init__(self, fetcher: Fetcher, item: Item, counter: Counter) -> None:
        self._fetcher, self._item, self._counter = fetcher, item, counter
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        found, at, size = begun(self._item), 0, self._item.size
        try:
            while size is None or at < size:
                piece = bytearray()
                at = self._fetcher.fetch(
                    self._item, at, None if size is None else min(at + PIECE, size), self._into(piece)
                )
                found.update(piece)
                yield bytes(piece)
                if size is None:
                    break
            check_sum(self._item, found)
        except (PortalError, Stopped) as error:
            self.error = error
            raise

    def _into(self, piece: bytearray) -> Write:
        def write(_: int, data: memoryview) -> None:
            piece.extend(data)
            self._counter.add(0, len(data))

        return write


def _version(item: Item) -> str:
    return item.version if item.sha256 else hashlib.sha256(f"{item.url} {item.version}".encode()).hexdigest()
