"""Segmentation masks: of one kind of object, and of objects that each have a number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.ingest.steps.annotation.meshes import put_mesh_layer
from tomoportal.ingest.steps.annotation.part import Part, entry, stem
from tomoportal.ingest.steps.volume import opened, tomogram_shape, volume_dimension, write
from tomoportal.ingest.task import Input, Work
from tomoportal.ingest.volumes import LISTED, MaskRecipe, VolumeFacts, VolumeKind, save_slab
from tomoportal.ingest.volumes.surface import MOST, mask_surface, object_surfaces
from tomoportal.layout.private import slab_path
from tomoportal.problems import Problem, Severity
from tomoportal.viewer.meshes import write_mesh_layer, write_mesh_layers

_SHAPES = {
    VolumeKind.SEMANTIC_MASK: "SegmentationMask",
    VolumeKind.INSTANCE_MASK: "InstanceSegmentationMask",
}
"""What a mask of this kind is called when it is published."""


def make_mask(work: Work, file: Input, source: dict[str, Any]) -> Part:
    parameters = source["parameters"]
    recipe = MaskRecipe(label=int(parameters.get("mask_label") or 1), threshold=parameters.get("threshold"))
    part, facts = _made(work, file, source, VolumeKind.SEMANTIC_MASK, recipe)
    return _surfaces(work, part, facts, None) if source.get("surface") else part


def make_instances(work: Work, file: Input, source: dict[str, Any]) -> Part:
    """Every object keeps its number; they are counted in the source."""
    part, facts = _made(work, file, source, VolumeKind.INSTANCE_MASK, MaskRecipe())
    objects = [label for label in facts.labels or () if label]
    is_listed = len(objects) <= LISTED
    layer = {**(part.layer or {}), "labels": objects if is_listed else None}
    part = replace(part, layer=layer, count=len(objects))
    return _surfaces(work, part, facts, objects) if is_listed and source.get("surface") else part


def _made(
    work: Work, file: Input, source: dict[str, Any], kind: VolumeKind, recipe: MaskRecipe
) -> tuple[Part, VolumeFacts]:
    shape, spacing = _SHAPES[kind], float(work.task.parameters["voxel_spacing"])
    if source["parameters"].get("rescale"):
        recipe = replace(recipe, target_shape=_target_shape(work, file.path, spacing))
    home, kept = f"{stem(work)}_{shape.lower()}", slab_path(work.task.key, shape)
    with opened(work, file) as volume:
        problems = list(_other_grid(work, volume.shape, file.path)) if recipe.target_shape is None else []
        facts, slab, files = write(work, volume, home.rpartition("/")[2], spacing, kind, recipe)
    save_slab(slab, work.place(kept))
    sizes = {"zarr": facts.zarr_size, "mrc": facts.mrc_size}
    entries = [entry(source, shape, kind, f"{home}.{kind}", size) for kind, size in sizes.items() if size]
    layer = {"shape": shape, "path": f"{home}.zarr", "visible": source["visible"], "slab": kept}
    return Part(entries, files, layer, None, (*problems, *facts.problems)), facts


def _surfaces(work: Work, part: Part, facts: VolumeFacts, objects: list[int] | None) -> Part:
    """`part` with the surface of a mask, or those of its objects, for the 3-D view."""
    if part.layer is None or facts.bounding_box is None:
        return part
    zarr, called = work.staged / part.layer["path"], work.task.metadata["annotation_object"]["name"]
    with work.budget.take(4 * MOST):
        if objects is None:
            net = mask_surface(zarr, facts.bounding_box, facts.mean * facts.finite)
            pieces = write_mesh_layer(*net, label=called)
        else:
            nets = object_surfaces(zarr, facts.bounding_box, objects)
            pieces = write_mesh_layers(nets, {number: f"{called} {number}" for number in objects})
    home, files = put_mesh_layer(work, part.layer["shape"], pieces)
    return replace(part, files=part.files | files, layer={**part.layer, "surface": home})


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
