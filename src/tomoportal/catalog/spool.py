"""Rows on their way from the sidecars into the tables, in a file: a dataset may have more of them than memory."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any

from tomoportal.errors import CatalogError

IN_MEMORY = 4 * 2**20
"""Bytes up to which no file is made."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows by entity class name, and rows of the table of tombstones."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tombstones: list[dict[str, object]] = field(default_factory=list)


class Spool(AbstractContextManager["Spool"]):
    """Portions that are put in and come out again in the same order. The file has no name and ends with this process. Raises
    `CatalogError` when there is no room for it."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed by `__exit__`)

    def put(self, portion: Portion) -> None:
        """Add a portion at the end."""
        with _told():
            pickle.dump(portion, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[Portion]:
        with _told():
            end = self._file.tell()
            self._file.seek(0)
        while self._file.tell() < end:
            with _told():
                portion = pickle.load(self._file)
            yield portion

    def __exit__(self, *_: object) -> None:
        self._file.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"no room for the rows of a dataset on the way into the catalogue: {error.strerror}. Let TMPDIR name a larger folder."
        raise CatalogError(message) from error
