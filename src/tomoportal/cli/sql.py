"""`tomoportal sql`: read the database of the catalogue with SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption

if TYPE_CHECKING:
    from tomoportal.catalog.operator import Found

MOST_SHOWN = 1000
"""Rows of a table for people."""


def sql(
    statement: Annotated[
        str | None,
        typer.Argument(help="One SQL statement; `-`, or none at a pipe, reads it from standard input."),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Show the tables, their rows and columns instead.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print comma-separated values, for machines.")
    ] = False,
    as_json: JsonOption = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds that the statement may take.")] = 60,
    database: DatabaseOption = None,
) -> None:
    """Read the catalogue with SQL. The database itself refuses to change anything.

    There is a table for each entity (dataset, run, tiltseries, tomogram, annotation, …) with the fields that
    `tomoportal schema --reference` lists, foreign keys (run_id) and two columns more: _release, from when on a row
    is public, and _folder, where it lies in the storage. Unlike `tomoportal query` this shows what is not released yet,
    and paths in place of addresses.

    Examples:

      tomoportal sql "SELECT organism_name, count(*) FROM dataset GROUP BY 1"

      tomoportal sql --csv "SELECT name, _folder FROM run" > runs.csv
    """
    from tomoportal.catalog import operator
    from tomoportal.settings import Settings

    url = Settings.from_environment(database=database).database
    if tables:
        facts = operator.tables(url, seconds)
        rows = ((fact.name, fact.rows, ", ".join(fact.columns)) for fact in facts)
        return _show(operator.Found(("table", "rows", "columns"), iter(rows)), as_csv=as_csv, as_json=as_json)
    with operator.asked(url, _given(statement), seconds) as found:
        return _show(found, as_csv=as_csv, as_json=as_json)


def _given(statement: str | None) -> str:
    import sys

    from tomoportal.errors import UsageError

    if statement not in (None, "-"):
        return statement or ""
    if statement is None and sys.stdin.isatty():
        raise UsageError("there is no SQL statement; give one, or --tables to see what there is")
    return sys.stdin.read()


def _show(found: Found, *, as_csv: bool, as_json: bool) -> None:
    if as_json:
        _print_json(found)
    elif as_csv:
        import csv
        import sys

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(found.columns)
        writer.writerows([_plain(value) for value in row] for row in found.rows)
    elif found.columns:
        _print_table(found)


def _print_json(found: Found) -> None:
    import json

    for row in found.rows:
        values = dict(zip(found.columns, map(_plain, row), strict=True))
        typer.echo(json.dumps(values, ensure_ascii=False, default=str))


def _print_table(found: Found) -> None:
    from itertools import islice

    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    shown = [[_plain(value) for value in row] for row in islice(found.rows, MOST_SHOWN)]
    for column, name in enumerate(found.columns):
        is_number = _are_numbers(row[column] for row in shown)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in shown:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=100_000)
    console.print(table)
    more = next(found.rows, None) is not None
    note = f"the first {MOST_SHOWN} rows; --csv and --json print all" if more else f"{len(shown)} rows"
    typer.echo(f"({note})", err=True)


def _are_numbers(values: Iterable[Any]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, (int, float)) for value in given)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, (bytes, memoryview)) else value
