"""Regular expressions of RE2 for PostgreSQL, whose own kind ("ARE") means other things by the same signs.

Every set of characters is written out, with upper and lower case in it where case does not matter, so that nothing depends on
a locale; what remains is | ( ) * + ? { } and constraints, on which both agree. PostgreSQL matches without going back as long as there
are no references to groups, of which RE2 has none. What cannot be said there is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from tomoportal.catalog.compile.expressions import compiled
from tomoportal.catalog.compile.letters import letters
from tomoportal.errors import QueryError

Ranges = list[tuple[int, int]]
"""Code points from … to, both included."""

_LAST = 0x10FFFF
_MOST_REPEATS = 255
_REPEAT = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}|[*+?]")
_GROUP = re.compile(r"\?(?:P?<\w+>|([imsU]*)(?:-([imsU]+))?([:)]))")
_NAMED = re.compile(r"\[:(\^?)(\w+):\]")
_CODE = re.compile(r"\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2})")
_SINGLE = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_CONSTRAINTS = {"A": r"\A", "z": r"\Z", "b": r"\y", "B": r"\Y"}
_NEVER = r"(?:\Z\y\Y)"
_CLASSES = {
    "d": "0-9", "s": "\t-\n\f-\r ", "w": "0-9A-Z_a-z", "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\x01-\x7f", "blank": "\t ",
    "cntrl": "\x01-\x1f\x7f", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@[-`{-~",
    "space": "\t-\r ", "upper": "A-Z", "word": "0-9A-Z_a-z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def portable(pattern: str, ignore_case: bool) -> str:
    """The expression, which RE2 understands, for the operator ~ of PostgreSQL. Raises `QueryError`."""
    reader = _Reader(pattern, ignore_case)
    return "***:" + reader.alternatives()


class _Reader:
    """What is still to be read begins at `at`."""

    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self.pattern, self.at = pattern, 0
        self.ignore_case, self.dot_is_all = ignore_case, False

    def alternatives(self) -> str:
        """Up to the end of the group or expression, which is left standing. Flags end with it."""
        before = self.ignore_case, self.dot_is_all
        branches = [self._branch()]
        while self._skip("|"):
            branches.append(self._branch())
        self.ignore_case, self.dot_is_all = before
        return "|".join(branches)

    def _branch(self) -> str:
        parts = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            atom, is_constraint = self._atom()
            parts.append(self._repeated(atom, is_constraint))
        return "".join(parts) or "(?:)"

    def _repeated(self, atom: str, is_constraint: bool) -> str:
        while found := _REPEAT.match(self.pattern, self.at):
            self.at = found.end()
            self._skip("?")
            least, most = _bounds(found)
            if is_constraint:
                atom, is_constraint = (atom, True) if least else ("(?:)", False)
            else:
                atom = _times(atom, least, most)
        return atom

    def _atom(self) -> tuple[str, bool]:
        """An expression that can be repeated, and whether it is a constraint, which cannot."""
        letter = self._next()
        match letter:
            case "(":
                return self._group(), False
            case "[":
                return _set(self._class()), False
            case ".":
                return _set([(1, _LAST)] if self.dot_is_all else _without([(10, 10)])), False
            case "^":
                return r"\A", True
            case "$":
                return r"\Z", True
            case "\\":
                return self._escaped()
        return _set(self._cased([(ord(letter), ord(letter))])), False

    def _group(self) -> str:
        before = self.ignore_case, self.dot_is_all
        if found := _GROUP.match(self.pattern, self.at):
            self.at = found.end()
            self._set_flags(found[1] or "", found[2] or "")
            if found[3] == ")":
                return "(?:)"
        elif self.pattern.startswith("?", self.at):
            raise self._refused(self.pattern[self.at - 1 : self.at + 3])
        inner = self.alternatives()
        self._skip(")")
        self.ignore_case, self.dot_is_all = before
        return f"(?:{inner})"

    def _set_flags(self, on: str, off: str) -> None:
        if "m" in on:
            raise self._refused("(?m)")
        self.ignore_case = ("i" in on or self.ignore_case) and "i" not in off
        self.dot_is_all = ("s" in on or self.dot_is_all) and "s" not in off

    def _escaped(self) -> tuple[str, bool]:
        if (found := _CONSTRAINTS.get(self.pattern[self.at])) is not None:
            self.at += 1
            return found, True
        return _set(self._escape()), False

    def _escape(self) -> Ranges:
        """The characters that an escape stands for, behind its backslash."""
        if self.pattern[self.at].lower() in "dsw":
            letter = self._next()
            return self._named(letter.lower(), is_negated=letter.isupper())
        return self._cased(self._character())

    def _named(self, name: str, *, is_negated: bool) -> Ranges:
        ranges = self._cased(_of(name))
        return _without(ranges) if is_negated else ranges

    def _character(self) -> Ranges:
        """The one that an escape stands for, behind its backslash."""
        letter = self._next()
        if letter in _SINGLE:
            return [(_SINGLE[letter], _SINGLE[letter])]
        if letter == "x":
            found = _CODE.match(self.pattern, self.at)
            assert found is not None
            self.at = found.end()
            number = int(found[1] or found[2], 16)
            return [(number, number)]
        if letter.isascii() and letter.isalnum():
            raise self._refused(f"\\{letter}")
        return [(ord(letter), ord(letter))]

    def _class(self) -> Ranges:
        """Behind its opening bracket."""
        is_negated = self._skip("^")
        found: Ranges = []
        is_first = True
        while is_first or not self.pattern.startswith("]", self.at):
            is_first = False
            found += self._member()
        self.at += 1
        return _without(found) if is_negated else _merged(found)

    def _member(self) -> Ranges:
        if named := _NAMED.match(self.pattern, self.at):
            self.at = named.end()
            return self._named(named[2], is_negated=bool(named[1]))
        if self.pattern[self.at] == "\\" and self.pattern[self.at + 1].lower() in "dsw":
            self.at += 1
            return self._escape()
        first = last = self._one()
        if self.pattern.startswith("-", self.at) and not self.pattern.startswith("-]", self.at):
            self.at += 1
            last = self._one()
        return self._cased([(first[0][0], last[0][1])])

    def _one(self) -> Ranges:
        letter = self._next()
        return self._character() if letter == "\\" else [(ord(letter), ord(letter))]

    def _cased(self, ranges: Ranges) -> Ranges:
        return _with_other_case(ranges) if self.ignore_case else ranges

    def _next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def _skip(self, sign: str) -> bool:
        is_there = self.pattern.startswith(sign, self.at)
        self.at += len(sign) if is_there else 0
        return is_there

    def _refused(self, sign: str) -> QueryError:
        return QueryError(
            f"{sign} in {self.pattern!r} cannot be used where the catalogue lies in PostgreSQL; write out the characters that are meant"
        )


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    if found[1] is None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[0]]
    least = int(found[1])
    return least, least if found[2] is None else int(found[3]) if found[3] else None


def _times(atom: str, least: int, most: int | None) -> str:
    """At most `_MOST_REPEATS` at once."""
    parts = [f"{atom}{{{number}}}" for number in _portions(least)]
    if most is None:
        parts.append(f"{atom}*")
    else:
        parts += [f"{atom}{{0,{number}}}" for number in _portions(most - least)]
    return f"(?:{''.join(parts)})"


def _portions(number: int) -> list[int]:
    whole, rest = divmod(number, _MOST_REPEATS)
    return [_MOST_REPEATS] * whole + [rest] * (rest > 0)


def _of(name: str) -> Ranges:
    """The ranges of a class, by the word for it."""
    return [
        (ord(found[1] or found[3]), ord(found[2] or found[3]))
        for found in re.finditer(r"(.)-(.)|(.)", _CLASSES[name], re.DOTALL)
    ]


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found: Ranges = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _without(ranges: Ranges) -> Ranges:
    """All other characters."""
    found, start = [], 1
    for first, last in _merged(ranges):
        if start < first:
            found.append((start, first - 1))
        start = max(start, last + 1)
    return [*found, (start, _LAST)] if start <= _LAST else found


def _set(ranges: Ranges) -> str:
    """A set of characters that a text can hold: no NUL, no surrogates."""
    there: Ranges = []
    for first, last in _merged(ranges):
        for begin, end in ((max(first, 1), min(last, 0xD7FF)), (max(first, 0xE000), last)):
            if begin <= end:
                there.append((begin, end))
    if (
        len(there) == 1
        and there[0][0] == there[0][1]
        and (letter := chr(there[0][0])).isascii()
        and letter.isalnum()
    ):
        return letter
    written = (f"\\U{a:08X}" if a == b else f"\\U{a:08X}-\\U{b:08X}" for a, b in there)
    return f"[{''.join(written)}]" if there else _NEVER


def _with_other_case(ranges: Ranges) -> Ranges:
    inside = (letter for letter in _kin() if any(first <= ord(letter) <= last for first, last in ranges))
    return _merged(
        [*ranges, *((ord(other), ord(other)) for letter in inside for other in _same_to_re2(letter))]
    )


@cache
def _kin() -> dict[str, frozenset[str]]:
    """Every letter with others that may be the same when case does not matter."""
    groups: dict[str, set[str]] = {}
    for letter in letters():
        for same in {letter.lower(), letter.upper(), letter.casefold()} - {letter}:
            groups.setdefault(same, {same}).add(letter)
    kin: dict[str, set[str]] = {}
    for group in groups.values():
        single = {letter for letter in group if len(letter) == 1}
        for letter in single:
            kin.setdefault(letter, set()).update(single)
    return {letter: frozenset().union(*(kin[same] for same in found)) for letter, found in kin.items()}


@cache
def _same_to_re2(letter: str) -> tuple[str, ...]:
    """The others that RE2 takes for this letter when case does not matter."""
    expression = compiled(letter, True)
    return tuple(other for other in sorted(_kin()[letter]) if other != letter and expression.fullmatch(other))
