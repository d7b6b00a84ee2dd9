"""An annotation: points, masks and more become files, viewer layers, and entries of the sidecar.

part      what one source adds
points    points, oriented points, points of instances
masks     segmentation masks
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tomoportal.errors import Absent
from tomoportal.ingest.steps.annotation.captions import make_caption
from tomoportal.ingest.steps.annotation.masks import make_mask
from tomoportal.ingest.steps.annotation.meshes import make_mesh
from tomoportal.ingest.steps.annotation.part import Part
from tomoportal.ingest.steps.annotation.points import make_points
from tomoportal.ingest.task import Input, Outcome, Work
from tomoportal.layout.private import slab_path
from tomoportal.problems import Problem, Severity

SHAPES: dict[str, Callable[[Work, Input, dict[str, Any]], Part]] = {
    "Point": make_points,
    "OrientedPoint": make_points,
    "InstanceSegmentation": make_points,
    "SemanticSegmentationMask": make_mask,
    "SegmentationMask": make_mask,
    "TriangularMesh": make_mesh,
    "TriangularMeshGroup": make_mesh,
    "GlobalCaption": make_caption,
    "AnnotationCaption": make_caption,
}


def make_annotation(work: Work) -> Outcome:
    """Convert every source of the annotation. They share one sidecar and one file stem."""
    parts, problems = [], []
    for number, source in enumerate(work.task.parameters["sources"]):
        (file,) = work.task.inputs[f"source{number}"]
        try:
            parts.append(SHAPES[source["shape"]](work, file, source))
        except Absent as error:
            if number + 1 == len(work.task.parameters["sources"]) and not parts:
                raise
            message = f"{error.message.rstrip('.')}; this source is left out"
            problems.append(Problem("left-out", message, Severity.WARNING, file=file.path, hint=error.hint))
    counts = [part.count for part in parts if part.count is not None]
    extra: dict[str, Any] = {"files": [entry for part in parts for entry in part.entries]}
    if counts:
        extra["object_count"] = max(counts)
    files = {path: file for part in parts for path, file in part.files.items()}
    layers = [part.layer for part in parts if part.layer]
    has_mask = any(layer["shape"] == "SegmentationMask" for layer in layers)
    facts = {"layers": layers, "slab": slab_path(work.task.key) if has_mask else None}
    problems += [problem for part in parts for problem in part.problems]
    return Outcome(extra, files, facts, tuple(problems))
