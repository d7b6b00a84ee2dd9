"""`tomoportal download`: data of a portal into a folder or an object store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.console import human_size
from tomoportal.cli.options import JsonOption
from tomoportal.cli.wanting import Wanted, asks_for_wanted, chosen

if TYPE_CHECKING:
    from tomoportal.client.downloads.engine import Outcome
    from tomoportal.client.downloads.manifest import Manifest, Totals
    from tomoportal.client.downloads.options import Options

JOBS = 32


@asks_for_wanted
def download(
    wanted: Wanted,
    manifest: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Download what this file, or the address of one, lists (`tomoportal manifest` and the basket of a portal make them).",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="Folder, or s3://bucket/prefix (also gs://, az://); every file keeps its path.",
        ),
    ] = ".",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would come, and how large it is.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Requests at a time, at most.")] = JOBS,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace files that are something else than what the portal has."),
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash what is here already instead of believing sizes and times.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Download data of a portal: many files at a time, checked, and resumable by running the same command again.

    tomoportal download dataset 10001 --only tomograms --format zarr --voxel-spacing 13.48 --to data
    """
    from tomoportal.client.downloads.options import Options

    options = Options(jobs, overwrite, verify, False if as_json else None)
    with _given(manifest, wanted) if manifest else chosen(wanted) as listed:
        if dry_run:
            _tell_plan(listed.totals(), listed.base, as_json)
            return
        if manifest:
            typer.echo(f"Downloading from {listed.base}", err=True)
        began = monotonic()
        outcome = _brought(listed, to, options)
    _tell_end(outcome, to, monotonic() - began, as_json)


@contextmanager
def _given(name: str, wanted: Wanted) -> Iterator[Manifest]:
    """A manifest of somebody."""
    from tomoportal.client.downloads.fetching import fetched_manifest
    from tomoportal.client.downloads.manifest import Manifest
    from tomoportal.client.downloads.options import PATIENCE
    from tomoportal.errors import UsageError

    if wanted != Wanted():
        raise UsageError("--manifest says what to download; name no targets beside it, nor filters or --url.")
    if name.startswith(("http://", "https://")):
        with fetched_manifest(name, PATIENCE) as manifest:
            yield manifest
        return
    path = Path(name)
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: this manifest cannot be read ({error.strerror}).") from error
    with file:
        yield Manifest(file, str(path))


def _brought(listed: Manifest, to: str, options: Options) -> Outcome:
    if "://" in to:
        from tomoportal.client.downloads.upload import upload

        return upload(listed, to, options)
    from tomoportal.client.downloads.engine import Engine
    from tomoportal.client.downloads.place import Destination

    return Engine(listed, Destination(Path(to)), options).run()


def _tell_plan(totals: Totals, base: str, as_json: bool) -> None:
    if as_json:
        kinds = {kind: {"files": totals.files[kind], "bytes": totals.bytes[kind]} for kind in totals.files}
        plan = {"from": base, "files": totals.all_files, "bytes": totals.all_bytes, "kinds": kinds}
        typer.echo(json.dumps(plan))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, show_footer=True, pad_edge=False)
    table.add_column("kind", "all")
    table.add_column("files", f"{totals.all_files:,}", justify="right")
    table.add_column("size", human_size(totals.all_bytes), justify="right")
    for kind in sorted(totals.files):
        table.add_row(kind, f"{totals.files[kind]:,}", human_size(totals.bytes[kind]))
    Console(file=sys.stdout).print(table)
    typer.echo(f"from {base}")


def _tell_end(outcome: Outcome, to: str, seconds: float, as_json: bool) -> None:
    """Raises what failed, after telling what came."""
    from tomoportal.client.downloads.fetching import settled

    totals = outcome.totals
    if as_json:
        failed = [str(error) for error in outcome.failed]
        end = {
            "files": totals.all_files, "bytes": totals.all_bytes, "kept_files": outcome.kept_files, "kept_bytes": outcome.kept_bytes,
            "failed": outcome.failed_units, "errors": failed, "seconds": round(seconds, 3),
        }  # fmt: skip
        typer.echo(json.dumps(end))
    settled(outcome)
    if not as_json:
        came, size = totals.all_files - outcome.kept_files, totals.all_bytes - outcome.kept_bytes
        kept = f"; {outcome.kept_files:,} files were there already" if outcome.kept_files else ""
        speed = f" ({human_size(size / max(seconds, 0.001))}/s)" if size else ""
        typer.echo(f"{came:,} files, {human_size(size)}, to {to} in {seconds:.1f} s{speed}{kept}.")
