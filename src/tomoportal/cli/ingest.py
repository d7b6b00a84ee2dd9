"""`tomoportal ingest`: a deposition becomes part of the portal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption, SourceOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.ingest.report import Report
    from tomoportal.problems import Problem
    from tomoportal.settings import Settings


def ingest(
    config: Annotated[Path, typer.Argument(help="The deposition file (YAML).", show_default=False)],
    source: SourceOption,
    storage: StorageOption = None,
    database: DatabaseOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one per core unless given.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert the sources of CONFIG into the standard layout and load them into the catalogue.

    Running it again does what is missing or has changed, and nothing else.
    """
    from tomoportal.cli.console import show_problems
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings

    settings = Settings.from_environment(storage=storage, database=database)
    started = time.perf_counter()
    report = ingest_config(config, source, settings, workers=workers, quiet=as_json)
    show_problems(report.sorted_problems(), as_json=as_json)
    if not as_json:
        typer.echo(f"{summary(report)} {time.perf_counter() - started:.1f} s.")
    if has_errors(report.problems):
        raise typer.Exit(1)


def ingest_config(
    config: Path, source: str, settings: Settings, *, workers: int | None = None, quiet: bool = False
) -> Report:
    """Find, plan, run, load. Raises `ConfigError` when the file is faulty."""
    from tomoportal.catalog import load, open_catalog
    from tomoportal.cli.console import ingest_progress
    from tomoportal.cli.planning import planned
    from tomoportal.ingest.run import run_plan

    made = planned(config, source, settings)
    with ingest_progress(quiet) as progress, open_catalog(settings.database, create=True) as catalog:
        problems: list[Problem] = []

        def published(dataset: str, runs: list[str] | None) -> None:
            problems.extend(load(made.target, catalog, datasets=[dataset], runs=runs).problems)

        report = run_plan(
            made.plan,
            source=made.source,
            target=made.target,
            published=published,
            workers=workers,
            progress=progress,
        )
    report.problems += [*made.problems, *problems]
    return report


def summary(report: Report) -> str:
    """What happened, in one line."""
    if not report.done and not report.failed:
        return f"Nothing to do: {report.unchanged} entities are published as asked for."
    counts: dict[str, int] = {}
    for task in report.done:
        counts[task.kind] = counts.get(task.kind, 0) + 1
    made = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    failed = f" {len(report.failed)} failed." if report.failed else ""
    return f"Published {made or 'nothing'}; {report.unchanged} unchanged.{failed}"
