"""Which pictures and viewer states follow from what is published of a run: one view per tomogram. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from tomoportal.ingest.task import Input, Task
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Ledger, Record, slab_path

PICTURE_SIZES = ("original", "snapshot", "thumbnail", "expanded")
PICTURES = "pictures"
"""Role of given picture files, and where a view's record remembers them."""


@dataclass(frozen=True, slots=True)
class GivenPictures:
    """Picture files of a tomogram, and which of them is taken for which size."""

    files: tuple[Input, ...] = ()
    sizes: Mapping[str, str] = field(default_factory=dict)


def view_tasks(
    ledger: Ledger, today: date, given: Mapping[Key, GivenPictures] | None = None
) -> Iterator[Task]:
    """A task for every published tomogram: itself and the annotations that share its alignment. Whether an annotation has been
    released by `today` is part of the task: its day changes the pictures. `given`: picture files of the tomograms that somebody asks
    for now; others keep what they have."""
    published = [record for record in ledger.records.values() if record.published]
    annotations = [record for record in published if record.key.kind == "annotation"]
    for tomogram in published:
        if tomogram.key.kind == "tomogram":
            task = _view(tomogram, annotations, today)
            pictures = (given or {}).get(tomogram.key) or _kept(ledger.get(task.key))
            yield _with_pictures(task, pictures)


def is_current(task: Task, ledger: Ledger, is_intact: Callable[[Record], bool]) -> bool:
    """Whether this view has been made from the same things, and its files are there."""
    record = ledger.get(task.key)
    return record is not None and record.inputs == task.fingerprint() and is_intact(record)


def given_of(made: Task | Record) -> object:
    """What a view's pictures were, or will be, made of: to be compared."""
    if isinstance(made, Record):
        return made.facts.get(PICTURES)
    files = [asdict(file) for file in made.inputs.get(PICTURES, ())]
    return {"files": files, "sizes": dict(made.parameters.get(PICTURES) or {})}


def _kept(record: Record | None) -> GivenPictures:
    fact = (record.facts.get(PICTURES) if record else None) or {"files": [], "sizes": {}}
    return GivenPictures(tuple(Input(**file) for file in fact["files"]), fact["sizes"])


def _with_pictures(task: Task, given: GivenPictures) -> Task:
    if not given.files:
        return task
    parameters = {**task.parameters, PICTURES: dict(given.sizes)}
    return replace(task, inputs={PICTURES: given.files}, parameters=parameters)


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
