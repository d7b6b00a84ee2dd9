"""A surface of triangles as two arrays, and what must hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError

Vertices = NDArray[np.float32]
Faces = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Mesh:
    """`vertices` (n, 3) float32 in the order x, y, z; `faces` (m, 3) uint32: three vertex numbers each, from 0, counter-clockwise
    when seen from outside."""

    vertices: Vertices
    faces: Faces


def checked(vertices: NDArray[Any], faces: NDArray[Any], name: str) -> Mesh:
    """The mesh of these arrays. Raises `FormatError` without faces, for corners that are no vertices, and for coordinates that
    are not finite."""
    vertices, faces = np.asarray(vertices), np.asarray(faces)
    if not len(faces):
        raise FormatError(
            name, f"this mesh has {len(vertices)} vertices and no face; expected triangles.",
            "Export the surface, not only its points or lines.",
        )  # fmt: skip
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise FormatError(
            name,
            f"vertices of shape {vertices.shape} and faces of {faces.shape} were found; expected (n, 3) both.",
        )
    wrong = np.flatnonzero(((faces < 0) | (faces >= len(vertices))).any(axis=1))
    if len(wrong):
        corners = ", ".join(map(str, faces[wrong[0]].tolist()))
        raise FormatError(
            name,
            f"face {wrong[0] + 1} of {len(faces)} has the corners {corners}; the mesh has the vertices 0 to {len(vertices) - 1}.",
        )
    odd = np.flatnonzero(~(np.abs(vertices) <= np.finfo(np.float32).max).all(axis=1))
    if len(odd):
        place = ", ".join(f"{value:g}" for value in vertices[odd[0]])
        raise FormatError(
            name,
            f"vertex {odd[0] + 1} of {len(vertices)} lies at ({place}); expected finite coordinates (of 32 bits).",
        )
    return Mesh(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.uint32))


def joined(parts: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = [part.faces + np.uint32(start) for part, start in zip(parts, starts[:-1], strict=True)]
    return Mesh(np.concatenate([part.vertices for part in parts]), np.concatenate(faces))


def triangles(polygons: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.int64]:
    """Polygons as triangles that share the first corner: `polygons` lists all corners, `ends` where each polygon ends. Those of
    less than three corners have no area and give nothing."""
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    counts = np.maximum(np.asarray(ends, np.int64) - begins - 2, 0)
    first = np.repeat(begins, counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    corners = np.stack([first, first + step + 1, first + step + 2], axis=1)
    return np.asarray(polygons, np.int64)[corners]


def of_strips(corners: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangle strips as triangles, listed as in `triangles`. Every corner of a strip but the first two makes one; every second
    runs the other way."""
    faces = []
    begin = 0
    for end in ends.tolist():
        strip = corners[begin:end]
        new = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=1)
        new[1::2] = new[1::2, ::-1]
        faces.append(new)
        begin = end
    return np.concatenate([np.zeros((0, 3), np.int64), *faces])
