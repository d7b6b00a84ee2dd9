"""Keeping up with a layout that changes: looking at little, loading what has changed, and going on through trouble.

A dataset of ours has changed when its index has, a mirrored one when the listing of its metadata has. What was told once is not told again
until it is different.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sql

from tomoportal.catalog import mirrors
from tomoportal.catalog.catalog import Catalog, open_catalog
from tomoportal.catalog.load import NOTED, LoadReport, index_tag, refresh
from tomoportal.catalog.rows import note
from tomoportal.catalog.tables import FOLDER
from tomoportal.errors import CatalogError, StorageError
from tomoportal.layout import mirror, paths, tree
from tomoportal.layout.private import deposition_entries
from tomoportal.layout.readers import readers
from tomoportal.problems import Problem
from tomoportal.storage.protocol import Storage

DEPOSITION = "record of deposition "
"""Notes of the catalogue that begin so tell the state of the deposition that was loaded."""
UNREADABLE = "load-unreadable"


@dataclass(frozen=True, slots=True)
class Happening:
    """What the watcher tells: `event` is `loaded`, `removed`, `problem`, `away` (storage or database cannot be reached), `back`, or
    `current` (after the first look)."""

    event: str
    message: str
    where: str = ""
    rows: int = 0
    seconds: float = 0.0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What lies in the layout: folder name → state."""

    datasets: Mapping[str, str]
    depositions: Mapping[str, str]


@dataclass(slots=True)
class Watcher:
    """`look` brings the catalogue up to date; call it as often as you like. Not for several threads."""

    open_storage: Callable[[], Storage]
    database_url: str
    tell: Callable[[Happening], None]
    is_over: Callable[[], bool] = lambda: False
    _away: str = ""
    _is_first: bool = True
    _told: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    _tried: dict[str, str] = field(default_factory=dict)
    """The state in which a dataset could not be loaded as a whole."""

    def look(self) -> None:
        """Load what has changed since the catalogue was loaded. Trouble with storage or database is told, not raised."""
        try:
            storage = self.open_storage()
            seen = _Seen(dict(_datasets(storage)), dict(_depositions(storage)))
            with open_catalog(self.database_url, create=True) as catalog:
                self._back()
                self._bring_up_to_date(storage, catalog, seen)
        except (StorageError, CatalogError, sql.exc.DBAPIError) as error:
            self._gone(str(error.orig if isinstance(error, sql.exc.DBAPIError) else error))
            return
        if self._is_first:
            self._is_first = False
            self.tell(Happening("current", f"{len(seen.datasets)} datasets are known"))

    def _bring_up_to_date(self, storage: Storage, catalog: Catalog, seen: _Seen) -> None:
        noted = {} if catalog.fresh else catalog.database.state()
        new = {n: state for n, state in seen.depositions.items() if noted.get(f"{DEPOSITION}{n}") != state}
        changed = [name for name in seen.datasets if self._is_to_load(name, seen, noted, bool(new))]
        if new or self._is_less(catalog, seen):
            report = self._load(storage, catalog, "", [], list(new))
            for name, state in () if _is_unreadable(report) else new.items():
                note(catalog.database, f"{DEPOSITION}{name}", state)
        for name in changed:
            if self.is_over():
                return
            report = self._load(storage, catalog, name, [name], [])
            if catalog.database.state().get(f"{NOTED}{name}") == seen.datasets[name]:
                self._tried.pop(name, None)
            else:
                self._tried[name] = _try(seen.datasets[name], report)

    def _is_to_load(self, name: str, seen: _Seen, noted: Mapping[str, str], has_new: bool) -> bool:
        """What could not be read is tried every time, what was refused when something it may need is new."""
        state = seen.datasets[name]
        if noted.get(f"{NOTED}{name}") == state:
            return False
        return has_new or self._tried.get(name) != state

    def _is_less(self, catalog: Catalog, seen: _Seen) -> bool:
        """Whether something of the catalogue is gone from the layout."""
        tables = catalog.database.tables.tables
        there = {*seen.datasets, *(f"{paths.DEPOSITIONS}/{name}" for name in seen.depositions)}
        with catalog.database.reader.connect() as connection:
            return any(
                folder not in there
                for name in ("dataset", "deposition")
                for folder in connection.execute(sql.select(tables[name].c[FOLDER])).scalars()
            )

    def _load(
        self, storage: Storage, catalog: Catalog, name: str, datasets: list[str], depositions: list[str]
    ) -> LoadReport:
        started = time.monotonic()
        report = refresh(storage, catalog, datasets=datasets, depositions=depositions)
        for folder in report.removed:
            self.tell(Happening("removed", f"{folder}: gone from the files, and from the catalogue", folder))
        told = self._told.get(name, ())
        for problem in report.problems:
            if problem not in told:
                self.tell(Happening("problem", str(problem), name, problem=problem))
        self._told[name] = report.problems
        took = time.monotonic() - started
        for loaded in (*report.datasets, *(() if datasets else depositions)):
            message = f"{loaded}: {report.rows:,} rows loaded in {took:.1f} s"
            self.tell(Happening("loaded", message, loaded, report.rows, round(took, 3)))
        return report

    def _gone(self, reason: str) -> None:
        if self._away != reason:
            self._away = reason
            self.tell(Happening("away", f"{reason} (waiting for it to come back)"))

    def _back(self) -> None:
        if self._away:
            self._away = ""
            self.tell(Happening("back", "storage and database can be reached again"))


def _try(state: str, report: LoadReport) -> str:
    """The state for which it need not be tried again; none when a file could not be read, which may be repaired without a trace."""
    return "" if _is_unreadable(report) else state


def _is_unreadable(report: LoadReport) -> bool:
    return any(problem.code == UNREADABLE for problem in report.problems)


def _datasets(storage: Storage) -> Iterator[tuple[str, str]]:
    """All datasets and their states."""
    names = tree.dataset_names(storage)
    with readers(storage) as each:
        tags = list(each(lambda name: _state(name, lambda: index_tag(storage, name)), names))
    yield from ((name, tag) for name, tag in zip(names, tags, strict=True) if tag)
    for name in mirror.dataset_names(storage):
        if state := _state(name, lambda name=name: mirrors.fingerprint(storage, name)):  # type: ignore[misc]
            yield name, state


def _state(name: str, ask: Callable[[], str | None]) -> str | None:
    """One dataset that cannot be listed keeps nobody from looking at the others; loading it tells what is wrong."""
    try:
        return ask()
    except StorageError as error:
        return f"{name} cannot be listed: {error}"


def _depositions(storage: Storage) -> Iterator[tuple[str, str]]:
    """All depositions and their states."""
    ours: dict[str, Any] = {name: entry.tag for name, entry in deposition_entries(storage).items()}
    yield from ours.items()
    for name in tree.deposition_names(storage):
        if name not in ours and (place := mirror.deposition_place(storage, name)) is not None:
            yield name, mirror.fingerprint([place])
