"""`tomoportal export`: what is published, in the formats of other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tomoportal.cli.options import DatabaseOption, StorageOption

_FORMATS = "ndjson, csv, relion5_star, relion4_star, stopgap_star, dynamo_tbl, copick, mod"

export = typer.Typer(
    name="export",
    help="Write annotations for other programs: a list of particles, or a copick project.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@export.command("annotation")
def annotation(
    id: Annotated[int, typer.Argument(help="Id of the annotation, as on its page.", show_default=False)],
    format: Annotated[str, typer.Option(help=f"One of {_FORMATS}.", show_default=False)],
    tomogram: Annotated[
        int | None,
        typer.Option(
            help="Id of the tomogram in whose voxels to count; default: that of the annotation.",
            show_default=False,
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="OrientedPoint, InstanceSegmentation or Point, where it has several.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="File or folder to write into, - for standard output; default: a new file here.",
            show_default=False,
        ),
    ] = None,
    storage: StorageOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write the points of one annotation in the format of a package, for any tomogram of the same alignment.

    tomoportal export annotation 123 --format relion5_star
    """
    from tomoportal.catalog import open_catalog
    from tomoportal.errors import NotFound, UsageError
    from tomoportal.exports import PLAIN, annotation_export
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    settings = Settings.from_environment(storage=storage, database=database)
    try:
        with open_catalog(settings.database) as catalog:
            planned = annotation_export(
                catalog.view(addresses=PLAIN), id, format=format, tomogram=tomogram, shape=shape
            )
    except NotFound as error:
        raise UsageError(f"{error}.") from None
    data = planned.make(open_storage(settings.storage).read(planned.path))
    if output is not None and str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    _write(_target(output, planned.file_name), data)


def _target(output: Path | None, name: str) -> Path:
    from tomoportal.errors import UsageError

    target = output or Path(name)
    if target.is_dir():
        target = target / name
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target}: the folder {target.absolute().parent} does not exist; make it first.")
    if output is None and target.exists():
        raise UsageError(f"{target} exists already; name another file with --output.")
    return target


def _write(target: Path, data: bytes) -> None:
    from tomoportal.errors import StorageError

    try:
        target.write_bytes(data)
    except OSError as error:
        raise StorageError(str(target), f"this file cannot be written ({error.strerror})") from error
    typer.echo(f"{target}: {len(data)} bytes")


@export.command("copick")
def copick(
    output: Annotated[Path, typer.Option(help="New folder for the project.", show_default=False)],
    dataset: Annotated[
        list[int] | None, typer.Option(help="Id of a dataset; repeatable.", show_default=False)
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option(help="Name of a run; repeatable.", show_default=False)
    ] = None,
    voxel_spacing: Annotated[
        float | None, typer.Option(metavar="Å", help="Only what has this voxel spacing.", show_default=False)
    ] = None,
    object: Annotated[
        list[str] | None, typer.Option(help="Name of an object; repeatable.", show_default=False)
    ] = None,
    volumes: Annotated[
        str, typer.Option(help="Tomograms and masks: link (a local storage), copy or none.")
    ] = "link",
    storage: StorageOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write a copick project of a selection: objects, picks, tomograms and masks, with an overlay for new picks.

    tomoportal export copick --output project --dataset 10901 --voxel-spacing 10
    """
    from tomoportal.catalog import open_catalog
    from tomoportal.errors import UsageError
    from tomoportal.exports import PLAIN
    from tomoportal.exports.copick.project import Volumes, Wish, write_project
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    if volumes not in list(Volumes):
        raise UsageError(f"--volumes is {volumes}; expected {', '.join(Volumes)}.")
    settings = Settings.from_environment(storage=storage, database=database)
    wish = Wish(tuple(dataset or ()), tuple(run or ()), voxel_spacing, tuple(object or ()))
    with open_catalog(settings.database) as catalog:
        made = write_project(
            catalog.view(addresses=PLAIN), open_storage(settings.storage), output, wish, Volumes(volumes)
        )
    typer.echo(
        f"{output / 'copick.json'}: {len(made.objects)} objects, {made.runs} runs, {made.tomograms} tomograms, "
        f"{made.picks} lists of picks, {made.masks} masks"
    )
