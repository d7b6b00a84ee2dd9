"""The canonical form of a tilt series alignment, into which every program's files are read.

A section says where a point of the volume appears in one image. With X = (x, y, z) the point, counted from the centre of the
volume along its axes (x columns, y rows, z sections), t the tilt angle and α the rotation about x:

    a = the first two components of Ry(t) · Rx(α) · X           a position in the aligned image, y along the tilt axis
    Ry(t) = [[cos t, 0, sin t], [0, 1, 0], [-sin t, 0, cos t]]
    Rx(α) = [[1, 0, 0], [0, cos α, -sin α], [0, sin α, cos α]]
    a = Rᵀ · (r - o)                                            r a position in the image as recorded

R is `in_plane_rotation`, rows first, and o = (`x_offset`, `y_offset`). r counts from the centre of the image, (n - 1) / 2 with
pixels from 0, x along columns and y along rows as they lie in the file. R turns the aligned image into the recorded one: with
the tilt axis θ degrees counter-clockwise from the image's y axis, as SerialEM and IMOD give it, R = [[cos θ, -sin θ],
[sin θ, cos θ]]. Where a program also stretches images, Rᵀ holds that too, and the formulas stay exact.

So t turns the volume's +z towards +x of the aligned image. Programs differ by half a pixel in what they call the centre (IMOD
(n - 1) / 2, RELION and Warp n / 2); that is not corrected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tomoportal.problems import Problem

Matrix = tuple[tuple[float, float], tuple[float, float]]
Triple = tuple[float, float, float]


class Unit(StrEnum):
    """What lengths are counted in."""

    PIXEL = "px"
    ANGSTROM = "Å"


@dataclass(frozen=True, slots=True)
class SectionAlignment:
    """One image. `z_index`: its place in the stack, from 0; angles in degrees; offsets in the unit of the whole, None where
    that is pixels and their size is not known."""

    z_index: int
    tilt_angle: float
    volume_x_rotation: float
    in_plane_rotation: Matrix
    x_offset: float | None
    y_offset: float | None


@dataclass(frozen=True, slots=True)
class LocalAlignment:
    """Shifts of parts of images, as the program states them: rows of `columns`, positions and shifts in pixels."""

    patches: int
    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class TiltAlignment:
    """What the files of one alignment say. Everything that is None they do not say.

    `unit` is that of offsets and of the volume. `tilt_offset` and `x_rotation_offset` (degrees) turn the whole series, in
    addition to the angles of the sections, unless `tilt_offset_included` says that these contain the former. `volume_dimension`
    is x, y, z; `volume_offset` is by how much the content of the volume is moved along x, y, z. `images` and `image_size`
    (columns, rows) are those of the stack that was aligned.
    """

    sections: tuple[SectionAlignment, ...]
    unit: Unit
    tilt_offset: float | None = None
    tilt_offset_included: bool = False
    x_rotation_offset: float | None = None
    volume_dimension: Triple | None = None
    volume_offset: Triple | None = None
    images: int | None = None
    image_size: tuple[int, int] | None = None
    local: LocalAlignment | None = None
    problems: tuple[Problem, ...] = ()

    def in_angstrom(self, pixel_spacing: float | None) -> TiltAlignment:
        """The same with lengths in Å; unknown lengths where they are pixels whose size (Å) is not known."""
        if self.unit is Unit.ANGSTROM:
            return self
        return replace(
            self,
            unit=Unit.ANGSTROM,
            sections=tuple(_scaled(section, pixel_spacing) for section in self.sections),
            volume_dimension=_times(self.volume_dimension, pixel_spacing),
            volume_offset=_times(self.volume_offset, pixel_spacing),
        )


def rotation(degrees: float) -> Matrix:
    """[[cos, -sin], [sin, cos]]: counter-clockwise where y points up."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return ((cosine, -sine), (sine, cosine))


def axis_angle(sections: Sequence[SectionAlignment]) -> float | None:
    """The angle of the tilt axis in degrees, counter-clockwise from y: the mean direction over the sections."""
    sines = sum(section.in_plane_rotation[1][0] for section in sections)
    cosines = sum(section.in_plane_rotation[0][0] for section in sections)
    return math.degrees(math.atan2(sines, cosines)) if sines or cosines else None


def by_axis(values: Triple) -> dict[str, float]:
    """x, y, z by name."""
    return dict(zip("xyz", values, strict=True))


def as_table(local: LocalAlignment) -> dict[str, Any]:
    """The form in which a sidecar keeps it."""
    return {"unit": Unit.PIXEL.value, "patches": local.patches, "columns": local.columns, "rows": local.rows}


def _scaled(section: SectionAlignment, factor: float | None) -> SectionAlignment:
    if factor is None or section.x_offset is None or section.y_offset is None:
        return replace(section, x_offset=None, y_offset=None)
    return replace(section, x_offset=section.x_offset * factor, y_offset=section.y_offset * factor)


def _times(values: Triple | None, factor: float | None) -> Triple | None:
    if values is None or factor is None:
        return None
    x, y, z = values
    return (x * factor, y * factor, z * factor)
