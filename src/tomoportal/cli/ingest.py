"""`tomoportal ingest`: a deposition becomes part of the portal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption, SourceOption, StorageOption
from tomoportal.cli.selecting import (
    ExcludeOption,
    ForceOption,
    IncludeOption,
    MetadataOnlyOption,
    OnlyOption,
    RestoreOption,
)

if TYPE_CHECKING:
    from tomoportal.catalog import Catalog
    from tomoportal.ingest.report import Report
    from tomoportal.ingest.selection import Selection
    from tomoportal.problems import Problem
    from tomoportal.settings import Settings
    from tomoportal.storage import Storage


def ingest(
    config: Annotated[Path, typer.Argument(help="The deposition file (YAML).", show_default=False)],
    source: SourceOption,
    only: OnlyOption = None,
    metadata_only: MetadataOnlyOption = False,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    force: ForceOption = False,
    restore: RestoreOption = False,
    storage: StorageOption = None,
    database: DatabaseOption = None,
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
        only or (), include or (), exclude or (), metadata_only=metadata_only, force=force, restore=restore
    )
    settings = Settings.from_environment(storage=storage, database=database)
    started = time.perf_counter()
    report = ingest_config(config, source, settings, selection=selection, workers=workers, quiet=as_json)
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
    workers: int | None = None,
    quiet: bool = False,
) -> Report:
    """Find, plan, run, load. Raises `ConfigError` when the file is faulty."""
    from tomoportal.catalog import open_catalog
    from tomoportal.cli.console import ingest_progress
    from tomoportal.cli.planning import planned
    from tomoportal.ingest.run import run_plan

    made = planned(config, source, settings, selection)
    with ingest_progress(quiet) as progress, open_catalog(settings.database, create=True) as catalog:
        published = CatalogLoading(made.target, catalog)
        report = run_plan(
            made.plan,
            source=made.source,
            target=made.target,
            published=published,
            workers=workers,
            progress=progress,
        )
    report.problems += [*made.problems, *published.problems]
    return report


@dataclass(slots=True)
class CatalogLoading:
    """Tells the catalogue what is published; `problems` are those of loading."""

    target: Storage
    catalog: Catalog
    problems: list[Problem] = field(default_factory=list)

    def load(self, dataset: str, runs: list[str] | None) -> None:
        """A dataset, or some of its runs, have changed."""
        from tomoportal.catalog import load

        self.problems += load(self.target, self.catalog, datasets=[dataset], runs=runs).problems

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
    if not report.done and not report.failed:
        return removed.strip() or f"Nothing to do: {report.unchanged} entities are published as asked for."
    made = ", ".join(f"{count} {kind}" for kind, count in report.done.items())
    failed = f" {len(report.failed)} failed." if report.failed else ""
    return f"Published {made or 'nothing'}; {report.unchanged} unchanged.{failed}{removed}"
