"""EMDB-SFF segmentations (`.hff`, HDF5): the meshes of one named segment.

Format: EMDB-SFF 0.8 (https://emdb-empiar.github.io/EMDB-SFF/): `segment_list/[i]/biological_annotation/name`, and below `mesh_list` of the
segment for every mesh `vertices` and `triangles`, each with `data` (base64) and `mode` (a number type).
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import Absent, FormatError
from tomoportal.formats.meshes.mesh import Mesh, checked, joined

_MODES = ("float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")


def read_sff(data: bytes, name: str, segment: str) -> Mesh:
    """All meshes of the segments called `segment`, as one. Raises `Absent` when there is none of that name, `FormatError` for what is
    no such file."""
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _segment(file, name, segment)
    except (OSError, KeyError, RuntimeError) as error:
        raise FormatError(name, f"this is not an EMDB-SFF file of HDF5 ({error}).") from None


def _segment(file: Any, name: str, segment: str) -> Mesh:
    segments = {
        number: _text(part["biological_annotation/name"]) for number, part in file["segment_list"].items()
    }
    meshes = [
        mesh
        for number, title in segments.items()
        if title == segment
        for mesh in _meshes(file[f"segment_list/{number}"], name)
    ]
    if not meshes:
        names = ", ".join(sorted(set(segments.values()))[:10]) or "none"
        raise Absent(name, f"there is no segment with a mesh called '{segment}'; the segments are: {names}.")
    return joined(meshes)


def _meshes(segment: Any, name: str) -> Iterator[Mesh]:
    for mesh in segment["mesh_list"].values() if "mesh_list" in segment else ():
        yield checked(_numbers(mesh["vertices"], name), _numbers(mesh["triangles"], name), name)


def _numbers(block: Any, name: str) -> NDArray[Any]:
    mode = _text(block["mode"])
    is_big = "endianness" in block and _text(block["endianness"]) == "big"
    if mode not in _MODES:
        raise FormatError(
            name, f"a mesh has numbers of the type '{mode}'; expected one of {', '.join(_MODES)}."
        )
    try:
        values = np.frombuffer(
            base64.b64decode(block["data"][()], validate=True),
            np.dtype(mode).newbyteorder(">" if is_big else "<"),
        )
    except (binascii.Error, ValueError) as error:
        raise FormatError(name, f"the numbers of a mesh are damaged ({error}).") from None
    if len(values) % 3:
        raise FormatError(name, f"a mesh has {len(values)} numbers; expected three for each vertex and face.")
    return values.reshape(-1, 3)


def _text(value: Any) -> str:
    content = value[()]
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
