"""Sources of volumes: one face, whatever the format. Nothing is read but headers; blocks are read when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.dm import open_dm
from tomoportal.formats.dm_tags import MAGIC as DM_MAGIC
from tomoportal.formats.mrc import open_mrc
from tomoportal.formats.mrc_header import MrcHeader
from tomoportal.formats.mrc_sections import SectionHeaders, section_headers
from tomoportal.formats.tiff_pages import MAGIC as TIFF_MAGIC
from tomoportal.ingest.volumes.facts import Shape
from tomoportal.problems import Problem

if TYPE_CHECKING:
    from tomoportal.formats.ome_zarr import ZarrVolume
    from tomoportal.formats.tiff import TiffStack

FETCHED = (*TIFF_MAGIC, *DM_MAGIC)
"""First bytes of files whose pixels are found only with the whole file at hand."""
_TIFF_BLOCK = 32 << 20
_MOST_VOXELS = 1 << 40
"""Hundreds of times the largest tomogram; a damaged header asks for more."""

Region = tuple[slice, slice, slice]


class Readable(Protocol):
    """What a source needs of an array: blocks by three slices (z, y, x)."""

    def __getitem__(self, region: Region, /) -> np.ndarray: ...


def _nothing(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Source:
    """A volume to be read. `shape` is (z, y, x), `voxel_size` (x, y, z) in Å with None where unknown. `blocks` is the shape
    in which reading is cheap, None when any piece is. `needs_spool` says that blocks cost decoding, so that the writer
    copies the whole to scratch once. `header` is that of an MRC source. `origin` is the centre of the first voxel (x, y, z) in Å, as
    far as the file says. `release` gives mapped pages back; `passed` is told the index of each chunk that has been worked on;
    `incomplete` looks whether stored pieces are absent, which may take a listing."""

    name: str
    format: str
    shape: Shape
    dtype: np.dtype
    voxel_size: tuple[float | None, float | None, float | None]
    array: Readable
    problems: tuple[Problem, ...] = ()
    needs_spool: bool = False
    blocks: Shape | None = None
    header: MrcHeader | None = None
    origin: tuple[float | None, float | None, float | None] = (0.0, 0.0, 0.0)
    release: Callable[[], None] = field(default=_nothing, repr=False)
    passed: Callable[[Shape], None] = field(default=_nothing, repr=False)
    incomplete: Callable[[], tuple[Problem, ...]] = field(default=tuple, repr=False)

    @property
    def sections(self) -> SectionHeaders | None:
        """What the extended header of an MRC says about the sections: tilt angles (degrees) and pixel size (Å)."""
        return None if self.header is None else section_headers(self.header)

    def with_array(self, array: np.ndarray, release: Callable[[], None]) -> Source:
        """The same volume, its data now in `array`."""
        z, y, x = array.shape
        return replace(
            self,
            array=array,
            dtype=array.dtype,
            shape=(z, y, x),
            needs_spool=False,
            blocks=None,
            release=release,
        )


def open_source(path: Path, *, name: str | None = None, scratch: Path | None = None) -> Source:
    """Open the volume at `path`: a folder with Zarr metadata, a TIFF stack, a DigitalMicrograph file, or else an MRC file whatever its
    extension.

    `name` is what messages call it. Raises `SourceError` or `FormatError`."""
    label = name or path.name
    if path.is_dir():
        return _open_zarr(path, label)
    if not path.exists():
        raise SourceError(label, "there is no such file or folder.")
    start = _start(path, label)
    if start in TIFF_MAGIC:
        return _open_tiff(path, label)
    if start in DM_MAGIC:
        return _open_dm(path, label)
    volume = open_mrc(path, name=label, scratch=scratch)
    z, y, x = volume.data.shape
    return Source(
        label, "mrc", (z, y, x), volume.data.dtype, volume.voxel_size, volume.data, volume.problems,
        header=volume.header, origin=volume.origin, release=volume.release,
    )  # fmt: skip


def _open_zarr(path: Path, name: str) -> Source:
    from tomoportal.formats.ome_zarr import open_ome_zarr

    return from_zarr(open_ome_zarr(path, name=name), name)


def from_zarr(volume: ZarrVolume, name: str) -> Source:
    """An opened OME-Zarr image as a source that messages call `name`."""
    return Source(
        name, "zarr", volume.shape, volume.dtype, volume.voxel_size, volume, volume.problems,
        needs_spool=True, blocks=volume.chunks, origin=volume.origin, incomplete=volume.absent,
    )  # fmt: skip


def _start(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise SourceError(name, f"the file cannot be read ({error.strerror or error}).") from error


def _open_dm(path: Path, name: str) -> Source:
    image = open_dm(path, name=name)
    head = image.head
    return Source(
        name, head.kind, head.shape, head.dtype, head.pixel_size, image.data, head.problems, release=image.release
    )  # fmt: skip


def _open_tiff(path: Path, name: str) -> Source:
    from tomoportal.formats.tiff import open_tiff_stack

    stack = open_tiff_stack(path, name=name)
    if stack.mapped is not None:
        return Source(
            name, "tiff", stack.shape, stack.dtype, stack.voxel_size, stack.mapped, stack.problems, release=stack.release
        )  # fmt: skip
    return Source(
        name, "tiff", stack.shape, stack.dtype, stack.voxel_size, stack, stack.problems,
        needs_spool=True, blocks=(_pages_at_once(stack), *stack.shape[1:]),
    )  # fmt: skip


def _pages_at_once(stack: TiffStack) -> int:
    return max(1, _TIFF_BLOCK // (math.prod(stack.shape[1:]) * stack.dtype.itemsize))


def check_shape(shape: tuple[int, ...], name: str) -> Shape:
    """`shape` as three positive numbers that a volume may have, or `FormatError`."""
    if len(shape) != 3 or min(shape) < 1:
        raise FormatError(
            name, f"the volume has the shape {shape}; three positive sides (z, y, x) were expected."
        )
    if math.prod(shape) > _MOST_VOXELS:
        raise FormatError(name, f"the volume claims {shape[2]} × {shape[1]} × {shape[0]} voxels, which no volume has.",
            "Its metadata is damaged: write or copy it again.")  # fmt: skip
    return shape[0], shape[1], shape[2]
