"""Fetching a small file from an address: `https://…`, `http://…`, or an object store such as `s3://bucket/key`.

Bounded in size, time and redirections. A file that has not changed since it was last fetched is not sent again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tomoportal.errors import PortalError, SourceError, StorageError
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.storage import OBJECT_SCHEMES, open_storage

if TYPE_CHECKING:
    import httpx

WEB_SCHEMES = ("http", "https")
MOST_REDIRECTS = 5
SECONDS_TO_WAIT, SECONDS_IN_ALL = 20.0, 60.0
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """`data` is None when the file is as it was under the `tag` that was known. `tag`: what tells a change, empty when nothing does."""

    data: bytes | None
    tag: str


def fetch(address: str, most: int, known: str = "") -> Fetched:
    """Fetch at most `most` bytes; `known`: the tag of what is there already. Raises `SourceError`."""
    scheme = address.partition("://")[0].lower()
    if scheme in WEB_SCHEMES:
        return _from_web(address, most, known)
    if scheme in OBJECT_SCHEMES:
        root, _, path = address.partition("://")[2].partition("/")
        try:
            return fetch_stored(DepositorFiles(open_storage(f"{scheme}://{root}")), path, most, known)
        except PortalError as error:
            raise SourceError(address, str(error).removeprefix(f"{address}: ").rstrip(".") + ".") from error
    raise SourceError(address, f"files are fetched from {', '.join((*WEB_SCHEMES, *OBJECT_SCHEMES))} only.")


def fetch_stored(files: DepositorFiles, path: str, most: int, known: str = "") -> Fetched:
    """The same for a file of a storage."""
    entry = files.stat(path)
    tag = f"{entry.size} {entry.tag}"
    if tag == known:
        return Fetched(None, tag)
    if entry.size > most:
        raise SourceError(path, _too_large(entry.size, most))
    return Fetched(files.read(path), tag)


def exists(files: DepositorFiles, path: str) -> bool:
    """Whether a file is there; False for what can be no path. Raises `SourceError` when that cannot be found out."""
    try:
        return bool(path) and files.storage.exists(path)
    except StorageError as error:
        raise SourceError(error.where, error.message) from error


def _from_web(address: str, most: int, known: str) -> Fetched:
    import httpx

    headers = {"User-Agent": "tomoportal", "Accept": "image/*, */*;q=0.1"}
    name, _, value = known.partition(" ")
    if name in _CONDITIONS:
        headers[_CONDITIONS[name]] = value
    try:
        with (
            httpx.Client(
                timeout=SECONDS_TO_WAIT, follow_redirects=True, max_redirects=MOST_REDIRECTS
            ) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            if answer.status_code == httpx.codes.NOT_MODIFIED and name in _CONDITIONS:
                return Fetched(None, known)
            if answer.status_code != httpx.codes.OK:
                raise SourceError(
                    address, f"the server answered {answer.status_code} {answer.reason_phrase}."
                )
            return Fetched(_body(answer, address, most), _tag(answer))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(address, f"it cannot be fetched ({error or type(error).__name__}).") from error


def _body(answer: httpx.Response, address: str, most: int) -> bytes:
    ends = time.monotonic() + SECONDS_IN_ALL
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > most:
            raise SourceError(address, _too_large(None, most))
        if time.monotonic() > ends:
            raise SourceError(address, f"it took longer than {SECONDS_IN_ALL:g} s to fetch.")
    return bytes(body)


def _tag(answer: httpx.Response) -> str:
    return next((f"{name} {answer.headers[name]}" for name in _CONDITIONS if name in answer.headers), "")


def _too_large(size: int | None, most: int) -> str:
    what = f"the file has {size >> 20} MiB" if size else f"the file has more than {most >> 20} MiB"
    return f"{what}; expected at most {most >> 20} MiB."
