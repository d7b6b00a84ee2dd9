"""A tree of the standard layout without a private area, such as a copy of a public portal's bucket: what lies where.

Folders are listed one level at a time and none inside a volume, so that no chunk is ever listed. Both spellings are read, ours and that of
the reference system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tomoportal.layout import paths
from tomoportal.layout.paths import Key
from tomoportal.layout.readers import readers

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Entry, Level, Storage


@dataclass(frozen=True, slots=True)
class Place:
    """An entity, as the listing of its folder tells it: `sidecars` are the files that may hold its metadata, the one to read last;
    `files` and `folders` (paths) lie directly in its folder; that of a tomogram's pictures is among them."""

    key: Key
    sidecars: tuple[Entry, ...] = ()
    files: tuple[Entry, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def sidecar(self) -> str:
        """Path of the metadata; empty for gains and voxel spacings."""
        return self.sidecars[-1].path if self.sidecars else ""


def dataset_names(storage: Storage) -> list[str]:
    """Folders at the top that hold the metadata of a dataset and have nothing in the private area."""
    ours = set(storage.folders(f"{paths.PRIVATE}/datasets"))
    others = {paths.DEPOSITIONS, paths.DEPOSITIONS_OF_REFERENCE, *ours}
    names = [name for name in storage.folders() if name not in others and not paths.is_private(name)]
    sidecars = [paths.sidecar(Key("dataset", dataset=name)) for name in names]
    with readers(storage) as each:
        there = list(each(storage.exists, sidecars))
    return [name for name, is_there in zip(names, there, strict=True) if is_there]


def deposition_place(storage: Storage, deposition: str) -> Place | None:
    """A deposition, ours before that of the reference system; None when there is none."""
    key = Key("deposition", deposition=deposition)
    for home in (paths.DEPOSITIONS, paths.DEPOSITIONS_OF_REFERENCE):
        if found := _place(key, storage.level(f"{home}/{deposition}")):
            return found
    return None


def dataset_place(storage: Storage, dataset: str) -> tuple[Place, list[str]] | None:
    """A dataset and the folders that may be its runs; None when it has no metadata."""
    level = storage.level(dataset)
    found = _place(Key("dataset", dataset=dataset), level)
    runs = [name for name in level.folders if paths.safe_run_name(name)]
    return None if found is None else (found, runs)


def places_of_run(storage: Storage, dataset: str, name: str) -> list[Place]:
    """A run, then everything in it; nothing when the folder holds no metadata of a run."""
    run = Key("run", dataset=dataset, run=name)
    level = storage.level(paths.folder(run))
    own = _place(run, level)
    if own is None:
        return []
    return [own, *(place for folder in level.folders for place in _inside(storage, run, folder))]


def fingerprint(places: Iterable[Place]) -> str:
    """Changes when metadata or the names of data files change, or their sizes."""
    digest = hashlib.sha256()
    for place in places:
        for entry in (*place.sidecars, *place.files):
            digest.update(f"{entry.path}\0{entry.tag}\0{entry.size}\n".encode())
        digest.update("\n".join((paths.folder(place.key), *place.folders, "")).encode())
    return digest.hexdigest()[:32]


def _inside(storage: Storage, run: Key, name: str) -> Iterator[Place]:
    home = f"{paths.folder(run)}/{name}"
    match name:
        case "Frames" | "IdentifiedObjects":
            key = run.of("frames" if name == "Frames" else "identified_objects")
            if found := _place(key, storage.level(home)):
                yield found
        case "Gains":
            if files := storage.level(home).files:
                yield Place(run.of("gains"), files=files)
        case "TiltSeries" | "Alignments":
            yield from _numbered(storage, home)
        case "Reconstructions":
            for folder in storage.folders(home):
                spacing = paths.owner(f"{home}/{folder}")
                if spacing is not None and spacing.kind == "voxel_spacing":
                    yield from _of_spacing(storage, spacing)


def _of_spacing(storage: Storage, spacing: Key) -> Iterator[Place]:
    home = paths.folder(spacing)
    folders = storage.folders(home)
    pictures = storage.folders(f"{home}/{paths.IMAGES}") if paths.IMAGES in folders else []
    yield Place(spacing)
    for place in _numbered(storage, f"{home}/Tomograms") if "Tomograms" in folders else ():
        has_pictures = str(place.key.id) in pictures
        yield replace(place, folders=(*place.folders, paths.pictures(place.key))) if has_pictures else place
    if "Annotations" in folders:
        yield from _numbered(storage, f"{home}/Annotations")


def _numbered(storage: Storage, home: str) -> Iterator[Place]:
    """The entities in the folders below `home` that are called by a number."""
    for name in storage.folders(home):
        path = f"{home}/{name}"
        key = paths.owner(path)
        if key is not None and paths.folder(key) == path and (found := _place(key, storage.level(path))):
            yield found


def _place(key: Key, level: Level) -> Place | None:
    """None when there is no metadata. Of several files with metadata the last written is taken."""
    sidecars = [entry for entry in level.files if paths.kind_of_sidecar(entry.path) == key]
    if not sidecars:
        return None
    home = sidecars[0].path.rpartition("/")[0]
    ordered = sorted(sidecars, key=lambda entry: (entry.modified, entry.path))
    data = tuple(entry for entry in level.files if entry not in sidecars)
    return Place(key, tuple(ordered), data, tuple(f"{home}/{name}" for name in level.folders))
