"""`tomoportal convert`: one volume to an OME-Zarr pyramid, without any portal around it."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.errors import UsageError

if TYPE_CHECKING:
    from tomoportal.ingest.volumes import Source, VolumeFacts


class Kind(StrEnum):
    """What the volume is: decides chunks, scaling and types."""

    TOMOGRAM = "tomogram"
    TILT_SERIES = "tilt-series"
    MASK = "mask"


def convert(
    volume: Annotated[Path, typer.Argument(help="MRC file, TIFF stack, DM3 or DM4 file, or Zarr folder.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.zarr", help="Folder to make.")],
    voxel_size: Annotated[
        float | None,
        typer.Option(metavar="ÅNGSTRÖM", help="Voxel size to publish; default: what the file says."),
    ] = None,
    kind: Annotated[Kind, typer.Option(help="What the volume is.")] = Kind.TOMOGRAM,
    label: Annotated[int, typer.Option(help="With --kind mask: the label that becomes the mask.")] = 1,
    mrc: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write this MRC file.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Worker threads.")] = min(os.cpu_count() or 1, 8),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")] = False,
) -> None:
    """Convert one volume to OME-Zarr (NGFF 0.4, three levels), and to MRC if asked.

    The volume is read once and in pieces, so it may be larger than the memory. Nothing appears under the final
    name before it is complete. Exit status: 0 done, 1 the volume cannot be used, 2 wrong usage, 3 storage trouble.
    """
    from tomoportal.ingest.volumes import open_source

    for target in (out, mrc):
        _check_target(target, volume, overwrite)
    begun = time.monotonic()
    staging_zarr, staging_mrc = _staging(out), _staging(mrc) if mrc else None
    source = open_source(volume, name=str(volume), scratch=out.absolute().parent)
    spacing = voxel_size if voxel_size is not None else _own_voxel_size(source)
    facts = _write(source, spacing, kind, label, staging_zarr, staging_mrc, threads)
    _put(staging_zarr, out)
    if mrc is not None and staging_mrc is not None:
        _put(staging_mrc, mrc)
    _report(facts, spacing, out, mrc, time.monotonic() - begun)


def _check_target(target: Path | None, volume: Path, overwrite: bool) -> None:
    if target is None:
        return
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target}: the folder {target.absolute().parent} does not exist; make it first.")
    if target.absolute() == volume.absolute():
        raise UsageError(f"{target}: the output would replace the input; give another name.")
    if (target.exists() or target.is_symlink()) and not overwrite:
        raise UsageError(f"{target} exists already; give another name, or --overwrite to replace it.")


def _staging(target: Path) -> Path:
    return target.absolute().with_name(f".{target.name}.{os.getpid()}.partial")


def _own_voxel_size(source: Source) -> float:
    known = [size for size in source.voxel_size if size is not None]
    if not known:
        raise UsageError(f"{source.name} does not tell its voxel size; give it with --voxel-size (in Å).")
    return source.voxel_size[1] or known[0]


def _write(
    source: Source, spacing: float, kind: Kind, label: int, zarr_dir: Path, mrc_file: Path | None, threads: int
) -> VolumeFacts:  # fmt: skip
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from tomoportal.ingest.volumes import MaskRecipe, VolumeKind, write_volume

    kinds = {
        Kind.TOMOGRAM: VolumeKind.TOMOGRAM,
        Kind.TILT_SERIES: VolumeKind.TILT_SERIES,
        Kind.MASK: VolumeKind.SEMANTIC_MASK,
    }
    size = source.dtype.itemsize
    for side in source.shape:
        size *= side
    columns = (
        TextColumn("Converting"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("convert", total=size)
        facts, _ = write_volume(
            source,
            spacing=spacing,
            kind=kinds[kind],
            zarr_dir=zarr_dir,
            mrc_file=mrc_file,
            recipe=MaskRecipe(label) if kind is Kind.MASK else None,
            threads=threads,
            progress=lambda done: bar.advance(task, done),
            scratch=zarr_dir.parent,
        )
    return facts


def _put(staged: Path, target: Path) -> None:
    """Give `staged` its final name; what was there goes only when the new one is complete."""
    import shutil

    if target.is_dir() and not target.is_symlink():
        old = target.absolute().with_name(f".{target.name}.{os.getpid()}.old")
        target.rename(old)
        staged.rename(target)
        shutil.rmtree(old)
    else:
        staged.replace(target)


def _report(facts: VolumeFacts, spacing: float, out: Path, mrc: Path | None, seconds: float) -> None:
    for problem in facts.problems:
        typer.echo(str(problem), err=True)
    levels = ", ".join(" × ".join(map(str, reversed(shape))) for shape in facts.levels)
    typer.echo(f"{out}: {_size(facts.zarr_size)} in {facts.zarr_files} files, {facts.dtype}")
    if mrc is not None:
        typer.echo(f"{mrc}: {_size(facts.mrc_size)}, {facts.mrc_dtype}")
    typer.echo(f"voxel size {spacing:.3f} Å; levels (x × y × z): {levels}")
    typer.echo(
        f"minimum {facts.minimum:g}, maximum {facts.maximum:g}, mean {facts.mean:g}, sigma {facts.sigma:g}; {seconds:.1f} s"
    )


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
