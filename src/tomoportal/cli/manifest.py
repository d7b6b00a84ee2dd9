"""`tomoportal manifest`: the list of what would be downloaded, for others, or for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tomoportal.cli.wanting import Wanted, asks_for_wanted, chosen


@asks_for_wanted
def manifest(
    wanted: Wanted,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; default: standard output.", show_default=False),
    ] = None,
    notation: Annotated[
        str,
        typer.Option(
            "--as",
            help="jsonl (for `tomoportal download --manifest`), aria2 (aria2c -i), curl (curl -K) or sha256sum (sha256sum -c).",
        ),
    ] = "jsonl",
) -> None:
    """List what fits, with addresses, paths, sizes and checksums, so that it can be downloaded later or by others.

    tomoportal manifest dataset 10001 --only tomograms --format zarr -o tomograms.jsonl
    """
    from tomoportal.client.downloads.lists import JSONL, NOTATIONS, told_as
    from tomoportal.client.downloads.place import told
    from tomoportal.errors import UsageError

    if notation not in (JSONL, *NOTATIONS):
        raise UsageError(f"--as {notation} is not known; expected {JSONL}, {', '.join(NOTATIONS)}.")
    with chosen(wanted) as listed:
        if output is None:
            sys.stdout.writelines(told_as(listed, notation))
            return
        with told(output), output.open("w", encoding="utf-8") as file:
            file.writelines(told_as(listed, notation))
