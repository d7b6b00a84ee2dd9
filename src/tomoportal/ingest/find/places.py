"""Where patterns are matched: the source, listed once and indexed by folder; the portal's own files, looked up level by level."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tomoportal.layout.private import read_json
from tomoportal.storage import Storage

_VOLUME = ".zarr/"


class Tree:
    """The files of a storage below some folders. Each of them is listed once, when something in it is first asked for.

    What lies inside a `.zarr` folder is not indexed; the folder itself is a leaf.
    """

    def __init__(self, storage: Storage, prefix: str, bases: Iterable[str]) -> None:
        """`bases`: the folders below `prefix` that will be asked for."""
        self._storage, self._prefix = storage, prefix
        self._bases = _outermost(bases)
        self._listed: set[str] = set()
        self._folders: dict[str, dict[str, None]] = {}
        self._files: dict[str, dict[str, None]] = {}
        self._sorted_folders: dict[str, list[str]] = {}
        self._sorted_files: dict[str, list[str]] = {}

    def folders(self, path: str) -> list[str]:
        self._need(path)
        return _sorted(self._folders, self._sorted_folders, path)

    def files(self, path: str) -> list[str]:
        self._need(path)
        return _sorted(self._files, self._sorted_files, path)

    def has_file(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        self._need(path)
        return name in self._files.get(parent, ())

    def has_folder(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        self._need(path)
        return name in self._folders.get(parent, ())

    def _need(self, path: str) -> None:
        if len(self._listed) == len(self._bases):
            return
        for base in self._bases:
            if base not in self._listed and (_inside(path, base) or _inside(base, path)):
                self._list(base)

    def _list(self, base: str) -> None:
        self._listed.add(base)
        self._sorted_folders.clear()
        self._sorted_files.clear()
        folder = "/".join(part for part in (self._prefix, base) if part)
        skip = len(self._prefix) + 1 if self._prefix else 0
        for entry in self._storage.list(folder):
            path = entry.path[skip:]
            cut = path.find(_VOLUME)
            if cut >= 0:
                self._add_folder(path[: cut + len(_VOLUME) - 1])
                continue
            parent, _, name = path.rpartition("/")
            if parent not in self._files:
                self._files[parent] = {}
                if parent:
                    self._add_folder(parent)
            self._files[parent][name] = None

    def _add_folder(self, path: str) -> None:
        while path:
            parent, _, name = path.rpartition("/")
            known = self._folders.setdefault(parent, {})
            if name in known:
                return
            known[name] = None
            path = parent


class Target:
    """The finished files of the portal. Folders are listed one level at a time, since volumes hold very many files."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._folders: dict[str, list[str]] = {}
        self._files: dict[str, list[str]] = {}

    def folders(self, path: str) -> list[str]:
        if path not in self._folders:
            self._folders[path] = self._storage.folders(path)
        return self._folders[path]

    def files(self, path: str) -> list[str]:
        if path not in self._files:
            skip = len(path) + 1 if path else 0
            names = (entry.path[skip:] for entry in self._storage.list(path))
            self._files[path] = [name for name in names if "/" not in name]
        return self._files[path]

    def has_file(self, path: str) -> bool:
        return self._storage.exists(path)

    def json(self, path: str) -> Any:
        """The content of a metadata file. Raises `StorageError` when it is unreadable."""
        return read_json(self._storage, path)

    def has_folder(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return name in self.folders(parent)


def _sorted(names: dict[str, dict[str, None]], known: dict[str, list[str]], path: str) -> list[str]:
    if path not in known:
        known[path] = sorted(names.get(path, ()))
    return known[path]


def _inside(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _outermost(bases: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for base in sorted(set(bases)):
        if not any(_inside(base, outer) for outer in kept):
            kept.append(base)
    return kept
