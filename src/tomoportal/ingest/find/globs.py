"""File patterns, matched against listings: `*`, `?`, `[abc]`, `[!abc]` inside one path segment, `**` over any number of folders.

As in a shell, a leading dot must be written. Folders match as files do. Results are in order of paths. Letters with accents match
however they are composed (NFC as keyboards give them, NFD as macOS stores names); results are as the files are named.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

ANY_DEPTH = "**"
_MAGIC = re.compile(r"[*?\[]")


class Place(Protocol):
    """Folders and files that can be looked up by path; `""` is the root."""

    def folders(self, path: str) -> list[str]:
        """Names of the folders in a folder, sorted."""

    def files(self, path: str) -> list[str]:
        """Names of the files in a folder, sorted."""

    def foreign(self, path: str) -> list[str]:
        """Names of folders and files in a folder that are not plain ASCII, sorted."""

    def has_file(self, path: str) -> bool:
        """Whether a file is there."""

    def has_folder(self, path: str) -> bool:
        """Whether a folder is there."""


def escaped(text: str) -> str:
    """A pattern that matches exactly `text`."""
    return _MAGIC.sub(lambda sign: f"[{sign[0]}]", text)


def segments(pattern: str) -> list[str]:
    """The parts of a pattern, without empty ones."""
    return [part for part in pattern.split("/") if part not in ("", ".")]


def matching(place: Place, pattern: str, folders_only: bool = False) -> list[str]:
    """All paths that match, sorted and each once. With `folders_only`, no files."""
    parts = segments(pattern)
    if not _MAGIC.search(pattern) and pattern.isascii():
        path = "/".join(parts)
        there = path and (place.has_folder(path) or (not folders_only and place.has_file(path)))
        return [path] if there else []
    return sorted(set(_below(place, "", parts, folders_only))) if parts else []


def _below(place: Place, base: str, parts: list[str], folders_only: bool) -> Iterator[str]:
    part, rest = parts[0], parts[1:]
    if part == ANY_DEPTH:
        yield from _any_depth(place, base, rest, folders_only)
        return
    for name in _names(place, base, part, bool(rest) or folders_only):
        path = f"{base}/{name}" if base else name
        if rest:
            yield from _below(place, path, rest, folders_only)
        else:
            yield path


def _any_depth(place: Place, base: str, rest: list[str], folders_only: bool) -> Iterator[str]:
    if rest:
        yield from _below(place, base, rest, folders_only)
    elif not folders_only:
        for name in place.files(base):
            if not name.startswith("."):
                yield f"{base}/{name}" if base else name
    for name in place.folders(base):
        if name.startswith("."):
            continue
        path = f"{base}/{name}" if base else name
        if not rest:
            yield path
        yield from _any_depth(place, path, rest, folders_only)


def _names(place: Place, base: str, part: str, folders_only: bool) -> list[str]:
    part = composed(part)
    found = _as_written(place, base, part, folders_only)
    foreign = place.foreign(base)
    if not foreign:
        return found
    matches, hidden = _compiled(part).match, part.startswith(".")
    known = set(found)
    return found + [
        name
        for name in foreign
        if name not in known
        and matches(composed(name))
        and (hidden or name[0] != ".")
        and (not folders_only or place.has_folder(f"{base}/{name}" if base else name))
    ]


def _as_written(place: Place, base: str, part: str, folders_only: bool) -> list[str]:
    if not _MAGIC.search(part):
        path = f"{base}/{part}" if base else part
        there = place.has_folder(path) or (not folders_only and place.has_file(path))
        return [part] if there else []
    hidden = part.startswith(".")
    start, inner, end = _literals(part)
    found = _starting(place.folders(base), start)
    if not folders_only:
        found = found + _starting(place.files(base), start)
    shown = [name for name in found if inner in name and (hidden or name[0] != ".")]
    if end is not None:
        shortest = len(start) + len(end)
        return [name for name in shown if len(name) >= shortest and name.endswith(end)]
    matches = _compiled(part).match
    return [name for name in shown if matches(name)]


def composed(text: str) -> str:
    """`text` in the composed form of Unicode (NFC), in which names are compared and given."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _starting(names: list[str], start: str) -> list[str]:
    """The part of a sorted list that starts with a text."""
    if not start:
        return names
    first = bisect_left(names, start)
    return names[first : bisect_left(names, start + chr(0x10FFFF), first)]


@lru_cache(maxsize=1024)
def _literals(part: str) -> tuple[str, str, str | None]:
    """What rules most names out fast: the text before the first wildcard, the longest text that must stand somewhere, and,
    when the only wildcard is one `*`, the text after it."""
    plain = re.split(r"\[!?.[^\]]*\]|[*?\[]", part)
    end = plain[1] if len(plain) == 2 and "*" in part and not re.search(r"[?\[]", part) else None
    return plain[0], max(plain, key=len), end


@lru_cache(maxsize=1024)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))
