"""How large the pictures of a page of text are, so that the page keeps their place while they come."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError


def measured(folder: Path, href: str) -> tuple[int, int] | None:
    """Width and height in pixels of a picture in a folder; none for what lies elsewhere or is no picture of pixels."""
    file = folder / href
    if ":" in href or not file.is_file():
        return None
    try:
        with Image.open(file) as picture:
            return picture.size
    except UnidentifiedImageError:
        return None
