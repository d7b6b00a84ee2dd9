"""Key pictures: what a run looks like, composed from the slab that the volume pass kept.

Takes a `Slab` and overlays (masks, points), gives four PNGs. One render serves all four sizes. No volume is read here, and
the same input gives the same bytes.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from tomoportal.formats.pictures import encode_png
from tomoportal.ingest.volumes.slab import Slab
from tomoportal.viewer.points import instance_colours

Colour = tuple[int, int, int]

SNAPSHOT, THUMBNAIL, EXPANDED = (512, 384), (134, 100), (1024, 768)
PALETTE: tuple[Colour, ...] = (
    (0, 224, 255), (255, 196, 0), (255, 84, 153), (128, 237, 84), (179, 136, 255), (255, 128, 64), (64, 160, 255), (240, 240, 96),
)  # fmt: skip
_TONES = (0.4, 99.6)
_OUTLINE = 0.9
_DISC = 0.85
_FINER = 4
_SHADE = 64


@dataclass(frozen=True, slots=True, eq=False)
class PointOverlay:
    """`points` (n, 3): x, y, z in voxels of the slab's volume, voxel centres at whole numbers; those outside the slab's
    sections are left out. Drawn as discs of `colour` with a light rim."""

    points: np.ndarray
    colour: Colour


@dataclass(frozen=True, slots=True, eq=False)
class MaskOverlay:
    """`mask` (y, x), of the slab's image shape or brought to it: filled with `colour` at `alpha`, with a bright outline."""

    mask: np.ndarray
    colour: Colour
    alpha: float = 0.22


@dataclass(frozen=True, slots=True)
class KeyPictures:
    """PNG bytes. `original` is uncropped and as wide as the slab's image; the others are cut to 4:3: 512 × 384 (`snapshot`),
    134 × 100 (`thumbnail`), 1024 × 768 (`expanded`)."""

    original: bytes
    snapshot: bytes
    thumbnail: bytes
    expanded: bytes


def colours(count: int) -> tuple[Colour, ...]:
    """`count` bright colours that are easy to tell apart, always the same ones."""
    more = [
        colorsys.hsv_to_rgb((0.08 + i * 0.618034) % 1.0, 0.65, 1.0)
        for i in range(max(0, count - len(PALETTE)))
    ]
    return (*PALETTE, *((round(r * 255), round(g * 255), round(b * 255)) for r, g, b in more))[:count]


