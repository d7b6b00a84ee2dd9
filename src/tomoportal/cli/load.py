"""`tomoportal load`: bring the catalogue up to date with the files."""

from __future__ import annotations

from typing import Annotated

import typer

from tomoportal.cli.options import DatabaseOption, JsonOption, StorageOption


def load(
    datasets: Annotated[
        list[str] | None, typer.Argument(help="Folder names of datasets; all of them when none is named.")
    ] = None,
    storage: StorageOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the catalogue up to date with the files; a catalogue of another version is made anew."""
    import time

    from tomoportal.catalog import load as load_catalog
    from tomoportal.catalog import open_catalog
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    settings = Settings.from_environment(storage=storage, database=database)
    started = time.monotonic()
    with open_catalog(settings.database, create=True) as catalog:
        report = load_catalog(open_storage(settings.storage), catalog, datasets=datasets or None)
    for problem in report.problems:
        print(problem.as_json() if as_json else problem)
    if not as_json:
        took = time.monotonic() - started
        print(f"{report.rows} rows of {len(report.datasets)} datasets loaded in {took:.1f} s")
    if has_errors(report.problems):
        raise typer.Exit(1)
