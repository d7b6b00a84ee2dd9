"""Many small reads: one after another from a folder, many at a time from an object store, where each of them waits for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

REMOTE_READERS = 32
"""Requests at a time on object stores."""


@contextmanager
def readers(storage: Storage) -> Iterator[Any]:
    """A `map` for functions that read from this storage; what it gives is in order."""
    if storage.local_path("") is not None:
        yield map
        return
    with ThreadPoolExecutor(REMOTE_READERS) as pool:
        yield pool.map
