"""The catalogue: a database made from the layout, thrown away and rebuilt at will, that answers query trees.

    open_catalog(url) → Catalog      .view(today=…, addresses=…) → View: every read goes through it
    load(storage, catalog)           layout → rows
    load, sidecars, reading, conversion, rows     how that is done
    compile/                         query tree → one SQL statement that answers with JSON text
    tables, words, database          tables out of the model, words of texts, engines

The catalogue knows no volumes and writes nothing into the layout.
"""

from __future__ import annotations

from tomoportal.catalog.catalog import Catalog, open_catalog
from tomoportal.catalog.compile.writer import Addresses
from tomoportal.catalog.load import LoadReport, is_current, load
from tomoportal.catalog.tombstones import Tombstone
from tomoportal.catalog.view import View, Visibility

__all__ = [
    "Addresses",
    "Catalog",
    "LoadReport",
    "Tombstone",
    "View",
    "Visibility",
    "is_current",
    "load",
    "open_catalog",
]
