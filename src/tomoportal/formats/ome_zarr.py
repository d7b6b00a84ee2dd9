"""Reading OME-Zarr (NGFF 0.4 on Zarr v2, 0.5 on v3, sharded or not) and plain Zarr arrays as one 3-D volume.

Takes a local folder, gives a `ZarrVolume`: blocks of level 0 by slices (z, y, x), and the voxel size in Å from the
multiscales metadata. Only metadata is read on opening. Raises `FormatError` where the image is not a single 3-D volume.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.errors import BaseZarrError

from tomoportal.errors import FormatError
from tomoportal.problems import Problem, Severity

ANGSTROM_PER_UNIT = {
    "angstrom": 1.0, "ångström": 1.0, "å": 1.0, "nanometer": 10.0, "nm": 10.0, "micrometer": 1e4, "um": 1e4, "µm": 1e4,
    "picometer": 0.01, "millimeter": 1e7, "meter": 1e10,
}  # fmt: skip
_BROKEN = (BaseZarrError, json.JSONDecodeError, KeyError, TypeError, ValueError, OSError, RuntimeError)

Size3 = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class ZarrVolume:
    """Level 0 as a read-only (z, y, x) array; `voxel_size` is (x, y, z) in Å, None where unknown; `chunks` is the shape in
    which it is stored and best read."""

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    chunks: tuple[int, int, int]
    voxel_size: Size3
    problems: tuple[Problem, ...]
    array: zarr.Array
    leading: int
    order: tuple[int, int, int]
    """Where z, y, x are among the stored spatial axes."""

    def __getitem__(self, region: tuple[slice, slice, slice]) -> np.ndarray:
        """The voxels of three slices (z, y, x). Raises `FormatError` when a stored chunk is damaged."""
        stored = [slice(None)] * 3
        for axis, part in zip(self.order, region, strict=True):
            stored[axis] = part
        try:
            return np.asarray(self.array[(0,) * self.leading + tuple(stored)]).transpose(self.order)
        except _BROKEN as error:
            corner = ", ".join(str(part.start or 0) for part in region)
            raise FormatError(self.name, f"the data at z, y, x = {corner} cannot be decoded ({error}).",
                "A chunk is damaged: copy it again.") from error  # fmt: skip


def open_ome_zarr(path: Path, *, name: str | None = None) -> ZarrVolume:
    """Open the Zarr image or array in the folder `path`, which messages call `name`."""
    label = name or path.name
    try:
        node = zarr.open(str(path), mode="r")
    except _BROKEN as error:
        raise FormatError(label, f"this folder is not a readable Zarr image ({error}).",
            "A folder with .zgroup, .zarray or zarr.json was expected.") from error  # fmt: skip
    if isinstance(node, zarr.Array):
        note = _warning("zarr-voxel-size", label, "a plain Zarr array gives no voxel size")
        return _volume(node, label, [None] * node.ndim, ["?"] * (node.ndim - 3) + list("zyx"), [note])
    return _from_group(node, label)


def _from_group(group: zarr.Group, name: str) -> ZarrVolume:
    image = _multiscales(group, name)
    if image is None:
        children = sorted(key for key, _ in group.members())
        if "bioformats2raw.layout" in _attributes(group):
            if "1" in children:
                raise FormatError(
                    name, "it holds several images.", f"Name one of them: {', '.join(children)}."
                )
            return _from_group(group["0"], name)  # type: ignore[arg-type]
        raise FormatError(
            name,
            "the Zarr group has no multiscales metadata.",
            f"Name an image in it: {', '.join(children)}.",
        )
    try:
        dataset = image["datasets"][0]
        array = group[dataset["path"]]
        axes = [axis if isinstance(axis, str) else axis["name"] for axis in image.get("axes", "zyx")]
        units = [axis.get("unit") if isinstance(axis, Mapping) else None for axis in image.get("axes", "zyx")]
        scale = _scale(dataset, image, len(axes))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise FormatError(
            name, f"the multiscales metadata is incomplete ({error!r}).", "Write the image again."
        ) from error
    if not isinstance(array, zarr.Array) or array.ndim != len(axes):
        raise FormatError(
            name, f"level 0 ({dataset['path']}) is no array with the {len(axes)} axes {', '.join(axes)}."
        )
    sizes, notes = _in_angstrom(scale, axes, units, name)
    return _volume(array, name, sizes, axes, notes)


def _multiscales(group: zarr.Group, name: str) -> Mapping[str, Any] | None:
    found = _attributes(group).get("multiscales")
    if found is None:
        return None
    if not isinstance(found, Sequence) or not found or not isinstance(found[0], Mapping):
        raise FormatError(name, "the multiscales metadata is not a list of images.", "Write the image again.")
    return found[0]


def _attributes(group: zarr.Group) -> Mapping[str, Any]:
    """The image metadata: below `ome` from NGFF 0.5 on, at the top before."""
    attributes: Mapping[str, Any] = dict(group.attrs)
    newer = attributes.get("ome")
    return newer if isinstance(newer, Mapping) else attributes


def _scale(dataset: Mapping[str, Any], image: Mapping[str, Any], count: int) -> list[float] | None:
    """Dataset scale times group scale, per axis; None when neither is given."""
    total: list[float] | None = None
    for step in [*dataset.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])]:
        if step["type"] == "scale":
            values = [float(value) for value in step["scale"]]
            if len(values) != count:
                raise ValueError(f"a scale of {len(values)} numbers for {count} axes")
            total = values if total is None else [a * b for a, b in zip(total, values, strict=True)]
    return total


def _in_angstrom(
    scale: list[float] | None, axes: list[str], units: list[str | None], name: str
) -> tuple[list[float | None], list[Problem]]:
    if scale is None:
        return [None] * len(axes), [_warning("zarr-voxel-size", name, "the metadata gives no scale")]
    sizes: list[float | None] = []
    notes = []
    for value, axis, unit in zip(scale, axes, units, strict=True):
        factor = ANGSTROM_PER_UNIT.get((unit or "angstrom").lower())
        sizes.append(value * factor if factor is not None and 0 < value < float("inf") else None)
        if axis in "zyx" and unit is None:
            notes.append(
                _warning(
                    "zarr-unit", name, f"axis {axis} has no unit; its scale {value:g} is taken as ångström"
                )
            )
        elif axis in "zyx" and sizes[-1] is None:
            notes.append(
                _warning(
                    "zarr-voxel-size", name, f"the scale {value:g} {unit} of axis {axis} is no voxel size"
                )
            )
    return sizes, notes


def _volume(
    array: zarr.Array, name: str, sizes: list[float | None], axes: list[str], notes: list[Problem]
) -> ZarrVolume:
    leading = array.ndim - 3
    spatial = [axis.lower() for axis in axes[max(leading, 0) :]]
    if leading < 0 or any(side != 1 for side in array.shape[:leading]) or sorted(spatial) != ["x", "y", "z"]:
        raise FormatError(name, f"the array has the shape {array.shape} with axes {', '.join(axes)}; a single volume with "
            "the axes z, y, x was expected.", "Split channels and time points into volumes of their own.")  # fmt: skip
    if min(array.shape) < 1:
        raise FormatError(name, f"the array is empty (shape {array.shape}).")
    if leading:
        dropped = ", ".join(axes[:leading])
        notes = [*notes, _warning("zarr-axes", name, f"the leading axes {dropped} of length 1 are dropped")]
    order = (spatial.index("z"), spatial.index("y"), spatial.index("x"))
    if order != (0, 1, 2):
        stored = ", ".join(spatial)
        notes = [
            *notes,
            _warning("zarr-axes", name, f"the axes are stored as {stored}; the data is turned to z, y, x"),
        ]
    z, y, x = (array.shape[leading + i] for i in order)
    cz, cy, cx = (array.chunks[leading + i] for i in order)
    vz, vy, vx = (sizes[leading + i] for i in order)
    return ZarrVolume(
        name, (z, y, x), array.dtype, (cz, cy, cx), (vx, vy, vz), tuple(notes), array, leading, order
    )


def _warning(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=name)
