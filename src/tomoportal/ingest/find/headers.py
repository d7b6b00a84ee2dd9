"""The voxel size that a volume's header gives, for `tomogram_header`.

Of an MRC file, compressed or not, the first 1024 bytes are read; of an OME-Zarr its metadata files. So it is as cheap from an object
store as from a disk.
"""

from __future__ import annotations

import bz2
import json
import math
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from tomoportal.errors import FormatError, NotFound
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header
from tomoportal.ingest.find.sources import VoxelSize
from tomoportal.storage import Storage

_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ENOUGH = {_GZIP: 64 << 10, _BZIP2: 1 << 20}
"""Compressed bytes that surely hold a header: bzip2 gives nothing before a whole block of up to 900 kB."""
_UNKNOWN_SIZE = 1 << 62
_Y = 1
_LITERAL = "Give the voxel spacing as a literal."


def header_reader(source: Storage) -> VoxelSize:
    """A function from the path of a volume to the edge of its voxels along y, in Å. It raises `FormatError`, and
    `StorageError` when the file cannot be read."""

    def voxel_size(path: str) -> float:
        size = _of_zarr(source, path) if path.endswith(".zarr") else _of_mrc(source, path)
        if size is None or not math.isfinite(size) or size <= 0:
            raise FormatError(path, "the header gives no voxel size.", _LITERAL)
        return size

    return voxel_size


def _of_mrc(source: Storage, path: str) -> float | None:
    raw, file_size = source.read(path, 0, HEADER_SIZE), source.stat(path).size
    for magic in _ENOUGH:
        if raw.startswith(magic):
            raw, file_size = _unpacked(source.read(path, 0, _ENOUGH[magic]), magic, path), _UNKNOWN_SIZE
    if raw.startswith(_TIFF):
        raise FormatError(path, "this is a TIFF file; voxel sizes are read from MRC and OME-Zarr.", _LITERAL)
    if len(raw) < HEADER_SIZE:
        raise FormatError(path, f"the file has {len(raw)} bytes; an MRC header has {HEADER_SIZE}.")
    header, _ = decode_header(raw, file_size, path)
    return header.cell[_Y] / header.sampling[_Y] if header.sampling[_Y] > 0 else None


def _unpacked(data: bytes, magic: bytes, path: str) -> bytes:
    try:
        if magic == _GZIP:
            return zlib.decompressobj(wbits=31).decompress(data, HEADER_SIZE)
        return bz2.BZ2Decompressor().decompress(data, HEADER_SIZE)
    except (zlib.error, OSError) as error:
        raise FormatError(path, f"the compressed file is damaged ({error}).") from error


def _of_zarr(source: Storage, path: str) -> float | None:
    """From a copy of the metadata files alone, read as any other OME-Zarr."""
    from tomoportal.formats.ome_zarr import open_ome_zarr

    with tempfile.TemporaryDirectory(prefix="tomoportal-") as scratch:
        copy = Path(scratch) / "v.zarr"
        names = [".zattrs", ".zgroup", ".zarray", "zarr.json"]
        _copy(source, path, names, copy)
        first = _first_level(copy)
        _copy(source, path, [f"{first}/{name}" for name in names[2:]] if first else [], copy)
        return open_ome_zarr(copy, name=path).voxel_size[_Y]


def _copy(source: Storage, path: str, names: Iterable[str], copy: Path) -> None:
    for name in names:
        try:
            data = source.read(f"{path}/{name}")
        except NotFound:
            continue
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    copy.mkdir(exist_ok=True)


def _first_level(copy: Path) -> str | None:
    """The folder of the finest level; None when the metadata do not say, which reading it tells."""
    for name in (".zattrs", "zarr.json"):
        try:
            data = json.loads((copy / name).read_bytes())
            attributes = data.get("attributes", data)
            image = attributes.get("ome", attributes)["multiscales"][0]
            level = str(image["datasets"][0]["path"]).strip("/")
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
        return level if level and ".." not in level.split("/") else None
    return None
