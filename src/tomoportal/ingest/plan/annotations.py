"""An annotation: its sources together, and the tomogram they are compared with."""

from __future__ import annotations

from typing import Any

from tomoportal.ingest import identity
from tomoportal.ingest.find import FoundItem, FoundSpacing
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.references import first_tomogram, published_grid, volume_dimension
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key, annotation_stem

MASKS = ("SemanticSegmentationMask", "SegmentationMask", "InstanceSegmentationMask")
"""Shapes for which a surface can be made."""


def plan_annotation(
    run: RunPlanning,
    place: Key,
    items: list[FoundItem],
    spacing: FoundSpacing,
    alignment: str | None,
    volume: str | None,
) -> None:
    """Plan an annotation: the `items` of one entry of the deposition file. `alignment`: sidecar of the alignment in which it is given;
    `volume`: source of the first tomogram that is planned for its voxel spacing."""
    metadata = dict(items[0].metadata or {})
    who = identity.of_annotation(run.state.deposition, metadata, spacing.name, alignment)
    key = run.claim(place.of("annotation"), who, items[0])
    if key is None:
        return
    described = metadata["annotation_object"]
    stem = annotation_stem(described["name"], metadata.get("version", "1.0"), described.get("description"))
    wants_surface = _wants_surface(run, key)
    grid = None if volume else published_grid(run.ids.ledger, place, alignment)
    tomogram, tomogram_spacing = (volume, spacing.value) if volume or grid else first_tomogram(run.found)
    compares = volume or any(item.parameters.get("rescale") for item in items)
    inputs = {f"source{number}": run.inputs([item.path or ""]) for number, item in enumerate(items)}
    inputs["tomogram"] = run.inputs([tomogram] if tomogram and compares else [])
    parameters = {
        "sources": [_source(item, wants_surface) for item in items],
        "stem": stem,
        "voxel_spacing": spacing.value,
        "tomogram_spacing": tomogram_spacing,
        "tomogram_shape": grid,
        "volume_dimension": volume_dimension(run.found),
        "object": {name: described.get(name) for name in ("name", "diameter")},
    }
    links = {"alignment_metadata_path": alignment}
    run.add(Task(key, who, inputs, parameters, metadata, links, run.state.place(items[0].source)))


def _source(item: FoundItem, wants_surface: bool) -> dict[str, Any]:
    """What a task is told about a file of an annotation."""
    told = {
        "shape": item.source.shape,
        "format": item.parameters.get("file_format"),
        "parameters": {
            name: value for name, value in item.parameters.items() if name != "is_visualization_default"
        },
        "visible": item.parameters.get("is_visualization_default"),
    }
    return {**told, "surface": True} if item.source.shape in MASKS and wants_surface else told


def _wants_surface(run: RunPlanning, key: Key) -> bool:
    """As asked for; without a word, as it is."""
    asked = run.state.selection.meshes
    if asked is not None:
        return asked
    record = run.ids.ledger.get(key)
    return record is not None and any(layer.get("surface") for layer in record.facts.get("layers", ()))
