"""A surface as a Neuroglancer layer: its single-resolution mesh format. Takes arrays, gives files as bytes; writes nothing itself.

Format: https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/meshes.md, "Legacy single-resolution mesh format".
Its unit is what the layer's transform says; here it is the voxel.
"""

from __future__ import annotations

import json

import numpy as np

SEGMENT = 1
"""The number under which the surface is known in its layer."""


def write_mesh_layer(vertices: np.ndarray, faces: np.ndarray, *, label: str) -> dict[str, bytes]:
    """The files of a layer, by path inside its folder. The same mesh gives the same bytes.

    vertices: (n, 3) x, y, z in voxels, a voxel's centre being an integer; faces: (m, 3) vertex numbers.
    """
    count = np.array([len(vertices)], "<u4").tobytes()
    fragment = (
        count + np.ascontiguousarray(vertices, "<f4").tobytes() + np.ascontiguousarray(faces, "<u4").tobytes()
    )
    properties = {
        "@type": "neuroglancer_segment_properties",
        "inline": {
            "ids": [str(SEGMENT)],
            "properties": [{"id": "label", "type": "label", "values": [label]}],
        },
    }
    return {
        "info": _json({"@type": "neuroglancer_legacy_mesh", "segment_properties": "segment_properties"}),
        f"{SEGMENT}:0": _json({"fragments": [f"{SEGMENT}"]}),
        f"{SEGMENT}": fragment,
        "segment_properties/info": _json(properties),
    }


def _json(content: dict) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
