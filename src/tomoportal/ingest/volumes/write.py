"""One volume from its source to an OME-Zarr pyramid and an MRC file, with everything that is to be known about it.

Takes an open `Source` and local target paths (a staging folder: publishing is not done here), gives `VolumeFacts` and a
`Slab`. The source is read once, in bounded memory; the same source gives the same bytes with any number of threads. When it
raises, nothing of the targets is left.
"""

from __future__ import annotations

import errno
import hashlib
import math
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tomoportal.errors import StorageError, UsageError
from tomoportal.formats.mrc_writer import MrcFacts, MrcWriter
from tomoportal.ingest.volumes.bands import IN_FLIGHT, Bands, fits
from tomoportal.ingest.volumes.budget import MemoryBudget
from tomoportal.ingest.volumes.contrast import rendering_limits, slice_limits
from tomoportal.ingest.volumes.conversion import Conversion, plan_conversion
from tomoportal.ingest.volumes.facts import Limits, MaskRecipe, Shape, VolumeFacts, VolumeKind
from tomoportal.ingest.volumes.findings import findings
from tomoportal.ingest.volumes.labels import described_labels, labels_of, plan_labels, relabelled
from tomoportal.ingest.volumes.masks import SourceValues, refuse_empty
from tomoportal.ingest.volumes.pyramid import level_shapes
from tomoportal.ingest.volumes.slab import Slab, slab_range, slab_step
from tomoportal.ingest.volumes.source import Source, check_shape
from tomoportal.ingest.volumes.spool import resized, spooled
from tomoportal.ingest.volumes.stream import Gathered, Job, run
from tomoportal.ingest.volumes.zarr_files import ZarrFiles, chunk_bytes
from tomoportal.layout.sums import sums_bytes

_CHUNKS_PER_WORKER, _CHUNKS_PER_TASK = 5, 6


@dataclass(frozen=True)
class _Prepared:
    """The source as it will be streamed, its conversion, and what was learnt on the way."""

    source: Source
    conversion: Conversion
    recipe: MaskRecipe | None
    values: SourceValues | None = None
    is_resized: bool = False


def write_volume(
    source: Source,
    *,
    spacing: float,
    kind: VolumeKind,
    zarr_dir: Path | None,
    mrc_file: Path | None,
    sums_file: Path | None = None,
    recipe: MaskRecipe | None = None,
    threads: int = 1,
    budget: MemoryBudget | None = None,
    progress: Callable[[int], None] | None = None,
    scratch: Path | None = None,
) -> tuple[VolumeFacts, Slab]:
    """Write `source` as OME-Zarr into the folder `zarr_dir` and as MRC into `mrc_file`, either or both or neither; the checksums of
    the files of the first into `sums_file` (`layout.sums`).

    `spacing` is the voxel size in Å that is published (the source's own, when known and different, is recorded as a
    problem). `recipe` says how a source becomes a mask; masks only. All concurrent calls share one `budget`.
    `progress` is told the number of source bytes done since the last call. `scratch` is a folder for temporary copies.
    Raises `FormatError` for data that cannot be published, `StorageError` when the targets cannot be written."""
    check_shape(source.shape, source.name)
    if not 0 < spacing < float("inf"):
        raise UsageError(
            f"{source.name}: a voxel spacing of {spacing} Å makes no sense; a positive number was expected."
        )
    if recipe is not None and not kind.is_mask:
        raise UsageError(f"{source.name}: a mask recipe was given for a {kind.value.replace('_', ' ')}.")
    try:
        return _written(
            source, spacing, kind, zarr_dir, mrc_file, sums_file, recipe, threads, budget, progress, scratch
        )
    except BaseException as error:
        _remove(zarr_dir, mrc_file)
        if isinstance(error, OSError) and error.errno is not None:
            raise _storage_error(error, mrc_file or zarr_dir or scratch) from error
        raise


