"""Pictures that people hand in: PNG, JPEG, GIF, TIFF or WebP → 8-bit pixels.

The content decides, not the name. Only the header is looked at before the number of pixels is known, so that a small file cannot
fill the memory.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from tomoportal.errors import FormatError
from tomoportal.formats.text import shortened

FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "WEBP")
MOST_BYTES = 32 << 20
MOST_PIXELS = 89_000_000
_WIDE_GREYS = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_EXPECTED = f"expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}."


def read_picture(data: bytes, name: str) -> Image.Image:
    """The first picture in `data` as RGB, upright, transparent parts white; greys of more than 8 bits are stretched over the range
    that occurs.

    Raises `FormatError` for anything else, for damaged files, and for more than 89 million pixels.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            raise Image.DecompressionBombError(f"{picture.width} × {picture.height} pixels")
        picture.load()
    except Image.DecompressionBombError as error:
        raise FormatError(
            name, f"the picture is too large to be shown ({error}).", "Make it smaller."
        ) from error
    except Image.UnidentifiedImageError as error:
        raise FormatError(
            name, f"this is no picture; it begins with {_beginning(data)}; {_EXPECTED}"
        ) from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        MemoryError,
        ArithmeticError,
        LookupError,
        TypeError,
    ) as error:
        raise FormatError(name, f"the picture is damaged ({error}).") from error
    return _upright(picture)


def fitted(picture: Image.Image, box: Sequence[int]) -> Image.Image:
    """`picture` made smaller, if need be, so that it fits into `box` (width, height); never enlarged."""
    scale = min(1.0, box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def _upright(picture: Image.Image) -> Image.Image:
    if picture.mode in _WIDE_GREYS:
        picture = _eight_bits(picture)
    turned = ImageOps.exif_transpose(picture)
    if "A" in turned.getbands() or "transparency" in turned.info:
        layered = turned.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return turned.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(picture, np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    spread = (high - low) or 1.0
    return Image.fromarray(np.round((values - low) * (255.0 / spread)).astype(np.uint8))


def _beginning(data: bytes) -> str:
    return shortened(ascii(data[:30])[2:-1]) if data else "nothing"
