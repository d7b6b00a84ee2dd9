"""Which pictures and viewer states follow from what is published of a run: one view per tomogram. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Ledger, Record, slab_path


def view_tasks(ledger: Ledger, today: date) -> Iterator[Task]:
    """A task for every published tomogram: itself and the annotations that share its alignment. Whether an annotation has been
    released by `today` is part of the task: its day changes the pictures."""
    published = [record for record in ledger.records.values() if record.published]
    annotations = [record for record in published if record.key.kind == "annotation"]
    for tomogram in published:
        if tomogram.key.kind == "tomogram":
            yield _view(tomogram, annotations, today)


def is_current(task: Task, ledger: Ledger, is_intact: Callable[[Record], bool]) -> bool:
    """Whether this view has been made from the same things, and its files are there."""
    record = ledger.get(task.key)
    return record is not None and record.inputs == task.fingerprint() and is_intact(record)


def _view(tomogram: Record, annotations: list[Record], today: date) -> Task:
    alignment = tomogram.identity.get("alignment_metadata_path")
    same = [record for record in annotations if record.identity.get("alignment_metadata_path") == alignment]
    same.sort(key=lambda record: (record.key.spacing, record.key.id))
    parameters: dict[str, Any] = {
        "tomogram": {
            "name": tomogram.key.run,
            "path": tomogram.facts["omezarr"],
            "spacing": float(tomogram.key.spacing),
            "slab": slab_path(tomogram.key),
            "volume": {key: tomogram.facts["volume"][key] for key in ("shape", "contrast_2d", "contrast_3d")},
            "made": tomogram.inputs,
        },
        "annotations": [_annotation(record, today) for record in same],
    }
    key = tomogram.key.of("view", id=tomogram.key.id)
    return Task(key, {"deposition_id": tomogram.identity["deposition_id"]}, {}, parameters, {})


def _annotation(record: Record, today: date) -> dict[str, Any]:
    return {
        "id": record.key.id,
        "spacing": float(record.key.spacing),
        "slab": slab_path(record.key),
        "object": record.facts["object"],
        "method": record.facts["method"],
        "ground_truth": record.facts["ground_truth"],
        "released": is_released(record, today),
        "layers": record.facts["layers"],
        "made": record.inputs,
    }


def told_by_metadata(task: Task) -> dict[str, Any]:
    """What views and key photos need of an entity's metadata; its record is renewed with them."""
    metadata = task.metadata
    release = (metadata.get("dates") or {}).get("release_date")
    if task.kind == "tomogram":
        return {"default": metadata.get("is_visualization_default"), "release_date": release}
    if task.kind != "annotation":
        return {}
    described = metadata["annotation_object"]
    return {
        "object": {"name": described["name"], "id": described.get("id")},
        "method": metadata.get("annotation_method"),
        "ground_truth": bool(metadata.get("ground_truth_status")),
        "release_date": release,
    }


def is_released(record: Record, today: date) -> bool:
    """Whether the entity may be shown in pictures that everybody sees."""
    return (record.facts.get("release_date") or "") <= today.isoformat()


def tomogram_of(view: Key) -> Key:
    """The tomogram that a view shows."""
    return view.of("tomogram", id=view.id)
