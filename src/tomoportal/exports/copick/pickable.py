"""What can be picked, as a copick configuration lists it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tomoportal.errors import NotFound

RADIUS = 50.0
"""Å; how large an object is drawn whose annotation does not say."""


@dataclass(slots=True)
class Pickable:
    """An object. `radius`: in Å; `is_particle`: whether any annotation of it has points."""

    identifier: str | None
    is_particle: bool = False
    radius: float = RADIUS


def listed(objects: Iterable[tuple[str, Pickable, str]]) -> list[dict[str, Any]]:
    """Objects with the names that they have in the project and their colours `#rrggbb`, numbered from 1."""
    return [
        {
            "name": name,
            "is_particle": object.is_particle,
            "label": label,
            "color": [*bytes.fromhex(colour[1:]), 255],
            "identifier": object.identifier,
            "radius": object.radius,
        }
        for label, (name, object, colour) in enumerate(objects, start=1)
    ]


def told_radius(read: Callable[[str], bytes], sidecar: str) -> float:
    """Half the diameter that the metadata of an annotation tell, in Å; `RADIUS` when they tell none, or are gone. `read` gives what lies
    at a path."""
    try:
        told = json.loads(read(sidecar)).get("annotation_object") or {}
    except NotFound:
        told = {}
    return float(told.get("diameter") or 2 * RADIUS) / 2