def _written(
    source: Source, spacing: float, kind: VolumeKind, zarr_dir: Path | None, mrc_file: Path | None,
    sums_file: Path | None, recipe: MaskRecipe | None, threads: int, budget: MemoryBudget | None, progress: Callable[[int], None] | None,
    scratch: Path | None,
) -> tuple[VolumeFacts, Slab]:  # fmt: skip
    budget = budget or MemoryBudget.for_threads(threads)
    conversion = plan_conversion(source, kind, recipe)
    workers, need = _plan_memory(source.shape, conversion, kind, threads, budget)
    _remove(zarr_dir, mrc_file)
    with ExitStack() as stack:
        stack.enter_context(budget.take(max(need, _reading_need(source, recipe))))
        ready = _prepare(source, conversion, kind, recipe, scratch, stack)
        mrc_file = mrc_file if ready.conversion.fits_mrc else None
        levels = level_shapes(ready.source.shape, kind.steps)
        zarr = ZarrFiles(zarr_dir, levels, ready.conversion.dtype, kind) if zarr_dir else None
        mrc = stack.enter_context(_mrc_writer(mrc_file, ready, kind, spacing)) if mrc_file else None
        count = kind is VolumeKind.SEMANTIC_MASK and ready.values is None
        job = Job(ready.source, kind, ready.conversion, levels, zarr, mrc, count)
        gathered = run(job, workers, progress)
        _check_mask(ready, gathered, kind)
        slab = Slab(
            gathered.slab,
            *slab_range(ready.source.shape, kind),
            ready.source.shape,
            slab_step(ready.source.shape),
        )
        statistics = gathered.statistics
        contrast = _contrast(gathered, kind)
        if mrc is not None:
            least, most = (statistics.minimum, statistics.maximum) if statistics.count else (0.0, 0.0)
            mrc.finish(MrcFacts(least, most, statistics.mean, statistics.sigma))
        if zarr is not None:
            zarr.put_metadata(
                spacing, described_labels(ready.values) if kind is VolumeKind.INSTANCE_MASK else None
            )
            if sums_file is not None:
                sums_file.write_bytes(sums_bytes(zarr.sums))
    return _facts(ready, job, gathered, contrast, spacing, mrc_file), slab


