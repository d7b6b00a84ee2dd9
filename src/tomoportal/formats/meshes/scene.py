"""OBJ, STL and GLB by way of trimesh: everything that such a file draws, as one mesh; and writing GLB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.formats.meshes.mesh import Mesh, checked
from tomoportal.formats.meshes.obj import check_obj, without_comments

_FAULTS = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NotImplementedError,
    EOFError,
    ArithmeticError,
)
"""What trimesh raises on files that are not what they promise."""


def read_scene(data: bytes, name: str, kind: str) -> Mesh:
    """The mesh of an `obj`, `stl` or `glb` file; several objects are joined, placed as the file places them. Polygons become
    triangles, faces of the same corners stay. Raises `FormatError`."""
    import trimesh

    if kind == "obj":
        check_obj(data, name)
        data = without_comments(data)
    try:
        with np.errstate(all="ignore"):
            loaded = trimesh.load_scene(io.BytesIO(data), file_type=kind, process=False, skip_materials=True)
            mesh: Any = loaded.to_mesh()
    except _FAULTS as error:
        detail = f" ({error})" if str(error) else ""
        message = f"this is no {kind.upper()} file, or it is cut off or damaged{detail}."
        raise FormatError(name, message, "Is the copy complete?") from error
    return checked(np.asarray(mesh.vertices), np.asarray(mesh.faces), name)


def to_glb(mesh: Mesh) -> bytes:
    """A binary glTF with one mesh; the same mesh gives the same bytes."""
    import trimesh

    scene = trimesh.Scene()
    scene.add_geometry(
        trimesh.Trimesh(mesh.vertices, mesh.faces, process=False), geom_name="mesh", node_name="mesh"
    )
    data: bytes = scene.export(file_type="glb")
    return data
