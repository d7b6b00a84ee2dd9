"""`tomoportal plan`: what `ingest` would do, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption, SourceOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.ingest.plan import Plan


def plan(
    config: Annotated[Path, typer.Argument(help="The deposition file (YAML).", show_default=False)],
    source: SourceOption,
    storage: StorageOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what `ingest` would do with CONFIG and why. Writes nothing."""
    from tomoportal.cli.console import show_problems
    from tomoportal.cli.planning import planned
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings

    made = planned(config, source, Settings.from_environment(storage=storage, database=database))
    if as_json:
        for task in made.plan.tasks():
            typer.echo(task.as_json())
    else:
        show_plan(made.plan)
    show_problems(made.problems)
    if has_errors(made.problems):
        raise typer.Exit(1)


def show_plan(plan: Plan) -> None:
    """One line per entity: what, why, from how many bytes."""
    from tomoportal.cli.console import human_size
    from tomoportal.ingest.plan import UNCHANGED
    from tomoportal.layout.paths import folder

    tasks = [task for task in plan.tasks() if task.why != UNCHANGED]
    for task in tasks:
        size = f"  {human_size(task.size())}" if task.size() else ""
        typer.echo(f"{task.kind:<12} {folder(task.key)}  ({task.why}){size}")
    runs = [run for dataset in plan.datasets for run in dataset.runs]
    for run in runs:
        for orphan in run.orphans:
            typer.echo(f"{'orphan':<12} {folder(orphan.key)}  (published, but no longer found)")
    unchanged = sum(run.unchanged for run in runs)
    if not tasks:
        typer.echo(f"Nothing to do: {unchanged} entities are published as asked for.")
        return
    total = human_size(sum(task.size() for task in tasks))
    typer.echo(
        f"{len(tasks)} to do, reading {total}; {unchanged} unchanged. Pictures and viewer states follow from these."
    )
