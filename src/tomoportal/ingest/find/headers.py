"""The voxel size that a volume's header gives, for `tomogram_header`. Reads the first 1024 bytes only."""

from __future__ import annotations

from tomoportal.errors import FormatError
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header
from tomoportal.ingest.find.sources import VoxelSize
from tomoportal.storage import Storage


def header_reader(source: Storage) -> VoxelSize:
    """A function from the path of an MRC file to the edge of its voxels along y, in Å. It raises `FormatError`, and
    `StorageError` when the file cannot be read."""

    def voxel_size(path: str) -> float:
        if path.endswith(".zarr"):
            raise FormatError(
                path, "the voxel size of OME-Zarr is not read here.", "Give the voxel spacing as a literal."
            )
        raw = source.read(path, 0, HEADER_SIZE)
        if len(raw) < HEADER_SIZE:
            raise FormatError(path, f"the file has {len(raw)} bytes; an MRC header has {HEADER_SIZE}.")
        header, _ = decode_header(raw, source.stat(path).size, path)
        y_axis = 1
        if header.sampling[y_axis] <= 0 or header.cell[y_axis] <= 0:
            raise FormatError(path, "the header gives no voxel size.", "Give the voxel spacing as a literal.")
        return round(header.cell[y_axis] / header.sampling[y_axis], 3)

    return voxel_size
