"""A scratch copy of a volume: for sources whose pieces cost decoding, and for masks brought to another grid.

The copy is an unlinked file, mapped; it disappears with the array. Private memory: one block of the source.
"""

from __future__ import annotations

import itertools
import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tomoportal.ingest.volumes.facts import MaskRecipe, Shape
from tomoportal.ingest.volumes.masks import SourceValues, resized_sections
from tomoportal.ingest.volumes.source import Region, Source


def spooled(source: Source, scratch: Path | None) -> Source:
    """`source` with all its data copied below the folder `scratch`, each stored block read once."""
    array, mapping = scratch_array(source.shape, source.dtype.newbyteorder("="), scratch)
    for region in _regions(source.shape, source.blocks or (1, *source.shape[1:])):
        array[region] = source.array[region]
        mapping.madvise(mmap.MADV_DONTNEED)
    return source.with_array(array, lambda: mapping.madvise(mmap.MADV_DONTNEED))


def resized(
    source: Source, recipe: MaskRecipe, target: Shape, scratch: Path | None
) -> tuple[Source, SourceValues]:
    """The binary mask of `source` on the grid `target`, and what the source holds."""
    array, mapping = scratch_array(target, np.dtype(np.int8), scratch)
    values = SourceValues()
    for z, section in enumerate(resized_sections(source, recipe, target, values)):
        array[z] = section
    return source.with_array(array, lambda: mapping.madvise(mmap.MADV_DONTNEED)), values


def scratch_array(shape: Shape, dtype: np.dtype, scratch: Path | None) -> tuple[np.ndarray, mmap.mmap]:
    """An array in a mapped, unlinked file below `scratch`, whose room on the disk is taken at once. Raises `OSError`."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    with tempfile.TemporaryFile(dir=scratch) as file:
        os.posix_fallocate(file.fileno(), 0, size)
        mapping = mmap.mmap(file.fileno(), size)
    return np.ndarray(shape, dtype, mapping), mapping


def _regions(shape: Shape, blocks: Shape) -> Iterator[Region]:
    starts = (range(0, side, block) for side, block in zip(shape, blocks, strict=True))
    for z, y, x in itertools.product(*starts):
        yield slice(z, z + blocks[0]), slice(y, y + blocks[1]), slice(x, x + blocks[2])
