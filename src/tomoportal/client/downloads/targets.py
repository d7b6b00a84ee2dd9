"""What a command names: `dataset 10001`, the address of a page or file, a path of the portal. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from tomoportal.errors import UsageError

KINDS = {
    "dataset": "Dataset", "run": "Run", "deposition": "Deposition", "tiltseries": "TiltSeries", "alignment": "Alignment",
    "tomogram": "Tomogram", "annotation": "Annotation", "voxel-spacing": "TomogramVoxelSpacing", "frame": "Frame", "gain": "GainFile",
}  # fmt: skip
"""Words of the command line, and the entities they name."""
_WORDS = {**KINDS, **{f"{word}s": name for word, name in KINDS.items()}, "tilt-series": "TiltSeries"}
_PAGES = re.compile(r"/(datasets|runs|depositions|view/runs)/([0-9]{1,18})/?\Z")
_PAGE_KINDS = {"datasets": "Dataset", "runs": "Run", "view/runs": "Run", "depositions": "Deposition"}
_ID = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """An entity by class name and id, or (when `entity` is empty) a path of the layout."""

    entity: str
    id: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What was named, and the portal if one of the addresses tells it."""

    targets: tuple[Target, ...]
    portal: str = ""


def read_targets(words: Sequence[str]) -> Named:
    """Raises `UsageError` for words that name nothing."""
    targets: list[Target] = []
    portals: dict[str, None] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if word.startswith(("http://", "https://")):
            portal, target = _page(word)
            portals[portal] = None
            targets.append(target)
        elif word.lower() in _WORDS:
            ids = _ids(word, left)
            targets += [Target(_WORDS[word.lower()], id) for id in ids]
            del left[: len(ids)]
        else:
            targets.append(_path(word))
    if len(portals) > 1:
        raise UsageError(
            f"These addresses are of several portals ({', '.join(portals)}); name those of one at a time."
        )
    return Named(tuple(targets), next(iter(portals), ""))


def _ids(word: str, left: Sequence[str]) -> list[int]:
    ids: list[int] = []
    for text in left:
        if not _ID.match(text):
            break
        ids.append(int(text))
    if not ids:
        after = f"; {left[0]!r} is none" if left else ""
        raise UsageError(f"After {word} comes its id, a number{after}: `{word} 10001`.")
    return ids


def _page(address: str) -> tuple[str, Target]:
    parts = urlsplit(address)
    head, slash, path = parts.path.partition("/files/")
    if slash:
        return f"{parts.scheme}://{parts.netloc}{head}", _path(unquote(path))
    match = _PAGES.search(parts.path)
    if match is None:
        raise UsageError(
            f"{address} is no page of a dataset, run or deposition, nor a file of a portal "
            "(/datasets/ID, /runs/ID, /depositions/ID, /files/…)."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path[: match.start()]}", Target(
        _PAGE_KINDS[match[1]], int(match[2])
    )


def _path(word: str) -> Target:
    path = word
    if word.startswith("s3://"):
        path = word.removeprefix("s3://").partition("/")[2]
    path = path.strip("/")
    if not path or ("/" not in path and not _ID.match(path)):
        kinds = ", ".join(KINDS)
        raise UsageError(
            f"{word!r} names nothing: expected a kind and an id ({kinds}), the address of a page, or a path such as 10001/TS_001."
        )
    return Target("", path=path)
