"""`tomoportal check`: are deposition files right, and what would they find?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import JsonOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.config import Config
    from tomoportal.ingest.find import Found
    from tomoportal.problems import Problem


def check(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG…", help="Deposition files (YAML).")],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Folder or URL under which source_prefix lies; also shows what would be found.",
        ),
    ] = None,
    storage: StorageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check deposition files and say what is wrong where.

    Exit status: 0 without errors, 1 with errors, 2 when a file cannot be read.
    """
    from tomoportal.cli.planning import read_config
    from tomoportal.problems import has_errors

    wrong = False
    for path in configs:
        loaded = read_config(path)
        found = _found(loaded.config, source, storage) if loaded.config and source else None
        problems = [*loaded.problems, *(found.problems if found else ())]
        wrong = wrong or has_errors(problems)
        if as_json:
            for problem in problems:
                typer.echo(problem.as_json())
        else:
            _show(path, problems, found)
    if wrong:
        raise typer.Exit(1)


def _found(config: Config, source: str, storage: str | None) -> Found:
    from tomoportal.cli.planning import open_source_storage
    from tomoportal.ingest.find import find
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    target = open_storage(Settings.from_environment(storage=storage).storage)
    return find(config, open_source_storage(source), target)


def _show(path: Path, problems: list[Problem], found: Found | None) -> None:
    typer.echo(f"{path}: {_summary(problems)}")
    for problem in problems:
        place = ":".join(str(part) for part in (problem.line, problem.where) if part)
        typer.echo(f"  {place + ': ' if place else ''}{problem.severity.value}: {problem.message}")
        if problem.hint:
            typer.echo(f"      {problem.hint}")
    if found and found.deposition:
        for line in _overview(found):
            typer.echo(f"  {line}")


def _summary(problems: list[Problem]) -> str:
    counts: dict[str, int] = {}
    for problem in problems:
        counts[problem.severity.value] = counts.get(problem.severity.value, 0) + 1
    names = {"error": "error", "warning": "warning", "unsupported": "not supported yet"}
    told = [f"{counts[kind]} {name}{'s' if counts[kind] > 1 and kind != 'unsupported' else ''}"
            for kind, name in names.items() if kind in counts]  # fmt: skip
    return ", ".join(told) or "no problems"


def _overview(found: Found) -> list[str]:
    lines = [f"deposition {found.deposition.name}"] if found.deposition else []
    for dataset in found.deposition.datasets if found.deposition else ():
        counts: dict[str, int] = {}
        for run in dataset.runs:
            for items in (run.items, *(spacing.items for spacing in run.spacings)):
                for section, some in items.items():
                    counts[section] = counts.get(section, 0) + len(some)
        told = ", ".join(f"{count} {section}" for section, count in counts.items())
        lines.append(f"dataset {dataset.name}: {len(dataset.runs)} runs" + (f", {told}" if told else ""))
    return lines
