"""Instance masks, in which every object has a number: which there are, the type that holds them, and other grids.

Nothing wraps: a volume is written in the smallest of uint8, uint16 and uint32 that holds its highest label. MRC has unsigned
integers of 16 bits only; beyond them its float32 holds labels up to 2^24 exactly, and for higher ones no MRC is written.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tomoportal.errors import Absent, FormatError
from tomoportal.formats.ome_zarr_metadata import image_label
from tomoportal.ingest.volumes.conversion import Conversion
from tomoportal.ingest.volumes.facts import Shape
from tomoportal.ingest.volumes.masks import SourceValues
from tomoportal.ingest.volumes.source import Source
from tomoportal.ingest.volumes.spool import scratch_array
from tomoportal.problems import Problem, Severity
from tomoportal.viewer.points import instance_colours

HIGHEST = (1 << 32) - 1
HIGHEST_IN_MRC = 1 << 24
MOST = 1 << 24
"""Distinct values beyond which a volume is no segmentation."""
LISTED = 1000
"""Labels up to which each is described in the metadata and listed in the viewer."""
_READ_AT_ONCE = 16 << 20


def labels_of(source: Source) -> np.ndarray:
    """The distinct values of `source`, ascending, int64. Raises `FormatError` when they are no labels (whole numbers from 0 to
    2^32 − 1), `Absent` when there is none but 0. Memory: some sections."""
    found = np.zeros(0, np.int64)
    for block in _blocks(source):
        found = np.union1d(found, _whole(_distinct(block), source.name))
        if len(found) > MOST:
            raise FormatError(
                source.name, f"the volume holds more than {MOST} different values; labels of objects were expected.",
                "Publish probabilities or densities as a SemanticSegmentationMask with a threshold.",
            )  # fmt: skip
        source.release()
    if not found[-1]:
        raise Absent(source.name, "no voxel has a label above 0.", "Leave this run out, or correct the file.")
    return found


def plan_labels(source: Source, labels: np.ndarray) -> Conversion:
    """The types that hold `labels`, and how the source is brought to them. A source of floats is recorded."""
    highest, native = int(labels[-1]), source.dtype.newbyteorder("=")
    dtype = np.min_scalar_type(highest)
    problems = []
    if native.kind == "f":
        problems.append(
            _told("dtype-changed", source.name, f"{native} holds whole numbers only and becomes {dtype}")
        )
    if highest > HIGHEST_IN_MRC:
        message = f"labels up to {highest} fit no type of the MRC format; they are published as OME-Zarr only"
        problems.append(_told("mrc-left-out", source.name, message))
    elif dtype == np.uint32:
        message = f"labels up to {highest} become float32 in the MRC file, which has no 32-bit integers; they stay exact"
        problems.append(_told("dtype-changed", source.name, message))
    mrc_dtype = np.dtype(np.float32 if dtype == np.uint32 else np.uint16)
    is_same = dtype == native and source.dtype.isnative
    return Conversion(
        dtype, mrc_dtype, lambda block: block.astype(dtype, copy=False), is_same, tuple(problems), highest <= HIGHEST_IN_MRC
    )  # fmt: skip


def relabelled(
    source: Source, target: Shape, labels: np.ndarray, scratch: Path | None
) -> tuple[Source, list[Problem]]:
    """`source` on the grid `target` (z, y, x): each voxel takes the label at its centre. A problem names the labels that are lost."""
    array, mapping = scratch_array(target, source.dtype.newbyteorder("="), scratch)
    z_at, y_at, x_at = (_centres(side, wanted) for side, wanted in zip(source.shape, target, strict=True))
    for z, at in enumerate(z_at.tolist()):
        section = source.array[slice(at, at + 1), slice(None), slice(None)][0]
        array[z] = section[y_at][:, x_at]
        if z % 64 == 0:
            source.release()
    sampled = source.with_array(array, lambda: mapping.madvise(mmap.MADV_DONTNEED))
    kept = [_distinct(block).astype(np.int64) for block in _blocks(sampled)]
    lost = np.setdiff1d(labels, np.concatenate(kept))
    return sampled, [_lost(source.name, lost, labels)] if len(lost) else []


def described_labels(values: SourceValues | None) -> dict[str, object] | None:
    """NGFF's `image-label` with the colours of the viewer; None beyond `LISTED` labels, for which colours are not listed."""
    objects = [label for label in (values.as_labels() or () if values else ()) if label]
    if not objects or len(objects) > LISTED:
        return None
    colours = instance_colours(np.array(objects)).tolist()
    return image_label(dict(zip(objects, colours, strict=True)))


def _blocks(source: Source) -> Iterator[np.ndarray]:
    section = source.shape[1] * source.shape[2] * source.dtype.itemsize
    step = max(1, _READ_AT_ONCE // section)
    for z in range(0, source.shape[0], step):
        yield source.array[slice(z, min(z + step, source.shape[0])), slice(None), slice(None)]


def _distinct(block: np.ndarray) -> np.ndarray:
    """The distinct values: of the first voxel of every run of equal ones, which are few in label volumes."""
    flat = block.reshape(-1)
    return np.unique(np.concatenate([flat[:1], flat[1:][flat[1:] != flat[:-1]]]))


def _whole(values: np.ndarray, name: str) -> np.ndarray:
    """`values` as int64, or a sentence."""
    if values.dtype.kind not in "biuf":
        raise FormatError(
            name, f"data of type {values.dtype} cannot be published as labels.", "Export whole numbers."
        )
    if values.dtype.kind == "f":
        odd = values[~np.isfinite(values) | (values != np.floor(values))]
        if odd.size:
            raise FormatError(
                name, f"{odd[0]:g} is no label; whole numbers from 0 were expected.",
                "Publish probabilities as a SemanticSegmentationMask with a threshold.",
            )  # fmt: skip
    low, high = values[0].item(), values[-1].item()
    if low < 0:
        raise FormatError(
            name, f"{low:g} is no label; whole numbers from 0 were expected.", "Number the objects from 1."
        )
    if high > HIGHEST:
        raise FormatError(
            name,
            f"the label {high:.0f} is above {HIGHEST}, the highest of 32 bits.",
            "Number the objects anew.",
        )
    return values.astype(np.int64)


def _centres(side: int, wanted: int) -> np.ndarray:
    """Which of `side` voxels lies at the centre of each of `wanted` voxels over the same length."""
    return (2 * np.arange(wanted) + 1) * side // (2 * wanted)


def _lost(name: str, lost: np.ndarray, labels: np.ndarray) -> Problem:
    named = ", ".join(map(str, lost[:10].tolist())) + (", …" if len(lost) > 10 else "")
    total = int(np.count_nonzero(labels))
    return _told(
        "labels-lost",
        name,
        f"{len(lost)} of {total} objects are too small for the grid of the tomogram and vanish in it ({named})",
    )


def _told(code: str, name: str, message: str) -> Problem:
    return Problem(code, f"{message}.", Severity.WARNING, file=name)
