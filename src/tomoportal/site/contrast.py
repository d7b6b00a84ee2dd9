"""Colours that can be read: contrast as WCAG 2.2 defines it (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

from __future__ import annotations

import re

LEAST = 4.5
"""What level AA demands of text."""
LIGHT_GROUNDS = {"paper": "#fbfbf9", "raised": "#ffffff", "sunken": "#f1f2ef"}
DARK_GROUNDS = {"paper": "#101315", "raised": "#171b1e", "sunken": "#1a1f22"}
"""What accents are written on; the same values as in `web/static/portal.css`."""
LOOK = "#143230"
"""What is chosen beside the slices of a tomogram stands on this, in `web/static/looking.css`."""
INKS = ("#ffffff", "#06140f")
"""What is written on accents."""
LIGHT_WASH, DARK_WASH = 0.12, 0.2
"""How much accent is in the ground of small labels."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    """Whether it is written `#rrggbb`."""
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    """`share` of a colour in a ground, by sRGB values."""
    pairs = zip(_parts(colour), _parts(ground), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def ink_on(accent: str) -> str:
    """Black or white, whichever can be read better on an accent."""
    return max(INKS, key=lambda ink: contrast(ink, accent))


def wash_of(accent: str, *, dark: bool) -> str:
    """The ground of small labels."""
    ground = (DARK_GROUNDS if dark else LIGHT_GROUNDS)["paper"]
    return mixed(accent, ground, DARK_WASH if dark else LIGHT_WASH)


def lowest(accent: str, *, dark: bool) -> tuple[float, str]:
    """The lowest contrast of an accent with what it stands on or carries, and which that is."""
    grounds = dict(DARK_GROUNDS if dark else LIGHT_GROUNDS)
    grounds |= {"its own wash": wash_of(accent, dark=dark), "the text on it": ink_on(accent)}
    if dark:
        grounds["what is chosen beside slices"] = LOOK
    return min((contrast(accent, ground), name) for name, ground in grounds.items())


def lightened(accent: str) -> str:
    """The first tint of an accent, in steps of 5 % white, that can be read on dark ground; white always can."""
    tints = (mixed("#ffffff", accent, step / 20) for step in range(21))
    return next(tint for tint in tints if lowest(tint, dark=True)[0] >= LEAST)


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _parts(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
