"""The one pass: worker threads take a volume chunk by chunk and make everything that is wanted of it.

A worker reads one chunk, measures it, encodes and writes it, halves it twice, writes the MRC rows that begin in it, and
hands the small rest to the coordinating thread, which merges in chunk order: results do not depend on the threads.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from tomoportal.formats.mrc_writer import MrcWriter
from tomoportal.ingest.volumes.coarse import CoarseLevel
from tomoportal.ingest.volumes.contrast import sampled, sampling_step
from tomoportal.ingest.volumes.conversion import Conversion
from tomoportal.ingest.volumes.facts import Shape, VolumeKind
from tomoportal.ingest.volumes.masks import SourceValues, values_of
from tomoportal.ingest.volumes.order import grid_of, octant_order
from tomoportal.ingest.volumes.pages import own_pages
from tomoportal.ingest.volumes.pyramid import halve, halve_labels, halve_mask
from tomoportal.ingest.volumes.slab import slab_range, slab_step
from tomoportal.ingest.volumes.source import Region, Source
from tomoportal.ingest.volumes.statistics import Statistics, measure
from tomoportal.ingest.volumes.zarr_files import ZarrFiles

_RELEASE_EVERY = 256 << 20
_HUGE = 1e36
Box = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class Job:
    """What the pass reads, how it converts it, and where it writes; `zarr` and `mrc` may be absent."""

    source: Source
    kind: VolumeKind
    conversion: Conversion
    levels: tuple[Shape, ...]
    zarr: ZarrFiles | None
    mrc: MrcWriter | None
    count_values: bool = False


@dataclass(frozen=True)
class ChunkResult:
    """What is left of one chunk after a worker has written it."""

    index: Shape
    statistics: Statistics
    coarse: tuple[np.ndarray, np.ndarray]
    samples: tuple[np.ndarray, np.ndarray] | None
    slab: np.ndarray | None
    box: Box | None
    values: SourceValues | None
    source_bytes: int


@dataclass
class Gathered:
    """What the pass gathers over the volume, merged in chunk order."""

    slab: np.ndarray
    statistics: Statistics = field(default_factory=Statistics)
    samples: tuple[list[np.ndarray], list[np.ndarray]] = field(default_factory=lambda: ([], []))
    box: Box | None = None
    values: SourceValues = field(default_factory=SourceValues)


def run(job: Job, workers: int, progress: Callable[[int], None] | None) -> Gathered:
    """Do the whole pass with `workers` threads; `progress` is called with the source bytes of each finished chunk."""
    shape = job.source.shape
    step = slab_step(shape)
    kept = np.uint32 if job.kind is VolumeKind.INSTANCE_MASK else np.float32
    gathered = Gathered(np.zeros((-(-shape[1] // step), -(-shape[2] // step)), kept))
    coarse = [CoarseLevel(i, shape, job.levels[i], job.kind, job.conversion.dtype) for i in (1, 2)]
    pass_ = _Pass(job)
    waiting: deque[Future[ChunkResult]] = deque()
    encoding: deque[Future[None]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="volume") as pool:
        try:
            for index in octant_order(grid_of(shape, job.kind.chunks), job.kind.steps):
                waiting.append(pool.submit(pass_.process, index))
                if len(waiting) > workers + 1:
                    _take(waiting.popleft().result(), job, gathered, coarse, pool, encoding, progress)
            while waiting:
                _take(waiting.popleft().result(), job, gathered, coarse, pool, encoding, progress)
            for future in encoding:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    job.source.release()
    return gathered


def _take(
    result: ChunkResult, job: Job, gathered: Gathered, coarse: list[CoarseLevel], pool: ThreadPoolExecutor,
    encoding: deque[Future[None]], progress: Callable[[int], None] | None,
) -> None:  # fmt: skip
    job.source.passed(result.index)
    gathered.statistics = gathered.statistics.merged(result.statistics)
    if result.values is not None:
        gathered.values.add(result.values)
    gathered.box = _united(gathered.box, result.box)
    if result.samples is not None:
        for kept, sample in zip(gathered.samples, result.samples, strict=True):
            kept.append(sample)
    if result.slab is not None:
        step = slab_step(job.source.shape)
        y, x = (i * chunk // step for i, chunk in zip(result.index[1:], job.kind.chunks[1:], strict=True))
        height, width = result.slab.shape
        there = gathered.slab[y : y + height, x : x + width]
        combine = np.maximum if job.kind is VolumeKind.INSTANCE_MASK else np.add
        combine(there, result.slab, out=there)
    if job.zarr is not None:
        for level, piece in zip(coarse, result.coarse, strict=True):
            if whole := level.add(result.index, piece):
                encoding.append(pool.submit(job.zarr.put_chunk, level.level, *whole))
        while len(encoding) > 1:
            encoding.popleft().result()
    if progress is not None:
        progress(result.source_bytes)


def _united(first: Box | None, second: Box | None) -> Box | None:
    if first is None or second is None:
        return first or second
    low = [min(a, b) for a, b in zip(first[:3], second[:3], strict=True)]
    high = [max(a, b) for a, b in zip(first[3:], second[3:], strict=True)]
    return low[0], low[1], low[2], high[0], high[1], high[2]


class _Pass:
    """The work on one chunk, run in worker threads; buffers are kept per thread."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._local = threading.local()
        self._slab = slab_range(job.source.shape, job.kind)
        self._step = slab_step(job.source.shape)
        self._sampling = [sampling_step(shape, job.kind.steps) for shape in job.levels[1:]]
        self._touched = 0
        self._lock = threading.Lock()

    def process(self, index: Shape) -> ChunkResult:
        job = self._job
        region = self._region(index)
        found = job.source.array[region]
        values = values_of(found) if job.count_values else None
        block = self._buffer(found.shape)
        np.copyto(block, job.conversion.convert(found))
        if job.mrc is not None and index[2] == 0:
            self._put_rows(region, job.mrc)
        is_mask = job.kind.is_mask
        statistics = _of_mask(block) if job.kind is VolumeKind.SEMANTIC_MASK else measure(block)
        if job.zarr is not None:
            blank = statistics.maximum == statistics.minimum == 0 and not statistics.unusual
            job.zarr.put_chunk(0, index, block, blank=blank and not np.signbit(block.flat[0]))
        coarse = self._halved(block, statistics)
        samples = None if is_mask else self._samples(coarse)
        box = _box(block, region) if is_mask and statistics.maximum else None
        source_bytes = found.size * job.source.dtype.itemsize
        self._release(source_bytes)
        return ChunkResult(
            index,
            statistics,
            coarse,
            samples,
            self._slab_part(block, region, statistics),
            box,
            values,
            source_bytes,
        )

    def _region(self, index: Shape) -> Region:
        z, y, x = (
            slice(i * chunk, min((i + 1) * chunk, side))
            for i, chunk, side in zip(index, self._job.kind.chunks, self._job.source.shape, strict=True)
        )
        return z, y, x

    def _buffer(self, shape: tuple[int, ...]) -> np.ndarray:
        """A contiguous array of `shape` in this thread's own memory, used again for every chunk."""
        if not hasattr(self._local, "flat"):
            sides = map(min, self._job.kind.chunks, self._job.source.shape)
            self._local.flat = own_pages((math.prod(sides),), self._job.conversion.dtype)
        return self._local.flat[: int(np.prod(shape))].reshape(shape)

    def _put_rows(self, region: Region, mrc: MrcWriter) -> None:
        """Write the full-width rows of this chunk's sections, section by section."""
        source, conversion = self._job.source, self._job.conversion
        direct = conversion.identity and conversion.mrc_dtype == conversion.dtype
        for z in range(region[0].start, region[0].stop):
            rows = source.array[slice(z, z + 1), region[1], slice(None)][0]
            mrc.write_rows(z, region[1].start, rows if direct else conversion.convert(rows))

    def _halved(self, block: np.ndarray, statistics: Statistics) -> tuple[np.ndarray, np.ndarray]:
        steps = self._job.kind.steps
        if self._job.kind is VolumeKind.SEMANTIC_MASK:
            fine = halve_mask(block, steps)
            return fine, halve_mask(fine, steps)
        if self._job.kind is VolumeKind.INSTANCE_MASK:
            fine = halve_labels(block, steps)
            return fine, halve_labels(fine, steps)
        largest = max(abs(statistics.minimum), abs(statistics.maximum)) if statistics.count else 0.0
        with np.errstate(invalid="ignore", over="ignore"):
            fine = halve(block, steps, largest=largest)
            return fine, halve(fine, steps, largest=largest)

    def _samples(self, coarse: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        steps = self._job.kind.steps
        return sampled(coarse[0], steps, self._sampling[0]), sampled(coarse[1], steps, self._sampling[1])

    def _slab_part(self, block: np.ndarray, region: Region, statistics: Statistics) -> np.ndarray | None:
        """This chunk's share of the slab: its sections in the slab, summed and divided by the slab's thickness; the highest labels."""
        start, stop = max(self._slab[0], region[0].start), min(self._slab[1], region[0].stop)
        if start >= stop:
            return None
        part = block[start - region[0].start : stop - region[0].start, :: self._step, :: self._step]
        if self._job.kind is VolumeKind.INSTANCE_MASK:
            return part.max(axis=0).astype(np.uint32)
        if statistics.unusual:
            part = np.where(np.isfinite(part), part, block.dtype.type(statistics.mean))
        huge = max(statistics.maximum, -statistics.minimum) > _HUGE
        total = np.add.reduce(part, axis=0, dtype=np.float64 if huge else np.float32)
        return (total / (self._slab[1] - self._slab[0])).astype(np.float32, copy=False)

    def _release(self, read: int) -> None:
        with self._lock:
            self._touched += read
            if self._touched < _RELEASE_EVERY:
                return
            self._touched = 0
        self._job.source.release()


def _of_mask(block: np.ndarray) -> Statistics:
    """Statistics of zeros and ones, from their number alone."""
    count, ones = block.size, int(np.count_nonzero(block.view(np.bool_)))
    share = ones / count
    return Statistics(count, 0, float(ones == count), float(ones > 0), share, ones * (1 - share))


def _box(block: np.ndarray, region: Region) -> Box:
    """The box around the set voxels of `block`, in voxels of the volume."""
    plane = np.any(block, axis=0)
    lines = np.any(block, axis=(1, 2)), np.any(plane, axis=1), np.any(plane, axis=0)
    ends = [np.flatnonzero(line)[[0, -1]].tolist() for line in lines]
    low = [part.start + end[0] for part, end in zip(region, ends, strict=True)]
    high = [part.start + end[1] + 1 for part, end in zip(region, ends, strict=True)]
    return low[0], low[1], low[2], high[0], high[1], high[2]
