"""The depositor's files as steps read them: trouble with one of them is the trouble of the task that reads it.

Elsewhere a `StorageError` stops everything, because nothing can be published on a storage that fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tomoportal.errors import SourceError, StorageError
from tomoportal.storage.protocol import Entry, Storage


@dataclass(frozen=True, slots=True)
class DepositorFiles:
    """Reading of `storage`. Raises `SourceError` where that raises `StorageError`."""

    storage: Storage

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start`; to the end when None."""
        with _of_the_depositor():
            return self.storage.read(path, start, length)

    def stat(self, path: str) -> Entry:
        """Size and tag of a file."""
        with _of_the_depositor():
            return self.storage.stat(path)

    def list(self, prefix: str) -> Iterator[Entry]:
        """Every file below a folder."""
        with _of_the_depositor():
            yield from self.storage.list(prefix)

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine's disk; None for a remote storage."""
        with _of_the_depositor():
            return self.storage.local_path(path)

    @contextmanager
    def fetch(self, path: str) -> Iterator[Path]:
        """A local file with the content."""
        with ExitStack() as stack:
            with _of_the_depositor():
                file = stack.enter_context(self.storage.fetch(path))
            yield file


@contextmanager
def _of_the_depositor() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise SourceError(error.where, error.message) from error
