"""Colours of layers: bright, told apart easily, the same every time. Pure; no numpy."""

from __future__ import annotations

import colorsys
import hashlib
import math
from collections.abc import Iterable
from functools import cache

_HUES = 36
_TONES = ((0.85, 1.0), (0.55, 1.0), (0.95, 0.78))
"""Saturation and value: none so grey or dark that it is lost on a tomogram."""
_APART = 0.24
"""Smallest distance of two colours in OKLab that is sought first; it shrinks when there are too many."""

Colour = tuple[float, float, float]
"""Red, green and blue from 0 to 1, or L, a and b."""


def colours(identities: Iterable[str]) -> list[str]:
    """A colour `#rrggbb` for each identity: what its hash asks for, unless one before it has taken a similar one; then the first wish
    far enough from every colour taken, else the farthest."""
    palette = _palette()
    nearest = dict.fromkeys(palette, math.inf)
    chosen = []
    for identity in identities:
        wishes = _wishes(identity)
        far = (wish for wish in wishes if nearest[wish] >= _APART)
        taken = next(far, None) or max(wishes, key=nearest.__getitem__)
        for colour, place in palette.items():
            nearest[colour] = min(nearest[colour], math.dist(place, palette[taken]))
        chosen.append("#" + "".join(f"{round(part * 255):02x}" for part in taken))
    return chosen


def _wishes(identity: str) -> list[Colour]:
    """All colours of the palette in the order in which this identity would like them."""
    start = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") % _HUES
    step = 13
    return _toned((start + step * number) % _HUES for number in range(_HUES))


def _toned(hues: Iterable[int]) -> list[Colour]:
    parts = [hue / _HUES for hue in hues]
    return [colorsys.hsv_to_rgb(hue, saturation, value) for saturation, value in _TONES for hue in parts]


@cache
def _palette() -> dict[Colour, Colour]:
    """Every colour that can be given, and its place in OKLab."""
    return {colour: _oklab(*colour) for colour in _toned(range(_HUES))}


def _oklab(red: float, green: float, blue: float) -> Colour:
    """sRGB (0…1) in OKLab, where equal distances look equally different. Björn Ottosson, https://bottosson.github.io/posts/oklab/"""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
