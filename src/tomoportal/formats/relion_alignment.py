"""RELION's tilt series → the canonical form: RELION 5 (angles and shifts), RELION 4 (projection matrices).

RELION 5 takes a point of the tomogram to its pixel by s2 · s1 · r2 · r1 · r0 · s0, applied from the right: s0 brings the middle
of the tomogram to 0, r0, r1 and r2 turn by rlnTomoXTilt about x, rlnTomoYTilt about y and rlnTomoZRot about z, s1 shifts by
rlnTomoXShiftAngst and rlnTomoYShiftAngst, s2 puts 0 into the middle of the image (Tomogram::setProjectionMatrix in
src/jaz/tomography/tomogram.cpp of 3dem/relion; rotations as in its t3Matrix). With r the pixel counted from the middle, r = R · a
+ o: `in_plane_rotation` is r2's [[cos, -sin], [sin, cos]], the offset the shift, t the y tilt and α the x tilt.

RELION 4 writes the product as the rows rlnTomoProjX, Y, Z, W in pixels of the tilt series. It is taken apart into the same angles;
the shift is where the middle of the tomogram (rlnTomoSizeX, Y, Z) comes to lie, from the middle of the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import SectionAlignment, TiltAlignment, Triple, Unit, rotation
from tomoportal.formats.image_order import in_order
from tomoportal.formats.star import Block, read_star
from tomoportal.formats.text import TextFile, line_error, number, shortened

ANGLES = ("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot", "rlnTomoXShiftAngst", "rlnTomoYShiftAngst")
MATRICES = ("rlnTomoProjX", "rlnTomoProjY", "rlnTomoProjZ", "rlnTomoProjW")
_SIZES = ("rlnTomoSizeX", "rlnTomoSizeY", "rlnTomoSizeZ")
_PIXEL = "rlnTomoTiltSeriesPixelSize"
_NOT_TURNED = 0.02

Row4 = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class StarRow:
    """A row: its line in the file, its values by column."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class StarTable:
    """A block, whether it is a loop or pairs of names and values, which are one row."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[StarRow, ...]


@dataclass(frozen=True, slots=True)
class _Series:
    """A tilt series: the file and table of its images, its line in the global table."""

    name: str
    table: StarTable
    overall: dict[str, float]


def read_relion_alignment(
    files: Sequence[TextFile],
    series: str,
    angles: Sequence[float] = (),
    image_size: tuple[int, int] | None = None,
) -> TiltAlignment:
    """The tilt series `series` (rlnTomoName) out of the STAR files given; if they hold only one, that one.

    `angles` (degrees, stack order, as recorded) tell which image a row is about where rlnMicrographName does not;
    `image_size` (columns, rows) is needed for projection matrices. Raises `FormatError`."""
    found = _series(files, series)
    table = found.table
    pixel = found.overall.get(_PIXEL)
    size = _volume(found.overall)
    by_angles = all(column in table.columns for column in ANGLES[1:])
    places, problems = _places(found, angles)
    if by_angles:
        sections = tuple(
            _turned(row, place, found.name) for row, place in zip(table.rows, places, strict=True)
        )
    else:
        sections = tuple(
            _projected(row, place, found.name, size, image_size, pixel)
            for row, place in zip(table.rows, places, strict=True)
        )
    return TiltAlignment(
        sections=sections,
        unit=Unit.ANGSTROM,
        volume_dimension=(size[0] * pixel, size[1] * pixel, size[2] * pixel) if size and pixel else None,
        problems=problems,
    )


def _series(files: Sequence[TextFile], series: str) -> _Series:
    blocks = [(file, _table(block)) for file in files for block in read_star(file.data, file.name).values()]
    lines = [
        (file, row)
        for file, block in blocks
        if "rlnTomoName" in block.columns and not _is_aligned(block) and _is_global(block)
        for row in block.rows
    ]
    chosen = _line(lines, series)
    tables = [(file, block) for file, block in blocks if _is_aligned(block) and block.rows]
    if not tables:
        raise FormatError(
            files[0].name if files else "the alignment",
            f"there is no aligned tilt series in these files; expected a table with {', '.join(ANGLES[1:])} or {MATRICES[0]}.",
            "Give the STAR file of the tilt series from after its alignment.",
        )
    wanted = chosen[1].values.get("rlnTomoName", series) if chosen else series
    named = [(file, block) for file, block in tables if wanted in (block.name, _stem(file.name))]
    candidates = named or tables
    if len(candidates) > 1:
        known = ", ".join(sorted(block.name for _, block in tables)[:5])
        message = (
            f"these files hold {len(tables)} tilt series ({known}), and none is called {shortened(wanted)}."
        )
        raise FormatError(files[0].name, message, "Let the pattern choose the file of this run.")
    ((file, block),) = candidates
    overall = _numbers(chosen[1], chosen[0].name) if chosen else {}
    if not overall:
        overall = _numbers(block.rows[0], file.name)
    return _Series(file.name, block, overall)


def _table(block: Block) -> StarTable:
    if not block.labels:
        return StarTable(block.name, tuple(block.pairs), (StarRow(block.line, dict(block.pairs)),))
    columns = block.columns((), block.labels)[1]
    rows = (
        StarRow(block.line_of(number), dict(zip(block.labels, values, strict=True)))
        for number, values in enumerate(zip(*columns, strict=True))
    )
    return StarTable(block.name, block.labels, tuple(rows))


def _is_aligned(block: StarTable) -> bool:
    columns = set(block.columns)
    return set(ANGLES[1:]) <= columns or set(MATRICES) <= columns


def _is_global(block: StarTable) -> bool:
    return not {"rlnTomoTiltSeriesStarFile", _PIXEL, *_SIZES}.isdisjoint(block.columns)


def _line(lines: Sequence[tuple[TextFile, StarRow]], series: str) -> tuple[TextFile, StarRow] | None:
    """The line of a tilt series in the global table; the only line if there is one."""
    named = [line for line in lines if line[1].values.get("rlnTomoName") == series]
    if named:
        return named[0]
    return lines[0] if len(lines) == 1 else None


def _numbers(row: StarRow, name: str) -> dict[str, float]:
    """Pixel size and sizes of the tomogram, as far as they are given."""
    wanted = [key for key in (_PIXEL, *_SIZES) if key in row.values]
    found = {key: _value(row, key, name) for key in wanted}
    for key, value in found.items():
        if value <= 0:
            raise line_error(name, row.line, f"{key} is {value:g}; a positive number was expected.")
    return found


def _volume(overall: dict[str, float]) -> Triple | None:
    if not all(key in overall for key in _SIZES):
        return None
    x, y, z = (overall[key] for key in _SIZES)
    return (x, y, z)


def _places(found: _Series, angles: Sequence[float]) -> tuple[list[int], tuple]:
    rows = found.table.rows
    stated = [_image_number(row.values.get("rlnMicrographName", "")) for row in rows]
    numbers = [place for place in stated if place is not None]
    if len(numbers) == len(rows) and len(set(numbers)) == len(numbers):
        return [place - 1 for place in numbers], ()
    key = "rlnTomoNominalStageTiltAngle"
    nominal = [_value(row, key, found.name) for row in rows] if key in found.table.columns else []
    return in_order(len(rows), nominal, angles, found.name)


def _image_number(text: str) -> int | None:
    """3 for `000003@stack.mrcs`."""
    before, at, _ = text.partition("@")
    is_number = bool(at) and before.isascii() and before.isdecimal() and len(before) <= 9
    return int(before) if is_number and int(before) > 0 else None


def _turned(row: StarRow, place: int, name: str) -> SectionAlignment:
    x_tilt = _value(row, ANGLES[0], name) if ANGLES[0] in row.values else 0.0
    y_tilt, z_rotation, x, y = (_value(row, key, name) for key in ANGLES[1:])
    return SectionAlignment(place, y_tilt, x_tilt, rotation(z_rotation), x, y)


def _projected(
    row: StarRow,
    place: int,
    name: str,
    size: Triple | None,
    image_size: tuple[int, int] | None,
    pixel: float | None,
) -> SectionAlignment:
    first, second, third = (_matrix_row(row, key, name) for key in MATRICES[:3])
    _check_turn((first, second, third), row, name)
    y_tilt = -math.degrees(math.asin(max(-1.0, min(1.0, third[0]))))
    z_rotation = math.degrees(math.atan2(second[0], first[0]))
    x_tilt = math.degrees(math.atan2(third[1], third[2]))
    x = y = None
    if size and image_size and pixel:
        middle = [float(int(side / 2)) for side in size]
        x, y = (
            (sum(a * b for a, b in zip(line[:3], middle, strict=True)) + line[3] - side // 2) * pixel
            for line, side in zip((first, second), image_size, strict=True)
        )
    return SectionAlignment(place, y_tilt, x_tilt, rotation(z_rotation), x, y)


def _check_turn(matrix: tuple[Row4, Row4, Row4], row: StarRow, name: str) -> None:
    (a, b, c, _), (d, e, f, _), (g, h, i, _) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    lengths = [math.sqrt(sum(value * value for value in line[:3])) for line in matrix]
    if abs(determinant - 1) > _NOT_TURNED or any(abs(length - 1) > _NOT_TURNED for length in lengths):
        message = f"the projection matrix is no rotation (its determinant is {determinant:.4g})."
        raise line_error(name, row.line, message, "Mirrored or scaled projections cannot be expressed.")


def _matrix_row(row: StarRow, key: str, name: str) -> Row4:
    text = row.values[key]
    values = [number(part) for part in text.strip().removeprefix("[").removesuffix("]").split(",")]
    finite = [value for value in values if value is not None]
    if len(values) != 4 or len(finite) != 4:
        raise line_error(
            name, row.line, f"{key} is {shortened(text)}; expected four numbers such as [1,0,0,0]."
        )
    a, b, c, d = finite
    return (a, b, c, d)


def _value(row: StarRow, key: str, name: str) -> float:
    value = number(row.values[key])
    if value is None:
        raise line_error(name, row.line, f"{key} is {shortened(row.values[key])}; a number was expected.")
    return value


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".star")
