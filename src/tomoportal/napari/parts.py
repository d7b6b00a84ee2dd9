"""The annotations that are drawn with a tomogram."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.client.classes import AnnotationFile, Tomogram
from tomoportal.client.pages import FILES
from tomoportal.layout.paths import owner, viewer_layer
from tomoportal.viewer.overlays import MASKS, Shown, overlay

POINTS = ("Point", "OrientedPoint", "InstanceSegmentation")
MESHES = ("Mesh", "TriangularMesh")
_FORMATS = dict.fromkeys(POINTS, "ndjson") | dict.fromkeys(MASKS, "zarr") | dict.fromkeys(MESHES, "glb")
"""Shape → the format of the file that is read."""


@dataclass(frozen=True, eq=False)
class Part:
    """One shape of an annotation. `shape` is the API's word, `spacing` Å per voxel of its coordinates; `path` is where the viewer's layer
    of it comes from; `identity` decides the colour where nothing else does."""

    file: AnnotationFile
    shape: str
    spacing: float
    name: str
    path: str
    identity: str
    is_visible: bool


def parts_of(tomogram: Tomogram) -> list[Part]:
    """What fits a tomogram: annotations of its run with its alignment; without one, those of its voxel spacing. One request."""
    of_run = AnnotationFile.annotation_shape.annotation.run_id == tomogram.run_id
    prefetch = ("annotation_shape.annotation", "tomogram_voxel_spacing")
    files = AnnotationFile.find(tomogram.client, of_run, prefetch=prefetch)
    return [part_of(file) for file in files if _is_drawn(file) and _fits(file, tomogram)]


def _is_drawn(file: AnnotationFile) -> bool:
    shape = file.annotation_shape
    if shape is None or file.tomogram_voxel_spacing is None:
        return False
    return file.format == _FORMATS.get(str(shape.shape_type))


def _fits(file: AnnotationFile, tomogram: Tomogram) -> bool:
    is_near = file.alignment_id is not None or _spacing(file) == tomogram.voxel_spacing
    return file.alignment_id == tomogram.alignment_id and is_near


def _spacing(file: AnnotationFile) -> float:
    assert file.tomogram_voxel_spacing is not None
    return float(file.tomogram_voxel_spacing.voxel_spacing)


def part_of(file: AnnotationFile) -> Part:
    """What a file shows."""
    assert file.annotation_shape is not None
    annotation = file.annotation_shape.annotation
    assert annotation is not None
    word = str(file.annotation_shape.shape_type)
    shape = "TriangularMesh" if word in MESHES else word
    shown = Shown(
        annotation.object_name, annotation.object_id, annotation.annotation_method, bool(annotation.ground_truth_status),
        shape, _path(file, shape), _spacing(file), bool(file.is_visualization_default),
    )  # fmt: skip
    told = overlay(shown)
    return Part(file, word, shown.spacing, told.name, shown.path, told.identity, shown.is_visible)


def _path(file: AnnotationFile, shape: str) -> str:
    """The layout's path of what the portal's own viewer draws; nothing at portals whose files lie elsewhere."""
    path = file.https_path.partition(FILES)[2].strip("/")
    key = owner(path) if path and shape not in MASKS else None
    return viewer_layer(key, shape) if key is not None else path
