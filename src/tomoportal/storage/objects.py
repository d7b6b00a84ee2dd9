"""An object store: S3 and everything that speaks it, Google Cloud Storage, Azure Blob Storage.

Takes its place from the URL and its access from the environment variables that the store's other tools use
(for S3: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION;
AWS_NO_SIGN_REQUEST=1 for public buckets). A put is atomic: readers see the old object or the new. Requests
that fail on the way are repeated; what remains becomes a sentence without secrets. Names of folders exist
only as parts of keys.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PreconditionError,
)

from tomoportal.errors import NotFound, StorageError, UsageError
from tomoportal.layout.processes import SCRATCH, this_process
from tomoportal.storage.access import attempts, open_store, sentence
from tomoportal.storage.protocol import TEMPORARY, Entry, Level, clean_path
from tomoportal.storage.reading import Reader, again

PIECE = 16 << 20
"""Bytes of a part of a big upload, and of a download that are in memory at once."""
PIECES_AT_ONCE = 4
UPLOADS_AT_ONCE = 16
SMALL = 10 << 20
"""Bytes up to which a file is read and sent as a whole; a stored chunk is smaller."""
MOST_PARTS = 9_000
"""S3 takes 10,000 parts of one upload; bigger files get bigger parts."""
DELETE_BATCH = 1_000
PAGE = 1_000


_UPLOADS = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="upload")
"""Of the whole process, so that memory does not grow with what is published at the same time."""


class ObjectStorage:
    """See `Storage`. Made by `from_url`; travels to other processes as its URL and finds its access there
    anew."""

    unfollowed: frozenset[str] = frozenset()
    unnameable: frozenset[str] = frozenset()

    def __init__(self, url: str, store: Any) -> None:
        self.url = url.rstrip("/")
        self._store = store
        self._reliable_create: bool | None = None
        self._reader = Reader(store, self.url)

    @classmethod
    def from_url(cls, url: str) -> ObjectStorage:
        """`s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`."""
        scheme, _, rest = url.partition("://")
        bucket, _, prefix = rest.partition("/")
        prefix = prefix.strip("/")
        if not bucket or "?" in url or "@" in bucket:
            raise UsageError(
                f"{url.partition('?')[0]}: expected {scheme}://bucket or {scheme}://bucket/prefix."
            )
        clean_path(prefix)
        try:
            return cls(url, open_store(scheme, bucket, prefix or None))
        except (BaseError, ValueError) as error:
            raise StorageError(url, f"this store cannot be opened: {sentence(error)}") from None

    def __repr__(self) -> str:
        return f"ObjectStorage({self.url!r})"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return ObjectStorage.from_url, (self.url,)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        folder = clean_path(prefix)
        with self._told(prefix):
            found = again(
                self.url,
                lambda: [_entry(meta) for page in obstore.list(self._store, folder or None) for meta in page],
            )
        for entry in sorted(_without_folder_marks(found), key=lambda entry: entry.path):
            if not _is_temporary(entry.path):
                yield entry

    def list_after(self, prefix: str, after: str) -> Iterator[Entry]:
        """See `Storage`. A folder mark is known by what follows it."""
        folder = clean_path(prefix)
        held: Entry | None = None
        with self._told(prefix):
            for page in obstore.list(self._store, folder or None, offset=after or None, chunk_size=PAGE):
                for entry in map(_entry, page):
                    if held and not entry.path.startswith(f"{held.path}/"):
                        yield held
                    held = entry if not entry.size else None
                    if entry.size and not _is_temporary(entry.path):
                        yield entry
        if held:
            yield held

    def folders(self, prefix: str = "") -> builtins.list[str]:
        folder = clean_path(prefix)
        with self._told(prefix):
            result = again(self.url, lambda: obstore.list_with_delimiter(self._store, folder or None))
        return sorted(path.rpartition("/")[2] for path in result["common_prefixes"])

    def level(self, prefix: str = "") -> Level:
        folder = clean_path(prefix)
        with self._told(prefix):
            result = again(self.url, lambda: obstore.list_with_delimiter(self._store, folder or None))
        folders = sorted(path.rpartition("/")[2] for path in result["common_prefixes"])
        found = [_entry(meta) for meta in result["objects"] if meta["path"] != folder]
        marks = {f"{folder}/{name}" if folder else name for name in folders}
        kept = (entry for entry in found if not (entry.path in marks or _is_temporary(entry.path)))
        return Level(tuple(folders), tuple(sorted(kept, key=lambda entry: entry.path)))

    def stat(self, path: str) -> Entry:
        with self._told(path):
            return _entry(obstore.head(self._store, _key(path)))

    def exists(self, path: str) -> bool:
        try:
            _key(path)
        except StorageError:
            return False
        try:
            self.stat(path)
        except NotFound:
            return False
        return True

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        key = _key(path)
        with self._told(path):
            whole = start == 0 and length is None
            return self._reader.whole(key) if whole else self._reader.part(key, start, length)

    def address(self, path: str, seconds: int) -> str:
        with self._told(path):
            return str(obstore.sign(self._store, "GET", _key(path), timedelta(seconds=seconds)))

    def write(self, path: str, data: bytes) -> Entry:
        key = _key(path)
        with self._told(path, writing=True):
            result = obstore.put(
                self._store, key, data, chunk_size=_piece(len(data)), max_concurrency=PIECES_AT_ONCE
            )
        return self._written(path, len(data), result)

    def create(self, path: str, data: bytes) -> bool:
        """See `Storage`. Where `reliable_create` is False, two creators at the same moment may both be told
        True."""
        key = _key(path)
        if not self.reliable_create():
            if self.exists(path):
                return False
            self.write(path, data)
            return True
        with self._told(path, writing=True):
            return self._put_new(key, data)

    def reliable_create(self) -> bool:
        """Whether the store itself refuses a second `create`; tried once, with an object that is removed
        again.

        Some servers ignore the condition (old S3 servers; Ceph on buckets that keep versions). There a
        lease holds only between processes that do not start in the same moment: use one coordinator.
        """
        if self._reliable_create is None:
            probe = f"{TEMPORARY}probe-{uuid.uuid4().hex}"
            with self._told(probe, writing=True):
                try:
                    self._reliable_create = self._put_new(probe, b"1") and not self._put_new(probe, b"2")
                except NotSupportedError:
                    self._reliable_create = False
            self.delete(probe)
        return self._reliable_create

    def upload(self, path: str, file: Path) -> Entry:
        """See `Storage`. The size is asked of the store afterwards; only then `file` is removed."""
        key = _key(path)
        if not file.is_file():
            raise NotFound(str(file))
        size = file.stat().st_size
        with self._told(path, writing=True):
            obstore.put(
                self._store,
                key,
                file,
                chunk_size=_piece(size),
                max_concurrency=max(1, PIECES_AT_ONCE * PIECE // _piece(size)),
            )
        entry = self._check_size(path, size)
        file.unlink()
        return entry

    def upload_all(self, files: Mapping[str, Path]) -> None:
        """See `Storage`. Small files, such as chunks, go many at a time; of big ones the parts do."""
        small = {path: file for path, file in files.items() if file.stat().st_size <= SMALL}
        for path in sorted(files.keys() - small.keys()):
            self.upload(path, files[path])
        missing: Mapping[str, Path] = small
        for _ in attempts():
            self._upload_small_ones(missing)
            missing = self._not_listed(missing)
            if not missing:
                break
        for path in missing:
            raise StorageError(f"{self.url}/{path}", "the store has taken this object, but does not list it")
        for file in small.values():
            file.unlink()

    def _upload_small_ones(self, files: Mapping[str, Path]) -> None:
        waiting = [_UPLOADS.submit(self._upload_small, path, file) for path, file in files.items()]
        try:
            for done in waiting:
                done.result()
        finally:
            for done in waiting:
                done.cancel()
            wait(waiting)

    def _not_listed(self, files: Mapping[str, Path]) -> Mapping[str, Path]:
        """Those which the store does not show with their size: some servers lose one of many that come at the same time."""
        if not files:
            return files
        parents: dict[str, builtins.list[str]] = {}
        for path in files:
            parents.setdefault(path.partition("/")[0], []).append(path.rpartition("/")[0])
        folders = [os.path.commonpath(places) for places in parents.values()]
        sizes = {entry.path: entry.size for folder in folders for entry in self.list(folder)}
        return {path: file for path, file in files.items() if sizes.get(path) != file.stat().st_size}

    def _upload_small(self, path: str, file: Path) -> None:
        """In one request where the store answers with the MD5 sum of what it has, as S3 does for most objects."""
        data = file.read_bytes()
        with self._told(path, writing=True):
            tag = _tag(obstore.put(self._store, _key(path), data, use_multipart=False))
        if tag != hashlib.md5(data, usedforsecurity=False).hexdigest():
            self._check_size(path, len(data))

    def _check_size(self, path: str, size: int) -> Entry:
        entry = self.stat(path)
        if entry.size != size:
            message = f"the object has {entry.size} bytes after an upload of {size}; upload it again"
            raise StorageError(f"{self.url}/{path}", message)
        return entry

    def delete(self, path: str) -> None:
        with contextlib.suppress(NotFound), self._told(path):
            obstore.delete(self._store, _key(path))

    def delete_tree(self, prefix: str) -> None:
        keys = [entry.path for entry in self.list(_key(prefix))]
        for start in range(0, len(keys), DELETE_BATCH):
            with contextlib.suppress(NotFound), self._told(prefix):
                obstore.delete(self._store, keys[start : start + DELETE_BATCH])

    def local_path(self, path: str) -> Path | None:
        clean_path(path)
        return None

    @contextmanager
    def fetch(self, path: str, scratch: Path | None = None) -> Iterator[Path]:
        entry = self.stat(path)
        with ExitStack() as stack:
            try:
                home = tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{this_process()}.", dir=scratch)
            except OSError as error:
                raise self._no_scratch(path, error) from error
            copy = Path(stack.enter_context(home)) / f"copy{os.path.splitext(path)[1][:20]}"
            with copy.open("wb") as file:
                self._download(entry, file)
            yield copy

    def _download(self, entry: Entry, target: IO[bytes]) -> None:
        """Piece by piece, each of which is tried again when its answer breaks off."""
        received = 0
        while received < entry.size:
            piece = self.read(entry.path, received, PIECE)
            received += self._keep(entry.path, target, piece)
            if not piece:
                break
        if received != entry.size or (entry.size > PIECE and self.stat(entry.path).tag != entry.tag):
            raise StorageError(f"{self.url}/{entry.path}", "the object changed while it was read; try again")

    def _keep(self, path: str, target: IO[bytes], piece: bytes) -> int:
        try:
            return target.write(piece)
        except OSError as error:
            raise self._no_scratch(path, error) from error

    def _no_scratch(self, path: str, error: OSError) -> StorageError:
        message = f"no scratch copy could be made in {tempfile.gettempdir()}: {error.strerror}"
        return StorageError(f"{self.url}/{path}", f"{message}; TMPDIR names another folder")

    def _put_new(self, key: str, data: bytes) -> bool:
        try:
            obstore.put(self._store, key, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    def _written(self, path: str, size: int, result: Any) -> Entry:
        tag = _tag(result)
        return Entry(path, size, tag, time.time()) if tag else self.stat(path)

    @contextmanager
    def _told(self, path: str, writing: bool = False) -> Iterator[None]:
        """Turns the store's errors into ours."""
        where = f"{self.url}/{path}" if path else self.url
        try:
            yield
        except FileNotFoundError as error:
            if writing or "NoSuchBucket" in str(error):
                raise StorageError(where, "there is no such bucket; create it first") from None
            raise NotFound(where) from None
        except BaseError as error:
            raise StorageError(where, sentence(error)) from None
        except ValueError as error:
            raise StorageError(where, f"the store does not take this name: {sentence(error)}") from None


