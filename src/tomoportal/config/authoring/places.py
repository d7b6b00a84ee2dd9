"""Places in a deposition file as people write them (`tiltseries.camera.model`), checked against the declarations."""

from __future__ import annotations

from typing import Any

import yaml

from tomoportal.config.scalars import nearest
from tomoportal.config.sections import SECTIONS, STANDARDIZATION, entry_shape
from tomoportal.config.shapes import Items, Object
from tomoportal.errors import UsageError

Metadata = dict[str, dict[str, Any]]
"""Section → its metadata, as nested objects."""
STANDARDIZED = "standardization_config"
"""Stands beside the sections, with keys of its own."""


def metadata_of(section: str) -> Object | None:
    """The metadata of a section, if it has any."""
    key = entry_shape(section).keys.get("metadata")
    return key.shape if key and isinstance(key.shape, Object) else None


def put(metadata: Metadata, place: str, text: str) -> None:
    """Put a value, written as in YAML, at `section.key.key`. Raises `UsageError` for places that there are not."""
    section, *path = place.split(".")
    shape = _section(section, place)
    if not path:
        raise UsageError(f"--set {place}: expected a key of {section} after a full stop.")
    target = metadata.setdefault(section, {})
    for name in path[:-1]:
        inner = _key(shape, name, place)
        if not isinstance(inner, Object):
            raise UsageError(f"--set {place}: '{name}' has no keys of its own.")
        shape, target = inner, target.setdefault(name, {})
    wanted = _key(shape, path[-1], place)
    value = _read(text, place)
    if isinstance(wanted, Object) != isinstance(value, dict) or isinstance(wanted, Items) != isinstance(
        value, list
    ):
        kind = (
            "an object"
            if isinstance(wanted, Object)
            else "a list"
            if isinstance(wanted, Items)
            else "one value"
        )
        raise UsageError(f"--set {place}: expected {kind}, found {text!r}.")
    target[path[-1]] = value


def _section(name: str, place: str) -> Object:
    if name == STANDARDIZED:
        return STANDARDIZATION
    shape = metadata_of(name) if name in SECTIONS else None
    if shape is None and name == "voxel_spacings":
        raise UsageError(f"--set {place}: a voxel spacing is set as tomograms.voxel_spacing.")
    if shape is None and name in SECTIONS:
        raise UsageError(f"--set {place}: '{name}' has no metadata; edit its sources in the file.")
    if shape is None:
        sections = [section for section in SECTIONS if metadata_of(section)]
        raise UsageError(
            f"--set {place}: {_expected(name, [STANDARDIZED, *sections])} with a key after a full stop."
        )
    return shape


def _key(shape: Object, name: str, place: str) -> Any:
    if name not in shape.keys:
        raise UsageError(f"--set {place}: {_expected(name, list(shape.keys))}.")
    return shape.keys[name].shape


def _expected(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    return (
        f"'{name}' is not known here; did you mean '{near}'"
        if near
        else f"expected one of {', '.join(known)}"
    )


def _read(text: str, place: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {place}: {text!r} is not YAML; put quotes around it.") from error
    return text if value is None else value
