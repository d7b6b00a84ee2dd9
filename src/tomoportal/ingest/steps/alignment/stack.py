"""The tilt series that an alignment belongs to: size, pixel spacing and angles. Only the head of a stack is read.

Known from the source where the tilt series is ingested with it, else from the sidecar of a published one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tomoportal.errors import NotFound, SourceError
from tomoportal.formats.mrc_header import HEADER_SIZE, decode_header
from tomoportal.formats.tilt_angles import read_tilt_angles
from tomoportal.ingest.steps.volume import opened
from tomoportal.ingest.task import Input, Work
from tomoportal.ingest.volumes.source import FETCHED
from tomoportal.problems import Problem, Severity

_WHOLE = (".gz", ".bz2")
"""Endings of files whose head cannot be read without unpacking them."""


@dataclass(frozen=True, slots=True)
class Stack:
    """`size`: columns and rows; `pixel_spacing` in Å, `tilt_axis` and `angles` (as recorded, in stack order) in degrees. None or
    empty where unknown."""

    name: str = ""
    images: int | None = None
    size: tuple[int, int] | None = None
    pixel_spacing: float | None = None
    tilt_axis: float | None = None
    angles: tuple[float, ...] = ()


def stack_of(work: Work) -> tuple[Stack, list[Problem]]:
    """The stack that the task names. One that cannot be read is a problem here; its own task fails."""
    files = work.task.inputs.get("tiltseries", ())
    if not files:
        return _published(work), []
    stated = work.task.parameters.get("tiltseries") or {}
    try:
        images, size, spacing = _head(work, files[0])
    except SourceError as error:
        message = "the tilt series cannot be read, so that its size could not be compared with the alignment"
        hint = "Repair the tilt series and ingest again; this is then done anew."
        problem = Problem("tiltseries-unreadable", message, Severity.WARNING, file=error.where, hint=hint)
        images, size, spacing, problems = None, None, None, [problem]
    else:
        problems = []
    return Stack(
        name=files[0].path,
        images=images,
        size=size,
        pixel_spacing=_positive(stated.get("pixel_spacing")) or _positive(spacing),
        tilt_axis=_number(stated.get("tilt_axis")),
        angles=_angles(work, images),
    ), problems


Head = tuple[int | None, tuple[int, int] | None, float | None]


def _head(work: Work, file: Input) -> Head:
    """Images, (columns, rows) and pixel spacing; nothing of a file that would have to be copied or unpacked for it."""
    if file.path.endswith(_WHOLE):
        return None, None, None
    if work.source.local_path(file.path) is not None:
        with opened(work, file) as source:
            images, rows, columns = source.shape
            return images, (columns, rows), source.voxel_size[1]
    if file.path.endswith(".zarr"):
        return None, None, None
    start = work.source.read(file.path, 0, HEADER_SIZE)
    if start.startswith(FETCHED):
        return None, None, None
    header, _ = decode_header(start, file.size, file.path)
    columns, rows, images = header.size
    spacing = header.cell[1] / header.sampling[1] if header.sampling[1] > 0 else None
    return images, (columns, rows), spacing


def _angles(work: Work, images: int | None) -> tuple[float, ...]:
    """The angle list, where it is sound and fits; the tilt series tells when it does not."""
    for name, data in work.read("angles"):
        try:
            angles = read_tilt_angles(data, name)
        except SourceError:
            return ()
        return angles if images in (None, len(angles)) else ()
    return ()


def _published(work: Work) -> Stack:
    path = work.task.links.get("tiltseries_path")
    if not path:
        return Stack()
    try:
        content = json.loads(work.target.read(path))
    except (NotFound, ValueError):
        return Stack()
    if not isinstance(content, Mapping):
        return Stack()
    size = content.get("size") or {}
    sections = content.get("per_section_parameter") or ()
    known = {item.get("z_index"): _number(item.get("raw_angle")) for item in sections}
    angles = [known.get(index) for index in range(size.get("z") or 0)]
    finite = tuple(angle for angle in angles if angle is not None)
    return Stack(
        name=path,
        images=size.get("z"),
        size=(size["x"], size["y"]) if {"x", "y"} <= set(size) else None,
        pixel_spacing=_positive(content.get("pixel_spacing")),
        tilt_axis=_number(content.get("tilt_axis")),
        angles=finite if len(finite) == len(angles) else (),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _positive(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and 0 < number < float("inf") else None
