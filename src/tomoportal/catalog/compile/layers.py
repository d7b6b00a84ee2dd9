"""Viewer states without the layers of annotations that a reader may not see. Pure."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from tomoportal.layout.paths import owner, viewer_folder


def without_layers(state: str, folders: str) -> str | None:
    """The state (JSON text) without the layers whose sources lie in the annotation folders named in `folders`, one a line, or are
    made of them. None when the state cannot be read, so that nothing is known of what it shows."""
    places = [place for folder in folders.split("\n") for place in _places(folder)]
    try:
        content: dict[str, Any] = json.loads(state)
        layers = content["layers"]
        content["layers"] = [layer for layer in layers if not _lies_in(layer, places)]
    except (ValueError, TypeError, KeyError):
        return None
    return json.dumps(content, indent=4, ensure_ascii=False)


def _places(folder: str) -> list[str]:
    """The beginnings of the paths of an annotation's files and of its viewer layers."""
    key = owner(f"{folder}/file")
    return [f"{folder}/", *([f"{viewer_folder(key)}/{key.id}-"] if key is not None else [])]


def _lies_in(layer: dict[str, Any], places: list[str]) -> bool:
    """Whether a layer shows something of these places. A source can be an address, an object with one, or a list of these."""
    source = layer["source"]
    found = source if isinstance(source, list) else [source]
    addresses = [unquote(str(item["url"] if isinstance(item, dict) else item)) for item in found]
    return any(place in address for place in places for address in addresses)
