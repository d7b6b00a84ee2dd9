"""What comes from the microscope: frames and tilt series of a run."""

from __future__ import annotations

from tomoportal.ingest import identity
from tomoportal.ingest.find import FoundItem
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.references import angles_of, paths
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import sidecar


def plan_acquisition(run: RunPlanning) -> dict[str, str]:
    """Plan everything up to the tilt series; gives those (sidecar → stem of the stack)."""
    mdocs = _frames(run, [path for item in run.items("collection_metadata") for path in paths(item)])
    return {
        path: identity.stem(item.path or "")
        for item in run.items("tiltseries")
        if (path := _tiltseries(run, item, mdocs))
    }


def _frames(run: RunPlanning, mdocs: list[str]) -> list[str]:
    """Plan the frames; gives the mdoc files that tilt series can rely on: none where the frames they name are left out."""
    items = run.items("frames")
    if not mdocs or not items:
        return []
    metadata = dict(items[0].metadata or {})
    who = {"deposition_id": run.state.deposition}
    key, inputs = run.key.of("frames"), {"mdoc": run.inputs(mdocs)}
    parameters = {name: metadata.get(name) for name in ("dose_rate", "is_gain_corrected")}
    run.add(Task(key, who, inputs, parameters, metadata, where=run.state.place(items[0].source)))
    return mdocs


def _tiltseries(run: RunPlanning, item: FoundItem, mdocs: list[str]) -> str | None:
    """Plan a tilt series; gives the path of its sidecar."""
    if item.referenced or item.path is None:
        return item.path
    metadata = dict(item.metadata or {})
    who = identity.of_tiltseries(run.state.deposition, metadata, item.path)
    key = run.claim(run.key.of("tiltseries"), who, item)
    if key is None:
        return None
    angles = angles_of(item.path, [path for angle in run.items("rawtilts") for path in paths(angle)])
    inputs = {"stack": run.inputs([item.path]), "mdoc": run.inputs(mdocs), "angles": run.inputs(angles)}
    parameters = {"pixel_spacing": metadata.get("pixel_spacing")}
    run.add(Task(key, who, inputs, parameters, metadata, where=run.state.place(item.source)))
    return sidecar(key)
