"""A tomogram."""

from __future__ import annotations

from tomoportal.ingest.sidecars import fiducial_status
from tomoportal.ingest.steps.volume import described, only_input, write
from tomoportal.ingest.task import Outcome, Work
from tomoportal.ingest.volumes import VolumeKind, save_slab
from tomoportal.layout.paths import folder
from tomoportal.layout.private import slab_path


def make_tomogram(work: Work) -> Outcome:
    """Convert the volume; keep its middle slab for the pictures."""
    task = work.task
    name, spacing = task.key.run, float(task.parameters["voxel_spacing"])
    with only_input(work, "volume") as source:
        facts, slab, files = write(work, source, name, spacing, VolumeKind.TOMOGRAM)
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
    }
    return Outcome(extra, files, known, facts.problems)