def key_pictures(
    slab: Slab, *, masks: Sequence[MaskOverlay] = (), points: Sequence[PointOverlay] = ()
) -> KeyPictures:
    """The four pictures of `slab` with `masks` below and `points` above."""
    height, width = slab.image.shape
    box = _crop_box(width, height)
    scale = max(1, -(-EXPANDED[0] // max(1, _longer(box))))
    scale = min(scale, max(1, 4096 // max(width, height)))
    canvas = _grey(slab.image).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    if masks or points:
        canvas = canvas.convert("RGB")
    for overlay in masks:
        canvas = _with_mask(canvas, overlay)
    for spots in points:
        canvas = _with_points(canvas, spots, slab, scale)
    cut = canvas.crop(tuple(side * scale for side in box))
    if height > width:
        cut = cut.transpose(Image.Transpose.ROTATE_90)
    original = canvas if scale == 1 else _resized(canvas, (width, height))
    pictures = (original, *(_resized(cut, size) for size in (SNAPSHOT, THUMBNAIL, EXPANDED)))
    return KeyPictures(*(encode_png(picture.convert("RGB")) for picture in pictures))


def instance_overlays(labels: np.ndarray) -> list[MaskOverlay]:
    """An overlay for all objects of one colour; `labels` (y, x), 0 where there is none. The colours are those of the viewer, rounded,
    so that many objects do not take long."""
    present = np.unique(labels[labels > 0])
    shades = instance_colours(present) // _SHADE * _SHADE + _SHADE // 2
    overlays = []
    for colour in np.unique(shades, axis=0) if len(present) else ():
        members = present[(shades == colour).all(axis=1)]
        red, green, blue = colour.tolist()
        overlays.append(MaskOverlay(np.isin(labels, members), (red, green, blue)))
    return overlays


def grey_levels(image: np.ndarray) -> np.ndarray:
    """`image` as 8-bit grey, its 0.4 % and 99.6 % quantiles at black and white; even grey when it is constant."""
    low, high = np.percentile(image, _TONES)
    if not high > low:
        low, high = float(image.min()), float(image.max())
    if not high > low:
        return np.full(image.shape, 128, np.uint8)
    return np.round((np.clip(image, low, high) - low) * (255.0 / (high - low))).astype(np.uint8)


def _grey(image: np.ndarray) -> Image.Image:
    return Image.fromarray(grey_levels(image))


def _crop_box(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the centred box 4f × 3f, f a quarter of the shorter side, long side along the longer."""
    part = max(1, min(width, height) // 4)
    across, down = (4 * part, 3 * part) if width >= height else (3 * part, 4 * part)
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def _longer(box: tuple[int, int, int, int]) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`picture` made to this size; one that gets much smaller is averaged in blocks first, which takes less time."""
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _with_mask(canvas: Image.Image, overlay: MaskOverlay) -> Image.Image:
    inside = Image.fromarray(np.where(overlay.mask, 255, 0).astype(np.uint8))
    inside = inside.resize(canvas.size, Image.Resampling.BILINEAR)
    rim = 2 * max(1, max(canvas.size) // 900) + 1
    inner = _shrunk(np.asarray(inside) >= 128, rim)
    covered = np.asarray(inside, np.float32) / 255
    strength = np.maximum(covered * overlay.alpha, np.where(inner, 0, covered) * _OUTLINE)
    veil = Image.fromarray(np.round(strength * 255).astype(np.uint8))
    return Image.composite(Image.new("RGB", canvas.size, overlay.colour), canvas, veil)


def _shrunk(solid: np.ndarray, width: int) -> np.ndarray:
    """`solid` without what lies closer than half of `width` (odd) to its rim; the border of the picture is no rim."""
    for axis in (0, 1):
        around = [(width // 2, width // 2) if side == axis else (0, 0) for side in (0, 1)]
        windows = np.pad(solid, around, mode="edge")
        length = solid.shape[axis]
        parts = (windows.take(range(i, i + length), axis) for i in range(width))
        solid = np.logical_and.reduce(list(parts))
    return solid


def _with_points(canvas: Image.Image, overlay: PointOverlay, slab: Slab, scale: int) -> Image.Image:
    points = np.asarray(overlay.points, np.float64).reshape(-1, 3)
    height, width = slab.image.shape
    x, y = points[:, 0] / slab.step, points[:, 1] / slab.step
    shown = (points[:, 2] >= slab.start - 0.5) & (points[:, 2] < slab.stop - 0.5)
    shown &= (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    if not shown.any():
        return canvas
    stamp = _disc(_radius(canvas.size, int(shown.sum())), overlay.colour)
    middle = (stamp.width - 1) / 2
    drawn = canvas.copy()
    for px, py in zip(x[shown].tolist(), y[shown].tolist(), strict=True):
        left, top = (px + 0.5) * scale - 0.5 - middle, (py + 0.5) * scale - 0.5 - middle
        drawn.paste(stamp, (round(left), round(top)), stamp)
    return drawn


def _radius(size: tuple[int, int], count: int) -> float:
    """Smaller when there are many, so that the picture stays visible between them."""
    wanted = 0.14 * (size[0] * size[1] / count) ** 0.5
    return min(max(wanted, 0.0035 * max(size)), 0.009 * max(size))


def _disc(radius: float, colour: Colour) -> Image.Image:
    """A smooth disc with a white rim, drawn large and made small."""
    side = int(2 * radius + 3) | 1
    large = Image.new("RGBA", (side * _FINER, side * _FINER), (*colour, 0))
    middle, outer = side * _FINER / 2, radius * _FINER
    rim = max(outer * 0.2, _FINER * 0.7)
    draw = ImageDraw.Draw(large)
    draw.ellipse(
        (middle - outer, middle - outer, middle + outer, middle + outer),
        fill=(255, 255, 255, round(255 * _DISC)),
    )
    outer -= rim
    draw.ellipse(
        (middle - outer, middle - outer, middle + outer, middle + outer), fill=(*colour, round(255 * _DISC))
    )
    return large.resize((side, side), Image.Resampling.BOX)
