"""IMOD's tilt series alignment: .xf, .tlt, .xtilt, tilt.com, newst.com → the canonical form, in pixels of the tilt series.

A line of the .xf file is `A11 A12 A21 A22 DX DY`, and with M = [[A11, A12], [A21, A22]] it takes a recorded position r to an
aligned one, both counted in pixels from the centre of the image: a = M · r + d
(https://bio3d.colorado.edu/imod/doc/man/xfmodel.html). So R = Mᵀ and o = -M⁻¹ · d, which holds for stretched images as well.

The angles of the .tlt file are taken as they stand; OFFSET and XAXISTILT of tilt.com come on top of them, as `tilt_offset` and
`x_rotation_offset`. IMOD's rotation about x is taken over with its sign. SHIFT moves the content of the volume in x and z;
SUBSETSTART and the size of the aligned stack say where this lies in the full image (FULLIMAGE), all in unbinned pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tomoportal.errors import FormatError
from tomoportal.formats.alignment import Matrix, SectionAlignment, TiltAlignment, Triple, Unit
from tomoportal.formats.imod_commands import NewstCommand, TiltCommand, read_newst_com, read_tilt_com
from tomoportal.formats.text import TextFile, line_error, number, shortened, text_lines
from tomoportal.formats.tilt_angles import read_tilt_angles
from tomoportal.problems import Problem, Severity

_SMALLEST_DETERMINANT = 1e-6
_MAGNIFIED = 0.02
"""How far from 1 the scale of a transform may be before it is told."""
_LARGEST_SHIFT = 1e6
"""Pixels; detectors have at most some ten thousand on a side."""


@dataclass(frozen=True, slots=True)
class Transform:
    """A line of an .xf file: aligned = `matrix` · raw + `shift`; x before y, pixels from the image centre."""

    matrix: Matrix
    shift: tuple[float, float]


def read_xf(data: bytes, name: str) -> tuple[Transform, ...]:
    """The transforms in stack order. Raises `FormatError` with the line for anything but six finite numbers
    of an invertible transform, and for an empty file."""
    transforms = []
    for count, line in enumerate(text_lines(data, name), start=1):
        if line.strip():
            transforms.append(_transform(line, name, count))
    if not transforms:
        raise FormatError(name, "there is no transform in this file; expected six numbers on each line.")
    return tuple(transforms)


def read_imod_alignment(
    xf: TextFile,
    tlt: TextFile,
    xtilt: TextFile | None = None,
    tilt_com: TextFile | None = None,
    newst_com: TextFile | None = None,
) -> TiltAlignment:
    """Every view that tilt.com does not exclude; `z_index` is the view's place in the stack, from 0.

    Raises `FormatError`, with both numbers when the files do not have the same number of lines."""
    transforms = read_xf(xf.data, xf.name)
    angles = read_tilt_angles(tlt.data, tlt.name)
    _same_length(xf, transforms, tlt, angles)
    x_tilts: Sequence[float] = (0.0,) * len(angles)
    if xtilt is not None:
        x_tilts = read_tilt_angles(xtilt.data, xtilt.name)
        _same_length(xf, transforms, xtilt, x_tilts)
    tilt = read_tilt_com(tilt_com.data, tilt_com.name) if tilt_com else TiltCommand()
    newst = read_newst_com(newst_com.data, newst_com.name) if newst_com else NewstCommand()
    if tilt_com is not None:
        _views_exist(tilt.excluded, tilt_com.name, xf.name, len(transforms))
    size = _aligned_size(tilt, newst)
    return TiltAlignment(
        sections=tuple(
            _canonical(index, transform, angles[index], x_tilts[index])
            for index, transform in enumerate(transforms)
            if index + 1 not in tilt.excluded
        ),
        unit=Unit.PIXEL,
        tilt_offset=tilt.tilt_offset,
        x_rotation_offset=tilt.x_axis_tilt,
        volume_dimension=_dimension(tilt, size),
        volume_offset=_offset(tilt, newst, size),
        images=len(transforms),
        problems=tuple(_distorting(transforms, xf.name)),
    )


def _distorting(transforms: Sequence[Transform], name: str) -> Iterator[Problem]:
    """What transforms do beside turning and shifting; it is kept as it stands."""
    areas = [_determinant(transform.matrix) for transform in transforms]
    mirrored = [image for image, area in enumerate(areas, start=1) if area < 0]
    if mirrored:
        many = f"{len(mirrored)} of {len(areas)} images, the first being image {mirrored[0]}"
        message = f"the transforms mirror {many} (their determinants are negative); handedness is that of the aligned images"
        hint = "Is this the alignment of images that were recorded or converted mirrored?"
        yield Problem("alignment-mirrored", message, Severity.WARNING, file=name, hint=hint)
    scales = [math.sqrt(abs(area)) for area in areas]
    furthest = max(range(len(scales)), key=lambda place: abs(scales[place] - 1))
    if abs(scales[furthest] - 1) > _MAGNIFIED:
        message = f"the transforms change the magnification, by a factor of {scales[furthest]:.4g} in image {furthest + 1}"
        hint = "Alignments change it by some thousandths; is this one of images of another pixel size?"
        yield Problem("alignment-magnification", message, Severity.WARNING, file=name, hint=hint)


def _determinant(matrix: Matrix) -> float:
    (a11, a12), (a21, a22) = matrix
    return a11 * a22 - a12 * a21


def _aligned_size(tilt: TiltCommand, newst: NewstCommand) -> tuple[float, float] | None:
    """Columns and rows of the aligned stack, in unbinned pixels."""
    if len(newst.size_to_output) == 2:
        columns, rows = (side * (newst.bin_by_factor or 1) for side in newst.size_to_output)
        return columns, rows
    return (tilt.full_image[0], tilt.full_image[1]) if len(tilt.full_image) == 2 else None


def _dimension(tilt: TiltCommand, size: tuple[float, float] | None) -> Triple | None:
    if tilt.thickness is None or size is None:
        return None
    return (tilt.width or size[0], size[1], tilt.thickness)


def _offset(tilt: TiltCommand, newst: NewstCommand, size: tuple[float, float] | None) -> Triple | None:
    """By how much the content is moved: SHIFT, and the way from the middle of the subset to that of the full image."""
    if not tilt.shift and not tilt.subset_start:
        return None
    x, z = (*tilt.shift, 0.0, 0.0)[:2]
    y = 0.0
    if len(tilt.full_image) == 2 and len(tilt.subset_start) == 2 and newst.size_to_output and size:
        middles = [
            full / 2 - (start + side / 2)
            for full, start, side in zip(tilt.full_image, tilt.subset_start, size, strict=True)
        ]
        x, y = x + middles[0], y + middles[1]
    return (x, y, z)


def _transform(line: str, name: str, count: int) -> Transform:
    values = [number(word) for word in line.split()]
    finite = [value for value in values if value is not None]
    if len(values) != 6 or len(finite) != 6:
        message = f"{shortened(line)} is not a transform; expected the six numbers A11 A12 A21 A22 DX DY."
        hint = "This is AreTomo's format: write `format: ARETOMO3`." if "AreTomo" in line else ""
        raise line_error(name, count, message, hint)
    a11, a12, a21, a22, dx, dy = finite
    determinant = _determinant(((a11, a12), (a21, a22)))
    if not _SMALLEST_DETERMINANT < abs(determinant) < math.inf:
        raise line_error(
            name, count, f"this transform cannot be inverted (its determinant is {determinant:g})."
        )
    if max(abs(dx), abs(dy)) > _LARGEST_SHIFT:
        raise line_error(
            name, count, f"this transform shifts by {dx:g}, {dy:g} pixels; no image is as large."
        )
    return Transform(((a11, a12), (a21, a22)), (dx, dy))


def _canonical(index: int, transform: Transform, tilt_angle: float, x_tilt: float) -> SectionAlignment:
    (a11, a12), (a21, a22) = transform.matrix
    dx, dy = transform.shift
    determinant = a11 * a22 - a12 * a21
    return SectionAlignment(
        z_index=index,
        tilt_angle=tilt_angle,
        volume_x_rotation=x_tilt,
        in_plane_rotation=((a11, a21), (a12, a22)),
        x_offset=-(a22 * dx - a12 * dy) / determinant,
        y_offset=-(a11 * dy - a21 * dx) / determinant,
    )


def _same_length(
    xf: TextFile, transforms: Sequence[Transform], other: TextFile, angles: Sequence[float]
) -> None:
    if len(transforms) != len(angles):
        raise FormatError(
            other.name,
            f"this file has {len(angles)} angles, but {xf.name} has {len(transforms)} transforms.",
            "Do the two files belong to the same tilt series?",
        )


def _views_exist(excluded: tuple[int, ...], name: str, xf_name: str, count: int) -> None:
    wrong = [view for view in excluded if not 1 <= view <= count]
    if wrong:
        raise FormatError(
            name, f"view {wrong[0]} is excluded, but {xf_name} has the views 1 to {count} only."
        )
