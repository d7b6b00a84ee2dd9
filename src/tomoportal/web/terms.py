"""Terms of the ontologies that the site has loaded, for pages."""

from __future__ import annotations

from functools import lru_cache

from tomoportal.errors import StorageError
from tomoportal.layout.ontologies import HOME, read_ontologies
from tomoportal.model.ontology import Ontologies, Term
from tomoportal.settings import Settings
from tomoportal.storage import open_storage
from tomoportal.storage.protocol import Entry, Storage


def term(settings: Settings, id: str) -> Term | None:
    """What a loaded ontology says about an identifier; None without one, or when it cannot be read: a page can do without."""
    try:
        return _ontologies(settings.storage).term(id)
    except StorageError:
        return None


@lru_cache(maxsize=2)
def _storage(url: str) -> Storage:
    return open_storage(url)


def _ontologies(url: str) -> Ontologies:
    return _read(url, _storage(url).level(HOME).files)


@lru_cache(maxsize=2)
def _read(url: str, _files: tuple[Entry, ...]) -> Ontologies:
    return read_ontologies(_storage(url))
