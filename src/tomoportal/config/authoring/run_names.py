"""How the runs of a source are called: by the part in which file names differ, or by the folders that files lie in.

All file names and folders that could be names of runs are tried; taken are those that stand in most of the paths of all kinds.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tomoportal.config.authoring.compose import Pattern, run_pattern

_NAMING = ("tomograms", "tiltseries", "collection_metadata", "rawtilts")
"""Sections of which every run has a file, so that it can be named after it."""
_COMPARED = (*_NAMING, "alignments", "frames")


@dataclass(frozen=True, slots=True)
class Runs:
    """Names, and the pattern that finds them."""

    names: list[str]
    pattern: Pattern


def runs_of(found: Mapping[str, list[str]]) -> Runs | None:
    """The runs of files (section → paths); None without any file that a run could be named after."""
    tried = [runs for section in _NAMING for runs in _candidates(found.get(section, []))]
    return max(tried, key=lambda runs: _worth(runs.names, found), default=None)


def run_in(path: str, names: Iterable[str]) -> str | None:
    """The longest name that stands in a path and is not part of a longer word."""
    fitting = [
        name
        for name in names
        if name in path and re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![0-9])", path)
    ]
    return max(fitting, key=len, default=None)


def some(paths: list[str], most: int = 3) -> str:
    """The first few file names."""
    return ", ".join(path.rpartition("/")[2] for path in paths[:most]) + (" …" if len(paths) > most else "")


def _worth(names: list[str], found: Mapping[str, list[str]]) -> float:
    """How well the names divide the files: the part of the files that name a run, summed over the sections, when all names occur."""
    worth = 0.0
    for section in _COMPARED:
        runs = [run_in(path, names) for path in found.get(section, ())]
        named = {run for run in runs if run}
        if named:
            worth += sum(run is not None for run in runs) / len(runs) * len(named) / len(names)
    return worth


def _candidates(files: list[str]) -> Iterator[Runs]:
    for group in _alike(files):
        yield _by_name(group)
        if len(group) > 1:
            yield from _by_folder(group)


def _alike(files: list[str]) -> Iterator[list[str]]:
    """Groups of files of one ending: in one folder, in folders of one name, at one depth."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in files:
        folder, _, name = path.rpartition("/")
        depth, ending = str(path.count("/")), _ending(name)
        groups["folder", folder, ending].append(path)
        groups["named", depth, folder.rpartition("/")[2], ending].append(path)
        groups["depth", depth, ending].append(path)
    seen = set()
    for group in groups.values():
        if tuple(group) not in seen and (len(group) > 1 or len(files) == 1):
            seen.add(tuple(group))
            yield group


def _ending(name: str) -> str:
    return os.path.splitext(name)[1]


def _by_name(files: list[str]) -> Runs:
    """Named by what differs between the file names, with words left whole."""
    bases = [path.rpartition("/")[2] for path in files]
    end = _common([base[::-1] for base in bases])[::-1] if len(set(bases)) > 1 else _ending(bases[0])
    mark = re.search(r"[._-]", end)
    end = end[mark.start() :] if mark else ""
    names = sorted({base[: len(base) - len(end)] for base in bases})
    pattern = run_pattern(f"{_start(names)}*{end}", f"{len(files)} files: {some(bases)}")
    glob = "/".join([*_folders(files), *pattern.globs])
    regex = f"(.*){re.escape(end)}" if end else ""
    return Runs(names, Pattern((glob,), pattern.note, regex))


def _by_folder(files: list[str]) -> Iterator[Runs]:
    """Named by the folders at each depth at which they differ."""
    for depth, part in enumerate(_folders(files)):
        if part == "*":
            above = _folders(files)[:depth]
            names = sorted({path.split("/")[depth] for path in files})
            glob = "/".join([*above, f"{_start(names)}*"])
            yield Runs(names, Pattern((glob,), f"{len(names)} folders: {some(names)}"))


def _folders(files: list[str]) -> list[str]:
    """The folders of files at one depth, with `*` where they differ."""
    ways = [path.split("/")[:-1] for path in files]
    return [parts[0] if len(set(parts)) == 1 else "*" for parts in zip(*ways, strict=True)]


def _start(names: list[str]) -> str:
    """What all names begin with, in whole words."""
    return re.sub(r"[A-Za-z0-9]+$", "", _common(names)) if len(names) > 1 else ""


def _common(texts: list[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)
    return first[
        : next((place for place, sign in enumerate(first) if sign != last[place : place + 1]), len(first))
    ]
