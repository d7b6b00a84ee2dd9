"""Tomograms and their annotations as layers of napari. Only the chunks that are looked at travel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tomoportal.client.classes import AnnotationFile, Tomogram
from tomoportal.client.extras import needed
from tomoportal.client.volume import Volume
from tomoportal.errors import RemoteError
from tomoportal.napari.appearance import LayerData, Limits, colours_of, contrast_of
from tomoportal.napari.particles import point_layers
from tomoportal.napari.parts import MESHES, POINTS, Part, parts_of
from tomoportal.napari.places import cubic, placed, zyx

_DARKEST, _BRIGHTEST = 1.0, 99.0
"""Percentiles that become black and white where the portal tells nothing."""


def tomogram_layers(
    tomogram: Tomogram, parts: Sequence[Part] | None = None, level: int | None = None
) -> Iterator[LayerData]:
    """The tomogram, then its annotations (`parts`; those that the portal shows at first when none are given), one after the other.

    With `level` only that level of each volume, as far as it has it; else napari chooses among all. Raises `RemoteError`,
    `FormatError`, `UsageError`.
    """
    yield image_layer(volumes(tomogram, level), _name(tomogram), contrast_of(tomogram))
    fitting = parts_of(tomogram)
    colours = dict(zip((part.file.id for part in fitting), colours_of(tomogram, fitting), strict=True))
    for part in (one for one in fitting if one.is_visible) if parts is None else parts:
        yield from part_layers(part, colours[part.file.id], level)


def volumes(entity: Tomogram | AnnotationFile, level: int | None) -> list[Volume]:
    """All levels of a volume, finest first, or one of them: the coarsest if there is none so coarse."""
    finest = entity.open()
    if level is None:
        return [finest, *(entity.open(number) for number in range(1, finest.levels))]
    return [entity.open(min(level, finest.levels - 1))]


def image_layer(levels: Sequence[Volume], name: str, contrast: Limits | None = None) -> LayerData:
    """An image; without `contrast`, limits are taken from the coarsest level."""
    limits = contrast or _limits(levels[-1])
    told = {"name": name, "contrast_limits": limits, "colormap": "gray"}
    return _scalar(levels, told, "image")


def part_layers(part: Part, colour: str, level: int | None = None) -> list[LayerData]:
    """An annotation in a colour `#rrggbb`."""
    if part.shape in POINTS:
        return point_layers(part, colour)
    if part.shape in MESHES:
        return [_surface(part, colour)]
    return [mask_layer(volumes(part.file, level), part, colour)]


def mask_layer(levels: Sequence[Volume], part: Part, colour: str) -> LayerData:
    """A mask in its colour, or numbered objects in colours of their own."""
    told: dict[str, Any] = {"name": part.name, "opacity": 0.5, "visible": part.is_visible}
    if part.shape == "SegmentationMask":
        told["colormap"] = {0: "transparent", None: colour}
    return _scalar(levels, told, "labels")


def _scalar(levels: Sequence[Volume], told: dict[str, Any], kind: str) -> LayerData:
    arrays = [volume.array for volume in levels]
    data = arrays if len(arrays) > 1 else arrays[0]
    return data, told | {"multiscale": len(arrays) > 1} | placed(levels[0].voxel_size), kind


def _limits(coarsest: Volume) -> Limits:
    low, high = np.percentile(np.asarray(coarsest), [_DARKEST, _BRIGHTEST])
    return (float(low), float(high)) if low < high else (float(low), float(low) + 1)


def _surface(part: Part, colour: str) -> LayerData:
    """A surface; its vertices count voxels of its voxel spacing."""
    needed("trimesh", "opening surfaces", "napari")
    from tomoportal.formats.meshes.scene import read_scene

    address = part.file.https_path
    answer = part.file.client.get(address)
    if answer.status_code != 200:
        raise RemoteError(f"{address} answered {answer.status_code}.", answer.status_code)
    mesh = read_scene(answer.content, address, "glb")
    vertices = zyx(mesh.vertices)
    values = np.ones(len(vertices))
    told = {
        "name": part.name,
        "colormap": ["black", colour],
        "contrast_limits": (0, 1),
        "opacity": 0.6,
        "visible": part.is_visible,
    }
    return (vertices, mesh.faces[:, ::-1], values), told | cubic(part.spacing), "surface"


def _name(tomogram: Tomogram) -> str:
    run = tomogram.run
    words = (run.name if run else tomogram.name, tomogram.processing, f"{tomogram.voxel_spacing:g} Å")
    return ", ".join(str(word) for word in words if word)
