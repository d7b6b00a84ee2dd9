"""The Neuroglancer state of a tomogram with its annotations. Pure: takes descriptions of layers, gives a JSON-ready dict.

Addresses begin with `FILES_MARK`, which a server replaces by the public address of its files; nothing here knows that address.
Axes: zarr sources are z, y, x, annotation sources and everything else x, y, z. A voxel's centre is an integer, in the state too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from tomoportal.model.fields import FILES_MARK
from tomoportal.viewer.colours import colours
from tomoportal.viewer.meshes import SEGMENT
from tomoportal.viewer.points import instance_colours


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """A tomogram: the layout path of its OME-Zarr folder, Å per voxel, size (x, y, z) in voxels, grey values for black and white.

    `contrast_2d` is for slices, `contrast_3d` for volume rendering.
    """

    name: str
    path: str
    spacing: float
    size: tuple[int, int, int]
    contrast_2d: tuple[float, float]
    contrast_3d: tuple[float, float]


@dataclass(frozen=True, slots=True)
class PointLayer:
    """A folder made by a writer of `viewer.points`. `identity` decides the colour; `spacing` is Å per voxel of the points; `shape` is that
    of the annotation: oriented points are drawn as axes, instances in their own colours."""

    name: str
    path: str
    spacing: float
    identity: str
    visible: bool = True
    shape: str = "Point"


@dataclass(frozen=True, slots=True)
class MaskLayer:
    """An OME-Zarr folder of zeros and ones, or of numbered objects. `identity` decides the colour; `spacing` is Å per voxel of the
    mask. `surface` is a folder made by a writer of `viewer.meshes`, drawn in 3-D. `instances` are the numbers of the objects, each
    drawn in its own colour; empty when they are too many to be listed: then the viewer shows all and chooses colours. None: no
    objects."""

    name: str
    path: str
    spacing: float
    identity: str
    visible: bool = True
    surface: str = ""
    instances: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class MeshLayer:
    """A folder made by `write_mesh_layer`. `identity` decides the colour; `spacing` is Å per voxel of the surface."""

    name: str
    path: str
    spacing: float
    identity: str
    visible: bool = True


Overlay = PointLayer | MaskLayer | MeshLayer

IMAGE_SHADER = """\
#uicontrol invlerp contrast
#uicontrol bool invert_contrast checkbox(default=false)
#uicontrol invlerp contrast_3D(clamp=false)
#uicontrol bool invert_contrast_3D checkbox(default=true)
#uicontrol bool hide_values_outside_limits_3D checkbox(default=false)
void main() {
  if (VOLUME_RENDERING) {
    float value = contrast_3D();
    bool outside = value < 0.0 || value > 1.0;
    value = clamp(invert_contrast_3D ? 1.0 - value : value, 0.0, 1.0);
    emitIntensity(value);
    emitRGBA(hide_values_outside_limits_3D && outside ? vec4(0.0) : vec4(value));
  } else {
    float value = contrast();
    emitGrayscale(invert_contrast ? 1.0 - value : value);
  }
}
"""

POINT_SHADER = """\
#uicontrol float pointScale slider(min=0.01, max=2.0, default=0.5)
#uicontrol float opacity slider(min=0.0, max=1.0, default=1.0)
void main() {
  setColor(vec4(defaultColor(), opacity));
  setPointMarkerSize(pointScale * prop_diameter());
  setPointMarkerBorderWidth(0.0);
}
"""

AXES_SHADER = """\
#uicontrol float pointScale slider(min=0.01, max=2.0, default=0.25)
#uicontrol float lineWidth slider(min=0.01, max=4.0, default=1.5)
#uicontrol float opacity slider(min=0.0, max=1.0, default=1.0)
void main() {
  setLineColor(vec4(prop_color(), opacity));
  setLineWidth(lineWidth);
  setEndpointMarkerColor(vec4(defaultColor(), opacity), vec4(prop_color(), opacity));
  setEndpointMarkerSize(pointScale * prop_diameter(), 0.0);
  setEndpointMarkerBorderWidth(0.0);
}
"""

_SHADERS = {
    "Point": (POINT_SHADER, {"pointScale": 0.5, "opacity": 1.0}),
    "InstanceSegmentation": (
        POINT_SHADER.replace("defaultColor()", "prop_color()"),
        {"pointScale": 0.5, "opacity": 1.0},
    ),
    "OrientedPoint": (AXES_SHADER, {"pointScale": 0.25, "lineWidth": 1.5, "opacity": 1.0}),
}
"""Shape → shader and what its controls stand at."""

_METRE = 1e-10
"""Metres in an ångström."""
_TILTED = (math.sin(math.pi / 8), 0.0, 0.0, math.cos(math.pi / 8))
"""Quaternion of the 3-D view: 45° about x."""
_PANEL_SIDE = 400
"""Pixels of the panel into which the longest side of the tomogram should fit at first."""


def tomogram_state(tomogram: ImageLayer, layers: Sequence[Overlay]) -> dict[str, Any]:
    """A whole viewer state: the tomogram, then the layers in the order given, each with a name and a colour of its own."""
    longest = max(tomogram.size)
    names = _distinct([tomogram, *layers])
    palette = colours(layer.identity for layer in layers)
    return {
        "dimensions": _dimensions("xyz", tomogram.spacing),
        "position": [(side - 1) // 2 for side in tomogram.size],
        "crossSectionScale": max(longest / _PANEL_SIDE, 0.25),
        "projectionScale": longest * 1.1,
        "projectionOrientation": list(_TILTED),
        "layers": [
            _image(names[0], tomogram),
            *(
                _overlay(name, layer, tomogram.spacing, colour)
                for name, layer, colour in zip(names[1:], layers, palette, strict=True)
            ),
        ],
        "selectedLayer": {"visible": False, "layer": names[0], "side": "left"},
        "crossSectionBackgroundColor": "#000000",
        "projectionBackgroundColor": "#000000",
        "hideCrossSectionBackground3D": True,
        "layout": "4panel",
        "showSlices": True,
        "showAxisLines": True,
        "showDefaultAnnotations": False,
        "layerListPanel": {"row": 1, "visible": False},
        "helpPanel": {"side": "right", "row": 0},
        "settingsPanel": {"side": "right", "row": 1},
        "selection": {"row": 2, "visible": False},
        "gpuMemoryLimit": 1_500_000_000,
    }


def _image(name: str, tomogram: ImageLayer) -> dict[str, Any]:
    return {
        "type": "image",
        "name": name,
        "source": _source(_zarr(tomogram.path), "zyx", tomogram.spacing, tomogram.spacing),
        "tab": "rendering",
        "opacity": 1.0,
        "blend": "additive",
        "visible": True,
        "volumeRendering": "off",
        "volumeRenderingGain": -7.8,
        "volumeRenderingDepthSamples": 128,
        "codeVisible": False,
        "shader": IMAGE_SHADER,
        "shaderControls": {
            "contrast": _contrast(tomogram.contrast_2d, margin=0.2),
            "invert_contrast": False,
            "contrast_3D": _contrast(tomogram.contrast_3d, margin=2.0),
            "invert_contrast_3D": True,
            "hide_values_outside_limits_3D": False,
        },
    }


def _overlay(name: str, layer: Overlay, spacing: float, colour: str) -> dict[str, Any]:
    if isinstance(layer, MaskLayer):
        return _mask(name, layer, spacing, colour)
    if isinstance(layer, MeshLayer):
        return _surface(name, layer, spacing, colour)
    shader, controls = _SHADERS[layer.shape]
    return {
        "type": "annotation",
        "name": name,
        "source": _source(f"{_address(layer.path)}|neuroglancer-precomputed:", "xyz", layer.spacing, spacing),
        "tab": "rendering",
        "annotationColor": colour,
        "visible": layer.visible,
        "crossSectionAnnotationSpacing": 1,
        "projectionAnnotationSpacing": 1,
        "codeVisible": False,
        "shader": shader,
        "shaderControls": dict(controls),
    }


def _mask(name: str, layer: MaskLayer, spacing: float, colour: str) -> dict[str, Any]:
    volume = _source(_zarr(layer.path), "zyx", layer.spacing, spacing)
    surface = f"{_address(layer.surface)}|neuroglancer-precomputed:"
    return {
        "type": "segmentation",
        "name": name,
        "source": [volume, _source(surface, "xyz", layer.spacing, spacing)] if layer.surface else volume,
        "tab": "rendering",
        "selectedAlpha": 0.5,
        "hoverHighlight": False,
        **(_segments(layer.instances) if layer.instances is not None else _segment(colour)),
        "visible": layer.visible,
        "pick": False,
    }


def _segment(colour: str) -> dict[str, Any]:
    return {"segments": [str(SEGMENT)], "segmentDefaultColor": colour}


def _segments(instances: tuple[int, ...]) -> dict[str, Any]:
    """Without a list the viewer shows every segment."""
    if not instances:
        return {}
    shades = (
        f"#{red:02x}{green:02x}{blue:02x}"
        for red, green, blue in instance_colours(np.array(instances)).tolist()
    )
    names = [str(instance) for instance in instances]
    return {"segments": names, "segmentColors": dict(zip(names, shades, strict=True))}


def _surface(name: str, layer: MeshLayer, spacing: float, colour: str) -> dict[str, Any]:
    return {
        "type": "segmentation",
        "name": name,
        "source": _source(f"{_address(layer.path)}|neuroglancer-precomputed:", "xyz", layer.spacing, spacing),
        "tab": "rendering",
        "segments": [str(SEGMENT)],
        "segmentDefaultColor": colour,
        "visible": layer.visible,
        "pick": False,
    }


def _zarr(path: str) -> str:
    return f"{_address(path)}|zarr2:"


def _address(path: str) -> str:
    return f"{FILES_MARK}{quote(path.strip('/'))}/"


def _source(url: str, axes: str, spacing: float, shown: float) -> dict[str, Any]:
    """A source whose voxels measure `spacing` Å, placed in a space whose unit is `shown` Å.

    Volumes of one alignment share their outer faces, not the centres of their first voxels: voxel c of the source lies at
    (c + 1/2) · spacing / shown − 1/2.
    """
    transform: dict[str, Any] = {
        "inputDimensions": _dimensions(axes, spacing),
        "outputDimensions": _dimensions(axes, shown),
    }
    shift = round((spacing / shown - 1) / 2, 6)
    if shift:
        transform["matrix"] = [[*(float(row == column) for column in range(3)), shift] for row in range(3)]
    return {"url": url, "transform": transform}


def _dimensions(axes: str, spacing: float) -> dict[str, list[Any]]:
    return {axis: [float(f"{spacing * _METRE:.12g}"), "m"] for axis in axes}


def _contrast(limits: tuple[float, float], margin: float) -> dict[str, list[float]]:
    """The range, and a window wider by `margin` of it on both sides, in which the user moves it."""
    low, high = (float(limit) for limit in limits)
    if not low < high:
        low, high = low - 0.5, low + 0.5
    wide = (high - low) * margin
    return {"range": [low, high], "window": [low - wide, high + wide]}


def _distinct(layers: Sequence[ImageLayer | Overlay]) -> list[str]:
    """The layers' names; one that has been used before gets its voxel spacing added, and a number if need be."""
    given: list[str] = []
    for layer in layers:
        number, name = 1, layer.name
        while name in given:
            name = f"{layer.name}, {layer.spacing:g} Å" + (f" ({number})" if number > 1 else "")
            number += 1
        given.append(name)
    return given
