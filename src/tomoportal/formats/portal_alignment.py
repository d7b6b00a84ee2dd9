"""The portal's own `alignment_metadata.json` as a source: its per-section parameters are taken as they are, once checked.

`offset_unit` says `Å` or `px`. Without it lengths are in Å, as the schema of the public CryoET Data Portal has it; the files that
its own ingestion has written hold pixels of the tilt series, so that a warning asks for the unit.
"""

from __future__ import annotations

import json
import math
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import Matrix, SectionAlignment, TiltAlignment, Triple, Unit
from tomoportal.formats.text import TextFile
from tomoportal.problems import Problem, Severity

_LIST = "per_section_alignment_parameters"
_UNITS = {unit.value: unit for unit in Unit}
_MOST_IMAGES = 100_000


def read_portal_alignment(file: TextFile) -> TiltAlignment:
    """Raises `FormatError` that names the section and key for what is missing, not finite, or doubled."""
    content = _content(file)
    sections = tuple(
        _section(item, f"{file.name}, {_LIST}[{number}]") for number, item in enumerate(content[_LIST])
    )
    seen: set[int] = set()
    for section in sections:
        if section.z_index in seen:
            raise FormatError(file.name, f"the image with z_index {section.z_index} stands in {_LIST} twice.")
        seen.add(section.z_index)
    stated = content.get("offset_unit")
    if stated not in (None, *_UNITS):
        raise FormatError(file.name, f"offset_unit is {_short(stated)}; expected 'Å' or 'px'.")
    return TiltAlignment(
        sections=sections,
        unit=_UNITS[stated] if stated else Unit.ANGSTROM,
        tilt_offset=_optional(content, "tilt_offset", file.name),
        tilt_offset_included=content.get("tilt_offset_included") is True,
        x_rotation_offset=_optional(content, "x_rotation_offset", file.name),
        volume_dimension=_triple(content, "volume_dimension", file.name),
        volume_offset=_triple(content, "volume_offset", file.name),
        problems=() if stated or not sections else (_unsure(file.name),),
    )


def _content(file: TextFile) -> dict[str, Any]:
    try:
        content = json.loads(file.data)
    except (ValueError, RecursionError) as error:
        raise FormatError(file.name, f"this is no readable JSON ({error}).") from error
    if not isinstance(content, dict) or not isinstance(content.get(_LIST), list):
        raise FormatError(file.name, f"expected an object with the list '{_LIST}'.",
            "Only the portal's own alignment_metadata.json is read as JSON.")  # fmt: skip
    return content


def _section(item: Any, where: str) -> SectionAlignment:
    if not isinstance(item, dict):
        raise FormatError(where, "expected an object.")
    z_index = item.get("z_index")
    if not isinstance(z_index, int) or isinstance(z_index, bool) or not 0 <= z_index < _MOST_IMAGES:
        raise FormatError(where, f"z_index is {_short(z_index)}; expected a whole number from 0 on.")
    tilt, about_x = (
        _number(item.get(key), f"{key} is", where) for key in ("tilt_angle", "volume_x_rotation")
    )
    x, y = (_optional(item, key, where) for key in ("x_offset", "y_offset"))
    return SectionAlignment(z_index, tilt, about_x, _matrix(item.get("in_plane_rotation"), where), x, y)


def _matrix(value: Any, where: str) -> Matrix:
    is_square = isinstance(value, list) and len(value) == 2 and all(
        isinstance(row, list) and len(row) == 2 for row in value
    )  # fmt: skip
    if not is_square:
        raise FormatError(where, f"in_plane_rotation is {_short(value)}; expected two rows of two numbers.")
    (a, b), (c, d) = ((_number(cell, "in_plane_rotation holds", where) for cell in row) for row in value)
    if abs(a * d - b * c) < 1e-6:
        raise FormatError(where, "in_plane_rotation cannot be inverted.")
    return ((a, b), (c, d))


def _number(value: Any, what: str, where: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(_as_float(value)):
        raise FormatError(where, f"{what} {_short(value)}; expected a finite number.")
    return float(value)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _optional(content: dict[str, Any], key: str, name: str) -> float | None:
    value = content.get(key)
    return None if value is None else _number(value, f"{key} is", name)


def _triple(content: dict[str, Any], key: str, name: str) -> Triple | None:
    value = content.get(key)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise FormatError(name, f"{key} is {_short(value)}; expected an object with x, y and z.")
    x, y, z = (_number(value.get(axis), f"{key}.{axis} is", name) for axis in "xyz")
    return (x, y, z)


def _unsure(name: str) -> Problem:
    return Problem(
        "alignment-unit", "the file does not say in which unit its offsets are; they are taken to be in Å", Severity.WARNING,
        file=name, hint='Write "offset_unit": "px" into it if they are pixels of the tilt series.',
    )  # fmt: skip


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, int | float | str | bool | None) else type(value).__name__
    return text if len(text) <= 40 else text[:39] + "…"
