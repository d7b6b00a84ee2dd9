"""Executing a plan: leases, workers, order, and the report. The only part of ingestion with lasting effects.

Runs are planned one after the other and worked on a few at a time, so that memory grows little with their number. Tasks run in
threads; each publishes its entity as soon as it is made. When the tasks of a run are done, its pictures and viewer states follow;
datasets and depositions themselves come last. One failing task stops nothing else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tomoportal.ingest.execute import Executor, Home, record_of
from tomoportal.ingest.given_photos import FACT, given_photos, still_given, with_given
from tomoportal.ingest.keyphotos import PhotoChoice
from tomoportal.ingest.plan import UNCHANGED, DatasetPlan, Plan, RunPlan
from tomoportal.ingest.report import Progress, Published, Report, Silent
from tomoportal.ingest.sidecars import sidecar
from tomoportal.ingest.task import Outcome, Task
from tomoportal.ingest.views import is_current, view_tasks
from tomoportal.ingest.volumes import MemoryBudget
from tomoportal.layout import deposited, private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.lease import hold
from tomoportal.layout.paths import Key
from tomoportal.layout.private import STAGING, Ledger, Record, ledger_path, read_json
from tomoportal.layout.processes import SCRATCH, has_ended, this_process
from tomoportal.layout.publish import UPDATED, Standing, publish, reveal, standing, unfinished
from tomoportal.layout.tree import at
from tomoportal.settings import today
from tomoportal.storage.protocol import Storage

RUNS_PER_CORE = 8
"""Runs that are worked on at a time: enough to keep the cores busy while a large volume of one run is made."""


def run_plan(
    plan: Plan,
    *,
    source: Storage,
    target: Storage,
    published: Published,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Do what `plan` says. Raises `Busy` when another process writes one of the datasets, `StorageError` when the target fails."""
    leases = [deposition_lease(plan.number)] if plan.deposition else []
    leases += [dataset.key.dataset for dataset in plan.datasets]
    cores = workers or len(os.sched_getaffinity(0))
    with ExitStack() as stack:
        for name in leases:
            stack.enter_context(hold(target, name))
        staging, scratch = stack.enter_context(_workplaces(target))
        budget = MemoryBudget.for_threads(cores)
        executor = Executor(source, target, staging, scratch, cores, progress or Silent(), budget)
        executor.progress.began(sum(len(dataset.names) for dataset in plan.datasets))
        _Runner(executor, published, plan).all_of()
        return executor.report


def exhaust(gone: Iterable[object]) -> None:
    """Go through what the deposition has left behind: looking for it is what tells of it."""
    for _ in gone:
        continue


def deposition_lease(number: str) -> str:
    """The name of the lease for writing a deposition itself, which is also the owner of its ids."""
    return f"deposition-{number}"


@contextmanager
def _workplaces(target: Storage) -> Iterator[tuple[Path, Path]]:
    """A staging folder, on the target's disk if it has one, and a scratch folder; both are removed afterwards."""
    _sweep_scratch()
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{this_process()}.") as scratch:
        staging = (target.local_path(STAGING) or Path(scratch) / "staging") / this_process()
        _sweep(staging.parent)
        try:
            staging.mkdir(parents=True, exist_ok=True)
            yield staging, Path(scratch)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _sweep(staging: Path) -> None:
    """Remove what killed processes of this machine have left."""
    for left in staging.iterdir() if staging.is_dir() else ():
        if has_ended(left.name):
            shutil.rmtree(left, ignore_errors=True)


def _sweep_scratch() -> None:
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        if has_ended(left.name.removeprefix(SCRATCH).rpartition(".")[0]):
            shutil.rmtree(left, ignore_errors=True)


@dataclass(slots=True)
class _RunState:
    """A run while it is worked on: `waiting` tasks are not done yet."""

    plan: RunPlan
    home: Home
    waiting: int
    views_begun: bool = False


@dataclass(slots=True)
class _Pool:
    """Worker threads whose finished work is taken one by one, in the order of finishing."""

    threads: ThreadPoolExecutor
    finished: SimpleQueue[tuple[Future[None], _RunState]] = field(default_factory=SimpleQueue)
    pending: int = 0

    def submit(self, state: _RunState, work: Callable[..., None], *arguments: Any) -> None:
        self.pending += 1
        future = self.threads.submit(work, *arguments)
        future.add_done_callback(lambda done: self.finished.put((done, state)))

    def next(self) -> _RunState:
        """The run of the next finished piece of work; what the work raised is raised here."""
        future, state = self.finished.get()
        self.pending -= 1
        future.result()
        return state


