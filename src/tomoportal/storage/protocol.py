"""The interface that every storage fulfils, and the rule for paths inside one."""

from __future__ import annotations

import builtins
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tomoportal.errors import StorageError

TEMPORARY = ".tmp-"
"""Files whose name starts so are being written; no listing shows them."""
_REFUSED = ("Cc", "Cs")
_NO_PART = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or object: `path` from the storage root, `size` in bytes, `tag` changes when the content
    does."""

    path: str
    size: int
    tag: str
    modified: float = 0.0
    """Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class Level:
    """What lies directly in a folder: names of folders and files, both sorted."""

    folders: tuple[str, ...] = ()
    files: tuple[Entry, ...] = ()


class Storage(Protocol):
    """A tree of files. All paths are relative POSIX strings; `""` is the root."""

    url: str

    @property
    def unfollowed(self) -> Collection[str]:
        """Links met in listings that lead out of the storage, in a circle, or nowhere."""

    @property
    def unnameable(self) -> Collection[str]:
        """What listings of single levels have left out, since its name holds what no path may hold; printable."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below the folder `prefix`, sorted by path; nothing when there is no such folder."""

    def list_after(self, prefix: str, after: str) -> Iterator[Entry]:
        """Files below the folder `prefix` whose path comes after `after`, asked for page by page while they are taken, in the order
        of the store: almost everywhere that of the bytes."""

    def folders(self, prefix: str = "") -> builtins.list[str]:
        """Names of the folders directly below `prefix`, sorted."""

    def level(self, prefix: str = "") -> Level:
        """What lies directly in the folder `prefix`; nothing when there is no such folder."""

    def stat(self, path: str) -> Entry:
        """The file at `path`. Raises `NotFound`."""

    def exists(self, path: str) -> bool:
        """Whether a file (not a folder) is at `path`; False for a path that cannot exist. Raises
        `StorageError` when that cannot be found out: absent and unreadable are different answers."""

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start` (to the end when None; fewer at the end of the file). Raises
        `NotFound`."""

    def address(self, path: str, seconds: int) -> str:
        """An address under which anybody can read the file for a while. Raises `StorageError` where there is none: for folders, and
        for stores that are read without credentials."""

    def write(self, path: str, data: bytes) -> Entry:
        """Put a whole file; readers see the old content or the new, never a part."""

    def create(self, path: str, data: bytes) -> bool:
        """Put a small file only if there is none; False when there is one already."""

    def reliable_create(self) -> bool:
        """Whether `create` tells only one of two callers True, even when both ask at the same moment."""

    def upload(self, path: str, file: Path) -> Entry:
        """Put a local file, streamed; afterwards `file` is gone (on the same disk it is moved, not
        copied)."""

    def upload_all(self, files: Mapping[str, Path]) -> None:
        """`upload` of many files (path → local file), as many at a time as the storage likes. When it raises, some are there."""

    def delete(self, path: str) -> None:
        """Remove one file; no error when it is gone already."""

    def delete_tree(self, prefix: str) -> None:
        """Remove every file below the folder `prefix`, and the folder; the root itself is refused."""

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine's disk, for mapping; None for a remote storage."""

    def fetch(self, path: str, scratch: Path | None = None) -> AbstractContextManager[Path]:
        """A local file with the content: the file itself, or a copy in the folder `scratch` (that of the system when None) that
        is removed afterwards."""


def clean_path(path: str) -> str:
    """`path` in its only accepted form.

    Raises `StorageError` for absolute paths, `.`, `..` and empty segments (they would leave the root or
    name a file twice) and for control characters and bytes that are not UTF-8 (object stores and HTTP do
    not carry them).
    """
    if path and _NO_PART.search(path):
        raise StorageError(
            path, "this is not a path inside the storage (no '..', no empty parts, no leading '/')"
        )
    if not path.isprintable() and any(unicodedata.category(sign) in _REFUSED for sign in path):
        message = "a control character, or bytes that are not UTF-8, stand in this name; rename the file"
        raise StorageError(ascii(path), message)
    return path


def is_clean(path: str) -> bool:
    """Whether `clean_path` accepts it."""
    try:
        clean_path(path)
    except StorageError:
        return False
    return True
