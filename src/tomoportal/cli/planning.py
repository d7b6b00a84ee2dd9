"""What `plan` and `ingest` have in common: deposition file and sources → plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tomoportal.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from tomoportal.config.load import Loaded
    from tomoportal.ingest.plan import Plan
    from tomoportal.problems import Problem
    from tomoportal.settings import Settings
    from tomoportal.storage import Storage


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, where it reads and writes, and what was wrong on the way."""

    plan: Plan
    source: Storage
    target: Storage
    problems: tuple[Problem, ...]


def planned(config: Path, source_url: str, settings: Settings) -> Planned:
    """Read the deposition file, look at the sources, decide. Raises `ConfigError` when the file is faulty."""
    from tomoportal.ingest.find import find
    from tomoportal.ingest.plan import make_plan
    from tomoportal.layout.private import ledger_path, read_ledger
    from tomoportal.layout.publish import standing
    from tomoportal.problems import in_order
    from tomoportal.storage import open_storage

    loaded = read_config(config)
    if loaded.config is None or any(problem.severity == "error" for problem in loaded.problems):
        raise ConfigError(f"{config} cannot be ingested as it is.", in_order(loaded.problems))
    source, target = open_source_storage(source_url), open_storage(settings.storage)
    found = find(loaded.config, source, target)
    plan = make_plan(
        found,
        cache(lambda key: read_ledger(target, ledger_path(key))),
        lambda record: standing(target, record),
        cache(found.listing.fingerprint),
    )
    return Planned(plan, source, target, tuple(in_order([*loaded.problems, *plan.problems, *_orphans(plan)])))


def _orphans(plan: Plan) -> Iterator[Problem]:
    """One finding for each dataset with published entities that the deposition file no longer leads to."""
    from tomoportal.layout.paths import folder
    from tomoportal.problems import Problem, Severity

    for dataset in plan.datasets:
        places = [folder(orphan.key) for run in dataset.runs for orphan in run.orphans]
        if places:
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            message = (
                f"{places[0]}{more} is published but no longer found; it stays as it is, for everybody to see"
            )
            hint = "To take it down, delete its folder from the storage and run `tomoportal load`."
            yield Problem("orphan", message, Severity.WARNING, where=folder(dataset.key), hint=hint)


def read_config(path: Path) -> Loaded:
    """A deposition file with its problems. Raises `UsageError` when the file itself cannot be read."""
    from tomoportal.config import load_config

    try:
        return load_config(path)
    except OSError as error:
        raise UsageError(f"{path}: the file cannot be read ({error.strerror or error}).") from error


def open_source_storage(url: str) -> Storage:
    """The storage with the depositor's files; a local folder must exist."""
    from tomoportal.storage import open_storage

    if "://" not in url and not Path(url).is_dir():
        raise UsageError(f"--source {url}: there is no such folder.")
    return open_storage(url)
