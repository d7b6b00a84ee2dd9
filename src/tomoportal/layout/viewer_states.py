"""Viewer states as they lie in the layout: JSON of Neuroglancer, looked at before anything relies on it."""

from __future__ import annotations

import json
from typing import Any


def read_state(text: str) -> dict[str, Any]:
    """The state: an object whose layers, if it has any, are a list of objects with texts for names. Raises `ValueError`."""
    found = json.loads(text, parse_constant=_no_number)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    layers = found.get("layers", [])
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise ValueError("its layers are no list of JSON objects")
    if not all(isinstance(layer.get("name", ""), str) for layer in layers):
        raise ValueError("a layer has a name that is no text")
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
