"""Full names → their parts, as lists of references want them.

Portals store a name as one text. Particles written in lower case belong to the family (“Ludwig van Beethoven”), a suffix follows it
(“Jr.”), a comma tells the family apart already (“Öz, Zoë”). A name of one word, and what is plainly no person, stays whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)
_ORGANISATION = re.compile(
    r"\b(?:consortium|consortia|team|group|laborator(?:y|ies)|institut\w*|universit\w*|facility|collaboration|initiative|"
    r"cent(?:er|re)|network|foundation|project|society|department|company|inc|gmbh|ltd)\b\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A person by parts, or anything else with `whole` alone."""

    whole: str
    family: str = ""
    given: str = ""
    particle: str = ""
    suffix: str = ""

    @property
    def family_first(self) -> str:
        """`van Beethoven, Ludwig`; with a suffix `King, Jr., Martin Luther`, as BibTeX has it."""
        if not self.family:
            return self.whole
        family = f"{self.particle} {self.family}".strip()
        return ", ".join(part for part in (family, self.suffix, self.given) if part)

    @staticmethod
    def of(text: str) -> Name:
        """The parts of a full name."""
        whole = " ".join(text.split())
        if _ORGANISATION.search(whole) or re.search(r" (?:and|&) ", whole):
            return Name(whole)
        if "," in whole:
            return _with_comma(whole)
        words = whole.split()
        suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
        if len(words) < 2:
            return Name(whole)
        last = len(words) - 1
        at = last if whole.islower() else next((n for n in range(1, last) if words[n][0].islower()), last)
        return _parts(whole, words[at:], " ".join(words[:at]), suffix)


def _with_comma(whole: str) -> Name:
    first, *others = (part.strip() for part in whole.split(","))
    suffix = next((part for part in others if _SUFFIX.fullmatch(part)), "")
    given = " ".join(part for part in others if part and part != suffix)
    if not first or not given:
        named = Name.of(first) if first and suffix else Name(whole)
        return Name(whole, named.family, named.given, named.particle, suffix) if named.family else Name(whole)
    return _parts(whole, first.split(), given, suffix)


def _parts(whole: str, family: list[str], given: str, suffix: str) -> Name:
    at = 0
    while at < len(family) - 1 and family[at].islower():
        at += 1
    return Name(whole, " ".join(family[at:]), given, " ".join(family[:at]), suffix)
