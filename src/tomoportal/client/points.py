"""The points of an annotation as a table, in voxels or Å, for any tomogram of its alignment."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from tomoportal.client.extras import needed
from tomoportal.errors import FormatError, RemoteError, UsageError
from tomoportal.model import query

if TYPE_CHECKING:
    import pandas

    from tomoportal.client.connection import Client

SHAPES = ("OrientedPoint", "InstanceSegmentation", "Point")
"""Shapes of points; the first that an annotation has is taken unless another is asked for."""
ROTATION = tuple(f"r{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3))
"""Columns of a rotation matrix, row by row: it turns the axes of the particle into those of the tomogram (x, y, z)."""

Unit = Literal["voxel", "angstrom"]
_MIXED = "some lines have an orientation or an instance and others have none; expected one kind of point."


class Points:
    """For annotations."""

    def points(
        self, unit: Unit = "voxel", tomogram: Any = None, *, shape: str | None = None
    ) -> pandas.DataFrame:
        """The points of the annotation: `x`, `y`, `z`, and where it has them a rotation matrix (`r11` … `r33`, row by row) or an
        `instance_id`.

        Voxels are those of the annotation's own voxel spacing, or of a `tomogram` (or its id) of the same alignment; the centre of the
        first voxel is 0 in both units. Several `shape`s of points: `OrientedPoint`, else `InstanceSegmentation`, else `Point`. The
        lines are read as they come. Raises `UsageError`, `RemoteError`, `FormatError`; needs pandas (`tomoportal[analysis]`).
        """
        needed("pandas", "points()")
        if unit not in ("voxel", "angstrom"):
            raise UsageError(f"unit is {unit!r}; expected 'voxel' or 'angstrom'.")
        annotation: Any = self
        file = _file(annotation, shape)
        spacing = _spacing(annotation, file)
        target = spacing if tomogram is None else _fitting(annotation, file, spacing, tomogram)
        table = _table(_lines(annotation.client, file.https_path), file.https_path)
        if target != spacing:
            table[["x", "y", "z"]] = (table[["x", "y", "z"]] + 0.5) * (spacing / target) - 0.5
        if unit == "angstrom":
            table[["x", "y", "z"]] *= target
        table.attrs = {"unit": unit, "voxel_spacing": target}
        return table


def _file(annotation: Any, shape: str | None) -> Any:
    """The file of points, with its shape and voxel spacing."""
    from tomoportal.client.entities import CLASSES

    if shape is not None and shape not in SHAPES:
        raise UsageError(f"{shape} is no shape of points; expected one of {', '.join(SHAPES)}.")
    own = query.Compare("annotation_id", "eq", annotation.id)
    of_it = query.Related("annotation_shape", own)
    files = CLASSES["AnnotationFile"].find(
        annotation.client, of_it, prefetch=("annotation_shape", "tomogram_voxel_spacing")
    )
    found = {file.annotation_shape.shape_type: file for file in files if file.format == "ndjson"}
    for name in [shape] if shape else SHAPES:
        if name in found:
            return found[name]
    has = ", ".join(sorted({str(file.annotation_shape.shape_type) for file in files})) or "nothing"
    raise UsageError(
        f"{annotation!r} holds {has}; {f'there is no {shape}' if shape else 'there are no points'}."
    )


def _spacing(annotation: Any, file: Any) -> float:
    of_it = file.tomogram_voxel_spacing or annotation.tomogram_voxel_spacing
    if of_it is None:
        raise UsageError(
            f"{annotation!r} is of no voxel spacing, so that nobody knows what its points count."
        )
    return float(of_it.voxel_spacing)


def _fitting(annotation: Any, file: Any, spacing: float, tomogram: Any) -> float:
    """The voxel spacing of the tomogram, if the points fit it."""
    from tomoportal.client.entities import CLASSES

    if isinstance(tomogram, int):
        id, tomogram = tomogram, CLASSES["Tomogram"].get_by_id(annotation.client, tomogram)
        if tomogram is None:
            raise UsageError(f"there is no tomogram {id}.")
    same_alignment = tomogram.alignment_id == file.alignment_id
    unaligned = file.alignment_id is None and tomogram.voxel_spacing != spacing
    if tomogram.run_id != annotation.run_id or not same_alignment or unaligned:
        raise UsageError(
            f"{tomogram!r} was made from another run or with another alignment than {annotation!r}; its coordinates are not comparable."
        )
    return float(tomogram.voxel_spacing)


def _lines(client: Client, address: str) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not empty, as they come."""
    import httpx

    try:
        with client.stream(address) as response:
            if response.status_code != 200:
                raise RemoteError(f"{address} answered {response.status_code}.", response.status_code)
            for number, line in enumerate(response.iter_lines(), start=1):
                if line.strip():
                    yield number, line
    except httpx.HTTPError as error:
        raise RemoteError(f"{address} broke off ({error or type(error).__name__}).") from error


def _table(lines: Iterator[tuple[int, str]], address: str) -> pandas.DataFrame:
    import pandas

    places: list[list[float]] = []
    turns: list[list[float]] = []
    instances: list[int] = []
    for number, line in lines:
        place, turn, instance = _record(line, f"{address}, line {number}")
        places.append(place)
        turns += [turn] if turn is not None else []
        instances += [instance] if instance is not None else []
    if any(len(some) not in (0, len(places)) for some in (turns, instances)):
        raise FormatError(address, _MIXED)
    table = pandas.DataFrame(places, columns=["x", "y", "z"], dtype="float64")
    if turns:
        table[list(ROTATION)] = turns
    if instances:
        table["instance_id"] = pandas.Series(instances, dtype="int64")
    return table


def _record(line: str, where: str) -> tuple[list[float], list[float] | None, int | None]:
    """Place, rotation row by row, and instance of a line."""
    try:
        content = json.loads(line)
        place = [float(content["location"][axis]) for axis in "xyz"]
        matrix, instance = content.get("xyz_rotation_matrix"), content.get("instance_id")
        turn = None if matrix is None else [float(number) for row in matrix for number in row]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FormatError(
            where, f"{line[:80]!r} is not a point; expected an object with 'location'."
        ) from None
    numbers = place + (turn or [])
    is_whole = turn is None or (len(turn) == len(ROTATION) and all(len(row) == 3 for row in matrix))
    is_instance = instance is None or (isinstance(instance, int) and not isinstance(instance, bool))
    if not all(map(math.isfinite, numbers)) or not is_whole or not is_instance:
        raise FormatError(where, f"{line[:80]!r} has numbers that are none, or not as many as a point has.")
    return place, turn, instance
