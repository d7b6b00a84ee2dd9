"""What each task does: {kind: function}. A step reads the source, writes into its staging folder, and tells what it made."""

from __future__ import annotations

from tomoportal.ingest.steps.alignment import make_alignment
from tomoportal.ingest.steps.annotation import make_annotation
from tomoportal.ingest.steps.frames import make_frames
from tomoportal.ingest.steps.gains import make_gains
from tomoportal.ingest.steps.identified_objects import make_identified_objects
from tomoportal.ingest.steps.plain import make_plain
from tomoportal.ingest.steps.tiltseries import make_tiltseries
from tomoportal.ingest.steps.tomogram import make_tomogram
from tomoportal.ingest.steps.view import make_view
from tomoportal.ingest.task import Step

STEPS: dict[str, Step] = {
    "deposition": make_plain,
    "dataset": make_plain,
    "run": make_plain,
    "frames": make_frames,
    "gains": make_gains,
    "tiltseries": make_tiltseries,
    "alignment": make_alignment,
    "identified_objects": make_identified_objects,
    "tomogram": make_tomogram,
    "annotation": make_annotation,
    "view": make_view,
}
