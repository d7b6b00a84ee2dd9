"""Small sound files of kinds of which the shared data have no sample."""

from __future__ import annotations

import bz2
import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import tifffile
import zarr
from PIL import Image

import made_movies

Maker = Callable[[Path], Path]
_HEADER = 1024
_LEGACY_VTK = """# vtk DataFile Version 3.0
a triangle
ASCII
DATASET POLYDATA
POINTS 3 float
0 0 0 1 0 0 0 1 0
POLYGONS 1 4
3 0 1 2
"""
_WARP = "<TiltSeries><Angles>0</Angles><AxisAngle>85</AxisAngle><AxisOffsetX>1</AxisOffsetX><AxisOffsetY>2</AxisOffsetY></TiltSeries>"
_RELION = """data_TS_1

loop_
_rlnTomoNominalStageTiltAngle #1
_rlnTomoXTilt #2
_rlnTomoYTilt #3
_rlnTomoZRot #4
_rlnTomoXShiftAngst #5
_rlnTomoYShiftAngst #6
_rlnMicrographName #7
-3.0 0 -3.1 85 1.5 2 1@a.mrcs
"""
_RELION4 = """data_optics

loop_
_rlnOpticsGroup #1
_rlnImagePixelSize #2
1 5.0

data_particles

loop_
_rlnTomoName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnCoordinateZ #4
_rlnAngleRot #5
_rlnAngleTilt #6
_rlnAnglePsi #7
_rlnOpticsGroup #8
TS_1 1 2 3 10 20 30 1
"""
_PORTAL = """{"per_section_alignment_parameters": [{"z_index": 0, "tilt_angle": 1.5, "volume_x_rotation": 0,
"in_plane_rotation": [[1, 0], [0, 1]], "x_offset": 0, "y_offset": 2}]}"""
TEXTS = {
    "defocus": "1 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 4356.5 51.26\n", "gctf": "1 30000 29000 45 0.1 8\n", "vtk": _LEGACY_VTK,
    "xml": _WARP, "star": _RELION, "relion4": _RELION4, "json": _PORTAL, "tardis": "ID,X,Y,Z\n0,1,2,3\n",
    "saber": '{"objects": [{"id": 1, "text": "A ribosome."}]}', "pairs": "TS_1,tomo_1\n",
    "tsv": "1\t2\t3\n", "ndjson": '{"type": "point", "location": {"x": 1, "y": 2, "z": 3}}\n',
}  # fmt: skip


def text(name: str) -> Maker:
    """One of `TEXTS`."""

    def make(folder: Path) -> Path:
        return _written(folder / f"sample.{name}", TEXTS[name].encode())

    return make


def image(kind: str) -> Maker:
    """A movie or gain reference."""

    def make(folder: Path) -> Path:
        getattr(made_movies, kind)(folder / f"sample.{kind}")
        return folder / f"sample.{kind}"

    return make


def wrapped(kind: str) -> Maker:
    """A TIFF movie in gzip or bzip2."""

    def make(folder: Path) -> Path:
        plain = made_movies.tiff(folder / "sample.tif")
        wrap = {"gz": gzip.compress, "bz2": bz2.compress}[kind]
        return _written(folder / f"sample.tif.{kind}", wrap(plain))

    return make


def mrc(mode: int) -> Maker:
    """A volume of 2 × 2 × 4 voxels; packed and complex modes by a changed header over bytes that fit it."""
    sizes = {3: 4, 4: 8}

    def make(folder: Path) -> Path:
        kinds = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16, 12: np.float16}
        width = {101: 2}.get(mode, 4 * sizes.get(mode, 1))
        with mrcfile.new(folder / "sample.mrc") as file:
            file.set_data(np.ones((2, 2, width), kinds.get(mode, np.int8)))
        data = bytearray((folder / "sample.mrc").read_bytes())
        struct.pack_into("<4i", data, 0, 4, 2, 2, mode)
        return _written(folder / "sample.mrc", data)

    return make


def extended(kind: bytes) -> Maker:
    """A volume with an extended header of 128 bytes."""

    def make(folder: Path) -> Path:
        data = bytearray(mrc(2)(folder).read_bytes())
        struct.pack_into("<i", data, 92, 128)
        struct.pack_into("4s", data, 104, kind)
        return _written(folder / "sample.mrc", data[:_HEADER] + bytes(128) + data[_HEADER:])

    return make


def tiff_stack(magic: bytes) -> Maker:
    """A stack in the byte order and offset size that the first four bytes stand for."""

    def make(folder: Path) -> Path:
        order = "<" if magic[:2] == b"II" else ">"
        big = b"+" in magic[2:]
        data = np.ones((3, 4, 5), np.uint8)
        tifffile.imwrite(folder / "sample.tif", data, byteorder=order, bigtiff=big, photometric="minisblack")
        assert (folder / "sample.tif").read_bytes()[:4] == magic
        return folder / "sample.tif"

    return make


def ome_zarr(version: int) -> Maker:
    """A plain Zarr array of format 2 or 3 in three dimensions."""

    def make(folder: Path) -> Path:
        data = np.ones((3, 4, 5), np.uint8)
        zarr.create_array(folder / "sample.zarr", data=data, zarr_format=version)
        return folder / "sample.zarr"

    return make


def picture(kind: str) -> Maker:
    """A picture of 4 × 3 pixels."""

    def make(folder: Path) -> Path:
        Image.new("RGB", (4, 3), "red").save(folder / "sample", kind)
        return folder / "sample"

    return make


def _written(path: Path, data: bytes | bytearray) -> Path:
    path.write_bytes(data)
    return path
