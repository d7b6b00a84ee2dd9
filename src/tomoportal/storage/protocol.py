"""The interface that every storage fulfils, and the rule for paths inside one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tomoportal.errors import StorageError


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or object: `path` from the storage root, `size` in bytes, `tag` changes when the content does."""

    path: str
    size: int
    tag: str
    modified: float = 0.0
    """Unix time in seconds."""


class Storage(Protocol):
    """A tree of files. All paths are relative POSIX strings; `""` is the root."""

    url: str

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below the folder `prefix`, sorted by path; nothing when there is no such folder."""

    def folders(self, prefix: str = "") -> list[str]:
        """Names of the folders directly below `prefix`, sorted."""

    def stat(self, path: str) -> Entry:
        """The file at `path`. Raises `NotFound`."""

    def exists(self, path: str) -> bool:
        """Whether a file (not a folder) is at `path`."""

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start` (to the end when None; fewer at the end of the file). Raises `NotFound`."""

    def write(self, path: str, data: bytes) -> Entry:
        """Put a whole file; readers see the old content or the new, never a part."""

    def create(self, path: str, data: bytes) -> bool:
        """Put a file only if there is none; False when there is one already."""

    def upload(self, path: str, file: Path) -> Entry:
        """Put a local file, streamed. On a local storage the file is moved when it lies on the same disk."""

    def delete(self, path: str) -> None:
        """Remove one file; no error when it is gone already."""

    def delete_tree(self, prefix: str) -> None:
        """Remove every file below the folder `prefix`, and the folder."""

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine's disk, for mapping; None for a remote storage."""

    def fetch(self, path: str) -> AbstractContextManager[Path]:
        """A local file with the content: the file itself, or a scratch copy that is removed afterwards."""


def clean_path(path: str) -> str:
    """`path` in its only accepted form. Raises `StorageError` for absolute paths, `..`, backslashes of Windows drives,
    NUL bytes and empty segments: such a path would leave the root or name the same file twice."""
    parts = path.split("/") if path else []
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise StorageError(path, "this is not a path inside the storage (no '..', no empty parts, no leading '/')")
    return path
