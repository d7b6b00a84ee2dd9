"""Tables of objects seen in runs: one line for each object and run, with a header and the column `run_name`.

Takes the bytes, gives the rows of each run and says in `problems` which lines are faulty. The columns `object_id` and `object_name`
must be there; `object_description` and `object_state` are known; others are kept as they are.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tomoportal.formats.text import clipped, line_error, shortened, text_lines
from tomoportal.model.ontology import Ontologies
from tomoportal.model.terms import OBJECT_ID
from tomoportal.problems import Problem, Severity

RUN, ID, NAME = "run_name", "object_id", "object_name"
MOST_BYTES = 64 << 20
_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
_ID = re.compile(OBJECT_ID)
_CODE = "identified-objects"
_NONE = Ontologies()

Rows = tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class IdentifiedObjects:
    """`runs`: the rows of each run, without the column `run_name` and without empty cells; `columns`: the other columns, in order."""

    columns: tuple[str, ...] = ()
    runs: dict[str, Rows] = field(default_factory=dict, hash=False)
    problems: tuple[Problem, ...] = ()


def read_identified_objects(data: bytes, name: str, ontologies: Ontologies = _NONE) -> IdentifiedObjects:
    """Read a table whose cells are separated by commas, tabs or semicolons, as its header shows. Identifiers and names are compared with
    `ontologies`; what they have against each other is told once, with the first line.

    Raises `FormatError` for no header, a missing or repeated column, or quotes that do not end.
    """
    lines = text_lines(data, name)
    reader = csv.reader((line + "\n" for line in lines), delimiter=_delimiter(lines), strict=True)
    rows = _cells(reader, name)
    first, columns = next(rows, (1, []))
    _check(columns, name, first)
    runs: dict[str, dict[str, tuple[int, dict[str, str]]]] = {}
    problems: list[Problem] = []
    compared: set[tuple[str, str]] = set()
    for line, cells in rows:
        row = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
        fault = _fault(row, cells, columns)
        if fault:
            problems.append(Problem(_CODE, f"{fault}; the line is left out", file=name, line=line))
            continue
        known = runs.setdefault(row.pop(RUN), {})
        if (row[ID], row[NAME]) not in compared:
            compared.add((row[ID], row[NAME]))
            problems += _doubts(row, ontologies, name, line)
        if row[ID] in known:
            problems.append(_repeated(row, known[row[ID]], name, line))
        else:
            known[row[ID]] = (line, row)
    others = tuple(column for column in columns if column != RUN)
    return IdentifiedObjects(
        others, {run: tuple(row for _, row in known.values()) for run, known in runs.items()}, tuple(problems)
    )


def _delimiter(lines: list[str]) -> str:
    header = next((line for line in lines if line.strip()), "")
    return next((sign for sign in _DELIMITERS if RUN in [c.strip(' "') for c in header.split(sign)]), ",")


def _cells(reader: Iterator[list[str]], name: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers (of the line where a row ends) and cells of the rows that hold something."""
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells  # type: ignore[attr-defined]
    except csv.Error as error:
        line = reader.line_num  # type: ignore[attr-defined]
        raise line_error(name, line, f"this line cannot be read as a table ({error}).") from error


def _check(columns: list[str], name: str, line: int) -> None:
    for wanted in (RUN, ID, NAME):
        if wanted not in columns:
            found = ", ".join(map(clipped, columns[:6])) or "nothing"
            raise line_error(
                name, line, f"the header has no column {wanted}; found {found}.",
                f"Expected {RUN}, {ID}, {NAME} and, if you like, object_description and object_state.",
            )  # fmt: skip
    doubled = sorted(column for column, count in Counter(columns).items() if count > 1)
    if doubled:
        raise line_error(name, line, f"the column {clipped(doubled[0]) or '(without a name)'} stands twice.")


def _fault(row: dict[str, str], cells: list[str], columns: list[str]) -> str | None:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        return f"this line has {len(cells)} cells; expected {len(columns)}"
    for wanted in (RUN, ID, NAME):
        if wanted not in row:
            return f"this line has no {wanted}"
    if not _ID.search(row[ID]):
        return f"found {shortened(row[ID])}, expected an {ID} such as GO:0016020, UniProtKB:P00722, CHEBI:15986 or PDB-1ABC"
    return None


def _doubts(row: dict[str, str], ontologies: Ontologies, name: str, line: int) -> Iterator[Problem]:
    """What ontologies that are loaded say otherwise."""
    id, called = row[ID], row[NAME]
    term, home = ontologies.term(id), ontologies.covering(id)
    if term is None and home is not None:
        message = f"there is no {id} in the ontology {home.name} ({home.version})"
        others = [other.id for other in ontologies.labelled(called)]
        hint = f"{shortened(called)} is {' or '.join(others)}." if others else ""
        yield Problem("ontology-id", message, Severity.WARNING, name, line, hint=hint)
    elif term is not None and term.obsolete:
        hint = f"Use {' or '.join(term.replaced_by)}." if term.replaced_by else "Choose another term."
        yield Problem(
            "ontology-obsolete", f"{id} ('{term.label}') is obsolete", Severity.WARNING, name, line, hint=hint
        )
    elif term is not None and term.label and not term.is_called(called):
        message = f"{shortened(called)} is neither the label of {id} nor one of its synonyms"
        yield Problem("ontology-name", message, Severity.WARNING, name, line, hint=f"{id} is '{term.label}'.")


def _repeated(row: dict[str, str], known: tuple[int, dict[str, str]], name: str, line: int) -> Problem:
    same = row == known[1]
    message = f"{clipped(row[ID])} stands here and in line {known[0]} for one run"
    if not same:
        message += ", with other values; those of the first are used"
    return Problem(
        _CODE, message, Severity.WARNING if same else Severity.ERROR, name, line, hint="Remove one of the lines."
    )  # fmt: skip
