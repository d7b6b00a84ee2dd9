"""Points of an annotation as layers: markers as large as the object, axes of oriented points."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from tomoportal.client.classes import Annotation
from tomoportal.client.points import ROTATION
from tomoportal.errors import FormatError, RemoteError
from tomoportal.napari.parts import Part
from tomoportal.napari.places import cubic, zyx
from tomoportal.viewer.points import AXIS_COLOURS, AXIS_LENGTH, instance_colours

if TYPE_CHECKING:
    import pandas

    from tomoportal.napari.appearance import LayerData

DIAMETER = 100.0
"""Å, of objects whose size is not told; the viewer of the portal takes the same."""


def point_layers(part: Part, colour: str) -> list[LayerData]:
    """Markers, and below them the axes of oriented points. The data are the numbers of the file, in z, y, x."""
    assert part.file.annotation_shape is not None
    annotation = part.file.annotation_shape.annotation
    assert annotation is not None
    table = annotation.points(shape=part.shape)
    size = diameter_of(annotation) / part.spacing
    markers = _markers(table, part, colour, size)
    return [_axes(table, part, size), markers] if ROTATION[0] in table else [markers]


def diameter_of(annotation: Annotation) -> float:
    """Å; what the annotation's metadata file tells."""
    address = annotation.https_metadata_path
    answer = annotation.client.get(address)
    if answer.status_code != 200:
        raise RemoteError(f"{address} answered {answer.status_code}.", answer.status_code)
    try:
        described = json.loads(answer.content).get("annotation_object") or {}
        return float(described.get("diameter") or DIAMETER)
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError(address, f"this is no metadata of an annotation ({error}).") from error


def _markers(table: pandas.DataFrame, part: Part, colour: str, size: float) -> LayerData:
    face: Any = colour
    if "instance_id" in table:
        face = instance_colours(table["instance_id"].to_numpy()) / 255
    told = {
        "name": part.name,
        "size": size,
        "face_color": face,
        "border_width": 0,
        "opacity": 0.6,
        "projection_mode": "rescale_spherical",
        "features": table[[name for name in table if name == "instance_id"]],
        "visible": part.is_visible,
    }
    return zyx(table[["x", "y", "z"]]), told | cubic(part.spacing), "points"


def _axes(table: pandas.DataFrame, part: Part, size: float) -> LayerData:
    """The particle's own axes x, y, z in red, green and blue; they are the columns of its rotation."""
    starts = np.repeat(zyx(table[["x", "y", "z"]]), 3, axis=0)
    rotations = table[list(ROTATION)].to_numpy().reshape(-1, 3, 3)
    axes = zyx(np.swapaxes(rotations, 1, 2).reshape(-1, 3)) * (AXIS_LENGTH * size)
    told = {
        "name": f"{part.name}, axes",
        "edge_color": np.tile(np.array(AXIS_COLOURS) / 255, (len(table), 1)),
        "edge_width": size / 10,
        "vector_style": "arrow",
        "projection_mode": "all",
        "visible": part.is_visible,
    }
    return np.stack([starts, axes], axis=1), told | cubic(part.spacing), "vectors"