def _plan_memory(
    shape: Shape, conversion: Conversion, kind: VolumeKind, threads: int, budget: MemoryBudget
) -> tuple[int, int]:
    """How many workers fit into the budget, and what they need together, in bytes."""
    chunk = chunk_bytes(kind, conversion.dtype)
    slab = int(np.prod([min(side, 4096) for side in shape[1:]])) * 4
    open_coarse = -(-shape[2] // (4 * kind.chunks[2])) * chunk
    fixed = _CHUNKS_PER_TASK * chunk + slab + open_coarse
    workers = max(1, min(threads, (budget.total - fixed) // (_CHUNKS_PER_WORKER * chunk)))
    return workers, fixed + workers * _CHUNKS_PER_WORKER * chunk


def _reading_need(source: Source, recipe: MaskRecipe | None) -> int:
    """Bytes needed to bring the source into readable form: stored blocks while decoding, sections while resizing."""
    block = math.prod(source.blocks or (0,)) * source.dtype.itemsize
    decoding = max(3 * block, IN_FLIGHT + 2 * block) if source.needs_spool else 0
    resizing = 5 * math.prod(source.shape[1:]) * 8 if recipe is not None and recipe.target_shape else 0
    return max(decoding, resizing)


def _prepare(
    source: Source, conversion: Conversion, kind: VolumeKind, recipe: MaskRecipe | None, scratch: Path | None,
    stack: ExitStack,
) -> _Prepared:  # fmt: skip
    """Bring the source into a form that can be read in any piece at no cost."""
    if kind is VolumeKind.INSTANCE_MASK:
        return _prepare_instances(source, recipe or MaskRecipe(), scratch)
    recipe = (recipe or MaskRecipe()) if kind is VolumeKind.SEMANTIC_MASK else None
    target = recipe.target_shape if recipe is not None else None
    if recipe is None or target is None or target == source.shape:
        return _Prepared(_readable(source, kind, scratch, stack), conversion, recipe)
    if source.needs_spool:
        source = spooled(source, scratch)
    binary, values = resized(source, recipe, check_shape(target, source.name), scratch)
    int8 = np.dtype(np.int8)
    return _Prepared(
        binary, Conversion(int8, int8, lambda block: block, True, conversion.problems), recipe, values, True
    )


def _prepare_instances(source: Source, recipe: MaskRecipe, scratch: Path | None) -> _Prepared:
    """Labels are looked through first: they decide the type that is written, and whether there is anything to write."""
    if source.needs_spool:
        source = spooled(source, scratch)
    labels = labels_of(source)
    conversion = plan_labels(source, labels)
    values = SourceValues(set(labels.tolist()), float(labels[0]), float(labels[-1]))
    target = recipe.target_shape
    if target is None or target == source.shape:
        return _Prepared(source, conversion, recipe, values)
    sampled, lost = relabelled(source, check_shape(target, source.name), labels, scratch)
    conversion = replace(conversion, problems=(*conversion.problems, *lost))
    return _Prepared(sampled, conversion, recipe, values, True)


def _readable(source: Source, kind: VolumeKind, scratch: Path | None, stack: ExitStack) -> Source:
    """`source`, through scratch files where its pieces cost something: band by band, or the whole where its stored blocks lie
    across bands."""
    if not source.needs_spool:
        return source
    if not fits(source, kind.chunks, kind.steps):
        return spooled(source, scratch)
    bands = stack.enter_context(Bands(source, kind.chunks, kind.steps, scratch))
    return replace(
        source, array=bands, dtype=bands.dtype, needs_spool=False, blocks=None, passed=bands.passed
    )


def _mrc_writer(path: Path, ready: _Prepared, kind: VolumeKind, spacing: float) -> MrcWriter:
    stack = kind is VolumeKind.TILT_SERIES
    header = ready.source.header
    return MrcWriter(
        path, ready.source.shape, ready.conversion.mrc_dtype, spacing=spacing, stack=stack, origin=header
    )


def _check_mask(ready: _Prepared, gathered: Gathered, kind: VolumeKind) -> None:
    if kind is VolumeKind.SEMANTIC_MASK and ready.recipe is not None and gathered.statistics.maximum == 0:
        raise refuse_empty(ready.source.name, ready.recipe, ready.values or gathered.values)


def _contrast(gathered: Gathered, kind: VolumeKind) -> tuple[Limits, Limits]:
    if kind is VolumeKind.SEMANTIC_MASK:
        return (0.0, 1.0), (0.0, 1.0)
    if kind is VolumeKind.INSTANCE_MASK:
        return (0.0, gathered.statistics.maximum), (0.0, gathered.statistics.maximum)
    limits = slice_limits(gathered.samples[0]), rendering_limits(gathered.samples[1])
    gathered.samples = ([], [])
    return limits


def _facts(
    ready: _Prepared,
    job: Job,
    gathered: Gathered,
    contrast: tuple[Limits, Limits],
    spacing: float,
    mrc_file: Path | None,
) -> VolumeFacts:
    statistics, source = gathered.statistics, ready.source
    values = ready.values or gathered.values
    known = statistics.count > 0
    return VolumeFacts(
        shape=source.shape,
        levels=job.levels,
        dtype=ready.conversion.dtype.name,
        mrc_dtype=ready.conversion.mrc_dtype.name if mrc_file else "",
        minimum=statistics.minimum if known else 0.0,
        maximum=statistics.maximum if known else 0.0,
        mean=statistics.mean,
        sigma=statistics.sigma,
        finite=statistics.count,
        contrast_2d=contrast[0],
        contrast_3d=contrast[1],
        labels=values.as_labels() if ready.recipe is not None else None,
        bounding_box=gathered.box,
        mrc_size=job.mrc.size if job.mrc else 0,
        mrc_sha256=_sha256(mrc_file) if mrc_file else "",
        zarr_size=job.zarr.size if job.zarr else 0,
        zarr_files=job.zarr.files if job.zarr else 0,
        problems=(
            *ready.conversion.problems,
            *findings(job, gathered.statistics, None if ready.is_resized else spacing),
        ),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(zarr_dir: Path | None, mrc_file: Path | None) -> None:
    if zarr_dir is not None:
        shutil.rmtree(zarr_dir, ignore_errors=True)
    if mrc_file is not None:
        mrc_file.unlink(missing_ok=True)


def _storage_error(error: OSError, target: Path | None) -> StorageError:
    where = str(error.filename or target or "")
    if error.errno == errno.ENOSPC:
        return StorageError(where, "the disk is full while writing a volume; free some space and run again.")
    return StorageError(where, f"the volume cannot be written ({error.strerror}).")
