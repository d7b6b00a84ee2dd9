"""Deposition file + source listing → what is there, by dataset, run and voxel spacing.

    find(config, source, target) → Found

Only reads: listings of the source, the tables that give runs their values, listings of the target for references. Opens no
volume itself (`voxel_size` does, where a file asks for `tomogram_header`). Every listing happens once a call; patterns are
matched against it here, so that the same tree gives the same answer on every kind of storage.
"""

from __future__ import annotations

from tomoportal.ingest.find.found import (
    Found,
    FoundDataset,
    FoundDeposition,
    FoundItem,
    FoundRun,
    FoundSpacing,
    Items,
)
from tomoportal.ingest.find.listing import Listing
from tomoportal.ingest.find.walk import find

__all__ = [
    "Found",
    "FoundDataset",
    "FoundDeposition",
    "FoundItem",
    "FoundRun",
    "FoundSpacing",
    "Items",
    "Listing",
    "find",
]
