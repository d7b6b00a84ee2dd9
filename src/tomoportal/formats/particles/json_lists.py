"""Points as JSON: copick's files, and the portal's own lines of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.formats.particles.table import Particles, ParticleTable, Unit
from tomoportal.formats.text import shortened, text_lines

_DECODER = json.JSONDecoder()
_IDENTITY = np.eye(3)
_LOCATION = '"location": {"x": %r, "y": %r, "z": %r}'
_ROW = "[%.9f, %.9f, %.9f]"
_POINT = f'{{"type": "point", {_LOCATION}}}\n'
_INSTANCE = f'{{"type": "instancePoint", {_LOCATION}, "instance_id": %d}}\n'
_ORIENTED = f'{{"type": "orientedPoint", {_LOCATION}, "xyz_rotation_matrix": [{_ROW}, {_ROW}, {_ROW}]}}\n'


def read_copick(data: bytes, name: str) -> ParticleTable:
    """Places in Å and orientations of a copick pick file; every point is an instance of its own where none says another (copick writes 0
    for all then). The translation of a transformation is a shift that is added to the location.

    Format: https://copick.github.io/copick/datamodel/ (CopickPicksFile). Raises `FormatError` naming the point.
    """
    content = _parsed(data, name)
    points = content.get("points")
    if not isinstance(points, list):
        raise FormatError(name, "there is no list of 'points' in this file; expected the picks of copick.")
    if content.get("unit", "angstrom") != "angstrom":
        raise FormatError(name, f"the unit is {shortened(str(content['unit']))}; expected 'angstrom'.")
    positions, rotations = np.zeros((len(points), 3)), np.zeros((len(points), 3, 3))
    instances = np.zeros(len(points), np.int64)
    for number, point in enumerate(points):
        where = f"{name}, point {number + 1}"
        if not isinstance(point, Mapping):
            raise FormatError(
                where, f"{shortened(json.dumps(point))} is no point; expected an object with 'location'."
            )
        matrix = point.get("transformation_")
        rotations[number] = _matrix(matrix, where, 4)
        shift = [row[3] for row in matrix[:3]] if matrix is not None else [0.0] * 3
        positions[number] = np.add(_location(point, where), shift)
        instances[number] = _instance(point.get("instance_id") or 0, where)
    records = np.arange(1, len(points) + 1)
    which = instances if instances.any() else np.arange(len(points))
    return ParticleTable(Particles(name, positions, Unit.ANGSTROM, rotations, which, records, "point"))


def read_ndjson(data: bytes, name: str) -> ParticleTable:
    """What the portal publishes: one point a line, in voxels; orientations and instances where all lines have them.

    Raises `FormatError` with the line.
    """
    numbered = [(line, text) for line, text in enumerate(text_lines(data, name), start=1) if text.strip()]
    lines = [line for line, _ in numbered]
    found = [_record(text.strip(), f"{name}, line {line}") for line, text in numbered]
    if found and len({(turn is None, which is None) for _, turn, which in found}) > 1:
        raise FormatError(
            name,
            "some lines have an orientation or an instance and others have none; expected one kind of point.",
        )
    positions = np.array([place for place, _, _ in found], dtype=np.float64).reshape(-1, 3)
    has_turns, has_instances = (bool(found) and found[0][part] is not None for part in (1, 2))
    rotations = np.array([turn for _, turn, _ in found]) if has_turns else None
    instances = np.array([which for _, _, which in found], np.int64) if has_instances else None
    return ParticleTable(
        Particles(name, positions, Unit.PIXELS, rotations, instances, np.array(lines, np.int64))
    )


def to_ndjson(particles: Particles) -> bytes:
    """The portal's lines: `point`, `orientedPoint` with `xyz_rotation_matrix`, or `instancePoint` with `instance_id`; places as they
    are in `particles`, matrices with nine decimals, which packages with their six never tell apart."""
    columns, form = [particles.positions], _POINT
    if particles.rotations is not None:
        columns, form = [*columns, particles.rotations.reshape(-1, 9)], _ORIENTED
    rows: Iterable[tuple[Any, ...]] = map(tuple, np.concatenate(columns, axis=1).tolist())
    if particles.rotations is None and particles.instances is not None:
        which, form = particles.instances.tolist(), _INSTANCE
        rows = ((*row, one) for row, one in zip(rows, which, strict=True))
    return "".join([form % row for row in rows]).encode()


def _parsed(data: bytes, name: str) -> Mapping[str, Any]:
    try:
        content = json.loads("\n".join(text_lines(data, name)))
    except (ValueError, RecursionError) as error:
        raise FormatError(name, f"this is not JSON ({error}).") from None
    if not isinstance(content, Mapping):
        raise FormatError(name, "this JSON is no object; expected the picks of copick.")
    return content


def _value(text: str) -> Any:
    """The JSON value of a line; None for what is none."""
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _record(text: str, where: str) -> tuple[list[float], Any, int | None]:
    content = _value(text)
    if not isinstance(content, Mapping):
        raise FormatError(where, f"{shortened(text)} is not a point; expected an object with 'location'.")
    turn, which = content.get("xyz_rotation_matrix"), content.get("instance_id")
    if which is not None:
        which = _instance(which, where)
    return _location(content, where), None if turn is None else _matrix(turn, where, 3), which


def _instance(which: Any, where: str) -> int:
    if not isinstance(which, int) or isinstance(which, bool) or abs(which) > 2**62:
        raise FormatError(where, f"instance_id is {shortened(json.dumps(which))}; expected a whole number.")
    return which


def _location(point: Mapping[str, Any], where: str) -> list[float]:
    location = point.get("location")
    values = [location.get(axis) for axis in "xyz"] if isinstance(location, Mapping) else []
    if not values or not all(_is_number(value) for value in values):
        raise FormatError(
            where, f"its location is {shortened(json.dumps(location))}; expected finite numbers x, y and z."
        )
    return [float(value) for value in values if value is not None]


def _matrix(value: Any, where: str, size: int) -> Any:
    """The rotation of a matrix with `size` rows and columns, the upper left 3 × 3; the identity where there is none."""
    if value is None:
        return _IDENTITY
    is_whole = (
        isinstance(value, list)
        and len(value) == size
        and all(isinstance(row, list) and len(row) == size for row in value)
    )
    if not is_whole or not all(_is_number(number) for row in value for number in row):
        raise FormatError(
            where,
            f"its matrix is {shortened(json.dumps(value))}; expected {size} rows of {size} finite numbers.",
        )
    return np.array([row[:3] for row in value[:3]], dtype=np.float64)


def _is_number(value: Any) -> bool:
    if type(value) is float:
        return -1e300 < value < 1e300
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
        and math.isfinite(value)
    )
