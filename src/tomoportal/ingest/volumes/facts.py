"""What is known about a volume after its one pass, and what was asked of it. Plain data, JSON-serialisable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from tomoportal.problems import Problem

Shape = tuple[int, int, int]
Limits = tuple[float, float]


class VolumeKind(StrEnum):
    """How a volume is chunked, scaled and summarised."""

    TOMOGRAM = "tomogram"
    TILT_SERIES = "tilt_series"
    SEMANTIC_MASK = "semantic_mask"
    INSTANCE_MASK = "instance_mask"

    @property
    def is_mask(self) -> bool:
        """Whether the values are labels, which cannot be averaged."""
        return self in (VolumeKind.SEMANTIC_MASK, VolumeKind.INSTANCE_MASK)

    @property
    def chunks(self) -> Shape:
        """Shape (z, y, x) of a stored chunk, the same at every level."""
        return (1, 1024, 1024) if self is VolumeKind.TILT_SERIES else (128, 128, 128)

    @property
    def steps(self) -> Shape:
        """By how much each level is coarser than the one before, along z, y, x."""
        return (1, 2, 2) if self is VolumeKind.TILT_SERIES else (2, 2, 2)


@dataclass(frozen=True, slots=True)
class MaskRecipe:
    """How a source becomes a binary mask: voxels equal to `label`, or, with `threshold`, voxels at or above it.

    `target_shape` (z, y, x) resizes by averaging over the source box of each target voxel: without a threshold the binary
    mask is averaged and every touched voxel is kept; with one, the data is averaged and then compared. An instance mask keeps its labels;
    for it only `target_shape` counts, each target voxel taking the label at its centre."""

    label: int = 1
    threshold: float | None = None
    target_shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """The summary of a written volume. Shapes are (z, y, x); statistics are over the finite voxels of level 0 as written.

    `finite` counts finite voxels; `sigma` is the population standard deviation. `contrast_2d` and `contrast_3d` are display
    limits for slices and for volume rendering (`contrast.py` defines them). `labels` are the distinct values of an integer
    mask source, None where that was not asked; those of an instance mask are always known. `bounding_box`
    (z0, y0, x0, z1, y1, x1), end excluded, encloses the non-zero voxels of a mask. `mrc_*` are empty or 0 when no MRC was
    written, `zarr_*` likewise; sizes are in bytes."""

    shape: Shape
    levels: tuple[Shape, ...]
    dtype: str
    mrc_dtype: str
    minimum: float
    maximum: float
    mean: float
    sigma: float
    finite: int
    contrast_2d: Limits
    contrast_3d: Limits
    labels: tuple[int, ...] | None = None
    bounding_box: tuple[int, int, int, int, int, int] | None = None
    mrc_size: int = 0
    mrc_sha256: str = ""
    zarr_size: int = 0
    zarr_files: int = 0
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable; `from_dict` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> VolumeFacts:
        """Read what `as_dict` wrote, also after a trip through JSON."""
        known = {item.name for item in fields(VolumeFacts)}
        values = {key: _as_tuple(value) for key, value in data.items() if key in known}
        values["problems"] = tuple(Problem.from_dict(dict(item)) for item in data.get("problems", ()))
        return VolumeFacts(**values)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, (list, tuple)) else value
