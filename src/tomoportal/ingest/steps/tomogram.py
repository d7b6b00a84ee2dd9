"""A tomogram."""

from __future__ import annotations

import math
from typing import Any

from tomoportal.ingest.agreement import PLACED
from tomoportal.ingest.sidecars import fiducial_status
from tomoportal.ingest.steps.volume import described, only_input, write
from tomoportal.ingest.task import Outcome, Work
from tomoportal.ingest.volumes import Source, VolumeKind, save_slab
from tomoportal.layout.paths import folder
from tomoportal.layout.private import slab_path

_ORIGINS = ("mrc-origin", "zarr-origin")
"""Findings of the formats that are told here beside what the deposition file says."""


def make_tomogram(work: Work) -> Outcome:
    """Convert the volume; keep its middle slab for the pictures."""
    task = work.task
    name, spacing = task.key.run, float(task.parameters["voxel_spacing"])
    with only_input(work, "volume") as source:
        facts, slab, files = write(work, source, name, spacing, VolumeKind.TOMOGRAM)
        placed = _placed(source, spacing)
    save_slab(slab, work.place(slab_path(task.key)))
    extra = described(facts, name, folder(task.key)) | {
        "run_name": name,
        "voxel_spacing": spacing,
        "fiducial_alignment_status": fiducial_status(task.metadata.get("fiducial_alignment_status")),
    }
    known = {
        "volume": facts.as_dict(),
        "omezarr": extra["omezarr_dir"],
        "slab": slab_path(task.key),
        PLACED: placed,
    }
    problems = tuple(problem for problem in facts.problems if problem.code not in _ORIGINS)
    return Outcome(extra, files, known, problems)


def _placed(source: Source, spacing: float) -> dict[str, Any]:
    """Where the file places the volume, in voxels, and its size; see `ingest.agreement`."""
    origin = [
        part / (size or spacing) if part is not None and math.isfinite(part) else 0.0
        for part, size in zip(source.origin, source.voxel_size, strict=True)
    ]
    return {
        "file": source.name,
        "origin": [round(part, 2) for part in origin],
        "size": list(source.shape[::-1]),
    }
