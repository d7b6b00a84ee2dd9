"""Numbers, units, days and sizes as people read them."""

from __future__ import annotations

import json
from typing import Any

from tomoportal.web.days import Day

NOTHING = "–"
LONGEST_ACRONYM = 4
_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")


def number(value: float | None) -> str:
    """`20000` → `20,000`; fractions keep at most six significant digits; negative numbers have a minus sign, not a hyphen."""
    if value is None:
        return NOTHING
    if isinstance(value, int) or float(value).is_integer():
        text = f"{int(value):,}"
    else:
        text = f"{value:,.6g}"
    return f"−{text[1:]}" if text.startswith("-") else text


def quantity(value: float | None, unit: str = "") -> str:
    """A number with its unit, `300000 V` as `300 kV` and bytes as sizes."""
    if value is None:
        return NOTHING
    if unit == "bytes":
        return size(value)
    if unit == "V" and abs(value) >= 1000:
        return quantity(value / 1000, "kV")
    separator = "" if unit in ("°", "%", "") else "\u202f"
    return f"{number(value)}{separator}{unit}"


def size(count: float | None) -> str:
    """Bytes in steps of a thousand: `1.6 GB`."""
    if count is None:
        return NOTHING
    amount, step = float(count), 0
    while amount >= 999.5 and step < len(_SIZES) - 1:
        amount, step = amount / 1000, step + 1
    digits = 0 if step == 0 or amount >= 99.5 else 1
    return f"{amount:.{digits}f}\u202f{_SIZES[step]}"


def day(moment: str | None) -> str:
    """`2024-05-23T00:00:00+00:00` → the `Day` `2024-05-23`."""
    return Day(moment.split("T")[0]) if moment else NOTHING


def sides(row: dict[str, Any]) -> str:
    """`size_x`, `size_y` and `size_z` of a row: `960 × 928 × 464`."""
    return " × ".join(number(row[f"size_{axis}"]) for axis in "xyz")


def plural(count: int, one: str, many: str = "") -> str:
    """`1 run`, `2,000 runs`."""
    return f"{number(count)} {noun(count, one, many)}"


def noun(count: int, one: str, many: str = "") -> str:
    """`run` for one, `runs` for all other numbers."""
    return one if count == 1 else many or one + "s"


def words(name: str | None) -> str:
    """A word of an enumeration: `patch_tracking` → `patch tracking`, `SegmentationMask` → `segmentation mask`; acronyms stay."""
    if not name:
        return NOTHING
    if name.isupper():
        return name if len(name) <= LONGEST_ACRONYM else name.replace("_", " ").lower()
    if "_" in name:
        return name.replace("_", " ")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def matrix(value: Any) -> tuple[tuple[str, ...], ...]:
    """Rows of numbers, given as lists or JSON text, for a table."""
    rows = json.loads(value) if isinstance(value, str) else value
    return tuple(tuple(number(cell) for cell in row) for row in rows)
