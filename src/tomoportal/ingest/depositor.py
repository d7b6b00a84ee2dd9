"""The depositor's files as steps read them: trouble with one of them is the trouble of the task that reads it.

Elsewhere a `StorageError` stops everything, because nothing can be published on a storage that fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tomoportal.errors import NotFound, SourceError, StorageError
from tomoportal.storage.protocol import Entry, Storage


@dataclass(frozen=True, slots=True)
class DepositorFiles:
    """Reading of `storage`. Raises `SourceError` where that raises `StorageError`."""

    storage: Storage

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start`; to the end when None."""
        with of_the_depositor(path):
            return self.storage.read(path, start, length)

    def read_if_there(self, path: str, start: int = 0, length: int | None = None) -> bytes | None:
        """As `read`; None when there is no such file."""
        with of_the_depositor(path):
            try:
                return self.storage.read(path, start, length)
            except NotFound:
                return None

    def stat(self, path: str) -> Entry:
        """Size and tag of a file."""
        with of_the_depositor(path):
            return self.storage.stat(path)

    def list(self, prefix: str) -> Iterator[Entry]:
        """Every file below a folder."""
        with of_the_depositor(prefix):
            yield from self.storage.list(prefix)

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine's disk; None for a remote storage."""
        with of_the_depositor(path):
            return self.storage.local_path(path)

    @contextmanager
    def fetch(self, path: str, scratch: Path | None = None) -> Iterator[Path]:
        """A local file with the content; a copy lies in the folder `scratch`."""
        with ExitStack() as stack:
            with of_the_depositor(path):
                file = stack.enter_context(self.storage.fetch(path, scratch))
            yield file


@contextmanager
def of_the_depositor(path: str) -> Iterator[None]:
    """Turns a `StorageError` into the `SourceError` that it is for the task, which tells the `path` in the source."""
    try:
        yield
    except StorageError as error:
        raise SourceError(path, error.message) from error
