"""`tomoportal ingest`: a deposition becomes part of the portal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption, SourceOption, StorageOption
from tomoportal.cli.selecting import (
    ExcludeOption,
    ForceOption,
    IncludeOption,
    MeshesOption,
    MetadataOnlyOption,
    OnlyOption,
    RestoreOption,
)
from tomoportal.errors import ConfigError

if TYPE_CHECKING:
    from tomoportal.catalog import Catalog
    from tomoportal.cli.planning import Planned
    from tomoportal.ingest.report import Report
    from tomoportal.ingest.selection import Selection
    from tomoportal.layout.private import Record
    from tomoportal.problems import Problem
    from tomoportal.settings import Settings
    from tomoportal.storage import Storage

BLINDING = ("empty", "no-value", "link-outside")
"""Findings, less than errors, after which it is uncertain what the source holds."""


def ingest(
    config: Annotated[Path, typer.Argument(help="The deposition file (YAML).", show_default=False)],
    source: SourceOption,
    only: OnlyOption = None,
    metadata_only: MetadataOnlyOption = False,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    force: ForceOption = False,
    restore: RestoreOption = False,
    meshes: MeshesOption = None,
    storage: StorageOption = None,
    database: DatabaseOption = None,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Take down what this deposition has published and its file no longer leads to."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take down without asking.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one per core unless given.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert the sources of CONFIG into the standard layout and load them into the catalogue.

    Running it again does what is missing or has changed, and nothing else.

    tomoportal ingest lab.yaml --source /data --only annotations --include run=TS_0
    """
    from tomoportal.cli.console import show_problems
    from tomoportal.ingest.selection import Selection
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings

    selection = Selection.of(
        only or (), include or (), exclude or (), metadata_only=metadata_only, force=force, restore=restore,
        meshes=meshes,
    )  # fmt: skip
    settings = Settings.from_environment(storage=storage, database=database)
    started = time.perf_counter()
    confirm = (lambda _: None) if yes or as_json else ask_to_remove
    report = ingest_config(
        config, source, settings, selection=selection, prune=confirm if prune else None, workers=workers, quiet=as_json
    )  # fmt: skip
    show_problems(report.sorted_problems(), as_json=as_json)
    if not as_json:
        typer.echo(f"{summary(report)} {time.perf_counter() - started:.1f} s.")
    if has_errors(report.problems):
        raise typer.Exit(1)


def ingest_config(
    config: Path,
    source: str,
    settings: Settings,
    *,
    selection: Selection | None = None,
    prune: Callable[[list[Record]], None] | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> Report:
    """Find, plan, run, load. With `prune`, what is no longer found is taken down first, after that was called with it. Raises
    `ConfigError` when the file is faulty."""
    from tomoportal.catalog import open_catalog
    from tomoportal.cli.console import ingest_progress
    from tomoportal.cli.planning import planned
    from tomoportal.ingest.removal import Removal
    from tomoportal.ingest.run import run_plan

    made = planned(config, source, settings, selection)
    doomed = what_to_prune(made) if prune else []
    if prune and doomed:
        prune(doomed)
    with ingest_progress(quiet) as progress, open_catalog(settings.database, create=True) as catalog:
        published = CatalogLoading(made.target, catalog)
        removed = Removal(made.target, published).take(doomed)
        report = run_plan(
            made.plan,
            source=made.source,
            target=made.target,
            published=published,
            workers=workers,
            progress=progress,
        )
    report.removed, report.left = removed, made.plan.notes.left()
    report.problems += [*made.problems, *published.problems]
    return report


def what_to_prune(made: Planned) -> list[Record]:
    """What is published and no longer found, as far as nothing else stands on it. Raises `ConfigError` when finding or planning was
    faulty: then nothing tells what is gone from what could not be seen."""
    from tomoportal.cli.planning import look_through
    from tomoportal.ingest.removal import prunable

    orphans = look_through(made.plan).orphans
    faults = [problem for problem in made.problems if problem.severity == "error" or problem.code in BLINDING]
    if orphans and faults:
        raise ConfigError(
            "Nothing was taken down and nothing ingested: while something cannot be found or planned as the deposition file says, "
            "what is no longer found may only be out of sight. Correct the following, or ingest without --prune.", faults,
        )  # fmt: skip
    made.plan.notes.orphans.clear()
    return prunable(made.target, orphans)[0]


def ask_to_remove(doomed: list[Record]) -> None:
    """Show what will be taken down, and on a terminal ask whether that is meant. Raises `typer.Abort`."""
    from tomoportal.layout.paths import folder

    for record in sorted(doomed, key=lambda record: folder(record.key)):
        if record.key.kind != "view":
            typer.echo(f"taking down  {folder(record.key)}", err=True)
    if sys.stdin.isatty():
        typer.confirm("Take these down?", abort=True, err=True)


@dataclass(slots=True)
class CatalogLoading:
    """Tells the catalogue what is published; `problems` are those of loading."""

    target: Storage
    catalog: Catalog
    problems: list[Problem] = field(default_factory=list)

    def load(self, dataset: str, runs: list[str] | None) -> bool:
        """A dataset, or some of its runs, have changed. Whether readers see it."""
        from tomoportal.catalog import load

        report = load(self.target, self.catalog, datasets=[dataset], runs=runs)
        self.problems += report.problems
        return dataset in report.datasets

    def load_deposition(self, deposition: str) -> None:
        """The deposition itself has changed."""
        from tomoportal.catalog import load

        self.problems += load(self.target, self.catalog, datasets=[], depositions=[deposition]).problems

    def is_current(self, dataset: str) -> bool:
        """Whether the catalogue has the dataset as it was gathered last."""
        from tomoportal.catalog import is_current

        return is_current(self.target, self.catalog, dataset)


def summary(report: Report) -> str:
    """What happened, in one line."""
    removed = f" {report.removed} taken down." if report.removed else ""
    left = f" {report.left}" if report.left else ""
    if not report.done and not report.failed:
        nothing = removed.strip() or f"Nothing to do: {report.unchanged} entities are published as asked for."
        return f"{nothing}{left}"
    made = ", ".join(f"{count} {kind}" for kind, count in report.done.items())
    failed = f" {len(report.failed)} failed." if report.failed else ""
    return f"Published {made or 'nothing'}; {report.unchanged} unchanged.{failed}{removed}{left}"
