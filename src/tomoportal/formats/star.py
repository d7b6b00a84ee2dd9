"""STAR files: blocks of names and values, as RELION, STOPGAP and Warp write them. Made for tables of millions of rows.

Format: Hall (1991), in RELION's dialect: `data_NAME`, then either `_label value` lines or `loop_`, `_label [#n]` lines and one row a line.
Values are separated by blanks and may stand in quotes. Comments begin with `#`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError
from tomoportal.formats.text import line_error, number, shortened, text_lines

_VALUE = re.compile(r"""'[^']*'(?=\s|$)|"[^"]*"(?=\s|$)|\S+""")
_AT_ONCE = 20_000
_ENDS = ("data_", "loop_")


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `labels` without the leading underscore. A loop has `rows` (its lines with their numbers, from 1); other blocks
    have `pairs`."""

    file: str
    name: str
    line: int
    labels: tuple[str, ...] = ()
    rows: tuple[Sequence[str], Sequence[int]] = ((), ())
    pairs: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows[0])

    def line_of(self, row: int) -> int:
        """The line of a row (from 0) in the file."""
        return self.rows[1][row]

    def columns(
        self, numbers: Sequence[str], texts: Sequence[str] = ()
    ) -> tuple[NDArray[np.float64], list[list[str]]]:
        """Some columns in one pass: the numbers, shape (rows, columns), and the texts without quotes, a list for each column.

        Raises `FormatError` with the line for a column that is not there, a row of another length, and what is no finite number.
        """
        places, others = [self._place(label) for label in numbers], [self._place(label) for label in texts]
        found = np.empty((len(self), len(places)))
        told: list[list[str]] = [[] for _ in others]
        known: dict[str, str] = {}
        for begin, values in self._chunks():
            for texts_of, place in zip(told, others, strict=True):
                texts_of.extend(known.setdefault(row[place], row[place]) for row in values)
            if places:
                found[begin : begin + len(values)] = self._numbers(begin, values, places)
        return found, told

    def numbers(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """The numbers alone; see `columns`."""
        return self.columns(labels)[0]

    def texts(self, label: str) -> list[str]:
        """One column of texts; see `columns`."""
        return self.columns((), (label,))[1][0]

    def _place(self, label: str) -> int:
        if label not in self.labels:
            raise line_error(
                self.file,
                self.line,
                f"block '{self.name}' has no column _{label}; it has {', '.join(self.labels) or 'none'}.",
            )
        return self.labels.index(label)

    def _chunks(self) -> Iterator[tuple[int, list[list[str]]]]:
        """The number of the first row, and the values of some rows."""
        lines, count = self.rows[0], len(self.labels)
        for begin in range(0, len(lines), _AT_ONCE):
            values = _rows(lines[begin : begin + _AT_ONCE])
            if set(map(len, values)) != {count}:
                raise self._uneven(begin, values, count)
            yield begin, values

    def _uneven(self, begin: int, values: list[list[str]], count: int) -> FormatError:
        offset, row = next((offset, row) for offset, row in enumerate(values) if len(row) != count)
        message = f"this row has {len(row)} values; expected {count}, one for each column."
        return line_error(self.file, self.line_of(begin + offset), message)

    def _numbers(self, begin: int, values: list[list[str]], places: list[int]) -> NDArray[np.float64]:
        texts = [row[place] for row in values for place in places]
        try:
            flat = np.fromiter(map(float, texts), np.float64, len(texts))
        except ValueError:
            flat = np.full(1, np.nan)
        if not np.isfinite(flat).all() or "_" in "".join(texts):
            raise self._no_number(begin, values, places)
        return flat.reshape(-1, len(places))

    def _no_number(self, begin: int, values: list[list[str]], places: list[int]) -> FormatError:
        offset, place = next(
            (offset, place)
            for offset, row in enumerate(values)
            for place in places
            if number(row[place]) is None
        )
        message = f"_{self.labels[place]} is {shortened(values[offset][place])}; expected a finite number."
        return line_error(self.file, self.line_of(begin + offset), message)


def read_star(data: bytes, name: str) -> dict[str, Block]:
    """The blocks of a file by their names, which may be empty. Raises `FormatError` with the line for what is no STAR file, and for two
    blocks of one name."""
    reader = _Reader(text_lines(data, name), name)
    blocks: dict[str, Block] = {}
    while (block := reader.block()) is not None:
        if block.name in blocks:
            raise line_error(
                name, block.line, f"this is the second block called '{block.name}'; expected different names."
            )
        blocks[block.name] = block
    if not blocks:
        raise FormatError(
            name,
            "there is no block (`data_…`) in this file; expected a STAR file.",
            "Is this the right file?",
        )
    return blocks


@dataclass(slots=True)
class _Reader:
    lines: list[str]
    file: str
    at: int = 0

    def block(self) -> Block | None:
        """The next block; None at the end."""
        line = self._skip()
        if line is None:
            return None
        if not line.startswith("data_"):
            raise line_error(
                self.file, self.at + 1, f"{shortened(line)} stands before any block; expected `data_…`."
            )
        name, begin = line[5:].split("#")[0].strip(), self.at + 1
        self.at += 1
        first = self._skip()
        if first == "loop_":
            self.at += 1
            return self._loop(name, begin)
        return Block(self.file, name, begin, pairs=self._pairs())

    def _skip(self) -> str | None:
        """Go to the next line with content, and give it."""
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            if line and not line.startswith("#"):
                return line
            self.at += 1
        return None

    def _loop(self, name: str, begin: int) -> Block:
        labels: list[str] = []
        while (line := self._skip()) and line.startswith("_"):
            labels.append(line.split()[0][1:])
            self.at += 1
        rows, numbers = self._table()
        if self._skip() == "loop_":
            message = f"block '{name}' has a second loop_; expected one table in a block, as RELION and STOPGAP write."
            raise line_error(self.file, self.at + 1, message, "Is this an mmCIF file?")
        return Block(self.file, name, begin, tuple(labels), (rows, numbers))

    def _table(self) -> tuple[list[str], list[int]]:
        """The lines up to the next block or loop, and their numbers."""
        rows: list[str] = []
        numbers: list[int] = []
        for at in range(self.at, len(self.lines)):
            line = self.lines[at].strip()
            if line.startswith(_ENDS) and (line == "loop_" or line.startswith("data_")):
                self.at = at
                return rows, numbers
            if line and line[0] != "#":
                rows.append(line)
                numbers.append(at + 1)
        self.at = len(self.lines)
        return rows, numbers

    def _pairs(self) -> dict[str, str]:
        pairs: dict[str, str] = {}
        while (line := self._skip()) and not line.startswith("data_"):
            values = _values(line)
            if not line.startswith("_") or len(values) < 2:
                message = f"{shortened(line)} is neither `_label value` nor a block; expected a STAR file as RELION or STOPGAP writes."
                raise line_error(self.file, self.at + 1, message, "Is this an mmCIF file?")
            pairs[values[0][1:]] = values[1]
            self.at += 1
        return pairs


def _rows(lines: Sequence[str]) -> list[list[str]]:
    """The values of many lines, which are mostly plain: separated by blanks, without quotes and comments."""
    whole = "\n".join(lines)
    if any(sign in whole for sign in "\"'#"):
        return [_values(line) for line in lines]
    return [line.split() for line in lines]


def _values(line: str) -> list[str]:
    if '"' not in line and "'" not in line and "#" not in line:
        return line.split()
    found = []
    for match in _VALUE.finditer(line):
        text = match[0]
        if text.startswith("#"):
            break
        quoted = len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]
        found.append(text[1:-1] if quoted else text)
    return found
