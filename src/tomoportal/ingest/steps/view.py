"""The view of a tomogram: pictures of its middle with the annotations drawn in, and the state of the 3-D viewer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tomoportal.formats.particles import read_ndjson
from tomoportal.ingest.pictures import MaskOverlay, PointOverlay, instance_overlays, key_pictures
from tomoportal.ingest.steps.key_images import given_pictures
from tomoportal.ingest.task import Outcome, Work
from tomoportal.ingest.views import PICTURE_SIZES, PICTURES, given_of, tomogram_of
from tomoportal.ingest.volumes import Slab, load_slab
from tomoportal.layout.paths import picture, viewer_state
from tomoportal.viewer.colours import colours
from tomoportal.viewer.overlays import Shown, overlay
from tomoportal.viewer.state import ImageLayer, Overlay, tomogram_state


def make_view(work: Work) -> Outcome:
    """Compose the pictures from kept slabs and write the viewer state; no volume is read."""
    tomogram, shown = work.task.parameters["tomogram"], _shown(work.task.parameters["annotations"])
    key = tomogram_of(work.task.key)
    pictures, problems = given_pictures(work, key)
    if len(pictures) < len(PICTURE_SIZES):
        pictures = {**_composed(work, tomogram, shown), **pictures}
    files: dict[str, dict[str, Any]] = {}
    for size in PICTURE_SIZES:
        files |= work.put(picture(key, size), pictures[size])
    state = tomogram_state(_image(tomogram), [_overlay(layer) for layer in shown])
    files |= work.put(viewer_state(key), (json.dumps(state, indent=4) + "\n").encode())
    facts = {PICTURES: given_of(work.task)} if work.task.inputs and not problems else {}
    return Outcome(files=files, facts=facts, problems=tuple(problems))


def _composed(work: Work, tomogram: dict[str, Any], shown: list[dict[str, Any]]) -> dict[str, bytes]:
    """Pictures out of kept slabs, by size."""
    slab = _slab(work, tomogram["slab"])
    palette = [_rgb(colour) for colour in colours(layer["identity"] for layer in shown)]
    drawn = [
        (layer, colour)
        for layer, colour in zip(shown, palette, strict=True)
        if layer["visible"] and layer["released"]
    ]
    masks = [mask for layer, colour in drawn if "slab" in layer for mask in _masks(work, layer, colour)]
    points = [
        _points(work, layer, colour, tomogram["spacing"]) for layer, colour in drawn if "points" in layer
    ]
    pictures = key_pictures(slab, masks=masks, points=points)
    return {size: getattr(pictures, size) for size in PICTURE_SIZES}


def _shown(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every layer with its annotation, and whether it is shown at first: what the depositor chose; without any choice the points
    of the ground truth, else all points. Masks, which hide others, stay off."""
    layers = [
        {**annotation, **layer, "identity": _described(annotation, layer).identity}
        for annotation in annotations
        for layer in annotation["layers"]
    ]
    if any(layer["visible"] for layer in layers):
        return [{**layer, "visible": bool(layer["visible"])} for layer in layers]
    points = [layer for layer in layers if "points" in layer and layer["visible"] is None]
    best = [layer for layer in points if layer["ground_truth"]] or points
    return [{**layer, "visible": any(layer is other for other in best)} for layer in layers]


def _described(annotation: dict[str, Any], layer: dict[str, Any]) -> Shown:
    """A layer, as far as its annotation tells of it."""
    thing = annotation["object"]
    return Shown(
        thing["name"], thing["id"], annotation["method"], annotation["ground_truth"], layer["shape"], "", 0.0, False
    )  # fmt: skip


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _slab(work: Work, path: str) -> Slab:
    with work.target.fetch(path, work.scratch) as file:
        return load_slab(file)


def _masks(work: Work, layer: dict[str, Any], colour: tuple[int, int, int]) -> list[MaskOverlay]:
    """What is drawn of a mask: one thing in the layer's colour, or objects in their own."""
    image = _slab(work, layer["slab"]).image
    if layer["shape"] == "SegmentationMask":
        return [MaskOverlay(image > 0, colour)]
    return instance_overlays(image)


def _points(work: Work, layer: dict[str, Any], colour: tuple[int, int, int], spacing: float) -> PointOverlay:
    points = read_ndjson(work.target.read(layer["points"]), layer["points"]).particles.positions
    return PointOverlay(points * (layer["spacing"] / spacing), colour)


def _image(tomogram: dict[str, Any]) -> ImageLayer:
    z, y, x = tomogram["volume"]["shape"]
    low_2d, high_2d = tomogram["volume"]["contrast_2d"]
    low_3d, high_3d = tomogram["volume"]["contrast_3d"]
    return ImageLayer(
        tomogram["name"],
        tomogram["path"],
        tomogram["spacing"],
        (x, y, z),
        (low_2d, high_2d),
        (low_3d, high_3d),
    )


def _overlay(layer: dict[str, Any]) -> Overlay:
    return overlay(
        replace(
            _described(layer, layer),
            path=layer["path"],
            spacing=layer["spacing"],
            is_visible=layer["visible"],
            surface=layer.get("surface", ""),
            labels=tuple(layer.get("labels") or ()),
        )
    )
