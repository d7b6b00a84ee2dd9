"""What the layout says about a dataset or deposition: its records and their sidecars, read before any row changes.

*Absent* and *unreadable* are different: an absent sidecar takes its rows away (unless the entity is being replaced), an
unreadable one stops the load of the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tomoportal.errors import NotFound, StorageError
from tomoportal.layout import paths, tree
from tomoportal.layout.private import Record, indexed, ledger_path, read_ledger
from tomoportal.layout.readers import readers
from tomoportal.layout.viewer_states import read_state
from tomoportal.problems import Problem
from tomoportal.storage.protocol import Storage

AT_A_TIME = 512
"""Records, about, that are held at a time."""

_IMPLIED = ("gains", "voxel_spacing")
"""Kinds that their record tells of; they have no sidecar."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record and what its sidecar says. `viewer_state` is the text of a tomogram's stored viewer state."""

    record: Record
    sidecar: dict[str, Any]
    viewer_state: str | None = None
    folder: str = field(init=False)
    """The folder of the entity."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", paths.folder(self.record.key))


@dataclass(frozen=True, slots=True)
class Found:
    """Everything readable of one dataset or deposition; `replacing` are entities whose old rows stay as they are."""

    published: tuple[Published, ...] = ()
    replacing: tuple[Record, ...] = ()
    spacings: tuple[Record, ...] = ()
    withdrawn: tuple[Record, ...] = ()
    total_size: int | None = field(default=0)
    """Bytes of all files of all records; None where that was not measured."""
    problems: tuple[Problem, ...] = ()
    """What was filled in or left out on the way."""


def added(one: int | None, other: int | None) -> int | None:
    """The sum of two sizes, unknown when one of them is."""
    return None if one is None or other is None else one + other


@contextmanager
def of_dataset(storage: Storage, dataset: str) -> Iterator[Iterator[Found] | None]:
    """Everything of a dataset: first what is its own, then its runs, some at a time; None when it was never gathered. Going on
    raises `StorageError` when something is unreadable."""
    with indexed(storage, dataset) as records:
        yield None if records is None else (read(storage, some) for some in _portions(records))


def of_runs(storage: Storage, dataset: str, runs: Iterable[str]) -> Iterator[Found]:
    """The same of some runs, out of their ledgers."""
    keys = (
        paths.Key("dataset", dataset=dataset),
        *(paths.Key("run", dataset=dataset, run=run) for run in runs),
    )
    records = (record for key in keys for record in read_ledger(storage, ledger_path(key)).records.values())
    return (read(storage, some) for some in _portions(records))


def _portions(records: Iterable[Record]) -> Iterator[list[Record]]:
    """What is the dataset's own (if only nothing), then whole runs."""
    own: list[Record] = []
    by_run = groupby(records, key=lambda record: record.key.run)
    run, first = next(by_run, ("", iter(())))
    if not run:
        own = list(first)
    yield own
    some = list(first) if run else []
    for _, more in by_run:
        some += more
        if len(some) >= AT_A_TIME:
            yield some
            some = []
    if some:
        yield some


def of_deposition(storage: Storage, deposition: str) -> Found:
    """A deposition's own sidecar; nothing when there is none."""
    ledger = read_ledger(storage, ledger_path(paths.Key("deposition", deposition=deposition)))
    return read(storage, list(ledger.records.values()))


def read(storage: Storage, records: Sequence[Record]) -> Found:
    """The sidecars of all records that have one. What was withdrawn has none, whatever still lies there."""
    withdrawn = tuple(r for r in records if r.withdrawal is not None)
    records = [r for r in records if r.withdrawal is None]
    with_sidecar = [r for r in records if r.published and r.key.kind not in _IMPLIED]
    read_one = _reader(storage)
    with readers(storage) as each:
        outcomes = list(each(read_one, with_sidecar))
    gains = [Published(r, tree.implied(r)) for r in records if r.key.kind == "gains" and r.published]
    return Found(
        published=(*(item for item in outcomes if isinstance(item, Published)), *gains),
        replacing=tuple(item for item in outcomes if isinstance(item, Record)),
        withdrawn=withdrawn,
        spacings=tuple(r for r in records if r.key.kind == "voxel_spacing"),
        total_size=sum(record.total_size() for record in records),
    )


def _reader(storage: Storage) -> Callable[[Record], Published | Record | None]:
    def read_one(record: Record) -> Published | Record | None:
        sidecar = tree.read_sidecar(storage, record)
        if sidecar is None:
            return record if storage.exists(tree.marker(record)) else None
        if not isinstance(sidecar, dict):
            raise StorageError(record.sidecar, "this sidecar is not a JSON object")
        state = _viewer_state(storage, record, sidecar) if record.key.kind == "tomogram" else None
        return Published(record, sidecar, state)

    return read_one


def _viewer_state(storage: Storage, record: Record, sidecar: dict[str, Any]) -> str | None:
    path = sidecar.get("neuroglancer_config_path") or paths.viewer_state(record.key)
    try:
        state = storage.read(path).decode()
        read_state(state)
    except NotFound:
        return None
    except ValueError as error:
        raise StorageError(path, f"this viewer state is damaged: {error}") from error
    return state