def _is_temporary(path: str) -> bool:
    return path.rpartition("/")[2].startswith(TEMPORARY)


def _key(path: str) -> str:
    """A path that names something; the root is no object."""
    if not path:
        raise StorageError(path, "this is the whole storage; expected a path inside it")
    return clean_path(path)


def _entry(meta: Any) -> Entry:
    return Entry(
        meta["path"], meta["size"], _tag(meta) or f"{meta['size']:x}", meta["last_modified"].timestamp()
    )


def _tag(meta: Any) -> str:
    """The entity tag, which some answers put in quotation marks and some do not."""
    return (meta["e_tag"] or meta["version"] or "").strip('"')


def _without_folder_marks(found: builtins.list[Entry]) -> builtins.list[Entry]:
    """Without the empty objects `folder/` that web consoles make, whose key is told without its slash."""
    empty = {entry.path for entry in found if entry.size == 0}
    if not empty:
        return found
    parents: set[str] = set()
    for entry in found:
        folder = entry.path.rpartition("/")[0]
        while folder and folder not in parents:
            parents.add(folder)
            folder = folder.rpartition("/")[0]
    return [entry for entry in found if entry.size or entry.path not in parents]


def _piece(size: int) -> int:
    return max(PIECE, -(-size // MOST_PARTS))
