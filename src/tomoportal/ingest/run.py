"""Executing a plan: leases, workers, order, and the report. The only part of ingestion with lasting effects.

Tasks run in threads; each publishes its entity as soon as it is made. When the tasks of a run are done, its pictures and viewer states
follow; datasets and depositions themselves come last. One failing task stops nothing else.
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
from tomoportal.ingest.keyphotos import key_photos
from tomoportal.ingest.plan import UNCHANGED, DatasetPlan, Plan, RunPlan
from tomoportal.ingest.report import Progress, Published, Report, Silent
from tomoportal.ingest.sidecars import sidecar
from tomoportal.ingest.task import Outcome, Task
from tomoportal.ingest.views import is_current, view_tasks
from tomoportal.ingest.volumes import MemoryBudget
from tomoportal.layout import private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.lease import hold
from tomoportal.layout.paths import Key
from tomoportal.layout.private import STAGING, Ledger, Record, ledger_path, read_json
from tomoportal.layout.processes import has_ended, this_process
from tomoportal.layout.publish import Standing, publish, reveal, standing, unfinished
from tomoportal.layout.tree import at
from tomoportal.settings import today
from tomoportal.storage.protocol import Storage


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
    leases = [f"deposition-{plan.deposition.key.deposition}"] if plan.deposition else []
    leases += [dataset.key.dataset for dataset in plan.datasets]
    cores = workers or len(os.sched_getaffinity(0))
    with ExitStack() as stack:
        for name in leases:
            stack.enter_context(hold(target, name))
        staging, scratch = stack.enter_context(_workplaces(target))
        budget = MemoryBudget.for_threads(cores)
        executor = Executor(source, target, staging, scratch, cores, progress or Silent(), budget)
        executor.progress.began(sum(1 for _ in plan.tasks()), sum(task.size() for task in plan.tasks()))
        _Runner(executor, published).all_of(plan)
        return executor.report


@contextmanager
def _workplaces(target: Storage) -> Iterator[tuple[Path, Path]]:
    """A staging folder, on the target's disk if it has one, and a scratch folder; both are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tomoportal-") as scratch:
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

    def results(self) -> Iterator[_RunState]:
        """The run of every finished piece of work; what the work raised is raised here."""
        while self.pending:
            future, state = self.finished.get()
            self.pending -= 1
            future.result()
            yield state


@dataclass(slots=True)
class _Runner:
    """The order of things."""

    executor: Executor
    published: Published
    today: date = field(default_factory=today)
    ledgers: dict[Key, Ledger] = field(default_factory=dict)
    allotments: dict[str, Allotment] = field(default_factory=dict)

    @property
    def target(self) -> Storage:
        return self.executor.target

    def all_of(self, plan: Plan) -> None:
        """Runs, then datasets, then the deposition; then the catalogue is told."""
        for dataset in plan.datasets:
            self._runs_of(dataset)
        for dataset in plan.datasets:
            if dataset.task:
                children = [run.key for run in dataset.runs]
                self._plain(dataset.task, self.allotments[dataset.key.dataset], children)
        if plan.deposition:
            owner = Allotment.open(self.target, f"deposition-{plan.deposition.key.deposition}")
            self._plain(plan.deposition, owner, [dataset.key for dataset in plan.datasets])
        for dataset in plan.datasets:
            records = private.gather_index(self.target, dataset.key.dataset)
            self.published(dataset.key.dataset, None)
            reveal(self.target, unfinished(self.target, records))

    def _runs_of(self, plan: DatasetPlan) -> None:
        name = plan.key.dataset
        allotment = self.allotments[name] = Allotment.open(self.target, name)
        pool = _Pool(ThreadPoolExecutor(self.executor.cores, thread_name_prefix="ingest"))
        try:
            for run in plan.runs:
                self._begin(pool, run, allotment)
            for state in pool.results():
                state.waiting -= 1
                if state.waiting <= 0:
                    self._after_tasks(pool, state)
        except BaseException:
            self.executor.stop.set()
            raise
        finally:
            pool.threads.shutdown(cancel_futures=True)

    def _begin(self, pool: _Pool, run: RunPlan, allotment: Allotment) -> None:
        self.executor.report.unchanged += run.unchanged
        state = _RunState(run, Home(self._introduced(run, allotment), allotment), len(run.tasks))
        for task in run.tasks:
            pool.submit(state, self.executor.attempt, task, state.home)
        if not run.tasks:
            self._after_tasks(pool, state)

    def _after_tasks(self, pool: _Pool, state: _RunState) -> None:
        """The views of a run whose tasks are done; after those, readers are told of what was replaced."""
        ledger = state.home.ledger
        views = (
            []
            if state.views_begun
            else [
                task
                for task in view_tasks(self._whole(ledger, state.plan.tasks), self.today)
                if not is_current(task, ledger, self._is_intact)
            ]
        )
        if views:
            state.views_begun, state.waiting = True, len(views)
            for task in views:
                pool.submit(state, self.executor.attempt, task, state.home)
            return
        self.ledgers[state.plan.key] = ledger
        hidden = unfinished(self.target, ledger.records.values()) if state.plan.tasks else []
        if hidden:
            self.published(state.plan.key.dataset, [state.plan.key.run])
            reveal(self.target, hidden)

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
        for record in _newcomers(run):
            if ledger.get(record.key) is None:
                ledger = ledger.put(allotment.introduce(record))
        if ledger is not run.ledger:
            private.write_ledger(self.target, ledger_path(run.key), ledger)
        return ledger

    def _plain(self, task: Task, allotment: Allotment, children: list[Key]) -> None:
        """A dataset or deposition: its sidecar, with the pictures of the first child that has one."""
        path = ledger_path(task.key)
        ledger = private.read_ledger(self.target, path)
        photos, files = key_photos(self.target, task.key, children, self.ledgers, self.today)
        outcome, old = Outcome({"key_photos": photos}, files), ledger.get(task.key)
        if (
            task.why == UNCHANGED
            and old is not None
            and old.files == files
            and _photos_of(self.target, old) == photos
        ):
            self.executor.report.unchanged += 1
        else:
            content = sidecar(task, outcome)
            ledger = publish(self.target, path, ledger, allotment, record_of(task, outcome), content, None)
            self.executor.report.done.append(task)
        self.ledgers[task.key] = ledger
        self.executor.progress.finished(task)


def _newcomers(run: RunPlan) -> Iterable[Record]:
    yield from (Record(key, {"voxel_spacing": key.spacing}) for key in run.spacings)
    yield from (Record(task.key, task.identity) for task in run.tasks)


def _photos_of(target: Storage, record: Record) -> Any:
    return at(read_json(target, record.sidecar) or {}, "key_photos")
