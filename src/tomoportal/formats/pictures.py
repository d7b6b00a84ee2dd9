"""Encoding pictures as PNG bytes, without time stamps or other changing metadata."""

from __future__ import annotations

import io

from PIL import Image


def encode_png(picture: Image.Image) -> bytes:
    """The PNG bytes of `picture`; the same pixels give the same bytes."""
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=6)
    return stream.getvalue()
