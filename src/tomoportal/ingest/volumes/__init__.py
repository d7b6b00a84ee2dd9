"""Volumes: one pass from a source file to OME-Zarr, MRC, statistics and the slab for pictures, in bounded memory."""

from tomoportal.ingest.volumes.budget import MemoryBudget
from tomoportal.ingest.volumes.facts import MaskRecipe, VolumeFacts, VolumeKind
from tomoportal.ingest.volumes.labels import LISTED
from tomoportal.ingest.volumes.slab import Slab, load_slab, save_slab
from tomoportal.ingest.volumes.source import Source, open_source
from tomoportal.ingest.volumes.write import write_volume

__all__ = [
    "LISTED",
    "MaskRecipe",
    "MemoryBudget",
    "Slab",
    "Source",
    "VolumeFacts",
    "VolumeKind",
    "load_slab",
    "open_source",
    "save_slab",
    "write_volume",
]
