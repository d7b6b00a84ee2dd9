"""Findings: what is wrong with an input or a layout, said so that a person can act on it.

A `Problem` never stops anything by itself. Many are collected, sorted and shown together, as text or as JSON lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. Only `error` makes a command exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    UNSUPPORTED = "unsupported"
    NOTICE = "notice"
    """Nothing is wrong: something was filled in that the reader should know of."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    `message` says what is wrong and what was expected; `hint` what to do about it; `file` and `line` (from 1) where it
    stands; `where` the place inside (a YAML path such as `tiltseries[0].metadata.tilt_axis`, or a layout path).
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    file: str = ""
    line: int | None = None
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        parts = [part for part in (place, self.where) if part]
        sentence = f"{self.severity.value}: {self.message}"
        return ": ".join([*parts, sentence]) + (f" Hint: {self.hint}" if self.hint else "")

    def as_json(self) -> str:
        """One JSON object on one line, with the keys promised in the documentation of `--json`."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_dict(data: dict) -> Problem:
        """The inverse of `dataclasses.asdict`."""
        return Problem(**{**data, "severity": Severity(data["severity"])})


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by file, line, place and code, without repetitions."""
    return sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.where, p.code, p.message))


def summarised(problems: Iterable[Problem], where: str, most: int = 3) -> list[Problem]:
    """Of each kind of finding about a dataset (`where`) the first few; the last of these says how many more there are."""
    by_kind: dict[tuple[str, Severity], list[Problem]] = {}
    for problem in in_order(problems):
        by_kind.setdefault((problem.code, problem.severity), []).append(problem)
    kept: list[Problem] = []
    for items in by_kind.values():
        kept += items[:most]
        if len(items) > most:
            more = f"{kept[-1].message} (and {len(items) - most:,} more of this kind in {where})"
            kept[-1] = replace(kept[-1], message=more)
    return kept


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any finding is of severity `error`."""
    return any(problem.severity is Severity.ERROR for problem in problems)
