"""A mask across a cut of a tomogram, as a transparent picture with a palette."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from tomoportal.exports.slices.layers import Layer
from tomoportal.exports.slices.levels import Shape
from tomoportal.exports.slices.pyramid import Pyramid
from tomoportal.exports.slices.volume import AXES, Cut, Extent, label_plane
from tomoportal.viewer.points import instance_colours

ALPHA = 128
"""As opaque as the 3-D viewer draws masks."""
_MOST_COLOURS = 255


def mask_picture(pyramid: Pyramid, layer: Layer, cut: Cut, shape: Shape, spacing: float, width: int) -> bytes:
    """PNG over the outer faces of a tomogram of `shape` (z, y, x) and `spacing` Å, `width` pixels wide: palette entry 0 is nothing, the
    others are the mask or its objects. The mask's own voxels, which share the outer faces, may have another size; the slice taken is that
    in which the centre of the tomogram's slice lies."""
    ratio = spacing / layer.spacing
    own = pyramid.levels[0].shape
    index = min(int((cut.index + 0.5) * ratio), own[AXES.index(cut.axis)] - 1)
    extent = Extent.of(shape, cut.axis)
    labels, columns, rows = label_plane(pyramid, Cut(cut.axis, index), own, width)
    mine = Extent.of(own, cut.axis)
    scale = columns / mine.columns * ratio, rows / mine.rows * ratio
    width = min(width, extent.columns)
    height = max(1, round(extent.rows * width / extent.columns))
    picked = _nearest(labels, width, height, extent.columns * scale[0], extent.rows * scale[1])
    return _png(picked, layer)


def _nearest(labels: np.ndarray, width: int, height: int, columns: float, rows: float) -> np.ndarray:
    """The label at the centre of each pixel of a picture that spans so many columns and rows of `labels`; 0 beyond them."""
    at_column = ((np.arange(width) + 0.5) * (columns / width)).astype(np.intp)
    at_row = ((np.arange(height) + 0.5) * (rows / height)).astype(np.intp)
    found = np.zeros((height, width), labels.dtype)
    inside = np.ix_(at_row < labels.shape[0], at_column < labels.shape[1])
    found[inside] = labels[np.ix_(at_row[at_row < labels.shape[0]], at_column[at_column < labels.shape[1]])]
    return found


def _png(labels: np.ndarray, layer: Layer) -> bytes:
    if layer.shape == "SegmentationMask":
        codes, shades = (labels != 0).astype(np.uint8), [tuple(bytes.fromhex(layer.colour[1:]))]
    else:
        codes, shades = _objects(labels, dict(layer.colours))
    image = Image.fromarray(codes).convert("P")
    image.putpalette([0, 0, 0, *(part for shade in shades for part in shade)])
    out = BytesIO()
    image.save(out, "PNG", transparency=bytes([0] + [ALPHA] * len(shades)), compress_level=3)
    return out.getvalue()


def _objects(labels: np.ndarray, listed: dict[int, str]) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Codes from 1 for the numbered objects, and their colours; objects beyond a palette share those of others."""
    numbers = np.unique(labels)
    numbers = numbers[numbers != 0]
    codes = np.where(labels == 0, 0, np.searchsorted(numbers, labels) % _MOST_COLOURS + 1).astype(np.uint8)
    first = numbers[:_MOST_COLOURS]
    made = instance_colours(first) if len(first) else np.zeros((0, 3), np.uint8)
    shades = [
        tuple(bytes.fromhex(listed[int(number)][1:])) if int(number) in listed else tuple(shade.tolist())
        for number, shade in zip(first, made, strict=True)
    ]
    return codes, shades
