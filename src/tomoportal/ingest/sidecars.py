"""The metadata JSON of each entity: what the depositor wrote, and what was found out while it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tomoportal.ingest.task import Outcome, Task

ONTOLOGY_BLOCKS = (
    "assay",
    "cell_component",
    "cell_strain",
    "cell_type",
    "development_stage",
    "disease",
    "organism",
    "tissue",
)
NOT_REPORTED = "not_reported"


def sidecar(task: Task, outcome: Outcome) -> dict[str, Any]:
    """The content of an entity's sidecar, without the time stamp that publishing adds."""
    metadata = dataset_blocks(task.metadata) if task.kind == "dataset" else task.metadata
    content = merged(merged(metadata, task.links), outcome.extra)
    return {**content, "deposition_id": task.identity["deposition_id"], "identity": task.identity}


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both; mappings are merged key by key, of everything else the second wins."""
    result = dict(first)
    for key, value in second.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def dataset_blocks(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Dataset metadata in which every ontology block is there, `not_reported` where the depositor said nothing."""
    blocks: dict[str, Any] = {}
    for name in ONTOLOGY_BLOCKS:
        word = "unknown" if name == "development_stage" else NOT_REPORTED
        default = {"name": word, "taxonomy_id": None} if name == "organism" else {"name": word, "id": word}
        blocks[name] = {**default, **(metadata.get(name) or {})}
    return {**metadata, **blocks}


def fiducial_status(value: Any) -> str:
    """`FIDUCIAL` or `NON_FIDUCIAL`, also from true and false as tables write them."""
    word = str(value).strip().upper()
    return {"TRUE": "FIDUCIAL", "FALSE": "NON_FIDUCIAL"}.get(word, word)
