"""What `check`, `plan` and `ingest` have in common: deposition file and sources → plan, and what a plan tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tomoportal.errors import ConfigError, StorageError, UsageError

if TYPE_CHECKING:
    from tomoportal.config import Config
    from tomoportal.config.load import Loaded
    from tomoportal.ingest.find import Found
    from tomoportal.ingest.plan import Plan
    from tomoportal.ingest.selection import Selection
    from tomoportal.ingest.task import Task
    from tomoportal.layout.private import Record
    from tomoportal.model.ontology import Ontologies
    from tomoportal.problems import Problem
    from tomoportal.settings import Settings
    from tomoportal.storage import Storage


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what it was made from, where it reads and writes, and what was wrong with the deposition file."""

    plan: Plan
    found: Found
    source: Storage
    target: Storage
    loaded: tuple[Problem, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """Of the file, of finding, and of planning as far as that has gone."""
        from tomoportal.problems import in_order

        return in_order([*self.loaded, *self.plan.problems])


@dataclass(slots=True)
class Overview:
    """What a plan is about, counted while somebody goes through it once. `kinds`: entities to make; `size`: bytes to read; `orphans`: what
    is published and no longer found."""

    kinds: Counter[str] = field(default_factory=Counter)
    size: int = 0
    unchanged: int = 0
    orphans: list[Record] = field(default_factory=list)


def planned(config: Path, source_url: str, settings: Settings, selection: Selection | None = None) -> Planned:
    """Read the deposition file, look at the sources, decide. Raises `ConfigError` when the file is faulty."""
    from tomoportal.problems import in_order

    loaded = read_config(config, settings.storage)
    if loaded.config is None or any(problem.severity == "error" for problem in loaded.problems):
        raise ConfigError(f"{config} cannot be ingested as it is.", in_order(loaded.problems))
    return planned_config(loaded.config, source_url, settings, selection, tuple(loaded.problems))


def planned_config(
    config: Config,
    source_url: str,
    settings: Settings,
    selection: Selection | None = None,
    problems: tuple[Problem, ...] = (),
) -> Planned:
    """The same for a deposition file that has been read, whatever was wrong with it."""
    from tomoportal.ingest.find import find
    from tomoportal.ingest.plan import make_plan
    from tomoportal.ingest.selection import EVERYTHING
    from tomoportal.layout.deposited import read_deposited
    from tomoportal.layout.private import ledger_path, read_ledger
    from tomoportal.layout.publish import standing
    from tomoportal.storage import open_storage

    source, target = open_source_storage(source_url), open_storage(settings.storage)
    found = find(config, source, target)
    name = found.deposition.name if found.deposition else ""
    plan = make_plan(
        found,
        lambda key: read_ledger(target, ledger_path(key)),
        lambda record: standing(target, record),
        found.listing.fingerprint,
        selection=selection or EVERYTHING,
        deposited=read_deposited(target, name, Path(config.file).name) if name else None,
    )
    return Planned(plan, found, source, target, problems)


def look_through(plan: Plan, tell: Callable[[Task], None] = lambda task: None) -> Overview:
    """Plan every run, one after the other; `tell` is called with everything that is to be done."""
    seen = Overview()

    def note(task: Task) -> None:
        seen.kinds[task.kind] += 1
        seen.size += task.size()
        tell(task)

    for dataset in plan.datasets:
        before = seen.kinds.total()
        for run in dataset.runs:
            seen.unchanged += run.unchanged
            seen.orphans += run.orphans
            for task in run.tasks:
                note(task)
        seen.orphans += dataset.gone
        for task in _plain(dataset.task, dataset.chosen, seen.kinds.total() > before):
            note(task)
    seen.orphans += plan.gone
    for task in _plain(plan.deposition, plan.chosen, bool(seen.kinds)):
        note(task)
    return seen


def _plain(task: Task | None, is_chosen: bool, has_more: bool) -> Iterator[Task]:
    """A dataset or deposition that is chosen, or is not published yet and something in it will be."""
    from tomoportal.ingest.plan import METADATA_CHANGED, UNCHANGED

    if task is None or task.why == UNCHANGED:
        return
    if is_chosen:
        yield task
    elif has_more and task.why != METADATA_CHANGED:
        yield replace(task, why=f"{task.why}, needed by what lies in it")


def read_config(path: Path, storage: str) -> Loaded:
    """A deposition file with its problems, compared with the ontologies that the portal in `storage` has loaded. Raises `UsageError`
    when the file itself cannot be read."""
    from tomoportal.config import load_config

    ontologies, faults = _ontologies(storage)
    try:
        loaded = load_config(path, ontologies)
    except OSError as error:
        raise UsageError(f"{path}: the file cannot be read ({error.strerror or error}).") from error
    return replace(loaded, problems=(*loaded.problems, *faults)) if faults else loaded


def _ontologies(storage: str) -> tuple[Ontologies, list[Problem]]:
    """Those of the portal in `storage`; a warning and none when they cannot be read: deposition files can be checked without."""
    from tomoportal.layout.ontologies import read_ontologies
    from tomoportal.model.ontology import Ontologies
    from tomoportal.problems import Problem, Severity
    from tomoportal.storage import open_storage

    try:
        return read_ontologies(open_storage(storage)), []
    except StorageError as error:
        message = f"the ontologies of this portal cannot be read, and nothing is compared with them: {error}"
        return Ontologies(), [Problem("ontologies-unread", message, Severity.WARNING)]


def open_source_storage(url: str) -> Storage:
    """The storage with the depositor's files; a local folder must exist."""
    from tomoportal.storage import open_storage

    if "://" not in url and not Path(url).is_dir():
        raise UsageError(f"--source {url}: there is no such folder.")
    return open_storage(url)
