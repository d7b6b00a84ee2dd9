"""Filling placeholders into metadata, and checking what came out against the same declarations as the file itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tomoportal.config.from_model import metadata_shape
from tomoportal.config.placeholders import Unknown, expand_value, names_in
from tomoportal.config.scalars import checked
from tomoportal.config.shapes import Object, Scalar, Shape
from tomoportal.model.fields import Level

_TRUTH = {"true": "FIDUCIAL", "false": "NON_FIDUCIAL"}
"""Tables say so in the column of `fiducial_alignment_status`."""

Step = str | int


@dataclass(frozen=True, slots=True)
class Slot:
    """One text with placeholders: where it stands, the text, what its value must be, and whether it may be left out."""

    path: tuple[Step, ...]
    template: str
    shape: Scalar | None
    required: bool

    @property
    def place(self) -> str:
        """The path as people write it."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}"
        return text.lstrip(".")


def slots(section: str, metadata: Mapping[str, Any] | None) -> list[Slot]:
    """All texts with placeholders in the metadata of a section."""
    return list(_slots(metadata, metadata_shape(section), (), True)) if metadata else []


def _slots(data: Any, shape: Shape | None, path: tuple[Step, ...], required: bool) -> Iterator[Slot]:
    if isinstance(data, str):
        if "{" in data or "}" in data:
            yield Slot(path, data, shape if isinstance(shape, Scalar) else None, required)
    elif isinstance(data, Mapping):
        keys = shape.keys if isinstance(shape, Object) else {}
        for name, value in data.items():
            key = keys.get(name)
            wanted = key is not None and key.level is Level.REQUIRED
            yield from _slots(value, key.shape if key else None, (*path, name), wanted)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            if isinstance(item, str):
                yield from _slots(item, None, (*path, index), True)


def filled(
    metadata: Mapping[str, Any],
    places: list[Slot],
    values: Mapping[str, str | None],
    absence: Callable[[str], str],
) -> tuple[dict[str, Any], list[tuple[Slot, str]]]:
    """The metadata with all slots filled, and (slot, what is wrong). Optional values whose cell is empty are left out. `absence`
    says why a placeholder has no value."""
    result: dict[str, Any] = dict(metadata)
    faults: list[tuple[Slot, str]] = []
    for slot in places:
        value, fault = _value(slot, values, absence)
        if fault:
            faults.append((slot, fault))
        _put(result, slot.path, value)
    return result, faults


def _value(
    slot: Slot, values: Mapping[str, str | None], absence: Callable[[str], str]
) -> tuple[Any, str | None]:
    try:
        value = expand_value(slot.template, values)
    except Unknown as name:
        return None, absence(str(name)) if slot.required else None
    except ValueError as error:
        return None, f"{error} (from {_columns(slot)})"
    if slot.shape is None:
        return value, None
    if slot.place == "fiducial_alignment_status":
        value = _TRUTH.get(str(value).lower(), value)
    value, fault = checked(value, slot.shape)
    return value, f"{fault} (from {_columns(slot)})" if fault else None


def _columns(slot: Slot) -> str:
    return ", ".join(f"{{{name}}}" for name in names_in(slot.template))


def _put(data: dict[str, Any], path: tuple[Step, ...], value: Any) -> None:
    """Sets one place, copying what lies on the way to it; None takes it out."""
    here: Any = data
    for step in path[:-1]:
        here[step] = list(here[step]) if isinstance(here[step], list) else dict(here[step])
        here = here[step]
    if value is None and isinstance(here, dict):
        here.pop(path[-1], None)
    else:
        here[path[-1]] = value
