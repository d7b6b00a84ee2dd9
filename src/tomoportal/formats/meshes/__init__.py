"""Surfaces: OBJ, STL, GLB, VTK and EMDB-SFF in, GLB out.

    read_mesh(data, name, kind, segment="") → Mesh
    to_glb(mesh) → bytes

Coordinates are x, y, z in whatever unit the file has; `scaled` brings them to voxels.
"""

from __future__ import annotations

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.formats.meshes.mesh import Mesh
from tomoportal.formats.meshes.scene import read_scene, to_glb
from tomoportal.formats.meshes.sff import read_sff
from tomoportal.formats.meshes.vtk_legacy import read_vtk_legacy
from tomoportal.formats.meshes.vtk_xml import read_vtk_xml

__all__ = ["Mesh", "read_mesh", "scaled", "to_glb"]


def read_mesh(data: bytes, name: str, kind: str, segment: str = "") -> Mesh:
    """The mesh of a file; `kind` is obj, stl, glb, vtk (legacy or XML) or hff, `segment` the name to look for in the last.

    Raises `FormatError` for a file that is empty, of another kind, damaged, or without a face.
    """
    if not data.strip():
        raise FormatError(name, "this file is empty; expected a mesh.")
    if kind == "hff":
        return read_sff(data, name, segment)
    if kind == "vtk":
        is_xml = data[:512].lstrip().startswith((b"<?xml", b"<VTKFile"))
        return read_vtk_xml(data, name) if is_xml else read_vtk_legacy(data, name)
    return read_scene(data, name, kind)


def scaled(mesh: Mesh, factor: float, name: str) -> Mesh:
    """The same surface, `factor` times as large. Raises `FormatError` where numbers of 32 bits cannot hold it."""
    with np.errstate(over="ignore", under="ignore"):
        vertices = np.asarray(mesh.vertices.astype(np.float64) * factor, np.float32)
    if not np.isfinite(vertices).all():
        fault = "its vertices lie too far away for numbers of 32 bits"
    elif np.ptp(mesh.vertices, axis=0).any() and not np.ptp(vertices, axis=0).any():
        fault = "all its vertices fall into one point"
    else:
        return Mesh(vertices, mesh.faces)
    hint = "`scale_factor` brings the unit of the file to voxels: 1 / voxel spacing if it is in Å."
    raise FormatError(name, f"with scale_factor {factor:g}, {fault}.", hint)
