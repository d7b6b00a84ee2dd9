"""Names that regular expressions and shell patterns match (imports nothing of ours)."""

from __future__ import annotations

import re
from typing import Any


def concrete(part: str, stem: str) -> str:
    """A name that a segment of a pattern matches; `stem` stands in for the first wildcard."""
    text = re.sub(r"\[[^\]]*\]", "y", part).replace("?", "1")
    return text.replace("*", stem)


def safe(name: str) -> bool:
    """Whether a text is free of wildcards and slashes."""
    return not re.search(r"[*?\[/]", name)


def sample(regex: str, group: str | None = None, turn: int = 0) -> str:
    """A text that the regular expression matches; `group`: what its first group holds. Other turns give other texts where it
    has alternatives or digits."""
    return _sampled(re._parser.parse(regex), group, turn)  # type: ignore[attr-defined]


def _sampled(parsed: Any, group: str | None, turn: int) -> str:
    text = ""
    for kind, value in parsed:
        match str(kind):
            case "LITERAL":
                text += chr(value)
            case "ANY":
                text += "."
            case "NOT_LITERAL":
                text += "x"
            case "IN":
                text += _of_class(value, turn)
            case "MAX_REPEAT" | "MIN_REPEAT":
                inside = _sampled(value[2], group, turn) * max(value[0], 1)
                text += "x" if inside == "." else inside
            case "SUBPATTERN":
                text += group if value[0] == 1 and group is not None else _sampled(value[3], group, turn)
            case "BRANCH":
                text += _sampled(value[1][turn % len(value[1])], group, turn)
    return text


def _of_class(items: Any, turn: int) -> str:
    kind, value = items[0]
    match str(kind):
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return chr(value[0] + 3 + turn)
        case "CATEGORY" if "DIGIT" in str(value):
            return str(3 + turn)
    return "x"
