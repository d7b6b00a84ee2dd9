"""An annotation: points and masks become files, viewer layers, and entries of the sidecar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tomoportal.errors import Absent, FormatError
from tomoportal.formats.points import Columns, header_problems, outside, read_csv_points, to_ndjson
from tomoportal.ingest.steps.volume import opened, tomogram_shape, volume_dimension, write
from tomoportal.ingest.task import Input, Outcome, Work
from tomoportal.ingest.volumes import MaskRecipe, VolumeKind, save_slab
from tomoportal.layout.paths import folder, viewer_layer
from tomoportal.layout.private import slab_path
from tomoportal.problems import Problem, Severity
from tomoportal.viewer.points import write_point_layer

DIAMETER = 100.0
"""Å; how large an object is drawn whose deposition file does not say."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one source adds to an annotation: `entries` of the sidecar's file list, a viewer `layer`, how many objects."""

    entries: list[dict[str, Any]]
    files: dict[str, dict[str, Any]]
    layer: dict[str, Any]
    count: int | None
    problems: tuple[Problem, ...]


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
    layers = [part.layer for part in parts]
    has_mask = any(layer["shape"] == "SegmentationMask" for layer in layers)
    facts = {"layers": layers, "slab": slab_path(work.task.key) if has_mask else None}
    problems += [problem for part in parts for problem in part.problems]
    return Outcome(extra, files, facts, tuple(problems))


def _make_points(work: Work, file: Input, source: dict[str, Any]) -> Part:
    parameters, name = source["parameters"], file.path
    data = work.source.read(name)
    columns: Columns = "zyx" if parameters.get("columns") == "zyx" else "xyz"
    delimiter = parameters.get("delimiter") or ","
    with_header = source["format"] == "csv_with_header"
    binning = float(parameters.get("binning") or 1)
    points = read_csv_points(
        data, name, columns=columns, delimiter=delimiter, header=with_header, binning=binning
    )
    problems = list(header_problems(data, name, columns=columns, delimiter=delimiter)) if with_header else []
    problems += _strays(work, points, name)
    path = f"{_stem(work)}_point.ndjson"
    files = work.put(path, to_ndjson(points))
    layer_path = viewer_layer(work.task.key, "Point")
    layer = write_point_layer(
        points,
        spacing=float(work.task.parameters["voxel_spacing"]),
        label=work.task.metadata["annotation_object"]["name"],
        diameter=float(work.task.metadata["annotation_object"].get("diameter") or DIAMETER),
    )
    for piece, content in layer.items():
        work.put(f"{layer_path}/{piece}", content)
    size = sum(len(content) for content in layer.values())
    files[layer_path] = {"size": size, "count": len(layer), "probe": "info", "sha256": None}
    entry = {
        "format": "ndjson",
        "path": path,
        "shape": "Point",
        "file_size": files[path]["size"],
        **_shown(source),
    }
    facts = {"shape": "Point", "path": layer_path, "points": path, "visible": source["visible"]}
    return Part([entry], files, facts, len(points), tuple(problems))


def _strays(work: Work, points: np.ndarray, name: str) -> list[Problem]:
    if not len(points):
        message = "there is no point in this file; an annotation of 0 objects is published"
        hint = "Leave the run out with parent_filters unless none is what was found in it."
        return [Problem("no-points", message, Severity.WARNING, file=name, hint=hint)]
    shape, problems = tomogram_shape(work)
    if shape is None:
        return problems
    strays = outside(points, shape)
    if not len(strays):
        return []
    first = ", ".join(f"{value:g}" for value in points[strays[0]])
    z, y, x = shape
    message = (
        f"{len(strays)} of {len(points)} points lie outside the volume of {x} × {y} × {z} voxels, "
        f"the first being point {strays[0] + 1} at ({first})"
    )
    hint = "Check `binning`, `columns` and the voxel spacing; the points are published as they are."
    return [Problem("points-outside", message, Severity.WARNING, file=name, hint=hint)]


def _make_mask(work: Work, file: Input, source: dict[str, Any]) -> Part:
    parameters = source["parameters"]
    spacing = float(work.task.parameters["voxel_spacing"])
    recipe = MaskRecipe(label=int(parameters.get("mask_label") or 1), threshold=parameters.get("threshold"))
    if parameters.get("rescale"):
        recipe = replace(recipe, target_shape=_target_shape(work, file.path, spacing))
    stem = f"{_stem(work)}_segmentationmask"
    with opened(work, file) as volume:
        problems = list(_other_grid(work, volume.shape, file.path)) if recipe.target_shape is None else []
        facts, slab, files = write(
            work, volume, stem.rpartition("/")[2], spacing, VolumeKind.SEMANTIC_MASK, recipe
        )
    save_slab(slab, work.place(slab_path(work.task.key)))
    entries = [
        {
            "format": kind,
            "path": f"{stem}.{kind}",
            "shape": "SegmentationMask",
            "file_size": size,
            **_shown(source),
        }
        for kind, size in (("zarr", facts.zarr_size), ("mrc", facts.mrc_size))
    ]
    layer = {
        "shape": "SegmentationMask",
        "path": f"{stem}.zarr",
        "visible": source["visible"],
        "shape_zyx": list(facts.shape),
    }
    return Part(entries, files, layer, None, (*problems, *facts.problems))


def _target_shape(work: Work, name: str, spacing: float) -> tuple[int, int, int]:
    dimension, problems = volume_dimension(work)
    if dimension is None:
        why = f" ({problems[0].file}: {problems[0].message})" if problems else ""
        raise FormatError(
            name, f"the mask is to be rescaled, but the size of the volume is unknown{why}.",
            "Give `volume_dimension` in the alignment's metadata, or a tomogram in this deposition file.",
        )  # fmt: skip
    z, y, x = (max(1, round(dimension[axis] / spacing)) for axis in "zyx")
    return z, y, x


def _other_grid(work: Work, shape: tuple[int, ...], name: str) -> list[Problem]:
    expected, problems = tomogram_shape(work)
    if expected is None or tuple(shape) == expected:
        return problems
    message = f"the mask has {_by_axes(shape)} voxels (x × y × z), the tomogram {_by_axes(expected)}"
    hint = "Set `rescale: true` if both show the same volume."
    return [Problem("mask-size", message, Severity.WARNING, file=name, hint=hint)]


def _by_axes(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in reversed(shape))


def _stem(work: Work) -> str:
    return f"{folder(work.task.key)}/{work.task.parameters['stem']}"


def _shown(source: dict[str, Any]) -> dict[str, Any]:
    return {"is_visualization_default": bool(source["visible"])}


SHAPES: dict[str, Callable[[Work, Input, dict[str, Any]], Part]] = {
    "Point": _make_points,
    "SemanticSegmentationMask": _make_mask,
    "SegmentationMask": _make_mask,
}
