"""Reading a finished tree: sidecars, and the rows that stand in one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tomoportal.layout.paths import DEPOSITIONS, DEPOSITIONS_OF_REFERENCE, Key, folder
from tomoportal.layout.private import Record, read_json
from tomoportal.model.entity import Entity
from tomoportal.model.registry import ENTITIES, items_of

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

OWN = ""
"""Row key of the entity itself, beside the keys of its child rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row-to-be: its entity, its key inside the sidecar (`OWN` for the sidecar's own row), its item, its place."""

    entity: type[Entity]
    row_key: str
    item: Any
    position: int


def at(data: Any, place: str) -> Any:
    """The value at a dotted place (`size.x`, `scales.0`) of JSON data, None when a step is missing; `""` is `data` itself."""
    for step in place.split(".") if place else ():
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def own_entity(kind: str) -> type[Entity] | None:
    """The entity with one row per sidecar of this kind."""
    return next(
        (entity for entity in ENTITIES if entity.rows.sidecar == kind and not entity.rows.items), None
    )


def rows(kind: str, sidecar: dict[str, Any]) -> Iterator[Row]:
    """Every row that a sidecar gives: its own first, then its list items. Items with the same key give one row (a shape with
    two files)."""
    own = own_entity(kind)
    if own is not None:
        yield Row(own, OWN, sidecar, 0)
    for entity in items_of(kind):
        seen: set[str] = set()
        for position, item in enumerate(at(sidecar, entity.rows.items) or ()):
            key = row_key(entity, item)
            if key not in seen:
                seen.add(key)
                yield Row(entity, key, item, position)


def implied(record: Record) -> dict[str, Any]:
    """What the sidecar of an entity without one would say: gain references are known by their paths."""
    return {"gains": sorted(record.files)} if record.key.kind == "gains" else {}


def row_key(entity: type[Entity], item: Any) -> str:
    """What tells an item apart from its neighbours, as text."""
    key, else_by = _places(entity)  # type: ignore[arg-type]
    values = [at(item, place) for place in key]
    if all(value is None for value in values):
        values = [at(item, place) for place in else_by]
    return " | ".join("" if value is None else str(value) for value in values)


@cache
def _places(entity: type[Entity]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where the key of an item stands, and what tells items without one apart."""
    key, else_by = entity.rows.key, entity.rows.else_by
    return tuple(entity.fields[n].sidecar or "" for n in key), tuple(
        entity.fields[n].sidecar or "" for n in else_by
    )


def dataset_names(storage: Storage) -> list[str]:
    """The datasets that have been gathered, in numerical order."""
    names = storage.folders(".tomoportal/datasets")
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def deposition_names(storage: Storage) -> list[str]:
    """The deposition folders, those of the reference system's spelling too."""
    return list(dict.fromkeys((*storage.folders(DEPOSITIONS), *storage.folders(DEPOSITIONS_OF_REFERENCE))))


def marker(record: Record) -> str:
    """While this file exists the entity is being replaced: its files must not be read."""
    return marker_of(record.key)


def marker_of(key: Key) -> str:
    """`marker` of the entity that a key names."""
    return f"{folder(key)}/.replacing"


def read_sidecar(storage: Storage, record: Record) -> dict[str, Any] | None:
    """The sidecar of a published entity; None when it is absent, `StorageError` when it is unreadable."""
    return read_json(storage, record.sidecar)
