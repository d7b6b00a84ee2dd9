"""Which of the choices on the command line have met anything: one that never does is most often a slip. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tomoportal.problems import Problem, Severity

_SHOWN = 5
_KEPT = 1000
_WORDS = {"tiltseries": "tilt series", "voxel_spacing": "voxel spacings", "frames": "sets of frames", "gains": "gains",
          "identified_objects": "identified objects"}  # fmt: skip
_PLACES = ("dataset", "run", "voxel_spacing")


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression as somebody wrote it, who may have meant a name in full."""

    text: str
    regex: re.Pattern[str]

    def matches(self, name: str) -> bool:
        """Whether a name begins as the expression says, or is letter by letter what was written."""
        return name == self.text or self.regex.match(name) is not None


@dataclass(frozen=True, slots=True)
class Choice:
    """One option as it was given. `expression`: for names of these kinds of the layout; None chooses all of them."""

    option: str
    text: str
    kinds: tuple[str, ...]
    expression: Expression | None = None

    def meets(self, kind: str, names: Iterable[str]) -> bool:
        """Whether something of this kind and with these names is meant."""
        if kind not in self.kinds:
            return False
        return self.expression is None or any(self.expression.matches(name) for name in names)


@dataclass(slots=True)
class Choices:
    """`open`: the choices that have met nothing yet; `seen`: kind → names of what they were compared with, the first of each."""

    open: list[Choice] = field(default_factory=list)
    seen: dict[str, dict[str, None]] = field(default_factory=dict)

    def see(self, kind: str, names: Iterable[str]) -> None:
        """There is something of this kind with these names. With a tomogram go its pictures and viewer state."""
        told = list(names)
        kinds = (kind, "view") if kind == "tomogram" else (kind,)
        self.open = [choice for choice in self.open if not any(choice.meets(one, told) for one in kinds)]
        kept = self.seen.setdefault(kind, {})
        if told and len(kept) < _KEPT and any(kind in choice.kinds for choice in self.open):
            kept[told[0]] = None

    def problems(self) -> Iterator[Problem]:
        """Choices that have met nothing; where that is a dataset or a run, nothing can be told of what is in it."""
        shut = [one for one in self.open if one.option == "--include" and set(one.kinds) & set(_PLACES)]
        for choice in shut or self.open:
            yield Problem(
                "nothing-chosen", self._sentence(choice), Severity.WARNING,
                hint=_hint(choice) if self._names(choice) else "",
            )  # fmt: skip

    def _sentence(self, choice: Choice) -> str:
        words = " or ".join(map(_plural, choice.kinds))
        names = self._names(choice)
        if not names:
            return f"`{choice.option} {choice.text}` meets nothing: there are no {words} in what is looked at"
        if len(names) == 1:
            return f"`{choice.option} {choice.text}` matches nothing; of {words} there is one: {names[0]}"
        count = f"the {len(names)}" if len(names) < _KEPT else "all the"
        more = " …" if len(names) > _SHOWN else ""
        return f"`{choice.option} {choice.text}` matches none of {count} {words}: {', '.join(names[:_SHOWN])}{more}"

    def _names(self, choice: Choice) -> list[str]:
        return (
            [name for kind in choice.kinds for name in self.seen.get(kind, ())] if choice.expression else []
        )


def _plural(kind: str) -> str:
    return _WORDS.get(kind, f"{kind}s")


def _hint(choice: Choice) -> str:
    written = choice.expression.text if choice.expression else ""
    if re.escape(written).replace("\\ ", " ").replace("\\-", "-") == written:
        return "An expression is matched from the start of a name."
    return (
        "Give a name in full, or a regular expression for its start; there, parentheses, brackets, dots and + * ? have meanings of "
        "their own: write \\( for a parenthesis."
    )
