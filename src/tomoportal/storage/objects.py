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
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    GenericError,
    NotSupportedError,
    PreconditionError,
)
from obstore.store import AzureStore, GCSStore, S3Store

from tomoportal.errors import NotFound, StorageError, UsageError
from tomoportal.storage.protocol import TEMPORARY, Entry, Level, clean_path

PIECE = 16 << 20
"""Bytes of a part of a big upload, and of a download that are in memory at once."""
PIECES_AT_ONCE = 4
MOST_PARTS = 9_000
"""S3 takes 10,000 parts of one upload; bigger files get bigger parts."""
DELETE_BATCH = 1_000

_RETRY: Any = {
    "max_retries": 6,
    "retry_timeout": timedelta(minutes=2),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10), "base": 2},
}
_CLIENT: Any = {"connect_timeout": "10s", "read_timeout": "60s", "timeout": "30m"}
_SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
)
_RANGE_REFUSED = re.compile(r"\b416\b|non-partial|InvalidRange")
_SHORTEST_SECRET = 6
_YES = ("1", "true", "yes", "on")


class ObjectStorage:
    """See `Storage`. Made by `from_url`; travels to other processes as its URL and finds its access there
    anew."""

    unfollowed: frozenset[str] = frozenset()

    def __init__(self, url: str, store: Any) -> None:
        self.url = url.rstrip("/")
        self._store = store
        self._reliable_create: bool | None = None

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
            return cls(url, _open(scheme, bucket, prefix or None))
        except (BaseError, ValueError) as error:
            raise StorageError(url, f"this store cannot be opened: {_sentence(error)}") from None

    def __repr__(self) -> str:
        return f"ObjectStorage({self.url!r})"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return ObjectStorage.from_url, (self.url,)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        folder = clean_path(prefix)
        with self._told(prefix):
            found = [_entry(meta) for page in obstore.list(self._store, folder or None) for meta in page]
        for entry in sorted(_without_folder_marks(found), key=lambda entry: entry.path):
            if not _is_temporary(entry.path):
                yield entry

    def folders(self, prefix: str = "") -> builtins.list[str]:
        folder = clean_path(prefix)
        with self._told(prefix):
            result = obstore.list_with_delimiter(self._store, folder or None)
        return sorted(path.rpartition("/")[2] for path in result["common_prefixes"])

    def level(self, prefix: str = "") -> Level:
        folder = clean_path(prefix)
        with self._told(prefix):
            result = obstore.list_with_delimiter(self._store, folder or None)
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
            if start == 0 and length is None:
                return bytes(obstore.get(self._store, key).bytes())
            return self._read_range(key, start, length)

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
        entry = self.stat(path)
        if entry.size != size:
            message = f"the object has {entry.size} bytes after an upload of {size}; upload it again"
            raise StorageError(f"{self.url}/{path}", message)
        file.unlink()
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
    def fetch(self, path: str) -> Iterator[Path]:
        self.stat(path)
        try:
            handle, name = tempfile.mkstemp(prefix="tomoportal-", suffix=os.path.splitext(path)[1][:20])
        except OSError as error:
            raise self._no_scratch(path, error) from error
        try:
            with os.fdopen(handle, "wb") as file:
                self._download(path, file)
            yield Path(name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def _download(self, path: str, target: IO[bytes]) -> None:
        """Stream one answer into an open file and count it."""
        with self._told(path):
            answer = obstore.get(self._store, _key(path))
            received = 0
            for piece in answer.stream(min_chunk_size=PIECE):
                received += self._keep(path, target, bytes(piece))
        if received != answer.meta["size"]:
            raise StorageError(f"{self.url}/{path}", "the download ended early; try again")

    def _keep(self, path: str, target: IO[bytes], piece: bytes) -> int:
        try:
            return target.write(piece)
        except OSError as error:
            raise self._no_scratch(path, error) from error

    def _no_scratch(self, path: str, error: OSError) -> StorageError:
        message = f"no scratch copy could be made in {tempfile.gettempdir()}: {error.strerror}"
        return StorageError(f"{self.url}/{path}", f"{message}; TMPDIR names another folder")

    def _read_range(self, key: str, start: int, length: int | None) -> bytes:
        """A range that may end after the object's end, which stores answer in different ways."""
        try:
            if length is not None and length > 0:
                return bytes(obstore.get_range(self._store, key, start=start, length=length))
            if length is None:
                return bytes(obstore.get(self._store, key, options={"range": {"offset": start}}).bytes())
        except GenericError as error:
            if not _RANGE_REFUSED.search(str(error)):
                raise
        return self._read_clipped(key, start, length)

    def _read_clipped(self, key: str, start: int, length: int | None) -> bytes:
        size = obstore.head(self._store, key)["size"]
        end = size if length is None else min(size, start + length)
        if start >= end:
            return b""
        try:
            return bytes(obstore.get_range(self._store, key, start=start, end=end))
        except GenericError as error:
            if not _RANGE_REFUSED.search(str(error)):
                raise
        return self._read_by_skipping(key, start, end)

    def _read_by_skipping(self, key: str, start: int, end: int) -> bytes:
        """For servers whose answers to ranges break the protocol (`rclone serve s3` says 200 instead of
        206): stream the object from its beginning and keep the part."""
        kept = bytearray()
        position = 0
        for piece in obstore.get(self._store, key).stream(min_chunk_size=1 << 20):
            data = memoryview(piece)
            kept += data[max(0, start - position) : max(0, end - position)]
            position += len(data)
            if position >= end:
                break
        return bytes(kept)

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
            raise StorageError(where, _sentence(error)) from None
        except ValueError as error:
            raise StorageError(where, f"the store does not take this name: {_sentence(error)}") from None


def _open(scheme: str, bucket: str, prefix: str | None) -> Any:
    common: dict[str, Any] = {"prefix": prefix, "retry_config": _RETRY}
    if scheme == "gs":
        return GCSStore(bucket, client_options=_CLIENT, **common)
    if scheme == "az":
        return AzureStore(bucket, client_options=_CLIENT, **common)
    return S3Store(bucket, **common, **_s3_options())


def _s3_options() -> dict[str, Any]:
    """What the S3 client does not take from the environment by itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {"client_options": {**_CLIENT}}
    if endpoint:
        options["endpoint"] = endpoint.rstrip("/")
        options["virtual_hosted_style_request"] = False
        options["client_options"]["allow_http"] = endpoint.startswith("http://")
    if not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        options["region"] = "us-east-1"
    unsigned = os.environ.get("AWS_NO_SIGN_REQUEST") or os.environ.get("AWS_SKIP_SIGNATURE") or ""
    if unsigned.lower() in _YES:
        options["skip_signature"] = True
    return options


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


def _sentence(error: Exception) -> str:
    """The first line of the store's message, without secrets, and what to do about the usual causes."""
    text = str(error)
    if "NoSuchBucket" in text:
        return "there is no such bucket; create it first"
    line = re.sub(r"\?\S*", "", text.split("\n", 1)[0]).split(": <?xml")[0].strip().rstrip(":")
    for name in _SECRETS:
        secret = os.environ.get(name)
        if secret and len(secret) >= _SHORTEST_SECRET:
            line = line.replace(secret, "…")
    if "Account must be specified" in line:
        line += " (set AZURE_STORAGE_ACCOUNT_NAME)"
    if re.search(r"\b(401|403)\b|Missing\w*Key|credential|privileges", line):
        line += " (check the credentials; for public data set AWS_NO_SIGN_REQUEST=1)"
    return line
