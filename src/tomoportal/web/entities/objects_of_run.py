"""What lies in a run: objects that its authors saw, that were annotated, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.web import urls
from tomoportal.web.identifiers import Link

_KEY = ("object_name", "object_id", "object_state", "object_description")


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """An object as it was described; `annotations`: how many annotations describe it so; `was_seen`: the authors say that it is
    there; `is_ground_truth`: one of the annotations is ground truth."""

    name: str
    id: Link
    state: str
    description: str
    was_seen: bool
    annotations: int
    is_ground_truth: bool


def object_rows(
    annotations: Sequence[dict[str, Any]], identified: Sequence[dict[str, Any]]
) -> tuple[ObjectRow, ...]:
    """Each object once: what agrees in name, identifier, state and description is the same. That an object was seen is said of its
    name."""
    seen = {item["object_name"] for item in identified}
    annotated = {item["object_name"] for item in annotations}
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for item in annotations:
        found.setdefault(tuple(item[name] for name in _KEY), []).append(item)
    for item in identified:
        if item["object_name"] not in annotated:
            found.setdefault(tuple(item[name] for name in _KEY), [])
    rows = (
        ObjectRow(
            name=name,
            id=Link(id, urls.object(id)),
            state=state or "",
            description=description or "",
            was_seen=name in seen,
            annotations=len(items),
            is_ground_truth=any(item["ground_truth_status"] for item in items),
        )
        for (name, id, state, description), items in found.items()
    )
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.state, row.description)))
