"""What napari is told of a layer; contrast and colours as the portal's own viewer has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from tomoportal.client.classes import Tomogram
from tomoportal.napari.parts import Part
from tomoportal.viewer.colours import colours

Limits = tuple[float, float]

LayerData = tuple[Any, dict[str, Any], str]
"""Data, what napari is told of them, kind of layer."""


def contrast_of(tomogram: Tomogram) -> Limits | None:
    """The grey values of black and white that the portal has found; None where it tells none."""
    for layer in _layers(tomogram):
        limits = layer.get("shaderControls", {}).get("contrast", {}).get("range")
        if layer.get("type") == "image" and limits:
            return float(limits[0]), float(limits[1])
    return None


def colours_of(tomogram: Tomogram, parts: Sequence[Part]) -> list[str]:
    """A colour `#rrggbb` for each part: that of the viewer, else one of the same palette."""
    known = [
        (unquote(address), colour)
        for layer in _layers(tomogram)
        if (colour := layer.get("annotationColor") or layer.get("segmentDefaultColor"))
        for address in _addresses(layer)
    ]
    others = colours(part.identity for part in parts)
    return [_known(part, known) or other for part, other in zip(parts, others, strict=True)]


def _known(part: Part, known: Sequence[tuple[str, str]]) -> str | None:
    for address, colour in known:
        _, found, rest = address.partition(part.path)
        if part.path and found and (not rest or rest[0] in "/|"):
            return colour
    return None


def _layers(tomogram: Tomogram) -> list[dict[str, Any]]:
    return list(json.loads(tomogram.neuroglancer_config or "{}").get("layers", ()))


def _addresses(layer: dict[str, Any]) -> Iterator[str]:
    """Where a layer's data come from. A source is an address, an object with one, or a list of these."""
    source = layer.get("source") or []
    for item in source if isinstance(source, list) else [source]:
        yield str(item.get("url", "") if isinstance(item, dict) else item)