@dataclass(slots=True)
class _Runner:
    """The order of things."""

    executor: Executor
    published: Published
    plan: Plan
    today: date = field(default_factory=today)
    allotments: dict[str, Allotment] = field(default_factory=dict)
    photos: dict[str, PhotoChoice] = field(default_factory=dict)
    changed: dict[str, bool] = field(default_factory=dict)
    """Dataset (or `deposition-…`) that is written to → whether something there is hidden still: an earlier process was stopped while
    it wrote, or the catalogue could not be told."""
    open: int = 0

    @property
    def target(self) -> Storage:
        return self.executor.target

    def all_of(self) -> None:
        """Runs, then datasets, then the deposition; then the catalogue is told."""
        plan = self.plan
        if plan.file:
            names = {dataset.key.dataset: dataset.names for dataset in plan.datasets}
            deposited.remember(self.target, plan.number, Path(plan.file).name, names)
        for dataset in plan.datasets:
            self._runs_of(dataset)
        exhaust(plan.gone)
        for dataset in plan.datasets:
            self._dataset(dataset)
        self._deposition()
        for dataset in plan.datasets:
            self._tell(dataset.key.dataset)
        if private.is_changing(self.target, deposition_lease(plan.number)):
            self.published.load_deposition(plan.number)
            private.end_change(self.target, deposition_lease(plan.number))

    def _runs_of(self, plan: DatasetPlan) -> None:
        name = plan.key.dataset
        allotment = self.allotments[name] = Allotment.open(self.target, name)
        self.photos[name] = PhotoChoice(plan.names, self.today)
        pool = _Pool(ThreadPoolExecutor(self.executor.cores, thread_name_prefix="ingest"))
        try:
            for run in plan.runs:
                self._begin(pool, run, allotment)
                while self.open >= RUNS_PER_CORE * self.executor.cores:
                    self._one(pool)
            while pool.pending:
                self._one(pool)
            exhaust(plan.gone)
        except BaseException:
            self.executor.stop.set()
            raise
        finally:
            pool.threads.shutdown(cancel_futures=True)

    def _one(self, pool: _Pool) -> None:
        state = pool.next()
        state.waiting -= 1
        if state.waiting <= 0:
            self._after_tasks(pool, state)

    def _begin(self, pool: _Pool, run: RunPlan, allotment: Allotment) -> None:
        self.open += 1
        self.executor.report.unchanged += run.unchanged
        self.executor.progress.planned(len(run.tasks), sum(task.size() for task in run.tasks))
        state = _RunState(run, Home(self._introduced(run, allotment), allotment), len(run.tasks))
        if run.tasks:
            self._will_change(run.key.dataset)
        for task in run.tasks:
            pool.submit(state, self.executor.attempt, task, state.home)
        if not run.tasks:
            self._after_tasks(pool, state)

    def _after_tasks(self, pool: _Pool, state: _RunState) -> None:
        """The views of a run whose tasks are done; after those, readers are told of what was replaced."""
        ledger = state.home.ledger
        views = [] if state.views_begun else self._views(state)
        if views:
            self._will_change(state.plan.key.dataset)
            state.views_begun, state.waiting = True, len(views)
            for task in views:
                pool.submit(state, self.executor.attempt, task, state.home)
            return
        self.open -= 1
        self.photos[state.plan.key.dataset].see(state.plan.key.run, ledger)
        hidden = unfinished(self.target, ledger.records.values()) if state.plan.tasks else []
        dataset = state.plan.key.dataset
        if hidden and self.published.load(dataset, [state.plan.key.run]):
            reveal(self.target, hidden)
        elif hidden:
            self.changed[dataset] = True

    def _views(self, state: _RunState) -> list[Task]:
        ledger = state.home.ledger
        tasks = view_tasks(self._whole(ledger, state.plan.tasks), self.today, state.plan.pictures)
        return [task for task in tasks if self.plan.force or not is_current(task, ledger, self._is_intact)]

    def _whole(self, ledger: Ledger, tasks: Iterable[Task]) -> Ledger:
        """`ledger` without entities that were being replaced when somebody stopped it, and whose task has failed now: there is
        nothing of theirs to be shown."""
        records = [ledger.get(task.key) for task in tasks]
        broken = [
            record for record in records if record and standing(self.target, record) is Standing.INCOMPLETE
        ]
        return Ledger({path: record for path, record in ledger.records.items() if record not in broken})

    def _is_intact(self, record: Record) -> bool:
        return standing(self.target, record) is Standing.WHOLE

    def _introduced(self, run: RunPlan, allotment: Allotment) -> Ledger:
        """The ledger in which everything planned, and every voxel spacing, has its folder and portal-wide id: from the first written
        byte on it is known who is who."""
        ledger = run.ledger
        new = {record.key: record for record in _newcomers(run) if ledger.get(record.key) is None}
        for record in allotment.introduce(list(new.values())):
            ledger = ledger.put(record)
        if ledger is not run.ledger:
            self._will_change(run.key.dataset)
            private.write_ledger(self.target, ledger_path(run.key), ledger)
        return ledger

    def _dataset(self, plan: DatasetPlan) -> None:
        """A dataset's sidecar, with the pictures of one of its tomograms."""
        name = plan.key.dataset
        ledger = private.read_ledger(self.target, ledger_path(plan.key))
        old = ledger.get(plan.key)
        is_published = old is not None and old.published
        if plan.task is None or not (plan.chosen or is_published or name in self.changed):
            return
        origin = self.photos[name].tomogram(lambda run: self._ledger_of(plan.key.of("run"), run))
        if plan.chosen or not is_published:
            self._plain(plan.task, self.allotments[name], origin)
        elif old is not None:
            self._renew_photos(old, self.allotments[name], origin)

    def _deposition(self) -> None:
        task = self.plan.deposition
        if task is None:
            return
        record = private.read_ledger(self.target, ledger_path(task.key)).get(task.key)
        is_published = record is not None and record.published
        if self.plan.chosen or (self.changed and not is_published):
            mine = (dataset.key for dataset in self.plan.datasets if dataset.task)
            origin = next((key for key in mine if self._has_pictures(key)), None)
            self._plain(task, Allotment.open(self.target, deposition_lease(self.plan.number)), origin)

    def _ledger_of(self, place: Key, run: str) -> Ledger:
        return private.read_ledger(self.target, ledger_path(Key("run", dataset=place.dataset, run=run)))

    def _has_pictures(self, dataset: Key) -> bool:
        record = private.read_ledger(self.target, ledger_path(dataset)).get(dataset)
        return record is not None and bool(record.files)

    def _plain(self, task: Task, allotment: Allotment, origin: Key | None) -> None:
        """A dataset or deposition: its sidecar, with the pictures that the depositor gives, else those of `origin`."""
        path, owner = ledger_path(task.key), task.key.dataset or deposition_lease(task.key.deposition)
        ledger = private.read_ledger(self.target, path)
        old, wanted = ledger.get(task.key), self.plan.photos.get(task.key, {})
        given = given_photos(self.executor.source, self.target, task.key, wanted, old)
        photos, files = with_given(self.target, task.key, origin, given)
        outcome = Outcome({"key_photos": photos}, files, {FACT: given.facts} if given.facts else {})
        self.executor.report.problems += given.problems
        if (
            task.why == UNCHANGED
            and old is not None
            and old.files == files
            and old.facts.get(FACT, {}) == given.facts
            and _photos_of(self.target, old) == photos
            and not self._was_stopped(owner)
        ):
            self.executor.report.unchanged += 1
        else:
            self._will_change(owner)
            content = sidecar(task, outcome)
            publish(self.target, path, ledger, allotment, record_of(task, outcome), content, None)
            self.executor.report.counted(task)
        self.executor.progress.finished(task)

    def _renew_photos(self, old: Record, allotment: Allotment, origin: Key | None) -> None:
        """Only the pictures of a dataset whose metadata stay."""
        renew_photos(self.target, old, allotment, origin, lambda: self._will_change(old.key.dataset))

    def _will_change(self, owner: str) -> None:
        """From now on what readers know of a dataset or deposition is out of date, whatever happens."""
        if owner not in self.changed:
            self.changed[owner] = private.begin_change(self.target, owner)

    def _was_stopped(self, owner: str) -> bool:
        """Whether an earlier process was stopped while it wrote here: what it may have left half written is written again."""
        return self.changed.get(owner, private.is_changing(self.target, owner))

    def _tell(self, dataset: str) -> None:
        """Readers see what has changed, unless nothing has and they have seen it before."""
        is_changed = private.is_changing(self.target, dataset)
        if not is_changed and self.published.is_current(dataset):
            return
        private.gather_index(self.target, dataset)
        if not self.published.load(dataset, None):
            return
        if self.changed.get(dataset, is_changed):
            with private.indexed(self.target, dataset) as records:
                reveal(self.target, unfinished(self.target, records or ()))
        private.end_change(self.target, dataset)


def renew_photos(
    target: Storage, record: Record, allotment: Allotment, origin: Key | None, before: Callable[[], None]
) -> None:
    """Bring the pictures of a published dataset up to date; everything else of its metadata stays. `before` is called when something
    will be written."""
    photos, files = with_given(target, record.key, origin, still_given(record))
    content = read_json(target, record.sidecar)
    if content is None or (record.files == files and content.get("key_photos") == photos):
        return
    before()
    path = ledger_path(record.key)
    new = Record(record.key, record.identity, record.sidecar, inputs=record.inputs, files=files, ids=record.ids,
                 facts=record.facts, problems=record.problems, writer=record.writer)  # fmt: skip
    content = {name: value for name, value in content.items() if name != UPDATED} | {"key_photos": photos}
    publish(target, path, private.read_ledger(target, path), allotment, new, content, None)


def _newcomers(run: RunPlan) -> Iterable[Record]:
    yield from (Record(key, {"voxel_spacing": key.spacing}) for key in run.spacings)
    yield from (Record(task.key, task.identity) for task in run.tasks)


def _photos_of(target: Storage, record: Record) -> Any:
    return at(read_json(target, record.sidecar) or {}, "key_photos")
