"""Taking down what is published: what a deposition no longer leads to, or what somebody withdraws.

For each dataset, under its lease: what is withdrawn is marked in the ledgers; pictures that stand for the dataset are taken from
what stays; sidecars go; readers are told; files go; the ledgers keep identities and ids. Then the pictures and viewer states of what
stays are made anew. Stopping anywhere and doing it again ends in the same tree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tomoportal.ingest.keyphotos import PhotoChoice
from tomoportal.ingest.plan import DatasetPlan, Plan, RunPlan
from tomoportal.ingest.report import Published
from tomoportal.ingest.run import deposition_lease, renew_photos, run_plan
from tomoportal.layout import private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.lease import hold
from tomoportal.layout.paths import Key, folder, picture
from tomoportal.layout.private import Ledger, Record, dataset_home, ledger_path, read_json, read_ledger
from tomoportal.layout.publish import Standing, standing
from tomoportal.layout.removal import stands_on, take_files, take_sidecar, with_dependents
from tomoportal.layout.tree import at, dataset_names
from tomoportal.problems import Problem
from tomoportal.settings import today
from tomoportal.storage.protocol import Storage

MOST_RUNS = 64
"""Up to so many runs are loaded by themselves, more of them with the whole dataset."""


def run_names(target: Storage, dataset: str) -> list[str]:
    """The runs of a dataset of which anything is known."""
    home = f"{dataset_home(dataset)}/runs/"
    return [entry.path.removeprefix(home)[:-5] for entry in target.list(home.rstrip("/"))]


def records_of(target: Storage, dataset: str) -> Iterator[Record]:
    """Everything known of a dataset: itself, then run after run."""
    keys = [Key("dataset", dataset=dataset)]
    keys += [Key("run", dataset=dataset, run=run) for run in run_names(target, dataset)]
    for key in keys:
        yield from read_ledger(target, ledger_path(key)).records.values()


def what_to_withdraw(target: Storage, key: Key) -> list[Record]:
    """The records of an entity and of everything that cannot stand without it; nothing when it was never published.

    With a deposition go its datasets, with all that is in them, and what it has added to other datasets.
    """
    if key.kind == "deposition":
        own = read_ledger(target, ledger_path(key)).get(key)
        found = [own] if own else []
        for dataset in dataset_names(target):
            found += _of_deposition(target, dataset, key.deposition)
        return found
    if key.kind == "dataset":
        return [record for record in records_of(target, key.dataset) if _has_own(record)]
    ledger = read_ledger(target, ledger_path(key))
    record = ledger.get(key)
    return list(filter(_has_own, with_dependents(ledger, [record]))) if record else []


def _has_own(record: Record) -> bool:
    """Whether there is anything to take down: a voxel spacing is no more than a number and a folder."""
    return record.key.kind != "voxel_spacing" and (
        record.published or bool(record.files or record.withdrawal)
    )


def _of_deposition(target: Storage, dataset: str, deposition: str) -> Iterator[Record]:
    def is_mine(record: Record) -> bool:
        return str(record.identity.get("deposition_id")) == deposition and _has_own(record)

    key = Key("dataset", dataset=dataset)
    own = read_ledger(target, ledger_path(key)).get(key)
    if own is not None and is_mine(own):
        yield from filter(_has_own, records_of(target, dataset))
        return
    for run in run_names(target, dataset):
        ledger = read_ledger(target, _ledger_path(dataset, run))
        yield from with_dependents(ledger, filter(is_mine, ledger.records.values()))


def prunable(target: Storage, orphans: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """(what can be taken down, with the pictures of its tomograms; what cannot, because something that stays lies in it or was made
    with it)."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in orphans:
        groups[record.key.dataset, record.key.run].append(record)
    doomed: list[Record] = []
    kept: list[Record] = []
    for (dataset, run), records in sorted(groups.items(), reverse=True):
        ledger = read_ledger(target, _ledger_path(dataset, run))
        going = [*records, *_views_of(ledger, records)]
        if run:
            held = _held(ledger, going)
        else:
            gone = {folder(record.key) for record in doomed}
            stays = any(
                one.published and folder(one.key) not in gone
                for one in records_of(target, dataset)
                if one.key.run
            )
            held = records if stays else []
        kept += held
        doomed += [record for record in going if record not in held]
    return doomed, kept


