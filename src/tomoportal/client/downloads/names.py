"""Paths that a portal, or a manifest of strangers, names: which may be written, and whether two of them are one file here.

A path is relative, POSIX, without `.`, `..`, empty or hidden bookkeeping names; it never leaves the destination.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from tomoportal.errors import RemoteError, UsageError

NOTES = ".tomoportal-downloads"
"""In each folder that downloads were written to: where they come from."""
PART = ".part"
STATE = ".state"
LONGEST = 4096
"""Characters of a path."""
_LONGEST_NAME = 255 - len(".12345678.part.state") - 1
"""Bytes of a name that leave room for the temporary names."""

_ORDINARY = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,180}/)*[A-Za-z0-9_][A-Za-z0-9_.+-]{0,180}\Z")
"""Most paths: nothing in them can be wrong but on Windows."""
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_ON_WINDOWS = re.compile(r'[<>:"|?*]|[. ]$|^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)', re.IGNORECASE)


def checked_path(path: str, *, windows: bool = os.name == "nt") -> str:
    """`path` itself. Raises `RemoteError` for one that could leave the destination, or that a file here could not have."""
    if not windows and len(path) <= LONGEST and _ORDINARY.match(path):
        return path
    reason = _trouble(path, windows)
    if reason:
        raise RemoteError(f"{path[:200]!a} is no path to write to: {reason}. Nothing of it was downloaded.")
    return path


def _trouble(path: str, windows: bool) -> str:
    if not path or len(path) > LONGEST:
        return "it is empty or too long"
    if path.startswith("/") or _DRIVE.match(path):
        return "it would leave the destination"
    return next(filter(None, (_trouble_of(part, windows) for part in path.split("/"))), "")


def _trouble_of(name: str, windows: bool) -> str:
    if name in ("", ".", ".."):
        return "it would leave the destination"
    if _CONTROL.search(name):
        return "it holds a backslash or a control character"
    if name == NOTES or (name.startswith(".") and name.endswith((PART, STATE))):
        return f"{name} is a name of this program's own"
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "it is no valid text"
    if length > _LONGEST_NAME:
        return "a name in it is too long"
    if windows and _ON_WINDOWS.search(name):
        return f"Windows keeps names like {name!r} for itself"
    return ""


class Distinct:
    """Notices two paths that would be one file; in a folder that takes `A` for `a`, also those that differ in case or accents only."""

    def __init__(self, folds: bool) -> None:
        self._folds = folds
        self._seen: set[int] = set()

    def add(self, path: str) -> None:
        """Raises `UsageError` when it was there before."""
        known = hash(_folded(path) if self._folds else path)
        if known in self._seen:
            same = (
                "has a twin whose name differs in case only, which this disk takes for the same"
                if self._folds
                else "is listed twice"
            )
            raise UsageError(f"{path} {same}. Nothing was downloaded; choose fewer files or another disk.")
        self._seen.add(known)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def folds_case(folder: Path) -> bool:
    """Whether an existing folder takes `a` and `A` for the same name."""
    probe = folder / f".{os.getpid()}-case{PART}"
    try:
        probe.touch()
        return probe.with_name(probe.name.upper()).exists()
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
