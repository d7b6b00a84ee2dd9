"""`tomoportal check`: are deposition files right, and what would they find?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import JsonOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.cli.planning import Overview
    from tomoportal.config import Config
    from tomoportal.ingest.find import Found
    from tomoportal.ingest.plan import Plan
    from tomoportal.problems import Problem
    from tomoportal.settings import Settings

_WIDTH = 160
"""Columns of a table that goes into a file or another program."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What lies in the source, and what `ingest` would do with it."""

    found: Found
    plan: Plan
    overview: Overview


def check(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG…", help="Deposition files (YAML).")],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Folder or URL under which source_prefix lies; also shows what would be found, run by run, and ingested.",
        ),
    ] = None,
    storage: StorageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check deposition files and say what is wrong where.

    Exit status: 0 without errors, 1 with errors, 2 when a file cannot be read.
    """
    from tomoportal.cli.planning import read_config
    from tomoportal.problems import has_errors, in_order
    from tomoportal.settings import Settings

    settings, wrong = Settings.from_environment(storage=storage), False
    for path in configs:
        loaded = read_config(path, settings.storage)
        seen = _seen(loaded.config, source, settings) if loaded.config and source else None
        problems = in_order([*loaded.problems, *(seen.plan.problems if seen else ())])
        wrong = wrong or has_errors(problems)
        if as_json:
            for problem in problems:
                typer.echo(problem.as_json())
            _tell_runs(seen)
        else:
            _show(path, problems, seen)
    if wrong:
        raise typer.Exit(1)


def _seen(config: Config, source: str, settings: Settings) -> _Seen:
    from tomoportal.cli.planning import look_through, planned_config

    made = planned_config(config, source, settings)
    overview = look_through(made.plan)
    return _Seen(made.found, made.plan, overview)


def _show(path: Path, problems: list[Problem], seen: _Seen | None) -> None:
    typer.echo(f"{path}: {_summary(problems)}")
    for problem in problems:
        other = "" if problem.file == str(path) else problem.file
        place = ":".join(str(part) for part in (other, problem.line, problem.where) if part)
        typer.echo(f"  {place + ': ' if place else ''}{problem.severity.value}: {problem.message}")
        if problem.hint:
            typer.echo(f"      {problem.hint}")
    if seen and seen.found.deposition:
        for line in (*_overview(seen.found), _ahead(seen.overview)):
            typer.echo(f"  {line}")
        _show_table(seen.found)


def _tell_runs(seen: _Seen | None) -> None:
    """One JSON object for each run, with the files it would consume."""
    from tomoportal.cli.found_table import rows

    for row in rows(seen.found) if seen else ():
        typer.echo(row.as_json())


def _show_table(found: Found) -> None:
    import sys

    from rich.console import Console

    from tomoportal.cli.found_table import table

    Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH, highlight=False).print(
        table(found)
    )


def _summary(problems: list[Problem]) -> str:
    counts: dict[str, int] = {}
    for problem in problems:
        counts[problem.severity.value] = counts.get(problem.severity.value, 0) + 1
    names = {"error": "error", "warning": "warning", "unsupported": "not supported yet", "notice": "notice"}
    told = [f"{counts[kind]} {name}{'s' if counts[kind] > 1 and kind != 'unsupported' else ''}"
            for kind, name in names.items() if kind in counts]  # fmt: skip
    return ", ".join(told) or "no problems"


def _overview(found: Found) -> list[str]:
    """What is found, without what is left out."""
    from tomoportal.cli.found_table import taken

    lines = [f"deposition {found.deposition.name}"] if found.deposition else []
    for dataset in found.deposition.datasets if found.deposition else ():
        counts: dict[str, int] = {}
        for run in dataset.runs:
            for section, items in taken(run):
                if items:
                    counts[section] = counts.get(section, 0) + len(items)
        told = ", ".join(f"{count} {section}" for section, count in counts.items())
        number = len(dataset.runs)
        lines.append(
            f"dataset {dataset.name}: {number} run{'s' * (number != 1)}" + (f", {told}" if told else "")
        )
    return lines


def _ahead(seen: Overview) -> str:
    """How many entities `ingest` would make or change, by kind."""
    told = ", ".join(f"{count} {kind}" for kind, count in seen.kinds.items())
    published = f"; {seen.unchanged} published as asked for" if seen.unchanged else ""
    return f"to ingest: {told or 'nothing'}{published}"
