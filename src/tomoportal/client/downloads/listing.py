"""What lies at addresses of a portal: path, size, version and checksum of every file.

Tomoportal tells it in one answer (`/api/manifest`). Elsewhere folders are listed through S3 (`BOTO_ENDPOINT_URL` if that is set, the
portal's own `/s3`, else Amazon), and files asked for their size; checksums are not known then.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from tempfile import SpooledTemporaryFile
from threading import Event, local
from typing import IO, Any
from urllib.parse import quote
from xml.etree import ElementTree

from tomoportal.client.downloads.fetch import bare, trouble
from tomoportal.client.downloads.manifest import Item
from tomoportal.client.downloads.patience import PASSING, Passing, Patience
from tomoportal.client.downloads.wire import Answer, Broken, Wire
from tomoportal.errors import RemoteError

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_BATCH = 1000
_READERS = 16
_BLOCK = 1 << 20
_IN_MEMORY = 8 << 20
FILES = "files"
"""The kind of a source that holds files of several kinds."""
_KINDS = {
    "Tomograms": "tomograms", "Annotations": "annotations", "TiltSeries": "tiltseries", "Alignments": "alignments", "Frames": "frames",
    "Gains": "gains", "Images": "pictures", "NeuroglancerPrecompute": "viewer layers",
}  # fmt: skip
_WHOLE_FOLDERS = (".zarr", "_precompute")
"""Ends of names of folders that are of no use in parts."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a folder with all that is in it: `key` is its path at the portal without slashes at its ends, `base` what stands before
    it in the address, `to` where it goes below the destination."""

    key: str
    base: str
    kind: str
    is_folder: bool
    to: str
    bucket: str = ""

    @property
    def url(self) -> str:
        """The address."""
        return self.base + quote(self.key, safe="/-_.~()!*',:;@$&+=")

    def item(self, key: str, size: int | None, sha256: str = "", etag: str = "", crc32: str = "") -> Item:
        """A file of it, which lies at `key`."""
        below = key[len(self.key) :]
        path = self.to + below if self.to else below.lstrip("/")
        address = self.base + quote(key, safe="/-_.~()!*',:;@$&+=")
        kind = kind_of(key) if self.kind == FILES else self.kind
        return Item(path, address, size, sha256, etag, kind, whole_folder(path), crc32)


def kind_of(key: str) -> str:
    """What a file of the standard layout is, by the folders in which it lies."""
    return next((kind for part in reversed(key.split("/")[:-1]) if (kind := _KINDS.get(part))), "metadata")


def whole_folder(path: str) -> str:
    """The folder of a path that must be there whole or not at all; empty when there is none."""
    parts = path.split("/")
    for number, part in enumerate(parts[:-1], 1):
        if part.endswith(_WHOLE_FOLDERS):
            return "/".join(parts[:number])
    return ""


def listed(portal: str, sources: Iterable[Source], patience: float) -> Iterator[Item]:
    """Every file of the sources, in their order. Raises `RemoteError`."""
    asker = Asker(patience)
    try:
        is_ours: bool | None = None
        left = iter(sources)
        while some := tuple(islice(left, _BATCH)):
            if is_ours is not False:
                with SpooledTemporaryFile(_IN_MEMORY) as lines:
                    is_ours = _asked_manifest(asker, portal, some, lines)
                    if is_ours:
                        yield from _of_manifest(some, lines)
            if not is_ours:
                yield from _of_others(asker, portal, some, patience)
    finally:
        asker.wire.drop()


class Asker:
    """Requests that are tried again as a whole."""

    def __init__(self, patience: float) -> None:
        self.wire, self._patience = Wire(), patience

    def ask(self, method: str, url: str, take: Callable[[Answer], Any], body: bytes | None = None) -> Any:
        """What `take` makes of the answer. Raises `RemoteError`."""
        patience = Patience(self._patience, Event(), url)
        headers = {"Content-Type": "application/json"} if body is not None else None
        while True:
            try:
                answer = self.wire.open(method, url, headers, body)
                if answer.status in PASSING:
                    raise trouble(url, answer)
                taken = take(answer)
            except (Broken, OSError, http.client.HTTPException) as error:
                self.wire.drop()
                patience.wait(error)
                continue
            except BaseException:
                self.wire.drop()
                raise
            if not answer.isclosed():
                self.wire.drop()
            return taken

    def read(self, url: str) -> bytes:
        """A small body."""

        def take(answer: Answer) -> bytes:
            if answer.status != 200:
                raise trouble(url, answer)
            return _whole(answer)

        return self.ask("GET", url, take)

    def save(self, url: str, file: IO[bytes]) -> None:
        """A body of any size."""

        def take(answer: Answer) -> None:
            if answer.status != 200:
                raise trouble(url, answer)
            file.seek(0)
            file.truncate()
            while block := answer.read(_BLOCK):
                file.write(block)
            if answer.length:
                raise Broken("the answer was cut off")

        self.ask("GET", url, take)


def _whole(answer: Answer) -> bytes:
    data = answer.read()
    if answer.length:
        raise Broken("the answer was cut off")
    return data


def _asked_manifest(asker: Asker, portal: str, some: tuple[Source, ...], lines: IO[bytes]) -> bool:
    """Write the portal's answer into `lines`; False where there is no such service."""
    body = json.dumps({"paths": [source.key for source in some]}).encode()

    def take(answer: Answer) -> bool:
        lines.seek(0)
        lines.truncate()
        if answer.status != 200 or answer.headers.get_content_type() != "application/x-ndjson":
            return False
        last = b""
        while block := answer.read(_BLOCK):
            lines.write(block)
            last = (last + block)[-65536:]
        _check_end(last)
        return True

    return asker.ask("POST", f"{portal}/api/manifest", take, body)


