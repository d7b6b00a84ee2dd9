"""Executing a plan: leases, workers, publishing, and a report. The only part of ingestion with lasting effects.

Tasks run in threads; each publishes its entity as soon as it is made. One failing task is reported and stops nothing else. A
storage that cannot be written stops everything.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from tomoportal import __version__
from tomoportal.errors import Absent, PortalError, StorageError
from tomoportal.ingest.keyphotos import key_photos
from tomoportal.ingest.plan import UNCHANGED as UNCHANGED_PLAN
from tomoportal.ingest.plan import DatasetPlan, Plan, RunPlan, sidecar_path
from tomoportal.ingest.sidecars import sidecar
from tomoportal.ingest.steps import STEPS
from tomoportal.ingest.task import Outcome, Task, Work
from tomoportal.ingest.views import is_current, view_tasks
from tomoportal.ingest.volumes import MemoryBudget
from tomoportal.layout import private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.lease import hold
from tomoportal.layout.paths import Key, folder
from tomoportal.layout.private import STAGING, Ledger, Record, ledger_path
from tomoportal.layout.publish import publish, publish_files, reveal, unfinished, withdraw
from tomoportal.layout.tree import at, read_json
from tomoportal.problems import Problem, Severity, in_order
from tomoportal.storage.protocol import Storage

log = logging.getLogger(__name__)
WRITER = f"tomoportal {__version__}"
METADATA_ONLY = "metadata changed"


class Progress(Protocol):
    """Is told how the work goes on; called from several threads."""

    def began(self, tasks: int, size: int) -> None:
        """So many tasks, with so many bytes to read, are ahead."""

    def read(self, size: int) -> None:
        """So many more bytes have been read."""

    def finished(self, task: Task) -> None:
        """A task is done, or has failed."""


class Silent:
    """Progress that nobody watches."""

    def began(self, tasks: int, size: int) -> None: ...
    def read(self, size: int) -> None: ...
    def finished(self, task: Task) -> None: ...


Published = Callable[[str, list[str] | None], None]
"""Told that a dataset, or some runs of it, can be loaded into the catalogue; returns when that is done."""


@dataclass(slots=True)
class Report:
    """What happened. `done` and `failed` list tasks; `unchanged` counts entities with nothing to do."""

    done: list[Task] = field(default_factory=list)
    failed: list[Task] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)

    def sorted_problems(self) -> list[Problem]:
        """All findings, in order."""
        return in_order(self.problems)


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
    names = [dataset.key.dataset for dataset in plan.datasets]
    leases = [*(f"deposition-{plan.deposition.key.deposition}" for _ in [1] if plan.deposition), *names]
    with ExitStack() as stack:
        for name in leases:
            stack.enter_context(hold(target, name))
        runner = stack.enter_context(_runner(source, target, published, workers, progress or Silent()))
        runner.progress.began(sum(1 for _ in plan.tasks()), sum(task.size() for task in plan.tasks()))
        for dataset in plan.datasets:
            runner.dataset(dataset)
        runner.finish(plan)
        return runner.report


@contextmanager
def _runner(
    source: Storage, target: Storage, published: Published, workers: int | None, progress: Progress
) -> Iterator[_Runner]:
    cores = workers or len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="tomoportal-") as scratch:
        local = target.local_path(STAGING)
        staging = (local or Path(scratch) / "staging") / f"{os.getpid()}"
        _sweep(staging.parent)
        staging.mkdir(parents=True, exist_ok=True)
        try:
            yield _Runner(source, target, published, cores, progress, staging, Path(scratch))
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _sweep(staging: Path) -> None:
    """Remove what killed processes of this machine have left."""
    for left in staging.iterdir() if staging.is_dir() else ():
        if left.name.isdecimal() and not Path(f"/proc/{left.name}").exists():
            shutil.rmtree(left, ignore_errors=True)


@dataclass(slots=True)
class _RunState:
    """A run while it is worked on."""

    plan: RunPlan
    ledger: Ledger
    waiting: int
    views_begun: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Runner:
    """The workers and what they share."""

    def __init__(
        self,
        source: Storage,
        target: Storage,
        published: Published,
        cores: int,
        progress: Progress,
        staging: Path,
        scratch: Path,
    ) -> None:
        self.source, self.target, self.published = source, target, published
        self.cores, self.progress, self.staging, self.scratch = cores, progress, staging, scratch
        self.budget = MemoryBudget.for_threads(cores)
        self.report = Report()
        self.ledgers: dict[Key, Ledger] = {}
        self.allotments: dict[str, Allotment] = {}

    def dataset(self, plan: DatasetPlan) -> None:
        """All runs of a dataset."""
        name = plan.key.dataset
        allotment = self.allotments[name] = Allotment.open(self.target, name)
        pool = ThreadPoolExecutor(self.cores, thread_name_prefix="ingest")
        try:
            self._runs(pool, plan, allotment)
        finally:
            pool.shutdown(cancel_futures=True)

    def finish(self, plan: Plan) -> None:
        """Datasets and deposition themselves, their pictures, indexes, and the catalogue."""
        for dataset in plan.datasets:
            if dataset.task:
                self._plain(
                    dataset.task, self.allotments[dataset.key.dataset], [run.key for run in dataset.runs]
                )
        if plan.deposition:
            owner = Allotment.open(self.target, f"deposition-{plan.deposition.key.deposition}")
            self._plain(plan.deposition, owner, [dataset.key for dataset in plan.datasets])
        for dataset in plan.datasets:
            records = private.gather_index(self.target, dataset.key.dataset)
            self.published(dataset.key.dataset, None)
            reveal(self.target, unfinished(self.target, records))

    def _runs(self, pool: ThreadPoolExecutor, plan: DatasetPlan, allotment: Allotment) -> None:
        futures: dict[Future[None], _RunState] = {}
        for run in plan.runs:
            self.report.unchanged += run.unchanged
            state = _RunState(run, self._introduced(run, allotment), max(1, len(run.tasks)))
            for task in run.tasks:
                futures[pool.submit(self._attempt, task, state, allotment)] = state
            if not run.tasks:
                futures[pool.submit(lambda: None)] = state
        while futures:
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                state = futures.pop(future)
                future.result()
                state.waiting -= 1
                if state.waiting == 0:
                    futures.update(self._after_tasks(pool, state, allotment))

    def _after_tasks(
        self, pool: ThreadPoolExecutor, state: _RunState, allotment: Allotment
    ) -> dict[Future[None], _RunState]:
        """The views of a run whose tasks are done; after those, readers are told of what was replaced."""
        views = (
            [task for task in view_tasks(state.ledger) if not is_current(task, state.ledger)]
            if state.waiting == 0
            else []
        )
        if views:
            state.waiting = len(views)
            return {pool.submit(self._attempt, task, state, allotment): state for task in views}
        self.ledgers[state.plan.key] = state.ledger
        hidden = unfinished(self.target, state.ledger.records.values()) if state.plan.tasks else []
        if hidden:
            self.published(state.plan.key.dataset, [state.plan.key.run])
            reveal(self.target, hidden)
        return {}

    def _introduced(self, run: RunPlan, allotment: Allotment) -> Ledger:
        """The ledger in which everything planned, and every voxel spacing, has its folder and portal-wide id: from the first written
        byte on it is known who is who."""
        ledger = run.ledger
        spacings = [Record(key, {"voxel_spacing": key.spacing}) for key in run.spacings]
        for record in [*spacings, *(Record(task.key, task.identity) for task in run.tasks)]:
            if ledger.get(record.key) is None:
                ledger = ledger.put(allotment.introduce(record))
        if ledger is not run.ledger:
            private.write_ledger(self.target, ledger_path(run.key), ledger)
        return ledger

    def _attempt(self, task: Task, state: _RunState, allotment: Allotment) -> None:
        """Do one task; what is wrong with its input becomes a problem, a failing target stops everything."""
        try:
            self._do(task, state, allotment)
            self.report.done.append(task)
        except StorageError:
            raise
        except Absent as error:
            self._left_out(task, error, state)
        except PortalError as error:
            self._failed(task, str(error))
        except Exception as error:
            log.exception("%s", folder(task.key))
            self._failed(task, f"{type(error).__name__}: {error}")
        finally:
            self.progress.finished(task)

    def _left_out(self, task: Task, error: Absent, state: _RunState) -> None:
        """Remember that there is nothing to publish, so that the source is not read again until it changes."""
        problem = Problem("left-out", f"{error} It is left out.", Severity.WARNING, where=folder(task.key))
        self.report.problems.append(problem)
        with state.lock:
            old = state.ledger.get(task.key)
            record = replace(
                _record(task, Outcome(problems=(problem,))), sidecar="", ids=old.ids if old else {}
            )
            if old is not None and old.published:
                withdraw(self.target, old)
            state.ledger = state.ledger.put(record)
            private.write_ledger(self.target, ledger_path(task.key), state.ledger)

    def _failed(self, task: Task, message: str) -> None:
        self.report.failed.append(task)
        file, _, line = task.where.rpartition(":")
        self.report.problems.append(
            Problem(
                f"{task.kind}-failed",
                message,
                file=file,
                line=int(line) if line else None,
                where=folder(task.key),
            )
        )

    def _do(self, task: Task, state: _RunState, allotment: Allotment) -> None:
        place = f"{task.kind}-{task.key.spacing}-{task.key.id}"
        staged = self.staging / task.key.dataset / task.key.run / place
        scratch = self.scratch / task.key.dataset / task.key.run / place
        for made in (staged, scratch):
            made.mkdir(parents=True, exist_ok=True)
        try:
            old = state.ledger.get(task.key)
            only_metadata = task.why == METADATA_ONLY and old is not None
            if only_metadata and old is not None:
                outcome = _known(self.target, old)
            else:
                work = Work(
                    task,
                    self.source,
                    self.target,
                    staged,
                    scratch,
                    self.cores,
                    self.budget,
                    self.progress.read,
                )
                outcome = STEPS[task.kind](work)
            self._publish(task, outcome, state, allotment, None if only_metadata else staged)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            shutil.rmtree(scratch, ignore_errors=True)

    def _publish(
        self, task: Task, outcome: Outcome, state: _RunState, allotment: Allotment, staged: Path | None
    ) -> None:
        record = _record(task, outcome)
        path = ledger_path(task.key)
        self.report.problems += [replace(p, where=p.where or folder(task.key)) for p in outcome.problems]
        with state.lock:
            if task.kind == "view" and staged is not None:
                state.ledger = publish_files(self.target, path, state.ledger, record, staged)
            elif task.kind == "run":
                state.ledger = publish(
                    self.target, path, state.ledger, allotment, record, sidecar(task, outcome), None
                )
            else:
                state.ledger = publish(
                    self.target, path, state.ledger, allotment, record, sidecar(task, outcome), staged
                )

    def _plain(self, task: Task, allotment: Allotment, children: list[Key]) -> None:
        """A dataset or deposition: its sidecar, with the pictures of the first child that has one."""
        path = ledger_path(task.key)
        ledger = private.read_ledger(self.target, path)
        photos, files = key_photos(self.target, task.key, children, self.ledgers)
        old = ledger.get(task.key)
        record = replace(_record(task, Outcome({"key_photos": photos}, files)), files=files)
        if (
            task.why == UNCHANGED_PLAN
            and old is not None
            and old.files == files
            and _photos_of(self.target, old) == photos
        ):
            self.report.unchanged += 1
        else:
            ledger = publish(
                self.target,
                path,
                ledger,
                allotment,
                record,
                sidecar(task, Outcome({"key_photos": photos})),
                None,
            )
            self.report.done.append(task)
        self.ledgers[task.key] = ledger
        self.progress.finished(task)


def _photos_of(target: Storage, record: Record) -> Any:
    return at(read_json(target, record.sidecar) or {}, "key_photos")


def _known(target: Storage, record: Record) -> Outcome:
    """The outcome of a task that was done before, out of its record and sidecar."""
    content = read_json(target, record.sidecar) or {}
    extra = {key: content[key] for key in record.facts["extra"] if key in content}
    facts = {key: value for key, value in record.facts.items() if key not in ("extra", "sidecar")}
    return Outcome(
        extra, record.files, facts, tuple(Problem.from_dict(problem) for problem in record.problems)
    )


def _record(task: Task, outcome: Outcome) -> Record:
    return Record(
        key=task.key,
        identity=task.identity,
        sidecar=sidecar_path(task),
        inputs=task.fingerprint(),
        files=outcome.files,
        facts={**outcome.facts, "sidecar": task.sidecar_fingerprint(), "extra": sorted(outcome.extra)},
        problems=tuple(
            {**asdict(problem), "severity": Severity(problem.severity).value} for problem in outcome.problems
        ),
        writer=WRITER,
    )
