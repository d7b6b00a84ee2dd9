"""The ontologies that a site has loaded, in the private area beside the data that they describe.

.tomoportal/ontologies/[name].json.gz     {"name", "version", "terms": [[id, label, [synonyms], obsolete, [replaced by]], …]}
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from tomoportal.errors import StorageError
from tomoportal.layout.paths import PRIVATE
from tomoportal.model.ontology import Ontologies, Ontology, Term

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

HOME = f"{PRIVATE}/ontologies"
_ENDING = ".json.gz"


def write_ontology(storage: Storage, ontology: Ontology) -> None:
    """Keep an ontology; it takes the place of one with the same name."""
    terms = [list(term) for term in ontology.terms.values()]
    content = {"name": ontology.name, "version": ontology.version, "terms": terms}
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    storage.write(_path(ontology.name), gzip.compress(text.encode(), 5, mtime=0))


def read_ontologies(storage: Storage) -> Ontologies:
    """All of them. Raises `StorageError` when one is there but unreadable."""
    return Ontologies(tuple(_read(storage, entry.path) for entry in storage.level(HOME).files))


def _read(storage: Storage, path: str) -> Ontology:
    try:
        content = json.loads(gzip.decompress(storage.read(path)))
        terms = {row[0]: _term(*row) for row in content["terms"]}
        return Ontology(content["name"], content["version"], terms)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        if isinstance(error, StorageError):
            raise
        message = f"this ontology cannot be read ({error}); load it again with `tomoportal ontology load`"
        raise StorageError(path, message) from error


def _term(id: str, label: str, synonyms: Any, obsolete: Any, replaced_by: Any) -> Term:
    return Term(id, label, tuple(synonyms), bool(obsolete), tuple(replaced_by))


def _path(name: str) -> str:
    """Letters, digits and hyphens of the name: it comes out of a file from anywhere."""
    return f"{HOME}/{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:80] or 'ontology'}{_ENDING}"
