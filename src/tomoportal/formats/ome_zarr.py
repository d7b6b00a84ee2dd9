"""Reading OME-Zarr (NGFF 0.4 on Zarr v2, 0.5 on v3, sharded or not) and plain Zarr arrays as one 3-D volume.

Takes a local folder or a store, gives a `ZarrVolume`: blocks of level 0 by slices (z, y, x), and the voxel size in Å from the
multiscales metadata. Only metadata is read on opening. Raises `FormatError` where the image is not a single 3-D volume.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.errors import BaseZarrError

from tomoportal.errors import FormatError
from tomoportal.problems import Problem, Severity

ANGSTROM_PER_UNIT = {
    "angstrom": 1.0, "ångström": 1.0, "å": 1.0, "nanometer": 10.0, "nm": 10.0, "micrometer": 1e4, "um": 1e4, "µm": 1e4,
    "picometer": 0.01, "millimeter": 1e7, "meter": 1e10,
}  # fmt: skip
_BROKEN = (BaseZarrError, json.JSONDecodeError, KeyError, TypeError, ValueError, OSError, RuntimeError)

_SPACE = ("z", "y", "x")

Size3 = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class ZarrVolume:
    """Level 0 as a read-only (z, y, x) array; `voxel_size` and `origin` (the centre of the first voxel) are (x, y, z) in Å, None where
    unknown; `chunks` is the shape in which it is stored and best read (a chunk inside a shard can be read alone)."""

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    chunks: tuple[int, int, int]
    voxel_size: Size3
    origin: Size3
    problems: tuple[Problem, ...]
    array: zarr.Array
    axes: tuple[int, int, int]
    """Where z, y, x are among the stored axes; all others have the length 1."""

    def __getitem__(self, region: tuple[slice, slice, slice]) -> np.ndarray:
        """The voxels of three slices (z, y, x). Raises `FormatError` when a stored chunk is damaged."""
        stored: list[int | slice] = [0] * self.array.ndim
        for axis, part in zip(self.axes, region, strict=True):
            stored[axis] = part
        in_order = sorted(self.axes)
        try:
            return np.asarray(self.array[tuple(stored)]).transpose([in_order.index(a) for a in self.axes])
        except _BROKEN as error:
            corner = ", ".join(str(part.start or 0) for part in region)
            raise FormatError(self.name, f"the data at z, y, x = {corner} cannot be decoded ({error}).",
                "A chunk is damaged: copy it again.") from error  # fmt: skip

    def absent(self) -> tuple[Problem, ...]:
        """A problem when stored chunks are absent, which Zarr reads as the fill value: a copy that was broken off looks like that.
        Lists the files of level 0."""
        stored = self.array.shards or self.array.chunks
        total = math.prod(-(-side // own) for side, own in zip(self.array.shape, stored, strict=True))
        inside = math.prod(own // chunk for own, chunk in zip(stored, self.array.chunks, strict=True))
        missing = total - self.array.nchunks_initialized // inside
        if missing <= 0:
            return ()
        what = "shards" if self.array.shards else "chunks"
        note = f"{missing} of {total} {what} are absent, which means {self.array.fill_value} in every voxel of theirs"
        hint = "Copy it again if these should hold data."
        return (Problem("zarr-chunks-absent", note + ".", Severity.WARNING, file=self.name, hint=hint),)


@dataclass(frozen=True, slots=True)
class _Placed:
    """How stored axes lie in space: `names`, voxel `sizes` and `origin` in Å with None where unknown."""

    names: list[str]
    sizes: list[float | None]
    origin: list[float | None]


def open_ome_zarr(place: Path | Store, *, name: str | None = None) -> ZarrVolume:
    """Open the Zarr image or array in the folder or store `place`, which messages call `name`."""
    label = name or (place.name if isinstance(place, Path) else str(place))
    try:
        node = zarr.open(str(place) if isinstance(place, Path) else place, mode="r")
    except _BROKEN as error:
        raise FormatError(label, f"this folder is not a readable Zarr image{_in_words(error)}.",
            "A folder with .zgroup, .zarray or zarr.json was expected.") from error  # fmt: skip
    if isinstance(node, zarr.Array):
        note = _warning("zarr-voxel-size", label, "a plain Zarr array gives no voxel size")
        names = (["?"] * (node.ndim - 3) + list("zyx"))[-node.ndim :] if node.ndim else []
        nothing: list[float | None] = [None] * len(names)
        return _volume(node, label, _Placed(names, nothing, nothing), [note])
    return _from_group(node, label)


def _from_group(group: zarr.Group, name: str) -> ZarrVolume:
    attributes = _attributes(group)
    found = attributes.get("multiscales")
    if found is None and "bioformats2raw.layout" in attributes:
        inner, notes = _first_image(group, name)
        volume = _from_group(inner, name)
        return replace(volume, problems=(*notes, *volume.problems))
    if found is None:
        children = ", ".join(sorted(key for key, _ in group.members()))
        raise FormatError(name, "the Zarr group has no multiscales metadata.", f"Name an image in it: {children}.")  # fmt: skip
    if not isinstance(found, Sequence) or not found or not isinstance(found[0], Mapping):
        raise FormatError(name, "the multiscales metadata is not a list of images.", "Write the image again.")
    notes = []
    if len(found) > 1:
        notes.append(
            _warning("zarr-images", name, f"the metadata describes {len(found)} images; the first is taken")
        )
    return _image(group, found[0], name, notes)


def _in_words(error: Exception) -> str:
    """What of an error people can read: where JSON breaks off, which name is missing, what is wrong with a value."""
    match error:
        case json.JSONDecodeError():
            return f": its JSON is broken in line {error.lineno}, column {error.colno} ({error.msg})"
        case KeyError() if error.args:
            return f": there is no {str(error.args[0])!r}"
        case ValueError() if not isinstance(error, BaseZarrError):
            return f" ({error})"
        case _:
            return ""


def _attributes(group: zarr.Group) -> Mapping[str, Any]:
    """The image metadata: below `ome` from NGFF 0.5 on, at the top before."""
    attributes: Mapping[str, Any] = dict(group.attrs)
    newer = attributes.get("ome")
    return newer if isinstance(newer, Mapping) else attributes


def _first_image(group: zarr.Group, name: str) -> tuple[zarr.Group, list[Problem]]:
    """The first image of a folder as bioformats2raw writes it: groups that are called 0, 1, 2, …"""
    images = sorted((key for key, _ in group.groups() if key.isdecimal()), key=int)
    if not images:
        raise FormatError(
            name, "the layout is that of bioformats2raw, but it holds no image.", "Copy it again."
        )
    notes = []
    if len(images) > 1:
        more = f"it holds {len(images)} images; the first ({images[0]}) is taken"
        notes.append(_warning("zarr-images", name, more))
    inner = group[images[0]]
    assert isinstance(inner, zarr.Group)
    return inner, notes


def _image(group: zarr.Group, image: Mapping[str, Any], name: str, notes: list[Problem]) -> ZarrVolume:
    try:
        dataset = image["datasets"][0]
        array = group[dataset["path"]]
        named, more = _axes(image, array.ndim if isinstance(array, zarr.Array) else 0, name)
        names = [axis if isinstance(axis, str) else str(axis["name"]) for axis in named]
        units = [str(axis.get("unit") or "") if isinstance(axis, Mapping) else "" for axis in named]
        scale, shift = _transformed(dataset, image, len(names))
    except (*_BROKEN, IndexError, AttributeError) as error:
        raise FormatError(
            name,
            f"the multiscales metadata, or those of level 0, are incomplete or damaged{_in_words(error)}.",
            "Write the image again.",
        ) from error
    if not isinstance(array, zarr.Array) or array.ndim != len(names):
        raise FormatError(
            name, f"level 0 ({dataset['path']}) is no array with the {len(names)} axes {', '.join(names)}."
        )
    placed, doubts = _in_angstrom(scale, shift, [axis.lower() for axis in names], units, name)
    return _volume(array, name, placed, [*notes, *more, *doubts])


def _axes(image: Mapping[str, Any], count: int, name: str) -> tuple[Sequence[Any], list[Problem]]:
    """The axes as the metadata names them. Before version 0.3 there were always five."""
    if "axes" in image:
        return image["axes"], []
    names = "tczyx" if count == 5 else "zyx"
    note = f"the metadata names no axes; {', '.join(names)} are assumed"
    return names, [_warning("zarr-axes", name, note)]


def _transformed(
    dataset: Mapping[str, Any], image: Mapping[str, Any], count: int
) -> tuple[list[float] | None, list[float]]:
    """Size of a voxel and place of the first one, per axis, after the transformations of dataset and image, one after the other; the
    size is None when no scale is given."""
    scale: list[float] | None = None
    shift = [0.0] * count
    for step in [*dataset.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])]:
        if step["type"] not in ("scale", "translation"):
            continue
        values = [float(value) for value in step[step["type"]]]
        if len(values) != count:
            raise ValueError(f"a {step['type']} of {len(values)} numbers for {count} axes")
        if step["type"] == "scale":
            scale = [a * b for a, b in zip(scale or [1.0] * count, values, strict=True)]
            shift = [a * b for a, b in zip(shift, values, strict=True)]
        else:
            shift = [a + b for a, b in zip(shift, values, strict=True)]
    return scale, shift


def _in_angstrom(
    scale: list[float] | None, shift: list[float], axes: list[str], units: list[str], name: str
) -> tuple[_Placed, list[Problem]]:
    if scale is None:
        nothing: list[float | None] = [None] * len(axes)
        return _Placed(axes, nothing, nothing), [
            _warning("zarr-voxel-size", name, "the metadata gives no scale")
        ]
    sizes: list[float | None] = []
    origin: list[float | None] = []
    notes = []
    for value, first, axis, unit in zip(scale, shift, axes, units, strict=True):
        factor = ANGSTROM_PER_UNIT.get((unit or "angstrom").lower())
        is_size = factor is not None and 0 < value < float("inf")
        sizes.append(value * factor if is_size and factor else None)
        origin.append(first * factor if is_size and factor else None)
        if axis in _SPACE and not unit:
            note = f"axis {axis} has no unit; its scale {value:g} is taken as ångström"
            notes.append(_warning("zarr-unit", name, note))
        elif axis in _SPACE and not is_size:
            note = f"the scale {value:g} {unit} of axis {axis} is no voxel size"
            notes.append(_warning("zarr-voxel-size", name, note))
    return _Placed(axes, sizes, origin), notes


def _volume(array: zarr.Array, name: str, placed: _Placed, notes: list[Problem]) -> ZarrVolume:
    names, shape = placed.names, array.shape
    others = [place for place, axis in enumerate(names) if axis not in _SPACE]
    if any(names.count(axis) != 1 for axis in _SPACE) or any(shape[place] != 1 for place in others):
        raise FormatError(name, f"the array has the shape {shape} with axes {', '.join(names)}; a single volume with "
            "the axes z, y, x was expected.", "Split channels and time points into volumes of their own.")  # fmt: skip
    if min(shape) < 1:
        raise FormatError(name, f"the array is empty (shape {shape}).")
    if min(array.chunks) < 1:
        message = f"the array claims chunks of the shape {array.chunks}, which hold nothing."
        raise FormatError(name, message, "Its metadata is damaged: write or copy it again.")
    spatial = [axis for axis in names if axis in _SPACE]
    if others:
        dropped = ", ".join(names[place] for place in others)
        notes = [*notes, _warning("zarr-axes", name, f"the axes {dropped} of length 1 are dropped")]
    if spatial != list("zyx"):
        note = f"the axes are stored as {', '.join(spatial)}; the data is turned to z, y, x"
        notes = [*notes, _warning("zarr-axes", name, note)]
    z, y, x = (names.index(axis) for axis in "zyx")
    origin = placed.origin[x], placed.origin[y], placed.origin[z]
    if any(origin):
        words = ", ".join("?" if part is None else f"{part:g}" for part in origin)
        note = f"the metadata places the first voxel at x, y, z = {words} Å; published volumes start at 0"
        notes = [*notes, _warning("zarr-origin", name, note)]
    return ZarrVolume(
        name, (shape[z], shape[y], shape[x]), array.dtype, (array.chunks[z], array.chunks[y], array.chunks[x]),
        (placed.sizes[x], placed.sizes[y], placed.sizes[z]), origin, tuple(notes), array, (z, y, x),
    )  # fmt: skip


def _warning(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=name)
