"""Points: CSV files of coordinates in, the portal's newline-delimited JSON out and back.

Arrays of points are (n, 3) float64 in the order x, y, z, in voxels of the annotation's voxel spacing, where
the centre of the first voxel is 0. Nothing here moves or drops a point.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError, UsageError
from tomoportal.formats.text import line_error, number, shortened, text_lines
from tomoportal.problems import Problem, Severity

Points = NDArray[np.float64]
Columns = Literal["xyz", "zyx"]

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space"}


def read_csv_points(
    data: bytes,
    name: str,
    *,
    columns: Columns = "xyz",
    delimiter: str = ",",
    header: bool = False,
    binning: float = 1.0,
) -> Points:
    """The points of a file whose first three columns are coordinates ordered as `columns`, over `binning`.

    Empty lines and lines that start with `#` are left out; the delimiter " " stands for any run of blanks
    or tabs. Returns an array of shape (n, 3), x before y before z; (0, 3) for a file without points. Raises
    `FormatError` with the line for a missing column, text, NaN or infinity, and when `header` does not
    agree with the first line.
    """
    if columns not in ("xyz", "zyx") or not (binning > 0 and math.isfinite(binning)):
        raise UsageError(
            f"{name}: columns must be xyz or zyx and binning above 0, not {columns!r} and {binning!r}."
        )
    rows = _rows(data, name, delimiter)
    if header:
        _skip_header(rows, name)
    found: list[list[float]] = []
    for line, row in rows:
        if len(row) < 3:
            raise _too_few(row, name, line, delimiter)
        found.append(_coordinates(row, name, line, may_be_header=not header and not found))
    points = np.array(found, dtype=np.float64).reshape(-1, 3)
    if columns == "zyx":
        points = points[:, ::-1].copy()
    return points / binning


def header_problems(
    data: bytes, name: str, *, columns: Columns = "xyz", delimiter: str = ","
) -> tuple[Problem, ...]:
    """A warning when the header of a CSV names x, y and z in another order than `columns`, which decides."""
    _, row = next(_rows(data, name, delimiter), (0, []))
    named = "".join(cell.strip().lower() for cell in row[:3])
    if sorted(named) != ["x", "y", "z"] or named == columns:
        return ()
    message = f"the header names the columns {', '.join(named)}, but they are read as {', '.join(columns)}"
    hint = (
        f"Set columns: {named} if the header is right." if named in ("xyz", "zyx") else "Reorder the columns."
    )
    return (Problem("csv-column-order", message, Severity.WARNING, name, 1, hint=hint),)


def to_ndjson(points: Points) -> bytes:
    """One `{"type": "point", "location": {"x": …, "y": …, "z": …}}` a line. `ValueError` for NaN,
    infinity."""
    values = np.asarray(points, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a point with a coordinate that is not finite cannot be written")
    return "".join(
        f'{{"type": "point", "location": {{"x": {x!r}, "y": {y!r}, "z": {z!r}}}}}\n'
        for x, y, z in values.tolist()
    ).encode()


def read_ndjson(data: bytes, name: str) -> Points:
    """The locations, shape (n, 3), of a file of points, oriented points or instance points.

    Raises `FormatError` with the line for what is not such a record.
    """
    found = []
    for line, text in enumerate(text_lines(data, name), start=1):
        if text.strip():
            found.append(_location(text, name, line))
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def outside(points: Points, shape_zyx: Sequence[int]) -> NDArray[np.intp]:
    """The indices of the points outside the volume: below -0.5 or above n - 0.5 along an axis of n voxels."""
    size = np.array(tuple(shape_zyx)[::-1], dtype=np.float64)
    inside = (points >= -0.5) & (points <= size - 0.5)
    return np.flatnonzero(~inside.all(axis=1))


def _rows(data: bytes, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of the lines that hold something."""
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise UsageError(f"{name}: the delimiter must be a single character, not {delimiter!r}.")
    for line, text in enumerate(text_lines(data, name), start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            yield line, text.split() if delimiter == " " else next(csv.reader([text], delimiter=delimiter))
        except csv.Error as error:
            raise line_error(name, line, f"this line cannot be read as a table ({error}).") from error


def _too_few(row: list[str], name: str, line: int, delimiter: str) -> FormatError:
    other = [sign for sign in _DELIMITERS if sign != delimiter and row[0].strip().count(sign) >= 2]
    hint = f"The columns seem to be separated by a {_DELIMITERS[other[0]]}: set `delimiter`." if other else ""
    here = _DELIMITERS.get(delimiter, repr(delimiter))
    count = "one column" if len(row) == 1 else f"{len(row)} columns"
    return line_error(
        name, line, f"this line has {count} separated by {here}; expected at least three.", hint
    )


def _skip_header(rows: Iterator[tuple[int, list[str]]], name: str) -> None:
    line, row = next(rows, (0, []))
    if row and all(number(cell) is not None for cell in row[:3]):
        message = "the first line holds numbers, not names of columns; as a header it would be lost."
        raise line_error(name, line, message, "Use file_format: csv.")


def _coordinates(row: list[str], name: str, line: int, may_be_header: bool) -> list[float]:
    values = [number(cell) for cell in row[:3]]
    finite = [value for value in values if value is not None]
    if len(finite) == 3:
        return finite
    if may_be_header and not finite and all(_is_word(cell) for cell in row[:3]):
        message = f"{shortened(', '.join(row))} looks like a header; expected three numbers."
        raise line_error(name, line, message, "Use file_format: csv_with_header.")
    wrong = row[values.index(None)]
    raise line_error(name, line, f"{shortened(wrong)} is not a coordinate; expected a finite number.")


def _is_word(cell: str) -> bool:
    return bool(cell.strip()) and cell.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity")


def _location(text: str, name: str, line: int) -> list[float]:
    try:
        location = json.loads(text)["location"]
        values = [float(location[axis]) for axis in "xyz"]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        message = f"{shortened(text)} is not a point; expected an object with 'location': {{'x', 'y', 'z'}}."
        raise line_error(name, line, message) from None
    if not all(math.isfinite(value) for value in values):
        raise line_error(name, line, f"{shortened(text)} has a coordinate that is not finite.")
    return values
