"""Datasets without a private area, such as those of the reference system: read by listing, with ids out of the ledger beside the database.

What comes out is what `sidecars` gives for datasets of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from tomoportal.catalog.ledger import Measured, MirrorLedger
from tomoportal.catalog.sidecars import Found, Published, added
from tomoportal.errors import NotFound, StorageError
from tomoportal.layout import mirror, paths, reference, tree
from tomoportal.layout.mirror import Place
from tomoportal.layout.private import Record, read_json
from tomoportal.layout.readers import readers
from tomoportal.problems import Problem, Severity
from tomoportal.storage.protocol import Storage

RUNS_AT_A_TIME = 64
_NOTHING: int | None = 0
OBJECTS = "identified_objects.json"
"""The list that lies beside the metadata of identified objects."""


@dataclass(frozen=True, slots=True)
class _Read:
    """An entity and its metadata in our words; gains and voxel spacings have none of their own."""

    place: Place
    sidecar: dict[str, Any]
    viewer_state: str | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Mirror:
    """Reads one dataset. `fingerprint` is known when all portions have been taken."""

    storage: Storage
    ledger: MirrorLedger
    dataset: str
    fingerprint: str = ""

    def portions(self) -> Iterator[Found] | None:
        """First what is the dataset's own, then its runs, some at a time; None when there are no metadata of a dataset. Going on raises
        `StorageError` when something is unreadable."""
        found = mirror.dataset_place(self.storage, self.dataset)
        return None if found is None else self._portions(*found)

    def _portions(self, own: Place, runs: list[str]) -> Iterator[Found]:
        digest = hashlib.sha256(mirror.fingerprint([own]).encode())
        read = _read(self.storage, own, {}, "")
        deposition = str(read.sidecar.get("deposition_id") or "")
        pictures = self.storage.level(f"{self.dataset}/{paths.IMAGES}").files
        yield self._found([read], sum(entry.size for entry in (*own.sidecars, *own.files, *pictures)))
        with readers(self.storage) as each:
            for names in _some(runs):
                measured = self.ledger.measured(f"{self.dataset}/{name}" for name in names)
                portion = list(each(partial(self._run, measured, deposition), names))
                total = _NOTHING
                for name, (places, _) in zip(names, portion, strict=True):
                    mark = mirror.fingerprint(places)
                    digest.update(f"{name} {mark}\n".encode())
                    total = added(total, _total(measured.get(f"{self.dataset}/{name}"), mark, places))
                yield self._found([item for _, reads in portion for item in reads], total)
        self.fingerprint = digest.hexdigest()[:32]

    def _run(
        self, measured: Mapping[str, Measured], deposition: str, name: str
    ) -> tuple[list[Place], list[_Read]]:
        places = mirror.places_of_run(self.storage, self.dataset, name)
        known = measured.get(f"{self.dataset}/{name}")
        return places, [_read(self.storage, place, _sizes(place, known), deposition) for place in places]

    def _found(self, reads: list[_Read], total: int | None) -> Found:
        return _with_ids(self.ledger, reads, total)


def deposition(storage: Storage, ledger: MirrorLedger, name: str) -> Found:
    """A deposition without a ledger of its own; nothing when there is none."""
    place = mirror.deposition_place(storage, name)
    return Found() if place is None else _with_ids(ledger, [_read(storage, place, {}, "")], None)


def fingerprint(storage: Storage, dataset: str) -> str | None:
    """What `Mirror.fingerprint` would be; None when there are no metadata of a dataset. Reads nothing but listings."""
    found = mirror.dataset_place(storage, dataset)
    if found is None:
        return None
    own, runs = found
    digest = hashlib.sha256(mirror.fingerprint([own]).encode())
    with readers(storage) as each:
        for names in _some(runs):
            marks = each(partial(_mark_of_run, storage, dataset), names)
            for name, mark in zip(names, marks, strict=True):
                digest.update(f"{name} {mark}\n".encode())
    return digest.hexdigest()[:32]


def _mark_of_run(storage: Storage, dataset: str, name: str) -> str:
    return mirror.fingerprint(mirror.places_of_run(storage, dataset, name))


def _some(names: Iterable[str]) -> Iterator[list[str]]:
    left = iter(names)
    while some := list(islice(left, RUNS_AT_A_TIME)):
        yield some


def _read(storage: Storage, place: Place, sizes: Mapping[str, int], of_dataset: str) -> _Read:
    key = place.key
    if key.kind == "gains":
        return _Read(place, {"gains": sorted(entry.path for entry in place.files)})
    if not place.sidecar:
        return _Read(place, {})
    data = read_json(storage, place.sidecar)
    if not isinstance(data, dict):
        raise StorageError(place.sidecar, "these metadata are not a JSON object")
    objects = None
    if key.kind == "identified_objects" and "objects" not in data:
        objects = read_json(storage, f"{paths.folder(key)}/{OBJECTS}") or []
    out = reference.translate(place, data, sizes, deposition=of_dataset, objects=objects)
    state = _viewer_state(storage, place, out.sidecar) if key.kind == "tomogram" else None
    return _Read(place, out.sidecar, state, out.problems + _several(place))


def _several(place: Place) -> list[Problem]:
    if len(place.sidecars) < 2:
        return []
    others = ", ".join(entry.path.rpartition("/")[2] for entry in place.sidecars[:-1])
    told = f"lies beside other metadata of the same entity ({others}), and was written last; the others are not read"
    return [Problem("load-several-metadata", told, Severity.WARNING, place.sidecar)]


def _viewer_state(storage: Storage, place: Place, sidecar: Mapping[str, Any]) -> str | None:
    key = place.key
    home = f"{paths.viewer_folder(key)}/{key.id}-neuroglancer"
    told = sidecar.get("neuroglancer_config_path")
    for path in dict.fromkeys(
        (*((str(told),) if told else ()), f"{home}_config.json", f"{home}-config.json")
    ):
        try:
            state = storage.read(path).decode()
            return reference.with_files_mark(state, key.dataset, key.run)
        except NotFound:
            continue
        except ValueError as error:
            raise StorageError(path, f"this viewer state is damaged: {error}") from error
    return None


def _sizes(place: Place, measured: Measured | None) -> dict[str, int]:
    """Bytes by path: files as listed, volumes as measured while their metadata were the same."""
    sizes = {entry.path: entry.size for entry in place.files}
    tag = place.sidecars[-1].tag if place.sidecars else ""
    volumes = measured.volumes if measured else {}
    return sizes | {path: volumes[path][1] for path in place.folders if volumes.get(path, ("",))[0] == tag}


def _total(measured: Measured | None, mark: str, places: list[Place]) -> int | None:
    if not places:
        return 0
    return measured.total if measured is not None and measured.fingerprint == mark else None


def _with_ids(ledger: MirrorLedger, reads: Iterable[_Read], total: int | None) -> Found:
    reads = list(reads)
    wanted = {paths.folder(read.place.key): _rows(read) for read in reads}
    ids = ledger.assign({folder: rows for folder, rows in wanted.items() if rows})
    published, spacings, problems = [], [], []
    for read in reads:
        key, place = read.place.key, paths.folder(read.place.key)
        files = {entry.path: {"size": entry.size} for entry in read.place.files}
        record = Record(key, {}, sidecar=read.place.sidecar, files=files, ids=ids.get(place, {}))
        if key.kind == "voxel_spacing":
            spacings.append(record)
        else:
            published.append(Published(record, read.sidecar, read.viewer_state))
        problems += read.problems
    return Found(tuple(published), spacings=tuple(spacings), total_size=total, problems=tuple(problems))


def _rows(read: _Read) -> list[tuple[str, str]]:
    """(entity class name, row key) of all rows that need an id; datasets and depositions bring their own."""
    rows = tree.rows(read.place.key.kind, read.sidecar)
    named = [(row.entity.__name__, row.row_key) for row in rows]
    return [(name, key) for name, key in named if not (key == tree.OWN and name in ("Dataset", "Deposition"))]
