"""What lies under a voxel spacing: tomograms, and the annotations beside them."""

from __future__ import annotations

from tomoportal.ingest import identity
from tomoportal.ingest.find import FoundItem, FoundSpacing
from tomoportal.ingest.plan.alignments import UNKNOWN, Alignments
from tomoportal.ingest.plan.annotations import plan_annotation
from tomoportal.ingest.plan.key_images import plan_key_images
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.references import published_alignments, spacing_of
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key, picture, viewer_state


def note_homeless(run: RunPlanning) -> None:
    """Every tomogram is looked at under every voxel spacing of its run, and taken under its own; here those that have none."""
    had = [spacing.name for spacing in run.found.spacings]
    for spacing in run.found.spacings:
        for item in spacing.items.get("tomograms", ()):
            stated = spacing_of(item, spacing)
            if stated not in had and item.path and not item.referenced:
                group = (item.source.where, item.source.line, stated, ", ".join(had))
                run.state.notes.homeless.setdefault(group, {})[item.path] = None


def plan_spacing(run: RunPlanning, spacing: FoundSpacing, alignments: Alignments) -> None:
    place = run.key.of("voxel_spacing", spacing=spacing.name)
    volume: str | None = None
    used: set[str | None] = set()
    for item in spacing.items.get("tomograms", ()):
        if item.path is None or item.referenced or spacing_of(item, spacing) != spacing.name:
            continue
        alignment = alignments.of_tomogram(item)
        if alignment == UNKNOWN:
            continue
        volume = volume or item.path
        used.add(alignment)
        _tomogram(run, place, item, spacing, alignment)
    published = published_alignments(run.ids.ledger, place)
    by_entry: dict[int, list[FoundItem]] = {}
    for item in spacing.items.get("annotations", ()):
        if item.path is not None:
            by_entry.setdefault(item.entry.index, []).append(item)
    for items in by_entry.values():
        alignment = alignments.of_annotation(items[0], frozenset(used), published)
        if alignment != UNKNOWN:
            plan_annotation(run, place, items, spacing, alignment, volume)


def _tomogram(
    run: RunPlanning, place: Key, item: FoundItem, spacing: FoundSpacing, alignment: str | None
) -> None:
    metadata = dict(item.metadata or {})
    who = identity.of_tomogram(run.state.deposition, metadata, spacing.name, alignment)
    key = run.claim(place.of("tomogram"), who, item)
    if key is None or item.path is None:
        return
    plan_key_images(run, key, item.path, spacing)
    links = {
        "alignment_metadata_path": alignment,
        "neuroglancer_config_path": viewer_state(key),
        "key_photo": {"snapshot": picture(key, "snapshot"), "thumbnail": picture(key, "thumbnail")},
    }
    parameters = {
        "voxel_spacing": spacing.value,
        "fiducial_alignment_status": metadata.get("fiducial_alignment_status"),
    }
    inputs = {"volume": run.inputs([item.path])}
    run.add(Task(key, who, inputs, parameters, metadata, links, run.state.place(item.source)))
