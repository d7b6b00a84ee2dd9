"""The command line: one file per command, heavy imports inside the command.

Exit codes: 0 done, 1 a problem of severity `error`, 2 wrong usage or deposition file, 3 storage or database trouble,
130 interrupted. A traceback is shown with `--debug` only.
"""

from __future__ import annotations

import sys

import typer

from tomoportal.cli.check import check
from tomoportal.cli.compare import compare
from tomoportal.cli.convert import convert
from tomoportal.cli.demo import demo
from tomoportal.cli.download import download
from tomoportal.cli.export import export
from tomoportal.cli.ingest import ingest
from tomoportal.cli.load import load
from tomoportal.cli.manifest import manifest
from tomoportal.cli.new import new
from tomoportal.cli.ontology import ontology
from tomoportal.cli.plan import plan
from tomoportal.cli.query import query
from tomoportal.cli.schema import schema
from tomoportal.cli.serve import serve
from tomoportal.cli.sql import sql
from tomoportal.cli.withdraw import withdraw
from tomoportal.errors import CatalogError, ConfigError, PortalError, RemoteError, StorageError, UsageError

INTERRUPTED = 130
"""The exit code that typer makes of Ctrl-C."""

app = typer.Typer(
    name="tomoportal",
    help="Turn cryo-electron tomography files into a data portal: check, ingest, serve.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    demo,
    new,
    check,
    plan,
    ingest,
    withdraw,
    load,
    query,
    sql,
    serve,
    convert,
    compare,
    schema,
    download,
    manifest,
):
    app.command()(command)
app.add_typer(export)
app.add_typer(ontology)


def _version(wanted: bool) -> None:
    if wanted:
        from tomoportal import __version__

        typer.echo(f"tomoportal {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    if debug:
        import logging

        logging.basicConfig(level=logging.DEBUG)


def main() -> None:
    """Run the command line; errors become a sentence and an exit code."""
    try:
        app()
    except PortalError as error:
        if "--debug" in sys.argv:
            raise
        typer.echo(f"Error: {error}", err=True)
        for problem in getattr(error, "problems", ()):
            if "--json" in sys.argv:
                typer.echo(problem.as_json())
            else:
                typer.echo(str(problem), err=True)
        raise SystemExit(_exit_code(error)) from None
    except ModuleNotFoundError as error:
        if "--debug" in sys.argv or (error.name or "").startswith("tomoportal"):
            raise
        typer.echo(
            f"Error: this needs the package {error.name}; run: pip install 'tomoportal[all]'", err=True
        )
        raise SystemExit(2) from None
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo("Stopped. What is finished stays; run the same command again to go on.", err=True)
        raise


def _exit_code(error: PortalError) -> int:
    if isinstance(error, (ConfigError, UsageError)):
        return 2
    if isinstance(error, (StorageError, CatalogError, RemoteError)):
        return 3
    return 1
