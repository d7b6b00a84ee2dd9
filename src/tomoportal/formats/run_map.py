"""Tables that give each run its own values: with a header and the key column `run_name`, or two bare columns.

Takes the bytes, gives texts (cells without the blanks around them) and says in `problems` which lines are
faulty. What the columns mean is not known here.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tomoportal.formats.text import clipped, line_error, text_lines
from tomoportal.problems import Problem, Severity

KEY = "run_name"
_VALUE = "value"


@dataclass(frozen=True, slots=True)
class RunMap:
    """`rows`: the values of each run by column, `run_name` included. A cell that a short line lacks is
    absent."""

    columns: tuple[str, ...]
    rows: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class PairMap:
    """`values` gives one value for each run."""

    values: dict[str, str] = field(default_factory=dict, hash=False)
    problems: tuple[Problem, ...] = ()


def read_run_map(data: bytes, name: str, delimiter: str = ",") -> RunMap:
    """Read a table with a header. Raises `FormatError` for no header, no column `run_name`, a column
    twice."""
    lines = _cells(data, name, delimiter)
    first, columns = next(lines, (1, []))
    _check_columns(columns, name, first, delimiter)
    rows, problems = _table(lines, columns, name)
    return RunMap(tuple(columns), rows, problems)


def read_pair_map(data: bytes, name: str, delimiter: str = ",") -> PairMap:
    """Read a table of two columns without a header: run name, value."""
    rows, problems = _table(_cells(data, name, delimiter), [KEY, _VALUE], name)
    return PairMap({run: row[_VALUE] for run, row in rows.items() if _VALUE in row}, problems)


def _table(
    lines: Iterator[tuple[int, list[str]]], columns: list[str], name: str
) -> tuple[dict[str, dict[str, str]], tuple[Problem, ...]]:
    """The first row of each run, and what is wrong with the rows."""
    rows: dict[str, dict[str, str]] = {}
    seen: dict[str, int] = {}
    problems: list[Problem] = []
    for line, cells in lines:
        row = dict(zip(columns, cells, strict=False))
        run = row.get(KEY, "")
        problems.extend(_length_problem(cells, len(columns), name, line))
        if not run:
            problems.append(Problem("run-map-no-run", "this line names no run", file=name, line=line))
        elif run in rows:
            problems.append(_repeated(run, rows[run] == row, seen[run], name, line))
        else:
            rows[run] = row
            seen[run] = line
    return rows, tuple(problems)


def _cells(data: bytes, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers (of the line where a row ends) and cells of the rows that hold something."""
    reader = csv.reader((line + "\n" for line in text_lines(data, name)), delimiter=delimiter)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise line_error(name, reader.line_num, f"this line cannot be read as a table ({error}).") from error


def _check_columns(columns: list[str], name: str, line: int, delimiter: str) -> None:
    if KEY not in columns:
        other = "tab" if delimiter != "\t" else "comma"
        sign = "\t" if delimiter != "\t" else ","
        hint = "Add a header line."
        if len(columns) == 1 and KEY in columns[0].split(sign):
            hint = f"The columns are separated by a {other}; the name of a file with tabs must end in tsv."
        elif len(columns) == 1 and KEY in [cell.strip() for cell in columns[0].split(";")]:
            hint = "Cells must be separated by commas, or by tabs in a file whose name ends in tsv; found semicolons."
        found = ", ".join(clipped(column) for column in columns[:6]) or "nothing"
        raise line_error(name, line, f"the header has no column {KEY}; found {found}.", hint)
    doubled = sorted(column for column, count in Counter(columns).items() if count > 1)
    if doubled:
        raise line_error(name, line, f"the column {clipped(doubled[0]) or '(without a name)'} stands twice.")


def _length_problem(cells: list[str], expected: int, name: str, line: int) -> list[Problem]:
    if len(cells) == expected or (not any(cells[expected:]) and len(cells) > expected):
        return []
    message = f"this line has {len(cells)} cells; expected {expected}"
    hint = "Is a delimiter missing, or a comma not quoted?"
    return [Problem("run-map-cells", message, Severity.ERROR, name, line, hint=hint)]


def _repeated(run: str, same: bool, first: int, name: str, line: int) -> Problem:
    if same:
        message = f"the run {clipped(run)} stands here and, with the same values, in line {first}"
        return Problem(
            "run-map-repeated", message, Severity.WARNING, name, line, hint="Remove one of the lines."
        )
    message = (
        f"the run {clipped(run)} stands here and, with other values, in line {first}, whose values are used"
    )
    return Problem(
        "run-map-repeated", message, Severity.ERROR, name, line, hint="Keep the line that is right."
    )
