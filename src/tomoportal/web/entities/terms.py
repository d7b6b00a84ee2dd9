"""Terms of the ontologies that the site has loaded, for pages."""

from __future__ import annotations

import logging
from functools import lru_cache

from tomoportal.errors import StorageError
from tomoportal.layout.ontologies import HOME, read_ontologies
from tomoportal.model.ontology import Ontologies, Term
from tomoportal.settings import Settings
from tomoportal.storage.protocol import Entry
from tomoportal.web.storages import storage_of

_log = logging.getLogger(__name__)


def term(settings: Settings, id: str) -> Term | None:
    """What a loaded ontology says about an identifier; None without one. One that cannot be read is told to the operator: the page
    does without."""
    try:
        return _read(settings, storage_of(settings).level(HOME).files).term(id)
    except StorageError as error:
        _log.warning("%s", error)
        return None


@lru_cache(maxsize=2)
def _read(settings: Settings, _files: tuple[Entry, ...]) -> Ontologies:
    return read_ontologies(storage_of(settings))
