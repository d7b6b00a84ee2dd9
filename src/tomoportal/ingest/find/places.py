"""Where patterns are matched: folders and files that are listed once, when something in them is first asked for.

A folder on this machine, and the finished files of the portal, are looked up one level at a time (`Levels`), so that nothing is
listed that no pattern leads to. An object store answers a listing of everything below a prefix with a thousand files a request,
which are fewer requests than one for each folder (`Tree`). What lies inside a `.zarr` folder is not shown; the folder is a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tomoportal.ingest.find import globs
from tomoportal.ingest.task import Input
from tomoportal.layout.private import read_json
from tomoportal.storage import Entry, Storage

VOLUME = ".zarr"
_INSIDE = f"{VOLUME}/"


class Place(globs.Place, Protocol):
    """A place for patterns that also knows what its listings told about files."""

    def entry(self, path: str) -> Entry | None:
        """Size and tag of a file that a listing has told, by its path from the root of the storage; None for any other."""

    def volume(self, path: str) -> Input | None:
        """What a listing has told about a `.zarr` folder; None when that is not known yet."""


@dataclass(slots=True)
class _Folder:
    """Names in a folder; `files` with what the listing says about them."""

    folders: dict[str, None] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)
    _sorted: tuple[list[str], list[str], list[str]] | None = None

    def names(self) -> tuple[list[str], list[str], list[str]]:
        """Folders, files, and of both those that are not plain ASCII; each sorted."""
        if self._sorted is None:
            folders, files = sorted(self.folders), sorted(self.files)
            foreign = sorted(name for name in (*folders, *files) if not name.isascii())
            self._sorted = folders, files, foreign
        return self._sorted


_NOTHING = _Folder()


class _Indexed:
    """What both places share: look-ups in listed folders. Paths of patterns start at `prefix`."""

    def __init__(self, storage: Storage, prefix: str = "") -> None:
        self._storage, self._prefix = storage, prefix
        self._known: dict[str, _Folder] = {}

    def _folder(self, path: str) -> _Folder:
        raise NotImplementedError

    def folders(self, path: str) -> list[str]:
        return self._folder(path).names()[0]

    def files(self, path: str) -> list[str]:
        return self._folder(path).names()[1]

    def foreign(self, path: str) -> list[str]:
        return self._folder(path).names()[2]

    def has_file(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return name in self._folder(parent).files

    def has_folder(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return name in self._folder(parent).folders

    def entry(self, path: str) -> Entry | None:
        if self._prefix and not path.startswith(f"{self._prefix}/"):
            return None
        inner = path[len(self._prefix) + 1 :] if self._prefix else path
        parent, _, name = inner.rpartition("/")
        known = self._known.get(parent)
        return known.files.get(name) if known else None

    def _full(self, path: str) -> str:
        return "/".join(part for part in (self._prefix, path) if part)


class Levels(_Indexed):
    """Folders listed one at a time, when they are asked for."""

    def _folder(self, path: str) -> _Folder:
        if path not in self._known:
            self._known[path] = self._listed(path)
        return self._known[path]

    def _listed(self, path: str) -> _Folder:
        parts = path.split("/")
        if any(part.endswith(VOLUME) for part in parts):
            return _NOTHING
        for depth in range(len(parts) - 1, 0, -1):
            above = self._known.get("/".join(parts[:depth]))
            if above is not None and parts[depth] not in above.folders:
                return _NOTHING
        level = self._storage.level(self._full(path))
        files = {entry.path.rpartition("/")[2]: entry for entry in level.files}
        return _Folder(dict.fromkeys(level.folders), files)

    def volume(self, path: str) -> Input | None:
        return None


class Tree(_Indexed):
    """The files of a storage below some folders. Each of them is listed once, with everything in it."""

    def __init__(self, storage: Storage, prefix: str, bases: Iterable[str]) -> None:
        """`bases`: the folders below `prefix` that will be asked for."""
        super().__init__(storage, prefix)
        self._bases = _outermost(bases)
        self._listed: set[str] = set()
        self._volumes: dict[str, _Sum] = {}

    def _folder(self, path: str) -> _Folder:
        if len(self._listed) < len(self._bases):
            for base in self._bases:
                if base not in self._listed and (_inside(path, base) or _inside(base, path)):
                    self._list(base)
        return self._known.get(path, _NOTHING)

    def volume(self, path: str) -> Input | None:
        found = self._volumes.get(path)
        return found.told(path) if found else None

    def _list(self, base: str) -> None:
        self._listed.add(base)
        skip = len(self._prefix) + 1 if self._prefix else 0
        for entry in self._storage.list(self._full(base)):
            cut = entry.path.find(_INSIDE)
            if cut >= 0:
                folder = entry.path[: cut + len(VOLUME)]
                if folder not in self._volumes:
                    self._volumes[folder] = _Sum()
                    self._add_folder(folder[skip:])
                self._volumes[folder].add(entry)
                continue
            parent, _, name = entry.path[skip:].rpartition("/")
            self._add_folder(parent)
            self._at(parent).files[name] = entry

    def _at(self, path: str) -> _Folder:
        return self._known.setdefault(path, _Folder())

    def _add_folder(self, path: str) -> None:
        while path:
            parent, _, name = path.rpartition("/")
            known = self._at(parent).folders
            if name in known:
                return
            known[name] = None
            path = parent


class Target(Levels):
    """The finished files of the portal. Folders are listed one level at a time, since volumes hold very many files."""

    @property
    def url(self) -> str:
        """How the portal's storage is called."""
        return self._storage.url

    def json(self, path: str) -> Any:
        """The content of a metadata file. Raises `StorageError` when it is unreadable."""
        return read_json(self._storage, path)


class _Sum:
    """Size and tags of all files of a folder, in the order of their paths."""

    def __init__(self) -> None:
        self._size, self._first, self._tags = 0, True, hashlib.sha256()

    def add(self, entry: Entry) -> None:
        self._tags.update(f"{'' if self._first else chr(10)}{entry.path} {entry.tag}".encode())
        self._size, self._first = self._size + entry.size, False

    def told(self, path: str) -> Input:
        return Input(path, self._size, self._tags.hexdigest())


def folder_input(storage: Storage, path: str) -> Input:
    """What tells whether a folder such as an OME-Zarr has changed: paths, sizes and tags of all files in it. Nothing less would do:
    programs write chunks in place, so that neither the metadata nor the times of folders tell of it."""
    total = _Sum()
    for entry in storage.list(path):
        total.add(entry)
    return total.told(path)


def source_place(storage: Storage, prefix: str, bases: Iterable[str]) -> Place:
    """The depositor's files below `prefix`, in the way that asks the storage least; `bases` are the folders of all patterns."""
    if storage.local_path("") is None:
        return Tree(storage, prefix, bases)
    return Levels(storage, prefix)


def _inside(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _outermost(bases: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for base in sorted(set(bases)):
        if not any(_inside(base, outer) for outer in kept):
            kept.append(base)
    return kept
