"""An annotation: points, masks and more become files, viewer layers, and entries of the sidecar.

part      what one source adds
points    points, oriented points, points of instances
masks     segmentation masks of both kinds
meshes    surfaces
captions  texts
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tomoportal.errors import Absent
from tomoportal.ingest.steps.annotation.captions import make_caption
from tomoportal.ingest.steps.annotation.masks import make_instances, make_mask
from tomoportal.ingest.steps.annotation.meshes import make_mesh
from tomoportal.ingest.steps.annotation.part import Part
from tomoportal.ingest.steps.annotation.points import make_points
from tomoportal.ingest.task import Input, Outcome, Work
from tomoportal.problems import Problem, Severity

SHAPES: dict[str, Callable[[Work, Input, dict[str, Any]], Part]] = {
    "Point": make_points,
    "OrientedPoint": make_points,
    "InstanceSegmentation": make_points,
    "SemanticSegmentationMask": make_mask,
    "SegmentationMask": make_mask,
    "InstanceSegmentationMask": make_instances,
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
    problems += [problem for part in parts for problem in part.problems]
    return Outcome(extra, files, {"layers": layers}, tuple(problems))
