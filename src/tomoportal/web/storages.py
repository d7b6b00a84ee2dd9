"""The storage of the portal, for the few pages that read more than the catalogue knows."""

from __future__ import annotations

from functools import lru_cache

from tomoportal.settings import Settings
from tomoportal.storage import open_storage
from tomoportal.storage.protocol import Storage


def storage_of(settings: Settings) -> Storage:
    """The same storage every time."""
    return _opened(settings.storage)


@lru_cache(maxsize=2)
def _opened(url: str) -> Storage:
    return open_storage(url)
