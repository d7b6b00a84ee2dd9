"""By what an entity is recognised when it is ingested again, and the folder ids that follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.layout.paths import FIRST_ID, Key
from tomoportal.layout.private import Ledger

Identity = dict[str, Any]


def stem(path: str) -> str:
    """The file name without folder and ending; `.ome.zarr` and `.mrc.gz` are one ending."""
    return re.sub(r"(\.ome)?\.[^.]+(\.(gz|bz2))?$", "", path.rstrip("/").rpartition("/")[2])


def of_tiltseries(deposition: int, metadata: Mapping[str, Any], source: str) -> Identity:
    """Deposition and the config's `ingest_id`, else the stem of the source file."""
    return {"deposition_id": deposition, "ingest_id": str(metadata.get("ingest_id") or stem(source))}


def of_alignment(deposition: int, metadata: Mapping[str, Any], files: tuple[str, ...]) -> Identity:
    """Deposition and the config's `ingest_id`, else the stem of the file with the transforms; `default` without files."""
    main = sorted(files, key=lambda path: (not path.endswith((".xf", ".aln", ".xml", ".star")), path))
    return {
        "deposition_id": deposition,
        "ingest_id": str(metadata.get("ingest_id") or (stem(main[0]) if main else "default")),
    }


def of_tomogram(
    deposition: int, metadata: Mapping[str, Any], spacing: str, alignment: str | None
) -> Identity:
    """Voxel spacing, alignment, reconstruction method, processing and its software, and deposition."""
    return {
        "deposition_id": deposition,
        "voxel_spacing": spacing,
        "alignment_metadata_path": alignment,
        "reconstruction_method": metadata.get("reconstruction_method"),
        "processing": metadata.get("processing"),
        "processing_software": metadata.get("processing_software") or "",
    }


def of_annotation(
    deposition: int, metadata: Mapping[str, Any], spacing: str, alignment: str | None
) -> Identity:
    """The config's `annotation_ingest_id`, voxel spacing, alignment and deposition."""
    return {
        "deposition_id": deposition,
        "annotation_ingest_id": str(metadata.get("annotation_ingest_id") or ""),
        "voxel_spacing": spacing,
        "alignment_metadata_path": alignment,
    }


@dataclass(slots=True)
class FolderIds:
    """Folder ids of one run: the known identity's own, else the next free one of its container."""

    ledger: Ledger
    given: list[tuple[Key, Identity]] = field(default_factory=list)

    def key(self, place: Key, identity: Identity) -> Key | None:
        """The key of `identity` in the container that `place` (its kind, run and spacing) stands for; None when this plan has
        given that identity a key before: two sources claim one entity."""
        taken = [(record.key, record.identity) for record in self.ledger.records.values()]
        for key, known in self.given:
            if key.kind == place.kind and known == identity:
                return None
        known_key = next((key for key, known in taken if key.kind == place.kind and known == identity), None)
        key = known_key or self._next(place, [key for key, _ in taken])
        self.given.append((key, identity))
        return key

    def _next(self, place: Key, taken: list[Key]) -> Key:
        container = [
            key.id
            for key in (*taken, *(key for key, _ in self.given))
            if key.kind == place.kind and (key.kind != "annotation" or key.spacing == place.spacing)
        ]
        return place.of(place.kind, id=max([FIRST_ID - 1, *container]) + 1)
