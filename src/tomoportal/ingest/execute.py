"""Doing one task: step, publishing, ledger. What is wrong with its input becomes a problem; a failing target stops everything."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import shutil
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tomoportal import __version__
from tomoportal.errors import Absent, PortalError, StorageError
from tomoportal.ingest.agreement import PREFIX, disagreements
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.ingest.plan import FILES_ALONE, METADATA_CHANGED, sidecar_path
from tomoportal.ingest.report import Progress, Report
from tomoportal.ingest.shared import SharedFiles
from tomoportal.ingest.sidecars import sidecar
from tomoportal.ingest.steps import STEPS
from tomoportal.ingest.task import Outcome, Task, Work
from tomoportal.ingest.views import told_by_metadata
from tomoportal.ingest.volumes import MemoryBudget
from tomoportal.layout import private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.paths import folder
from tomoportal.layout.private import Ledger, Record, ledger_path, read_json
from tomoportal.layout.publish import publish, publish_files
from tomoportal.layout.removal import withdraw
from tomoportal.problems import Problem, Severity
from tomoportal.storage.protocol import Storage

log = logging.getLogger(__name__)
WRITER = f"tomoportal {__version__}"
LASTING = ("tiltseries", "tomogram", "annotation")
"""Kinds whose data take long to make: where metadata alone have changed, these stay. Everything else is then made anew, since what a
step fills in by itself depends on what the depositor left out."""
COPYING = ("frames", "gains")
"""Kinds of whose files it is noted, until they are published, which have been copied."""

_OF_RECORD = ("sidecar", "extra", "extra_sha256")
"""Facts about the sidecar, which are not the step's."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What a disk says that nothing can be written to."""


class Stopped(Exception):
    """Somebody wants the work to end: whatever is half done in staging is dropped."""


@dataclass(slots=True)
class Home:
    """Where a task's entity is published: the ledger of its run, guarded by `lock`, and the ids of its dataset."""

    ledger: Ledger
    allotment: Allotment
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Executor:
    """What all tasks share. `staging` lies on the target's disk where it has one, `scratch` on this machine's."""

    source: Storage
    target: Storage
    staging: Path
    scratch: Path
    cores: int
    progress: Progress
    budget: MemoryBudget
    report: Report = field(default_factory=Report)
    stop: threading.Event = field(default_factory=threading.Event)
    shared: SharedFiles = field(default_factory=SharedFiles)

    def attempt(self, task: Task, home: Home) -> None:
        """Do one task and report on it."""
        try:
            self._do(task, home)
            self.report.counted(task)
        except (StorageError, Stopped):
            raise
        except Absent as error:
            self._leave_out(task, error, home)
        except PortalError as error:
            self._failed(task, str(error))
        except Exception as error:  # the border of a task: told with its traceback in the log, others go on
            if isinstance(error, OSError) and error.errno in FULL:
                where = str(error.filename or self.staging)
                raise StorageError(
                    where, f"{error.strerror}; make room and run the same command again"
                ) from error
            log.exception("%s", folder(task.key))
            self._failed(task, f"{type(error).__name__}: {error}")
        finally:
            self.progress.finished(task)

    def _do(self, task: Task, home: Home) -> None:
        place = Path(task.key.dataset, task.key.run, f"{task.kind}-{task.key.spacing}-{task.key.id}")
        staged, scratch = self.staging / place, self.scratch / place
        for made in (staged, scratch):
            made.mkdir(parents=True, exist_ok=True)
        try:
            old = home.ledger.get(task.key)
            is_lasting = task.why == METADATA_CHANGED and old is not None and task.kind in LASTING
            known = _known(self.target, old) if is_lasting and old is not None else None
            if known is not None:
                self._publish(task, known, home, None)
            else:
                work = Work(
                    task,
                    DepositorFiles(self.source),
                    self.target,
                    staged,
                    scratch,
                    self.cores,
                    self.budget,
                    self._advance,
                    old,
                    self.shared,
                )
                outcome = STEPS[task.kind](work)
                self._publish(task, outcome, home, None if _same_data(task, old, outcome) else staged)
            if task.kind in COPYING:
                self.target.delete(private.copied_path(task.key))
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            shutil.rmtree(scratch, ignore_errors=True)

    def _advance(self, size: int) -> None:
        if self.stop.is_set():
            raise Stopped
        self.progress.read(size)

    def _publish(self, task: Task, outcome: Outcome, home: Home, staged: Path | None) -> None:
        if self.stop.is_set():
            raise Stopped
        others = (problem for problem in outcome.problems if not problem.code.startswith(PREFIX))
        outcome = replace(outcome, problems=(*others, *disagreements(task, outcome.facts)))
        record, path = record_of(task, outcome), ledger_path(task.key)
        self.report.problems += [replace(p, where=p.where or folder(task.key)) for p in outcome.problems]
        with home.lock:
            if task.kind in FILES_ALONE and staged is not None:
                home.ledger = publish_files(self.target, path, home.ledger, home.allotment, record, staged)
            else:
                has_files = staged if task.kind != "run" else None
                content = sidecar(task, outcome)
                home.ledger = publish(
                    self.target, path, home.ledger, home.allotment, record, content, has_files
                )

    def _leave_out(self, task: Task, error: Absent, home: Home) -> None:
        """Remember that there is nothing to publish, so that the source is not read again until it changes."""
        problem = Problem("left-out", f"{error} It is left out.", Severity.WARNING, where=folder(task.key))
        self.report.problems.append(problem)
        with home.lock:
            old = home.ledger.get(task.key)
            record = replace(
                record_of(task, Outcome(problems=(problem,))), sidecar="", ids=old.ids if old else {}
            )
            if old is not None and old.published:
                withdraw(self.target, old)
            home.ledger = home.ledger.put(record)
            private.write_ledger(self.target, ledger_path(task.key), home.ledger)

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


def record_of(task: Task, outcome: Outcome) -> Record:
    """The record of a finished task, without ids."""
    return Record(
        key=task.key,
        identity=task.identity,
        sidecar=sidecar_path(task),
        inputs=task.fingerprint(),
        files=outcome.files,
        facts={
            **outcome.facts,
            **told_by_metadata(task),
            "sidecar": task.sidecar_fingerprint(),
            "extra": list(outcome.extra),
            "extra_sha256": _sum(sidecar(task, outcome), outcome.extra),
        },
        problems=tuple({**asdict(p), "severity": Severity(p.severity).value} for p in outcome.problems),
        writer=WRITER,
    )


def _same_data(task: Task, old: Record | None, outcome: Outcome) -> bool:
    """Whether metadata alone have changed and the files came out as they lie there already: they are not touched then."""
    is_of_metadata = task.why == METADATA_CHANGED and task.kind not in FILES_ALONE
    return is_of_metadata and old is not None and old.files == outcome.files


def _known(target: Storage, record: Record) -> Outcome | None:
    """The outcome of a task that was done before, out of its record and sidecar; None when somebody has altered there what it made."""
    content, names = read_json(target, record.sidecar) or {}, record.facts["extra"]
    if _sum(content, names) != record.facts.get("extra_sha256"):
        return None
    extra = {name: content[name] for name in names if name in content}
    facts = {name: value for name, value in record.facts.items() if name not in _OF_RECORD}
    return Outcome(
        extra, record.files, facts, tuple(Problem.from_dict(problem) for problem in record.problems)
    )


def _sum(content: Mapping[str, Any], names: Iterable[str]) -> str:
    """Tells whether the values of these names are the same."""
    values = {name: content.get(name) for name in names}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
