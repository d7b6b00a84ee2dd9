"""Manifests: what is to be downloaded, as JSON lines. The first line tells where from, the last one how much; all between are files.

    {"tomoportal_manifest": 1, "files": "https://tomo.example.org/files/", "portal": "https://tomo.example.org"}
    {"path": "10901/TS_001/…/TS_001.mrc", "url": "https://…", "size": 1024, "sha256": "…", "etag": "…", "kind": "tomograms"}
    {"end": true, "files": 1, "bytes": 1024}

`path` is where the file goes below the destination; `sha256` (or `crc32`) and `etag` are left out where they are not known; `folder`
names the folder (an OME-Zarr) that must be there whole or not at all: its files follow each other. Lines may come from strangers:
addresses other than those below `files`, and paths that could leave the destination, are refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urlsplit

from tomoportal.client.downloads.names import checked_path
from tomoportal.errors import RemoteError, UsageError

VERSION = 1
_LONGEST_LINE = 64 << 10
_LARGEST = 1 << 62
_CHECKSUMS = {"sha256": re.compile(r"[0-9a-f]{64}\Z"), "crc32": re.compile(r"[0-9a-f]{8}\Z")}
_UPWARDS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?#]|\Z)", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]+\Z")


@dataclass(frozen=True, slots=True)
class Item:
    """One file: where it goes, where it comes from, how large it is (None: not known), what its bytes must be."""

    path: str
    url: str
    size: int | None
    sha256: str = ""
    etag: str = ""
    kind: str = "files"
    folder: str = ""
    crc32: str = ""

    @property
    def version(self) -> str:
        """What stays the same as long as the content does."""
        return self.sha256 or f"{self.size} {self.etag or self.crc32}"

    def line(self) -> str:
        """As it stands in a manifest."""
        known = {
            "path": self.path,
            "url": self.url,
            "size": self.size,
            "sha256": self.sha256,
            "crc32": self.crc32,
            "etag": self.etag,
        }
        known |= {"kind": self.kind, "folder": self.folder}
        return json.dumps({name: value for name, value in known.items() if value not in ("", None)})


@dataclass(frozen=True, slots=True)
class Unit:
    """What gets its name at once: a file, or a folder that is of no use in parts. `offset` is where its lines begin, `first` its first
    file, `version` stays the same as long as all contents do."""

    path: str
    url: str
    files: int
    size: int
    version: str
    offset: int
    first: Item
    is_folder: bool
    is_sure: bool
    """Whether equal versions mean equal contents: each file has a checksum or an entity tag."""


@dataclass(slots=True)
class Totals:
    """Files and bytes, by kind."""

    files: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, item: Item) -> None:
        self.files[item.kind] += 1
        self.bytes[item.kind] += item.size or 0

    @property
    def all_files(self) -> int:
        return sum(self.files.values())

    @property
    def all_bytes(self) -> int:
        return sum(self.bytes.values())


class ManifestWriter:
    """Writes a manifest into a binary file."""

    def __init__(self, file: IO[bytes], portal: str, base: str) -> None:
        self._file = file
        self.totals = Totals()
        self._put({"tomoportal_manifest": VERSION, "files": base, "portal": portal})

    def add(self, item: Item) -> None:
        """One more file."""
        self._file.write(f"{item.line()}\n".encode())
        self.totals.add(item)

    def end(self) -> Totals:
        """The last line; what there is in all."""
        self._put({"end": True, "files": self.totals.all_files, "bytes": self.totals.all_bytes})
        self._file.flush()
        return self.totals

    def _put(self, line: dict[str, Any]) -> None:
        self._file.write(f"{json.dumps(line)}\n".encode())


class Manifest:
    """Reads a manifest from a seekable binary file; every line is checked whenever it is read. Raises `UsageError` for what is no
    manifest or not the whole of one, `RemoteError` for a path or address that it must not name."""

    def __init__(self, file: IO[bytes], name: str = "the manifest") -> None:
        self._file, self.name = file, name
        file.seek(0)
        header = self._parsed(file.readline(_LONGEST_LINE), 1)
        if header.get("tomoportal_manifest") != VERSION:
            raise UsageError(f"{name} is no manifest of version {VERSION}; `tomoportal manifest` makes one.")
        self.base = _address(header.get("files"), name)
        self._start = self._at = file.tell()

    def items(self, offset: int | None = None) -> Iterator[Item]:
        """The files from a place on, to the end."""
        return (item for _, item in self._placed(self._start if offset is None else offset))

    def lines(self) -> Iterator[str]:
        """All lines as they are."""
        self._file.seek(0)
        self._at = 0
        for line in self._file:
            yield line.decode("utf-8", "replace")

    def units(self) -> Iterator[Unit]:
        """What gets its name at once, in order. Reading goes on from where each one ends, whatever is read in between."""
        seen: set[int] = set()
        gathered: _Gathered | None = None
        for offset, item in self._placed(self._start):
            if gathered is not None and not gathered.takes(item):
                yield gathered.unit()
                gathered = None
            if gathered is None:
                if item.folder:
                    self._first_time(item, seen)
                gathered = _Gathered(item, offset)
            gathered.add(item)
        if gathered is not None:
            yield gathered.unit()

    def totals(self) -> Totals:
        """Reads it once to the end."""
        totals = Totals()
        for item in self.items():
            totals.add(item)
        return totals

    def _first_time(self, item: Item, seen: set[int]) -> None:
        if hash(item.folder) in seen:
            raise UsageError(f"{self.name}: the files of {item.folder} do not follow each other.")
        seen.add(hash(item.folder))

    def _placed(self, offset: int) -> Iterator[tuple[int, Item]]:
        files = size = 0
        whole = offset == self._start
        while True:
            self._file.seek(offset)
            for line in iter(lambda: self._file.readline(_LONGEST_LINE), b""):
                here = offset
                self._at = offset = offset + len(line)
                data = self._parsed(line, files + 2)
                if data.get("end"):
                    if whole and (data.get("files"), data.get("bytes")) != (files, size):
                        raise self._cut_off()
                    return
                item = _item(data, self.base, self.name)
                files, size = files + 1, size + (item.size or 0)
                yield here, item
                if self._at != offset:
                    break
            else:
                raise self._cut_off()

    def _cut_off(self) -> UsageError:
        return UsageError(
            f"{self.name} is not whole: its last line is missing or counts other files. Make it again."
        )

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise UsageError(f"{self.name}, line {number}: expected an object of JSON; this is no manifest.")
        return data


class _Gathered:
    """Lines of one unit."""

    def __init__(self, first: Item, offset: int) -> None:
        self._first, self._offset = first, offset
        self._files = self._size = 0
        self._versions = hashlib.sha256()
        self._is_sure = True

    def takes(self, item: Item) -> bool:
        return bool(item.folder) and item.folder == self._first.folder

    def add(self, item: Item) -> None:
        self._files, self._size = self._files + 1, self._size + (item.size or 0)
        self._is_sure = self._is_sure and bool(item.sha256 or item.crc32 or item.etag)
        self._versions.update(f"{item.path}\n{item.version}\n".encode())

    def unit(self) -> Unit:
        first, folder = self._first, self._first.folder
        below = len(first.path) - len(folder) if folder else 0
        url = (
            first.url[: len(first.url) - below]
            if folder and first.url.endswith(first.path[-below:])
            else first.url
        )
        version = self._versions.hexdigest() if folder else first.version
        path = folder or first.path
        return Unit(
            path, url, self._files, self._size, version, self._offset, first, bool(folder), self._is_sure
        )


def _item(data: dict[str, Any], base: str, name: str) -> Item:
    path, size = data.get("path"), data.get("size")
    if not isinstance(path, str):
        raise UsageError(f"{name}: a line has no `path`.")
    checked_path(path)
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < _LARGEST):
        raise UsageError(f"{name}: {path}: `size` is not a number of bytes.")
    url = _address_below(data.get("url"), base, name)
    words = {key: data.get(key, "") for key in ("sha256", "crc32", "etag", "kind", "folder")}
    if not all(isinstance(word, str) and len(word) <= len(path) + 512 for word in words.values()):
        raise UsageError(f"{name}: {path}: expected text in `sha256`, `crc32`, `etag`, `kind` and `folder`.")
    for kind, digits in _CHECKSUMS.items():
        if words[kind] and not digits.match(words[kind]):
            raise UsageError(f"{name}: {path}: `{kind}` is no such checksum.")
    if words["folder"] and not path.startswith(f"{words['folder']}/"):
        raise UsageError(f"{name}: {path} is not in its folder {words['folder']}.")
    return Item(path, url, size, **words)


def _address_below(url: Any, base: str, name: str) -> str:
    """An address that begins with `base`, which names a host and ends it."""
    if not isinstance(url, str) or not url.startswith(base):
        raise RemoteError(f"{name}: {ascii(url)[:200]} is not below {base}; it is refused.")
    if not _PRINTABLE.match(url) or _UPWARDS.search(url):
        raise RemoteError(f"{name}: {ascii(url)[:200]} is no address of a file; it is refused.")
    return url


def _address(url: Any, name: str) -> str:
    """An address that may be asked for, with a path."""
    if isinstance(url, str) and _PRINTABLE.match(url):
        try:
            parts = urlsplit(url)
            is_good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
            if is_good and parts.path and not _UPWARDS.search(url) and parts.port != 0:
                return url
        except ValueError:
            pass
    raise RemoteError(f"{name}: {ascii(url)[:200]} is no http or https address of files; it is refused.")
