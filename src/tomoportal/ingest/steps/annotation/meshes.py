"""Surfaces of triangles."""

from __future__ import annotations

from typing import Any

import numpy as np

from tomoportal.formats.meshes import Mesh, read_mesh, scaled, to_glb
from tomoportal.formats.particles import outside
from tomoportal.ingest.steps.annotation.part import Part, entry, stem
from tomoportal.ingest.steps.volume import tomogram_shape
from tomoportal.ingest.task import Input, Work
from tomoportal.layout.paths import viewer_layer
from tomoportal.problems import Problem, Severity
from tomoportal.viewer.meshes import write_mesh_layer

SHAPE = "TriangularMesh"


def make_mesh(work: Work, file: Input, source: dict[str, Any]) -> Part:
    """The surface in voxels of the voxel spacing, as GLB and as a viewer layer."""
    parameters = source["parameters"]
    mesh = read_mesh(
        work.source.read(file.path), file.path, source["format"], str(parameters.get("name") or "")
    )
    mesh = scaled(mesh, float(parameters.get("scale_factor") or 1), file.path)
    path = f"{stem(work)}_{SHAPE.lower()}.glb"
    files = work.put(path, to_glb(mesh))
    home, layer = put_mesh_layer(
        work,
        SHAPE,
        write_mesh_layer(mesh.vertices, mesh.faces, label=work.task.metadata["annotation_object"]["name"]),
    )
    files |= layer
    volume, problems = tomogram_shape(work)
    entries = [entry(source, SHAPE, "glb", path, files[path]["size"])]
    drawn = {"shape": SHAPE, "path": home, "visible": source["visible"]}
    return Part(entries, files, drawn, 1, (*problems, *_strays(mesh, volume, file.path)))


def put_mesh_layer(work: Work, shape: str, layer: dict[str, bytes]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Stage the surfaces of a layer; gives its folder and the entry for `Outcome.files`."""
    home = viewer_layer(work.task.key, shape)
    for piece, content in layer.items():
        work.put(f"{home}/{piece}", content)
    size = sum(len(content) for content in layer.values())
    return home, {home: {"size": size, "count": len(layer), "probe": "info", "sha256": None}}


def _strays(mesh: Mesh, shape: tuple[int, int, int] | None, name: str) -> list[Problem]:
    """A warning when part of the surface lies outside the volume: mostly the unit is another."""
    if shape is None or not len(strays := outside(mesh.vertices.astype(np.float64), shape)):
        return []
    low, high = (_place(corner) for corner in (mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)))
    z, y, x = shape
    message = (
        f"{len(strays)} of {len(mesh.vertices)} vertices lie outside the volume of {x} × {y} × {z} voxels; the surface reaches "
        f"from ({low}) to ({high})"
    )
    hint = "Set `scale_factor` to what brings its unit to voxels (1 / voxel spacing if it is in Å). It is published as it is."
    return [Problem("mesh-outside", message, Severity.WARNING, file=name, hint=hint)]


def _place(corner: np.ndarray) -> str:
    return ", ".join(f"{value:g}" for value in corner)
