"""What a curator should know about a source that was published all the same."""

from __future__ import annotations

from tomoportal.ingest.volumes.facts import VolumeKind
from tomoportal.ingest.volumes.source import Source
from tomoportal.ingest.volumes.statistics import Statistics
from tomoportal.ingest.volumes.stream import Job
from tomoportal.problems import Problem, Severity

_TOLERANCE = 1e-3


def findings(job: Job, statistics: Statistics, spacing: float | None) -> tuple[Problem, ...]:
    """The source's own problems, and those that showed in the pass. `spacing` is what is published, in Å; None when the
    volume was brought to another grid, so that the source's voxel size says nothing."""
    source = job.source
    found = [*source.problems, *source.incomplete()]
    if job.kind is not VolumeKind.TILT_SERIES and source.shape[0] == 1:
        message = "the volume has a single section; it is published as it is, but this looks like an image"
        found.append(_warning("volume-flat", source, message))
    if statistics.unusual:
        total = statistics.unusual + statistics.count
        message = f"{statistics.unusual} of {total} voxels are NaN or infinite; they are kept, and the statistics leave them out"
        found.append(_warning("not-finite", source, message))
    if spacing is not None:
        found += _spacing_doubts(source, spacing, job.kind)
    header = source.header
    if job.mrc is not None and header is not None and header.byte_order == ">" and header.nsymbt > 0:
        message = f"the big-endian extended header ({header.nsymbt} bytes) is not carried over into the little-endian MRC file"
        found.append(_warning("mrc-extension-dropped", source, message))
    return tuple(found)


def _spacing_doubts(source: Source, spacing: float, kind: VolumeKind) -> list[Problem]:
    """Where the file's voxel size is not the one published. The sections of a tilt series have no distance."""
    axes = "xy" if kind is VolumeKind.TILT_SERIES else "xyz"
    known = {axis: size for axis, size in zip(axes, source.voxel_size, strict=False) if size is not None}
    own, doubts = known.get("y"), []
    if own is not None and not _agree(own, spacing):
        message = f"the file gives a voxel size of {own:.4f} Å, {spacing:.4f} Å is published"
        doubts.append(_warning("voxel-size-differs", source, message))
    if known and not _agree(min(known.values()), max(known.values())):
        sizes = ", ".join(f"{axis} {size:.4f} Å" for axis, size in known.items())
        message = f"the voxels are not cubes ({sizes}); {spacing:.4f} Å is published for every axis"
        doubts.append(_warning("voxel-size-uneven", source, message))
    return doubts


def _agree(first: float, second: float) -> bool:
    return abs(first - second) <= _TOLERANCE * max(first, second)


def _warning(code: str, source: Source, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=source.name)
