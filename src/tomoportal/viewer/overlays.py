"""Layers of a viewer state from what is known of annotations. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tomoportal.viewer.state import MaskLayer, MeshLayer, Overlay, PointLayer

_WORDS = {
    "SegmentationMask": "segmentation",
    "InstanceSegmentationMask": "segmented instances",
    "Point": "points",
    "OrientedPoint": "oriented points",
    "InstanceSegmentation": "instances",
    "TriangularMesh": "surface",
}
MASKS = ("SegmentationMask", "InstanceSegmentationMask")
"""Shapes that are drawn from their OME-Zarr; others have a folder of the viewer's own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One shape of an annotation: what it shows and by which method it was found, where its data lie (`path`: the OME-Zarr of a mask, else
    the folder of the viewer layer), Å per voxel, whether it is seen at first; `surface` of a mask, and the numbers of its objects if
    they are listed."""

    object_name: str
    object_id: str | None
    method: str | None
    is_truth: bool
    shape: str
    path: str
    spacing: float
    is_visible: bool
    surface: str = ""
    labels: tuple[int, ...] = ()

    @property
    def identity(self) -> str:
        """What decides the colour: the same object, method and shape look the same in every run."""
        return json.dumps([self.object_name, self.object_id, self.method, self.shape, self.is_truth])


def is_drawn(shape: str) -> bool:
    """Whether there are layers of this shape; there are none of captions."""
    return shape in _WORDS


def shape_word(shape: str) -> str:
    """What the layers of a shape that is drawn are called."""
    return _WORDS[shape]


def overlay(shown: Shown) -> Overlay:
    """The layer of a shape that is drawn."""
    name = f"{shown.object_name}, {_WORDS[shown.shape]}{', ground truth' if shown.is_truth else ''}"
    told = (name, shown.path, shown.spacing, shown.identity, shown.is_visible)
    if shown.shape == "TriangularMesh":
        return MeshLayer(*told)
    if shown.shape in MASKS:
        instances = shown.labels if shown.shape == "InstanceSegmentationMask" else None
        return MaskLayer(*told, surface=shown.surface, instances=instances)
    return PointLayer(*told, shown.shape)
