"""`tomoportal compare`: how well predicted points or masks agree with true ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tomoportal.cli.options import DatabaseOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.compare import MaskScores, ParticleList, PointScores

_POINTS = (
    ("precision", "right among the predicted"),
    ("recall", "found among the true"),
    ("f1", "harmonic mean of both"),
    ("mean_distance", "Å between partners"),
    ("median_distance", "Å"),
    ("mean_angle", "degrees between their orientations"),
    ("median_angle", "degrees"),
    ("mean_axis_angle", "degrees between their z axes"),
)
_MASKS = (
    ("dice", "twice the common voxels by the sum of both"),
    ("iou", "common voxels by those in either"),
    ("precision", "common among the predicted"),
    ("recall", "common among the true"),
)


@dataclass(frozen=True, slots=True)
class _Input:
    """What an argument named: a file at hand, and what a portal says of it. `format` as it was given."""

    name: str
    path: Path
    format: str | None = None
    spacing: float | None = None
    size: tuple[int, int, int] | None = None


def compare(
    predicted: Annotated[str, typer.Argument(help="File, or annotation:ID of a portal.", show_default=False)],
    truth: Annotated[str, typer.Argument(help="The same.", show_default=False)],
    radius: Annotated[
        float | None,
        typer.Option(metavar="Å", help="For points: how far a right one may be off.", show_default=False),
    ] = None,
    voxel_spacing: Annotated[
        float | None,
        typer.Option(metavar="Å", help="Of files of points that count in voxels.", show_default=False),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="Of a predicted file whose ending does not say; as in deposition files.", show_default=False
        ),
    ] = None,
    truth_format: Annotated[
        str | None, typer.Option(help="The same of the true file.", show_default=False)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Name of the tomogram, where a file has several.", show_default=False)
    ] = None,
    label: Annotated[
        int | None, typer.Option(help="Predicted mask: the voxels of this label.", show_default=False)
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Predicted mask: the voxels above this.", show_default=False)
    ] = None,
    truth_label: Annotated[
        int | None, typer.Option(help="True mask: the voxels of this label.", show_default=False)
    ] = None,
    truth_threshold: Annotated[
        float | None, typer.Option(help="True mask: the voxels above this.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")] = False,
    url: Annotated[
        str | None,
        typer.Option(help="Portal of annotation:ID; without it the local one.", show_default=False),
    ] = None,
    storage: StorageOption = None,
    database: DatabaseOption = None,
) -> None:
    """Compare predicted points with true ones (--radius), or a predicted mask with a true one, voxel by voxel.

    Points are paired one to one within the radius: as many pairs as possible, and of these the nearest. Masks are MRC or OME-Zarr of one
    size; without a label or threshold every voxel that is not 0 is inside.

    tomoportal compare picks.star annotation:123 --radius 70
    """
    from tomoportal.compare import is_volume
    from tomoportal.errors import UsageError

    masks = is_volume(predicted) or is_volume(truth) or (radius is None)
    limits = (label, threshold, truth_label, truth_threshold)
    if masks and radius is not None:
        raise UsageError("--radius is for points; masks are compared voxel by voxel.")
    if not masks and any(limit is not None for limit in limits):
        raise UsageError("--label and --threshold are for masks; leave out --radius to compare masks.")
    if masks and not all(is_volume(name) or name.startswith("annotation:") for name in (predicted, truth)):
        raise UsageError("to compare points give --radius (in Å); masks end in .mrc, .rec, .map or .zarr.")
    with ExitStack() as stack:
        found = [
            stack.enter_context(_input(name, masks, url, storage, database)) for name in (predicted, truth)
        ]
        scores: MaskScores | PointScores
        if masks:
            scores = _masks(found, ((label, threshold), (truth_label, truth_threshold)))
        else:
            scores = _points(found, (format, truth_format), group, radius or 0, voxel_spacing)
    _tell(scores, _MASKS if masks else _POINTS, as_json)


def _masks(found: list[_Input], limits: tuple[tuple[int | None, float | None], ...]) -> MaskScores:
    from tomoportal.compare import compare_masks, open_mask

    opened = [
        open_mask(one.path, name=one.name, label=label, threshold=threshold)
        for one, (label, threshold) in zip(found, limits, strict=True)
    ]
    return compare_masks(opened[0], opened[1])


def _points(
    found: list[_Input], formats: tuple[str | None, str | None], group: str | None, radius: float, spacing: float | None
) -> PointScores:  # fmt: skip
    from tomoportal.compare import compare_points, in_angstrom

    first, second = (_list(one, kind, group) for one, kind in zip(found, formats, strict=True))
    places = in_angstrom(first, second, spacing)
    turns = first.particles.rotations, second.particles.rotations
    both = (turns[0], turns[1]) if turns[0] is not None and turns[1] is not None else None
    return compare_points(*places, radius=radius, turns=both)


def _list(one: _Input, kind: str | None, group: str | None) -> ParticleList:
    from dataclasses import replace

    from tomoportal.compare import read_list
    from tomoportal.errors import SourceError

    try:
        data = one.path.read_bytes()
    except OSError as error:
        raise SourceError(one.name, f"the file cannot be read ({error.strerror}).") from error
    published = one.format is not None
    found = read_list(data, one.name, kind=one.format or kind, group=None if published else group)
    return replace(found, spacing=one.spacing, size=one.size)


@contextmanager
def _input(
    name: str, masks: bool, url: str | None, storage: str | None, database: str | None
) -> Iterator[_Input]:
    """The file that an argument names, for as long as it is needed."""
    from tomoportal.errors import UsageError

    kind, sign, number = name.partition(":")
    if not (sign and kind == "annotation"):
        yield _Input(name, Path(name))
        return
    if not number.isdecimal():
        raise UsageError(
            f"{name}: expected annotation:ID with the id as on the pages, such as annotation:123."
        )
    with (
        _from_portal(int(number), masks, url)
        if url
        else _from_storage(int(number), masks, storage, database) as found
    ):
        yield found


@contextmanager
def _from_storage(id: int, masks: bool, storage: str | None, database: str | None) -> Iterator[_Input]:
    from tomoportal.catalog import open_catalog
    from tomoportal.errors import NotFound, UsageError
    from tomoportal.exports import PLAIN, annotation_export
    from tomoportal.exports.annotation import mask_path
    from tomoportal.settings import Settings
    from tomoportal.storage import open_storage

    settings = Settings.from_environment(storage=storage, database=database)
    name = f"annotation:{id}"
    spacing = size = None
    try:
        with open_catalog(settings.database) as catalog:
            view = catalog.view(addresses=PLAIN)
            if masks:
                path = mask_path(view, id)
            else:
                planned = annotation_export(view, id, format="ndjson")
                path, spacing, size = planned.path, planned.spacing, planned.destination.size
    except NotFound as error:
        raise UsageError(f"{error}.") from None
    with open_storage(settings.storage).fetch(path) as file:
        yield _Input(name, file, None if masks else "ndjson", spacing, size)


@contextmanager
def _from_portal(id: int, masks: bool, url: str) -> Iterator[_Input]:
    import tempfile

    from tomoportal.client import CLASSES, Client
    from tomoportal.errors import UsageError

    with Client(url) as client, tempfile.TemporaryDirectory() as scratch:
        row: Any = CLASSES["Annotation"].get_by_id(client, id)
        if row is None:
            raise UsageError(f"annotation:{id}: {url} has no such annotation.")
        files = [file for shape in row.annotation_shapes for file in shape.annotation_files]
        wanted = [file for file in files if file.format == ("mrc" if masks else "ndjson")]
        if not wanted:
            raise UsageError(f"annotation:{id} of {url} has no {'mask' if masks else 'points'}.")
        best = min(wanted, key=lambda file: file.annotation_shape.shape_type != "OrientedPoint")
        path = Path(best.download(scratch))
        spacing = row.tomogram_voxel_spacing.voxel_spacing
        beside = [
            one for one in row.tomogram_voxel_spacing.tomograms if one.alignment_id == best.alignment_id
        ]
        size = (beside[0].size_x, beside[0].size_y, beside[0].size_z) if beside else None
        yield _Input(f"annotation:{id}", path, None if masks else "ndjson", spacing, size)


def _tell(scores: MaskScores | PointScores, words: tuple[tuple[str, str], ...], as_json: bool) -> None:
    import json

    content = asdict(scores)
    if as_json:
        typer.echo(json.dumps(content))
        return
    found = content.get("found", content.get("common"))
    unit = "points" if "found" in content else "voxels"
    typer.echo(f"{content['predicted']} predicted {unit}, {content['true']} true, {found} in both")
    for name, meaning in words:
        if content[name] is not None:
            typer.echo(f"{name.replace('_', ' '):16} {content[name]:10.4f}  {meaning}")
