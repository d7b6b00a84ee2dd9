"""The records of an mdoc file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from tomoportal.problems import Problem

IMAGE_SECTIONS = ("ZValue", "FrameSet")
"""Kinds of section that describe one recorded image; `MontSection` sums up a whole montage."""


@dataclass(frozen=True, slots=True)
class MdocSection:
    """One section: degrees, e⁻/Å² for doses, seconds, Å for the pixel spacing, µm for the defocus (underfocus
    negative); None when not stated.

    In a montage every piece is a section of its own; `piece` is its place: x and y in pixels, and the number of the
    montage image that it belongs to.
    """

    kind: str
    z_value: int
    line: int
    tilt_angle: float | None = None
    exposure_dose: float | None = None
    exposure_time: float | None = None
    prior_record_dose: float | None = None
    num_sub_frames: int | None = None
    sub_frame_path: str | None = None
    date_time: datetime | None = None
    pixel_spacing: float | None = None
    rotation_angle: float | None = None
    magnification: float | None = None
    binning: float | None = None
    defocus: float | None = None
    piece: tuple[int, int, int] | None = None
    values: dict[str, str] = field(default_factory=dict, hash=False)
    """Every key as it stands in the file, also those above."""

    @property
    def frame_name(self) -> str | None:
        """The file name of the frames without the folders (Windows, UNC or POSIX) of the microscope's
        machine."""
        return re.split(r"[\\/]", self.sub_frame_path)[-1] or None if self.sub_frame_path else None


@dataclass(frozen=True, slots=True)
class Mdoc:
    """One file. `tilt_axis` in degrees, `voltage` in kV, `pixel_spacing` in Å, `image_size` (x, y) in pixels; None when
    not stated.

    `pixel_spacing`, `voltage`, `magnification` and `binning` are those of the header, else those on which all sections
    agree.
    """

    name: str
    titles: tuple[str, ...]
    sections: tuple[MdocSection, ...]
    montages: tuple[MdocSection, ...]
    tilt_axis: float | None
    voltage: float | None
    pixel_spacing: float | None
    image_file: str | None
    magnification: float | None = None
    binning: float | None = None
    image_size: tuple[int, int] | None = None
    values: dict[str, str] = field(default_factory=dict, hash=False)
    problems: tuple[Problem, ...] = ()

    @property
    def is_montage(self) -> bool:
        """Whether the sections are pieces of larger images."""
        return any(section.piece is not None for section in self.sections)
