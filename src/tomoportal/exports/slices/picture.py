"""Planes of numbers → pictures: contrast, size, encoding. Pure."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tomoportal.exports.slices.volume import Plane, Shown

Limits = tuple[float, float]

MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 82}, "png": {"format": "PNG", "compress_level": 1},
    "webp": {"format": "WEBP", "quality": 80, "method": 1},
}  # fmt: skip


def sized(shown: Shown, width: int) -> Plane:
    """The plane in `width` columns, which cover exactly the columns of the volume: means over the area of each pixel. Rows follow, so that
    pixels stay square. It is never made larger."""
    if width >= shown.columns and shown.plane.shape == (shown.rows, shown.columns):
        return shown.plane
    columns = max(1, min(width, round(shown.columns)))
    rows = max(1, round(shown.rows * columns / shown.columns))
    image = Image.fromarray(shown.plane.astype(np.float32))
    small = image.resize((columns, rows), Image.Resampling.BOX, box=(0, 0, shown.columns, shown.rows))
    return np.asarray(small, np.float64)


def grey(plane: Plane, limits: Limits) -> NDArray[np.uint8]:
    """0 at the lower limit and below, 255 at the upper one and above, linear between, rounded half to even; no number is black."""
    low, high = limits
    scaled = plane - low
    scaled *= 255 / (high - low)
    if np.isnan(scaled.min(initial=0)):
        scaled[np.isnan(scaled)] = 0
    np.clip(scaled, 0, 255, out=scaled)
    return np.rint(scaled, out=scaled).astype(np.uint8)


def limits_of(plane: Plane, share: float = 0.01) -> Limits:
    """Limits that leave out `share` of the pixels at either end."""
    values = plane[np.isfinite(plane)]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.quantile(values, (share, 1 - share)))
    return (low, high) if low < high else (low, low + 1.0)


def encoded(pixels: NDArray[np.uint8], kind: str) -> bytes:
    """Grey pixels (rows, columns) as `jpg`, `png` or `webp`."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, **_OPTIONS[kind])
    return out.getvalue()
