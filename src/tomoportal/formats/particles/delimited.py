"""Tables of points: one line each, cells separated by a comma, tab, blanks or another character, with or without a header.

Coordinates are the first three columns, or those of given names; further columns may number instances (TARDIS) or name tomograms.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tomoportal.errors import FormatError, UsageError
from tomoportal.formats.particles.table import Particles, ParticleTable, grouped
from tomoportal.formats.text import clipped, line_error, number, shortened, text_lines
from tomoportal.problems import Problem, Severity

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space"}
_SPOKEN = 20
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written. `order` of the three coordinates (xyz or zyx); `names` of their columns where the header decides, in that
    order; `group` and `instance` name further columns; the delimiter " " stands for any run of blanks or tabs."""

    delimiter: str = ","
    has_header: bool = False
    order: str = "xyz"
    names: tuple[str, str, str] | None = None
    group: str = ""
    instance: str = ""


TARDIS = TableForm(has_header=True, names=("X", "Y", "Z"), instance="ID")


def read_delimited(data: bytes, name: str, form: TableForm) -> ParticleTable:
    """All points, in pixels. Empty lines and lines that begin with `#` are left out.

    Raises `FormatError` with the line for a missing column, text, NaN or infinity, and when the first line does not agree with
    `has_header`.
    """
    if form.order not in ("xyz", "zyx") or len(form.delimiter) != 1 or form.delimiter in '"\r\n':
        raise UsageError(
            f"{name}: columns must be xyz or zyx and the delimiter one character, not {form.order!r} and {form.delimiter!r}."
        )
    rows = _rows(data, name, form.delimiter)
    header = _header(rows, name) if form.has_header else None
    coordinates, group, instance = _places(header, form, name)
    width = max((*coordinates, group or 0, instance or 0)) + 1
    points, lines, groups, instances = list[list[float]](), list[int](), list[str](), list[int]()
    for line, row in rows:
        if len(row) < width:
            raise _too_few(row, name, line, form.delimiter, width)
        points.append(
            _coordinates(row, coordinates, name, line, may_be_header=not form.has_header and not points)
        )
        lines.append(line)
        if group is not None:
            groups.append(row[group].strip())
        if instance is not None:
            instances.append(_instance(row[instance], name, line))
    positions = np.array(points, dtype=np.float64).reshape(-1, 3)
    if form.order == "zyx":
        positions = positions[:, ::-1].copy()
    which = np.array(instances, np.int64) if instance is not None else None
    particles = Particles(name, positions, instances=which, records=np.array(lines, np.int64))
    names, codes = grouped(groups) if group is not None else ((), None)
    return ParticleTable(particles, groups=names, codes=codes, grouped_by=form.group)


def header_problems(data: bytes, name: str, form: TableForm) -> tuple[Problem, ...]:
    """A warning when the header of a table names x, y and z in another order than they are read."""
    if not form.has_header or form.names:
        return ()
    _, row = next(_rows(data, name, form.delimiter), (0, []))
    named = "".join(cell.strip().lower() for cell in row[:3])
    if sorted(named) != ["x", "y", "z"] or named == form.order:
        return ()
    message = f"the header names the columns {', '.join(named)}, but they are read as {', '.join(form.order)}"
    hint = (
        f"Set columns: {named} if the header is right." if named in ("xyz", "zyx") else "Reorder the columns."
    )
    return (Problem("csv-column-order", message, Severity.WARNING, name, 1, hint=hint),)


def _rows(data: bytes, name: str, delimiter: str) -> Iterator[Row]:
    """Line numbers and cells of the lines that hold something."""
    for line, text in enumerate(text_lines(data, name), start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        yield line, text.split() if delimiter == " " else _cells(text, delimiter, name, line)


def _cells(text: str, delimiter: str, name: str, line: int) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter))
    except csv.Error as error:
        raise line_error(name, line, f"this line is no row of a table ({error}).") from None


def _header(rows: Iterator[Row], name: str) -> Row:
    line, row = next(rows, (0, []))
    if row and all(number(cell) is not None for cell in row[:3]):
        message = "the first line holds numbers, not names of columns; as a header it would be lost."
        raise line_error(name, line, message, "Use file_format: csv.")
    return line, [cell.strip() for cell in row]


def _places(header: Row | None, form: TableForm, name: str) -> tuple[Sequence[int], int | None, int | None]:
    """The numbers of the columns with coordinates, groups and instances."""
    wanted = [*(form.names or ()), *(text for text in (form.group, form.instance) if text)]
    if wanted and header is None:
        raise FormatError(
            name,
            f"the columns {', '.join(wanted)} are asked for by name, but the table has no header.",
            "Use file_format: csv_with_header.",
        )
    line, titles = header or (0, [])
    places = {title.casefold(): place for place, title in reversed(list(enumerate(titles)))}
    missing = [title for title in wanted if title.casefold() not in places]
    if missing and titles:
        told = ", ".join(clipped(title) for title in titles[:_SPOKEN])
        raise line_error(name, line, f"there is no column {', '.join(missing)}; the header names {told}.")
    found = [places.get(title.casefold(), number) for number, title in enumerate(wanted)]
    rest = iter(found[3:] if form.names else found)
    return (
        found[:3] if form.names else (0, 1, 2),
        next(rest) if form.group else None,
        next(rest) if form.instance else None,
    )


def _too_few(row: list[str], name: str, line: int, delimiter: str, width: int) -> FormatError:
    other = [sign for sign in _DELIMITERS if sign != delimiter and row[0].strip().count(sign) >= 2]
    hint = f"The columns seem to be separated by a {_DELIMITERS[other[0]]}: set `delimiter`." if other else ""
    here = _DELIMITERS.get(delimiter, repr(delimiter))
    count = "one column" if len(row) == 1 else f"{len(row)} columns"
    expected = "three" if width == 3 else str(width)
    return line_error(
        name, line, f"this line has {count} separated by {here}; expected at least {expected}.", hint
    )


def _coordinates(
    row: list[str], places: Sequence[int], name: str, line: int, *, may_be_header: bool
) -> list[float]:
    cells = [row[place] for place in places]
    values = [number(cell) for cell in cells]
    finite = [value for value in values if value is not None]
    if len(finite) == 3:
        return finite
    if may_be_header and not finite and all(_is_word(cell) for cell in cells):
        message = f"{shortened(', '.join(row))} looks like a header; expected three numbers."
        raise line_error(name, line, message, "Use file_format: csv_with_header.")
    raise line_error(
        name, line, f"{shortened(cells[values.index(None)])} is not a coordinate; expected a finite number."
    )


def _instance(cell: str, name: str, line: int) -> int:
    value = number(cell)
    if value is None or value != int(value) or abs(value) > 2**53:
        raise line_error(
            name, line, f"{shortened(cell)} is no number of an instance; expected a whole number."
        )
    return int(value)


def _is_word(cell: str) -> bool:
    return bool(cell.strip()) and cell.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity")
