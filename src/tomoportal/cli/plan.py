"""`tomoportal plan`: what `ingest` would do, and why."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from tomoportal.cli.planning import Overview, Planned


def plan(
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
    as_json: JsonOption = False,
) -> None:
    """Show what `ingest` would do with CONFIG and why. Writes nothing.

    tomoportal plan lab.yaml --source /data --only annotations --include run=TS_0
    """
    from tomoportal.cli.console import show_problems
    from tomoportal.cli.planning import look_through, planned
    from tomoportal.ingest.selection import Selection
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings

    selection = Selection.of(
        only or (), include or (), exclude or (), metadata_only=metadata_only, force=force, restore=restore,
        meshes=meshes,
    )  # fmt: skip
    made = planned(config, source, Settings.from_environment(storage=storage, database=database), selection)
    if as_json:
        look_through(made.plan, lambda task: typer.echo(task.as_json()))
    else:
        show_plan(made)
    show_problems(made.problems)
    if has_errors(made.problems):
        raise typer.Exit(1)


def show_plan(made: Planned) -> Overview:
    """One line per entity: what, why, from how many bytes, and whether these pass through scratch files."""
    from tomoportal.cli.console import human_size
    from tomoportal.cli.planning import look_through
    from tomoportal.ingest.scratch import scratch_use
    from tomoportal.ingest.task import Task
    from tomoportal.layout.paths import folder

    def tell(task: Task) -> None:
        size = f"  {human_size(task.size())}" if task.size() else ""
        passing = scratch_use(task, made.source)
        words = f", {passing}" if passing else ""
        typer.echo(f"{task.kind:<12} {folder(task.key)}  ({task.why}){size}{words}")

    seen = look_through(made.plan, tell)
    for orphan in seen.orphans:
        typer.echo(f"{'orphan':<12} {folder(orphan.key)}  (published, but no longer found)")
    count = seen.kinds.total()
    left = made.plan.notes.left()
    if not count:
        typer.echo(f"Nothing to do: {seen.unchanged} entities are published as asked for. {left}".rstrip())
    else:
        typer.echo(
            f"{count} to do, reading {human_size(seen.size)}; {seen.unchanged} unchanged. "
            f"Pictures and viewer states follow from these. {left}".rstrip()
        )
    return seen
