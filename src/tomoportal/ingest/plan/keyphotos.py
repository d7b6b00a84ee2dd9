"""Which pictures the deposition file gives for a dataset or deposition, and where each of them may lie. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tomoportal.config import Config
from tomoportal.ingest.find import Found, FoundItem
from tomoportal.layout.paths import Key
from tomoportal.problems import Problem, Severity

SIZES = ("snapshot", "thumbnail")


@dataclass(frozen=True, slots=True)
class WantedPhoto:
    """`name`: as it stands in the deposition file, or the path found. `address`: where to fetch it, else one of `paths`, the first that
    is there, in the source (or in the portal, for a reference). `file`, `line`, `where`: what asks for it."""

    name: str
    address: str = ""
    paths: tuple[str, ...] = ()
    in_portal: bool = False
    file: str = ""
    line: int = 1
    where: str = ""


WantedPhotos = Mapping[str, WantedPhoto]
"""Size (`snapshot`, `thumbnail`) → picture."""


def plan_keyphotos(found: Found, problems: list[Problem]) -> dict[Key, WantedPhotos]:
    """The pictures of the deposition and of all datasets for which any are given; what is wrong is added to `problems`."""
    deposition = found.deposition
    if deposition is None:
        return {}
    own = deposition.items.get("deposition_keyphotos", ())
    places = [(Key("deposition", deposition=deposition.name), own)]
    places += [
        (Key("dataset", dataset=dataset.name), dataset.items.get("dataset_keyphotos", ()))
        for dataset in deposition.datasets
    ]
    wanted: dict[Key, WantedPhotos] = {}
    for key, items in places:
        photos, told = wanted_photos(found.config, items)
        problems += told
        if photos:
            wanted[key] = photos
    return wanted


def wanted_photos(config: Config, items: Iterable[FoundItem]) -> tuple[dict[str, WantedPhoto], list[Problem]]:
    """The picture for each size. When one only is given it stands for both, so that both show the same."""
    wanted: dict[str, WantedPhoto] = {}
    problems: list[Problem] = []
    given = [item for item in items if item.path]
    for item in given:
        photo = _photo(config, item)
        if item.name in SIZES or len(given) == 1:
            wanted.setdefault(item.name if item.name in SIZES else SIZES[0], photo)
        else:
            problems.append(_nameless(photo, item.name))
    for size in SIZES:
        if wanted and size not in wanted:
            wanted[size] = next(iter(wanted.values()))
    return wanted, problems


def _photo(config: Config, item: FoundItem) -> WantedPhoto:
    path = item.path or ""
    place = {"file": config.file, "line": item.source.line, "where": item.source.where}
    if item.referenced or item.source.globs:
        return WantedPhoto(path, paths=(path,), in_portal=item.referenced, **place)  # type: ignore[arg-type]
    if "://" in path:
        return WantedPhoto(path, path, **place)  # type: ignore[arg-type]
    prefix = config.standardization.source_prefix
    below = f"{prefix}/{path}" if prefix else path
    inside_bucket = path.partition("/")[2]
    paths = dict.fromkeys(candidate for candidate in (below, path, inside_bucket) if candidate)
    return WantedPhoto(path, paths=tuple(paths), **place)  # type: ignore[arg-type]


def _nameless(photo: WantedPhoto, name: str) -> Problem:
    return Problem(
        "key-photo", f"{photo.name} is called '{name}', which is neither snapshot nor thumbnail; it is left out", Severity.WARNING,
        photo.file, photo.line, photo.where, "Let name_regex give 'snapshot' or 'thumbnail' as its first group.",
    )  # fmt: skip
