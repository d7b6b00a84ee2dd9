"""Alignments of a run, and the one that its volumes refer to."""

from __future__ import annotations

from collections.abc import Mapping

from tomoportal.ingest import identity
from tomoportal.ingest.find import FoundItem
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.references import aligned, first_tomogram, lowest, one_per_entry, paths
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import sidecar


def plan_alignments(run: RunPlanning, tiltseries: Mapping[str, str]) -> str | None:
    """Plan the alignments; gives the sidecar path of the first, which the volumes of the run refer to."""
    sidecars: dict[str, FoundItem | None] = {}
    tomogram, spacing = first_tomogram(run.found)
    items: list[FoundItem | None] = [*one_per_entry(run.items("alignments"))]
    for item in items or [None]:
        if item is not None and item.referenced:
            sidecars |= dict.fromkeys(paths(item)[:1], item)
            continue
        metadata = dict(item.metadata or {}) if item else {}
        files, configured = paths(item) if item else (), metadata.get("volume_dimension")
        if not files and not configured and tomogram is None:
            continue
        key = run.claim(
            run.key.of("alignment"), identity.of_alignment(run.state.deposition, metadata, files), item
        )
        if key is None:
            continue
        who = identity.of_alignment(run.state.deposition, metadata, files)
        inputs = {
            "files": run.inputs(files),
            "tomogram": run.inputs([tomogram] if tomogram and not configured else []),
        }
        parameters = {
            "volume_dimension": configured,
            "tomogram_spacing": spacing,
            "format": metadata.get("format"),
        }
        links = {"tiltseries_path": aligned(tiltseries, files)}
        where = run.state.place(item.source) if item else ""
        run.add(Task(key, who, inputs, parameters, metadata, links, where))
        sidecars[sidecar(key)] = item
    taken = lowest(sidecars)
    _note_several(run, sidecars, taken)
    return taken


def _note_several(run: RunPlanning, sidecars: Mapping[str, FoundItem | None], taken: str | None) -> None:
    """Volumes say which alignment they were made with; the language has no words for it, so that with several one is chosen."""
    chosen = sidecars[taken] if taken else None
    used = any(spacing.items for spacing in run.found.spacings)
    if chosen is None or len(sidecars) < 2 or not used:
        return
    places = ", ".join(dict.fromkeys(item.source.where for item in sidecars.values() if item))
    what = f"{run.key.dataset}/{run.found.name} ({taken})"
    run.state.notes.several.setdefault((chosen.source.where, chosen.source.line, places), []).append(what)
