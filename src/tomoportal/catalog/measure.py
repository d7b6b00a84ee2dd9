"""Sizes of what somebody else has written: every object of a mirror is listed once, run by run, and the sums are kept in the ledger.

Datasets of ours need none of this: their sizes are in the records of their making.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy.engine import URL

from tomoportal.catalog.ledger import Measured, MirrorLedger
from tomoportal.layout import mirror
from tomoportal.layout.mirror import Place
from tomoportal.layout.paths import Key, folder
from tomoportal.storage.protocol import Storage

LISTED_AT_ONCE = 8
"""Runs whose objects are listed at a time on object stores; each listing is held in memory."""
HAVE_VOLUMES = ("tiltseries", "tomogram", "annotation")


@dataclass(frozen=True, slots=True)
class Measurement:
    """`runs` were listed, `known` had been before and have not changed since; `datasets` are all mirrored ones that were looked at."""

    datasets: tuple[str, ...]
    runs: int
    known: int


def measure(
    storage: Storage,
    database: str | URL,
    datasets: Iterable[str] | None = None,
    *,
    began: Callable[[int], None] = lambda _: None,
    done: Callable[[str], None] = lambda _: None,
) -> Measurement:
    """List all objects of mirrored datasets (all of them, or those named) and keep the sizes of volumes and runs. What was measured stays
    when this is stopped. `began` is told how many runs there are, `done` the folder of each that is finished. Raises `StorageError`,
    `CatalogError`."""
    chosen = None if datasets is None else set(datasets)
    names = [name for name in mirror.dataset_names(storage) if chosen is None or name in chosen]
    runs = [Key("run", dataset=name, run=run) for name in names for run in _runs(storage, name)]
    began(len(runs))
    listed = 0
    with MirrorLedger(database) as ledger:

        def one(run: Key) -> bool:
            is_new = _measure_run(storage, ledger, run)
            done(folder(run))
            return is_new

        if storage.local_path("") is not None:
            listed = sum(map(one, runs))
        else:
            with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
                listed = sum(pool.map(one, runs))
    return Measurement(tuple(names), listed, len(runs) - listed)


def _runs(storage: Storage, dataset: str) -> list[str]:
    found = mirror.dataset_place(storage, dataset)
    return found[1] if found else []


def _measure_run(storage: Storage, ledger: MirrorLedger, run: Key) -> bool:
    """Whether it had to be listed."""
    places = mirror.places_of_run(storage, run.dataset, run.run)
    mark, home = mirror.fingerprint(places), folder(run)
    known = ledger.measured([home]).get(home)
    if not places or (known is not None and known.fingerprint == mark):
        return False
    tags = {path: place.sidecars[-1].tag for place in places for path in _volumes(place)}
    sizes, total = dict.fromkeys(tags, 0), 0
    for entry in storage.list(home):
        total += entry.size
        if (inside := next((path for path in tags if entry.path.startswith(f"{path}/")), None)) is not None:
            sizes[inside] += entry.size
    ledger.keep_measured(home, Measured(mark, total, {path: (tags[path], sizes[path]) for path in tags}))
    return True


def _volumes(place: Place) -> list[str]:
    """Folders with data that lie in the folder of an entity."""
    here = folder(place.key)
    if place.key.kind not in HAVE_VOLUMES:
        return []
    return [path for path in place.folders if path.rpartition("/")[0] == here]