def _check_end(text: bytes) -> None:
    """Raises `Broken` for an answer that is not whole or may be another one later, `RemoteError` for one that will not."""
    try:
        last = json.loads(text.rstrip(b"\n").rpartition(b"\n")[2])
        if last.get("end"):
            return
        error = last["error"]
        message, status = f"{error['message']}", int(error["status"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Broken("the answer was cut off") from None
    if status in PASSING:
        raise Passing(message, status, 5.0 if status == 503 else None)
    raise RemoteError(message, status)


def _of_manifest(some: tuple[Source, ...], lines: IO[bytes]) -> Iterator[Item]:
    lines.seek(0)
    for line in lines:
        try:
            data = json.loads(line)
            if data.get("end"):
                return
            source, key = some[data["of"]], str(data["path"])
            size, sums = int(data["size"]), [str(data.get(name, "")) for name in ("sha256", "etag", "crc32")]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise RemoteError(f"the portal's list of files cannot be understood ({error}).") from error
        yield source.item(_below(source, key), size, *sums)


def _of_others(asker: Asker, portal: str, some: tuple[Source, ...], patience: float) -> Iterator[Item]:
    """Without checksums: folders through S3, files by asking for each."""
    wires = local()
    askers: list[Asker] = []

    def sized(source: Source) -> Item:
        if not hasattr(wires, "asker"):
            wires.asker = Asker(patience)
            askers.append(wires.asker)
        return _head(wires.asker, source)

    with ThreadPoolExecutor(_READERS) as readers:
        try:
            files = readers.map(sized, [source for source in some if not source.is_folder])
            for source in some:
                if source.is_folder:
                    yield from s3_files(asker, s3_endpoint(asker, portal, source.bucket), source)
                else:
                    yield next(files)
        finally:
            readers.shutdown(cancel_futures=True)
            for each in askers:
                each.wire.drop()


def _head(asker: Asker, source: Source) -> Item:
    def take(answer: Answer) -> Item:
        if answer.status != 200:
            raise trouble(source.url, answer)
        size = answer.headers.get("content-length")
        tag = bare(answer.headers.get("etag", ""))
        answer.read()
        return source.item(source.key, int(size) if size and size.isdecimal() else None, "", tag)

    return asker.ask("HEAD", source.url, take)


def s3_endpoint(asker: Asker, portal: str, bucket: str) -> str:
    """The address of a bucket."""
    if named := os.environ.get("BOTO_ENDPOINT_URL"):
        return f"{named.rstrip('/')}/{quote(bucket)}"
    own = f"{portal}/s3/{quote(bucket)}"
    if asker.ask("GET", f"{own}?list-type=2&max-keys=0", _is_s3):
        return own
    return f"https://{bucket}.s3.amazonaws.com"


def _is_s3(answer: Answer) -> bool:
    answer.read()
    return answer.status == 200 and answer.headers.get_content_type() in ("application/xml", "text/xml")


def s3_files(asker: Asker, endpoint: str, source: Source) -> Iterator[Item]:
    """The objects below a folder, by ListObjectsV2 without a signature."""
    prefix, token, found = f"{source.key}/", "", False
    while True:
        more = f"&continuation-token={quote(token, safe='')}" if token else ""
        page = _page(asker.read(f"{endpoint}?list-type=2&prefix={quote(prefix, safe='')}{more}"), endpoint)
        for entry in page.iter(f"{_NAMESPACE}Contents"):
            key = _text(entry, "Key")
            if not key.endswith("/"):
                found = True
                yield source.item(
                    _below(source, key), int(_text(entry, "Size")), "", bare(_text(entry, "ETag"))
                )
        token = _text(page, "NextContinuationToken")
        if not token:
            break
    if not found:
        raise RemoteError(f"{endpoint} lists nothing below {prefix}; there is nothing to download.")


def _below(source: Source, key: str) -> str:
    inside = key == source.key or key.startswith(f"{source.key}/" if source.key else "")
    if not inside or {"", ".", ".."} & set(key.split("/")):
        raise RemoteError(
            f"{source.url}: {key[:200]!r} is listed there, which would leave the destination; nothing was written."
        )
    return key


def _page(content: bytes, endpoint: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise RemoteError(
            f"{endpoint} did not answer with a listing ({error}). Is a portal there?"
        ) from error


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{_NAMESPACE}{name}") or ""
