"""Problems that would repeat for thousands of runs, counted and told once."""

from __future__ import annotations

from dataclasses import dataclass, field

from tomoportal.config import Config
from tomoportal.problems import Problem, Severity

_SHOWN = 3


@dataclass(slots=True)
class _Group:
    message: str
    severity: Severity
    hint: str
    examples: list[str] = field(default_factory=list)
    count: int = 0


class Findings:
    """Collects problems at YAML places. Those with the same code, place and message become one that counts its examples."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._groups: dict[tuple[str, str, str], _Group] = {}
        self._others: list[Problem] = []

    def add(
        self, code: str, where: str, message: str, *, example: str = "", hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:  # fmt: skip
        """Note one problem; `example` says in which run, or for which file."""
        group = self._groups.setdefault((code, where, message), _Group(message, severity, hint))
        group.count += 1
        if example and len(group.examples) < _SHOWN:
            group.examples.append(example)

    def extend(self, problems: tuple[Problem, ...]) -> None:
        """Problems that have their place already, such as those of a table."""
        self._others.extend(problems)

    def problems(self) -> list[Problem]:
        """All of them."""
        return self._others + [
            Problem(
                code,
                _told(group),
                group.severity,
                self._config.file,
                self._config.line_of(where),
                where,
                group.hint,
            )
            for (code, where, _), group in self._groups.items()
        ]


def _told(group: _Group) -> str:
    if not group.examples:
        return group.message
    more = group.count - len(group.examples)
    return f"{group.message}: {', '.join(group.examples)}" + (f" and {more} more" if more else "")
