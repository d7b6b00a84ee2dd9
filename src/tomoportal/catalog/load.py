"""Layout → rows. Everything is read, some runs at a time, before a row changes; one transaction for each dataset.

The layout is the truth: loading it all into an empty database gives the same ids and the same answers as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import sqlalchemy as sql

from tomoportal.catalog import mirrors, sidecars
from tomoportal.catalog.catalog import Catalog
from tomoportal.catalog.ledger import MirrorLedger
from tomoportal.catalog.mirrors import Mirror
from tomoportal.catalog.reading import Known, Reader
from tomoportal.catalog.rows import count_load, delete, insert, mark_replaced, note, settle
from tomoportal.catalog.search import index
from tomoportal.catalog.sidecars import Found, added
from tomoportal.catalog.spool import Portion, Spool
from tomoportal.catalog.tables import FOLDER, RELEASE, below
from tomoportal.catalog.tombstones import bury, dig_up, tombstones_of
from tomoportal.errors import NotFound, StorageError, UsageError
from tomoportal.layout import mirror, paths, tree
from tomoportal.layout.ids import FIRST_OF_MIRRORS
from tomoportal.layout.ontologies import HOME, read_ontologies
from tomoportal.layout.private import Record, deposition_ledgers, index_path, ledger_path
from tomoportal.model.deposition import Dataset
from tomoportal.model.ontology import Ontologies
from tomoportal.model.registry import ENTITIES
from tomoportal.problems import Problem, has_errors, in_order, summarised
from tomoportal.storage.protocol import Storage

NOTED = "index of "
"""Notes of the catalogue that begin so tell the state of the dataset that was loaded."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """`rows`: how many were put in; `datasets`: those that were loaded; `removed`: folders of datasets and depositions that were in the
    catalogue and are gone; `problems`: what was left out or guessed, and why."""

    rows: int = 0
    datasets: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    removed: tuple[str, ...] = ()


def load(
    storage: Storage,
    catalog: Catalog,
    *,
    datasets: Iterable[str] | None = None,
    runs: Iterable[str] | None = None,
    depositions: Iterable[str] = (),
) -> LoadReport:
    """Bring the catalogue up to date with the layout: all of it, some datasets (by folder name), or some runs of one dataset;
    `depositions` are loaded with these.

    A catalogue that has just been made is filled with everything, whatever is asked for. Unreadable metadata stops the dataset
    they belong to: its rows stay as they were, and the report says so. Sizes of datasets change only when the whole dataset
    is loaded. Raises `UsageError`.
    """
    chosen = None if datasets is None or catalog.fresh else list(datasets)
    if runs is not None and not catalog.fresh:
        if chosen is None or len(chosen) != 1:
            raise UsageError("runs can only be loaded for one dataset at a time; name it")
        report = _Loading(storage, catalog).runs(chosen[0], list(runs))
    else:
        report = _Loading(storage, catalog).datasets(chosen, list(depositions))
    catalog.fresh = False
    return report


def refresh(
    storage: Storage, catalog: Catalog, *, datasets: Iterable[str], depositions: Iterable[str]
) -> LoadReport:
    """Load these datasets and depositions, and remove the rows of those that are gone."""
    report = _Loading(storage, catalog).datasets(list(datasets), list(depositions), forgetting=True)
    catalog.fresh = False
    return report


def is_current(storage: Storage, catalog: Catalog, dataset: str) -> bool:
    """Whether the whole dataset was loaded since it was gathered."""
    return not catalog.fresh and catalog.database.state().get(_noted(dataset)) == index_tag(storage, dataset)


_ONTOLOGIES = "ontologies"
"""The note of which ontologies the searchable texts were made with."""


def _noted(dataset: str) -> str:
    return f"{NOTED}{dataset}"


def index_tag(storage: Storage, dataset: str) -> str:
    """Changes whenever a dataset is gathered; empty before."""
    try:
        return storage.stat(index_path(dataset)).tag
    except NotFound:
        return ""


@dataclass(slots=True)
class _Loading:
    storage: Storage
    catalog: Catalog
    rows: int = 0
    done: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _depositions: dict[int, bool] = field(default_factory=dict)
    _ledger: MirrorLedger | None = None
    _known_ontologies: Ontologies | None = None

    def datasets(
        self, chosen: list[str] | None, depositions: list[str], *, forgetting: bool = False
    ) -> LoadReport:
        ours = tree.dataset_names(self.storage)
        present = [*ours, *mirror.dataset_names(self.storage)] if chosen is None or forgetting else []
        self._renew_names()
        if chosen is None or forgetting:
            self._forget_others(present)
        if chosen is None:
            for name in tree.deposition_names(self.storage) + deposition_ledgers(self.storage):
                self._deposition(name)
        for name in depositions:
            self._deposition(name)
        for name in present if chosen is None else chosen:
            self._dataset(name, is_ours=name in ours, asked_for=chosen is not None)
        return self._report()

    def runs(self, dataset: str, runs: list[str]) -> LoadReport:
        self._renew_names()
        found = sidecars.of_runs(self.storage, dataset, runs)
        self._put(dataset, found, [f"{dataset}/{run}" for run in runs], skip=("dataset",))
        return self._report()

    def _dataset(self, name: str, *, is_ours: bool, asked_for: bool) -> None:
        before = len(self.problems)
        try:
            state = self._ours(name) if is_ours else self._mirrored(name)
        except StorageError as error:
            self._stopped(name, error)
            return
        if state is None and asked_for:
            self._unknown(name)
        if name in self.done and not has_errors(self.problems[before:]):
            note(self.catalog.database, _noted(name), state or "")

    def _ours(self, name: str) -> str | None:
        """Load a dataset with a private area; returns what tells its state, None when it was never gathered."""
        tag = index_tag(self.storage, name)
        with sidecars.of_dataset(self.storage, name) as found:
            if found is None:
                return None
            self._put(name, found, [name])
        return tag

    def _mirrored(self, name: str) -> str | None:
        """The same of one without; None when there are no metadata of a dataset."""
        source = Mirror(self.storage, self._mirror_ledger(), name)
        found = source.portions()
        if found is None:
            return None
        if self._has_ids_of_ours(name):
            self._lost(name)
            return ""
        before = len(self.problems)
        self._put(name, found, [name])
        self.problems[before:] = summarised(self.problems[before:], name)
        return source.fingerprint

    def _mirror_ledger(self) -> MirrorLedger:
        if self._ledger is None:
            self._ledger = MirrorLedger(self.catalog.database.address)
        return self._ledger

    def _put(
        self, dataset: str, found: Iterator[Found], scopes: list[str], *, skip: tuple[str, ...] = ()
    ) -> None:
        """All is read, and kept in a file meanwhile, before the transaction begins: while it lasts nobody else can write."""
        with Spool() as spool:
            try:
                kept, problems = self._read(dataset, found, spool, skip)
            except StorageError as error:
                self._stopped(dataset, error)
                return
            self.problems += problems
            try:
                self._store(scopes, spool, kept)
            except sql.exc.IntegrityError as error:
                self._problem(
                    "load-duplicate", f"rows of {dataset} have ids that others have ({error.orig}); they stay as they were", dataset,
                    "Two datasets with one identifier, or damaged ledgers in .tomoportal; correct them and load again.",
                )  # fmt: skip
                return
        self.done.append(dataset)

    def _read(
        self, dataset: str, found: Iterator[Found], spool: Spool, skip: tuple[str, ...]
    ) -> tuple[list[str], list[Problem]]:
        """Spool all rows; returns the folders whose old rows stay, and what was found wrong. The dataset's own rows come last, since
        they tell the size of everything."""
        own, ids = self._own(dataset, next(found))
        kept = [paths.folder(record.key) for record in own.replacing]
        problems: list[Problem] = []
        size = own.total_size
        for part in found:
            size = added(size, part.total_size)
            part = self._with_rows(part)
            kept += [paths.folder(record.key) for record in part.replacing]
            known = Known(self._depositions_of(part), ids.dataset, ids.dataset_deposition, ids.release)
            problems += self._spooled(part, known, spool, skip)
        known = Known(ids.depositions, ids.dataset, ids.dataset_deposition, ids.release)
        return kept, self._spooled(replace(own, total_size=size), known, spool, skip) + problems

    def _own(self, dataset: str, own: Found) -> tuple[Found, Known]:
        """What is a dataset's own, and what its runs need to know of it."""
        own = self._with_rows(own)
        ids = Known(self._depositions_of(own))
        if any(record.key.kind == "dataset" for record in own.replacing):
            ids.dataset, ids.dataset_deposition = self._kept_dataset(dataset)
        Reader(own, ids).read()
        return own, ids

    def _with_rows(self, found: Found) -> Found:
        """Only what has rows can keep them while it is being replaced."""
        return replace(found, replacing=tuple(record for record in found.replacing if self._has_rows(record)))

    def _depositions_of(self, found: Found) -> frozenset[int]:
        wanted = {str(item.sidecar.get("deposition_id")) for item in found.published}
        numbers = sorted(number for number in wanted if number.isdecimal())
        return frozenset(int(number) for number in numbers if self._deposition(number))

    @staticmethod
    def _spooled(found: Found, known: Known, spool: Spool, skip: tuple[str, ...]) -> list[Problem]:
        rows = Reader(found, known).read(skip=skip)
        buried = [record for record in found.withdrawn if record.key.kind not in skip]
        spool.put(Portion(dict(rows.rows), tombstones_of(buried)))
        return [*found.problems, *rows.problems]

    def _deposition(self, name: str) -> bool:
        """Load a deposition, once; whether it is in the catalogue."""
        number = int(name) if name.isdecimal() else -1
        if number not in self._depositions:
            self._depositions[number] = self._load_deposition(name)
        return self._depositions[number]

    def _load_deposition(self, name: str) -> bool:
        folder = paths.folder(paths.Key("deposition", deposition=name))
        try:
            found = self._found_of_deposition(name)
        except StorageError as error:
            self._stopped(folder, error)
            return self._is_there(folder)
        if found.replacing and self._is_there(folder):
            return True
        rows = Reader(found, Known(frozenset())).read()
        self.problems += [*found.problems, *rows.problems]
        before = self._release(folder)
        self._store([folder], [Portion(dict(rows.rows), tombstones_of(found.withdrawn))], [])
        after = self._release(folder)
        if before is not None and before != after:
            with self.catalog.database.write() as connection:
                settle(connection, self.catalog.database, None, ontologies=self._ontologies)
        return after is not None

    def _found_of_deposition(self, name: str) -> Found:
        if self.storage.exists(ledger_path(paths.Key("deposition", deposition=name))):
            return sidecars.of_deposition(self.storage, name)
        if mirror.deposition_place(self.storage, name) is None:
            return Found()
        return mirrors.deposition(self.storage, self._mirror_ledger(), name)

    def _store(self, scopes: list[str], portions: Iterable[Portion], kept: list[str]) -> None:
        """One transaction: old rows out, new rows in, and what follows from them."""
        database = self.catalog.database
        with database.write() as connection:
            mark_replaced(connection, database, scopes, kept)
            forgotten = index.forget(connection, database, scopes)
            delete(connection, database, scopes)
            dig_up(connection, database, scopes)
            count = 0
            for portion in portions:
                count += insert(connection, database, portion.rows)
                bury(connection, database, portion.tombstones)
            for scope in scopes:
                settle(connection, database, scope, forgotten, self._ontologies)
            count_load(connection, database)
        self.rows += count

    def _ontologies(self) -> Ontologies:
        """Those that the site has loaded, read once and only when a text names a term."""
        if self._known_ontologies is None:
            self._known_ontologies = read_ontologies(self.storage)
        return self._known_ontologies

    def _renew_names(self) -> None:
        """Other ontologies know other names of what is there already."""
        database = self.catalog.database
        tag = " ".join(f"{entry.path} {entry.tag}" for entry in self.storage.level(HOME).files)
        if tag == database.state().get(_ONTOLOGIES, ""):
            return
        with database.write() as connection:
            index.renew(connection, database, self._ontologies)
            count_load(connection, database)
        note(database, _ONTOLOGIES, tag)

    def _forget_others(self, present: list[str]) -> None:
        """Rows of datasets and depositions of which nothing is left. A storage without any is taken for a mistake."""
        depositions = tree.deposition_names(self.storage)
        known = self._folders("dataset") + self._folders("deposition")
        if known and not present and not depositions:
            self._problem(
                "load-empty-storage", f"{self.storage.url} holds nothing that was ingested; the rows stay as they were", "",
                "Check --storage. If everything was really withdrawn, delete the file of the catalogue.",
            )  # fmt: skip
            return
        there = {*present, *(f"{paths.DEPOSITIONS}/{name}" for name in depositions)}
        for folder in known:
            if folder not in there:
                self._store([folder], [], [])
                self.removed.append(folder)

    def _folders(self, table_name: str) -> list[str]:
        table = self.catalog.database.tables.tables[table_name]
        with self.catalog.database.reader.connect() as connection:
            return list(connection.execute(sql.select(table.c[FOLDER])).scalars())

    def _kept_dataset(self, folder: str) -> tuple[int, str]:
        """Id and deposition of a dataset whose row stays."""
        table = self.catalog.database.tables.tables["dataset"]
        asked = sql.select(table.c.id, table.c.deposition_id).where(table.c[FOLDER] == folder)
        with self.catalog.database.reader.connect() as connection:
            row = connection.execute(asked).one()
        return row.id, str(row.deposition_id)

    def _has_rows(self, record: Record) -> bool:
        return self._is_there(paths.folder(record.key))

    def _is_there(self, folder: str) -> bool:
        """Whether any row of the catalogue stands in the sidecar of this folder."""
        with self.catalog.database.reader.connect() as connection:
            return any(
                connection.execute(sql.select(table.c.id).where(table.c[FOLDER] == folder).limit(1)).first()
                for table in self.catalog.database.tables.tables.values()
                if FOLDER in table.c and "id" in table.c
            )

    def _release(self, folder: str) -> str | None:
        table = self.catalog.database.tables.tables["deposition"]
        with self.catalog.database.reader.connect() as connection:
            return connection.execute(sql.select(table.c[RELEASE]).where(table.c[FOLDER] == folder)).scalar()

    def _has_ids_of_ours(self, dataset: str) -> bool:
        """Whether the catalogue holds rows of a dataset with ids out of a private area."""
        tables = [self.catalog.database.tables.tables[entity.names.table] for entity in ENTITIES]
        with self.catalog.database.reader.connect() as connection:
            return any(
                connection.execute(
                    sql.select(table.c.id)
                    .where(below(table, dataset), table.c.id < FIRST_OF_MIRRORS)
                    .limit(1)
                ).first()
                for table in tables
                if table.name != Dataset.names.table
            )

    def _lost(self, name: str) -> None:
        self._problem(
            "load-private-area-gone",
            f"{self.storage.url} has no .tomoportal/datasets/{name} any more, where the ids of this dataset are; its rows stay",
            name, "Restore .tomoportal from a backup. To give the dataset new ids instead, make the catalogue anew.",
        )  # fmt: skip

    def _unknown(self, name: str) -> None:
        self._problem(
            "load-unknown-dataset", f"there is no dataset {name} in {self.storage.url}", name,
            "Ingest it first; `tomoportal load` without a name loads all that there is.",
        )  # fmt: skip

    def _stopped(self, where: str, error: StorageError) -> None:
        self._problem(
            "load-unreadable", f"{error}; the rows of {where} stay as they were", where,
            "Repair or restore this file, then run `tomoportal load` again.",
        )  # fmt: skip

    def _problem(self, code: str, message: str, where: str, hint: str) -> None:
        self.problems.append(Problem(code=code, message=message, where=where, hint=hint))

    def _report(self) -> LoadReport:
        return LoadReport(self.rows, tuple(self.done), tuple(in_order(self.problems)), tuple(self.removed))