def _views_of(ledger: Ledger, records: list[Record]) -> list[Record]:
    keys = [record.key.of("view", id=record.key.id) for record in records if record.key.kind == "tomogram"]
    return [view for view in map(ledger.get, keys) if view]


def _held(ledger: Ledger, going: list[Record]) -> list[Record]:
    """Of what goes, that on which something stands that stays."""
    gone = {folder(record.key) for record in going}
    staying = [
        one
        for place, one in ledger.records.items()
        if one.published and place not in gone and one.key.kind != "view"
    ]
    return [
        record for record in going
        if record.key.kind in ("run", "alignment") and any(stands_on(one, record) for one in staying)
    ]  # fmt: skip


@dataclass(slots=True)
class Removal:
    """Takes records down. `reason`: of a withdrawal, which leaves a tombstone; None when things are only no longer found. `problems`: of
    the pictures and viewer states that were made anew."""

    target: Storage
    published: Published
    reason: str | None = None
    problems: list[Problem] = field(default_factory=list)
    on: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def take(self, doomed: Iterable[Record]) -> int:
        """Take all of them down; gives how many were there. What has been published anew since somebody looked stays, unless it is
        withdrawn. Raises `Busy` when another process writes one of the datasets."""
        groups: dict[str, list[Record]] = defaultdict(list)
        for record in doomed:
            groups[record.key.dataset].append(record)
        count = sum(record.published for record in groups.get("", ()))
        for dataset, records in sorted(groups.items(), reverse=True):
            if dataset:
                count += self._from_dataset(dataset, records)
        for record in groups.get("", ()):
            self._deposition(record)
        return count

    def _from_dataset(self, dataset: str, seen: list[Record]) -> int:
        with hold(self.target, dataset):
            records = list(self._present(dataset, seen))
            if not records:
                return 0
            runs = _by_run(records)
            private.begin_change(self.target, dataset)
            for run, doomed in runs.items():
                self._mark(dataset, run, doomed)
            own = read_ledger(self.target, ledger_path(Key("dataset", dataset=dataset)))
            if "" not in runs:
                self._renew_photos(own, records)
            for record in records:
                take_sidecar(self.target, record)
            self._tell(dataset, list(runs))
            for run, doomed in runs.items():
                self._clear(dataset, run, doomed)
        self._refresh(dataset, [] if "" in runs else list(runs))
        return sum(record.published for record in records)

    def _present(self, dataset: str, seen: list[Record]) -> Iterator[Record]:
        """The records as they are now that nobody else can write them."""
        for run, records in _by_run(seen).items():
            ledger = read_ledger(self.target, _ledger_path(dataset, run))
            for record in records:
                now = ledger.get(record.key)
                if now is not None and (now == record or self.reason is not None):
                    yield now

    def _mark(self, dataset: str, run: str, doomed: list[Record]) -> None:
        """Note in the ledger, before anything else, what is withdrawn: it stays away from then on."""
        if self.reason is None:
            return
        path = _ledger_path(dataset, run)
        ledger = read_ledger(self.target, path)
        for record in doomed:
            if record.withdrawal is None:
                told = {"on": self.on, "reason": self.reason, **self._described(record)}
                ledger = ledger.put(replace(record, facts={**record.facts, "withdrawn": told}))
        private.write_ledger(self.target, path, ledger)

    def _described(self, record: Record) -> dict[str, Any]:
        """What the tombstone says: how the entity was called, and from when on the public knew of it."""
        content = read_json(self.target, record.sidecar) if record.sidecar else None
        home = Key("dataset", dataset=record.key.dataset)
        around = read_json(self.target, f"{folder(home)}/dataset_metadata.json") if home.dataset else None
        titles = (at(content, place) for place in _TITLES)
        dates = [at(one, "dates.release_date") or "" for one in (content, around)]
        return {"title": next((title for title in titles if title), ""), "release_date": max(dates)}

    def _tell(self, dataset: str, runs: list[str]) -> None:
        if "" in runs or len(runs) > MOST_RUNS:
            private.gather_index(self.target, dataset)
            self.published.load(dataset, None)
        else:
            self.published.load(dataset, runs)

    def _clear(self, dataset: str, run: str, doomed: list[Record]) -> None:
        path = _ledger_path(dataset, run)
        ledger = read_ledger(self.target, path)
        for record in doomed:
            take_files(self.target, record)
            known = ledger.get(record.key) or record
            facts = {"withdrawn": known.withdrawal} if known.withdrawal else {}
            ledger = ledger.put(known.cleared(**facts))
        if not any(record.published for record in ledger.records.values()):
            self.target.delete_tree(f"{dataset}/{run}" if run else dataset)
        private.write_ledger(self.target, path, ledger)

    def _renew_photos(self, own: Ledger, doomed: list[Record]) -> None:
        """A dataset, and its deposition, must not go on showing the picture of a tomogram that goes."""
        going = {sum_ for record in doomed if record.key.kind == "view" for sum_ in _sums(record)}
        for record in own.records.values():
            if not record.published:
                continue
            if self._is_due(record, going):
                self._renew(record, {folder(one.key) for one in doomed})
            self._renew_deposition(record.key, str(record.identity.get("deposition_id")), going)

    def _is_due(self, record: Record, going: set[str]) -> bool:
        """Whether an entity shows one of these pictures, or somebody was stopped while changing it."""
        return bool(going & set(_sums(record))) or standing(self.target, record) is not Standing.WHOLE

    def _renew(self, record: Record, gone: set[str]) -> None:
        dataset = record.key.dataset

        def staying(run: str) -> Ledger:
            found = read_ledger(self.target, _ledger_path(dataset, run)).records
            return Ledger({path: one for path, one in found.items() if path not in gone})

        origin = PhotoChoice(run_names(self.target, dataset), today()).tomogram(staying)
        renew_photos(self.target, record, Allotment.open(self.target, dataset), origin, _nothing)

    def _renew_deposition(self, dataset: Key, number: str, going: set[str]) -> None:
        key = Key("deposition", deposition=number)
        record = read_ledger(self.target, ledger_path(key)).get(key)
        if record is None or not record.published or not self._is_due(record, going):
            return
        lease = deposition_lease(number)
        origin = dataset if self.target.exists(picture(dataset, "snapshot")) else None
        with hold(self.target, lease):
            private.begin_change(self.target, lease)
            renew_photos(self.target, record, Allotment.open(self.target, lease), origin, _nothing)
            self.published.load_deposition(number)
            private.end_change(self.target, lease)

    def _deposition(self, record: Record) -> None:
        lease = deposition_lease(record.key.deposition)
        path = ledger_path(record.key)
        with hold(self.target, lease):
            private.begin_change(self.target, lease)
            told = {"on": self.on, "reason": self.reason, **self._described(record)}
            marked = replace(record, facts={**record.facts, "withdrawn": record.withdrawal or told})
            private.write_ledger(self.target, path, Ledger({folder(record.key): marked}))
            take_sidecar(self.target, record)
            self.published.load_deposition(record.key.deposition)
            take_files(self.target, record)
            self.target.delete_tree(folder(record.key))
            kept = marked.cleared(withdrawn=marked.withdrawal)
            private.write_ledger(self.target, path, Ledger({folder(record.key): kept}))
            private.end_change(self.target, lease)

    def _refresh(self, dataset: str, runs: list[str]) -> None:
        """Pictures and viewer states without what is gone; and readers are told of the rest."""
        keys = [Key("run", dataset=dataset, run=run) for run in runs]
        plans = [RunPlan(key, ledger=read_ledger(self.target, ledger_path(key))) for key in keys]
        plan = Plan(None, (DatasetPlan(Key("dataset", dataset=dataset), None, plans, runs),))
        report = run_plan(plan, source=self.target, target=self.target, published=self.published)
        self.problems += report.problems


_TITLES = ("dataset_title", "deposition_title", "run_name", "annotation_object.name")


def _by_run(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Run (empty: the dataset itself) → records, those of runs first."""
    runs: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (not record.key.run, record.key.run)):
        runs[record.key.run].append(record)
    return runs


def _ledger_path(dataset: str, run: str) -> str:
    return ledger_path(Key("run", dataset=dataset, run=run) if run else Key("dataset", dataset=dataset))


def _sums(record: Record) -> list[str]:
    """Checksums of the pictures of a view, dataset or deposition."""
    return [str(file["sha256"]) for path, file in record.files.items() if path.endswith("snapshot.png")]


def _nothing() -> None:
    """The change was noted before."""
