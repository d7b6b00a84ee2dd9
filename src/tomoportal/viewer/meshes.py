"""A surface as a Neuroglancer layer: its single-resolution mesh format. Takes arrays, gives files as bytes; writes nothing itself.

Format: https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/meshes.md, "Legacy single-resolution mesh format".
Its unit is what the layer's transform says; here it is the voxel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

SEGMENT = 1
"""The number of a surface that is alone in its layer."""


def write_mesh_layer(vertices: np.ndarray, faces: np.ndarray, *, label: str) -> dict[str, bytes]:
    """The files of a layer of one surface, by path inside its folder. The same mesh gives the same bytes.

    vertices: (n, 3) x, y, z in voxels, a voxel's centre being an integer; faces: (m, 3) vertex numbers.
    """
    return write_mesh_layers({SEGMENT: (vertices, faces)}, {SEGMENT: label})


def write_mesh_layers(
    surfaces: Mapping[int, tuple[np.ndarray, np.ndarray]], labels: Mapping[int, str]
) -> dict[str, bytes]:
    """The same for several surfaces by number, each with what it is called; a number in `labels` alone has no surface."""
    ids = [str(number) for number in labels]
    properties = [{"id": "label", "type": "label", "values": list(labels.values())}]
    files = {
        "info": _json({"@type": "neuroglancer_legacy_mesh", "segment_properties": "segment_properties"}),
        "segment_properties/info": _json(
            {"@type": "neuroglancer_segment_properties", "inline": {"ids": ids, "properties": properties}}
        ),
    }
    for number in labels:
        files[f"{number}:0"] = _json({"fragments": [f"{number}"] if number in surfaces else []})
    return files | {f"{number}": _fragment(*surface) for number, surface in surfaces.items()}


def _fragment(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    count = np.array([len(vertices)], "<u4").tobytes()
    return (
        count + np.ascontiguousarray(vertices, "<f4").tobytes() + np.ascontiguousarray(faces, "<u4").tobytes()
    )


def _json(content: dict) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
