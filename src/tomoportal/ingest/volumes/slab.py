"""The slab: a picture of a volume's middle, kept from the one pass, from which key pictures are composed later.

A saved slab is a small .npz file with fixed bytes for the same content.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.ingest.volumes.facts import Shape, VolumeKind

THICKNESS = 40
_WIDEST = 4096
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Slab:
    """`image` (y, x), float32: the mean over the sections `start` ≤ z < `stop` of a volume of `shape` (z, y, x). For a mask
    it is the share of the slab inside the mask, so `image > 0` is its outline; for an instance mask, in uint32, the highest
    label. `step` is how many voxels one pixel stands for along y and x: 1, except in images beyond 4096 pixels."""

    image: np.ndarray
    start: int
    stop: int
    shape: Shape
    step: int = 1


def slab_range(shape: Shape, kind: VolumeKind) -> tuple[int, int]:
    """The sections that make the slab: 40 around the middle, or the middle image alone of a tilt series."""
    middle = shape[0] // 2
    if kind is VolumeKind.TILT_SERIES:
        return middle, middle + 1
    return max(0, middle - THICKNESS // 2), min(shape[0], max(middle + THICKNESS // 2, 1))


def slab_step(shape: Shape) -> int:
    """The power of two that brings both sides of the image to 4096 pixels or fewer."""
    step = 1
    while max(shape[1:]) > _WIDEST * step:
        step *= 2
    return step


def save_slab(slab: Slab, path: Path) -> None:
    """Write `slab` to one small compressed file."""
    place = np.array([slab.start, slab.stop, slab.step, *slab.shape], np.int64)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        kept = np.uint32 if slab.image.dtype.kind == "u" else np.float32
        for name, array in (("image", slab.image.astype(kept)), ("place", place)):
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE), content.getvalue(), zipfile.ZIP_DEFLATED
            )


def load_slab(path: Path) -> Slab:
    """Read what `save_slab` wrote. Raises `FormatError` when the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            image, place = archive["image"], archive["place"].tolist()
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(
            path.name, f"this is not a saved slab ({error}).", "Ingest the volume again."
        ) from error
    start, stop, step, *shape = place
    return Slab(image, start, stop, (shape[0], shape[1], shape[2]), step)
