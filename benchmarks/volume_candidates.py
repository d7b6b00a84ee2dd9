"""The candidates of volumes.py: `python volume_candidates.py NAME SOURCE OUT` does one job and prints its seconds as JSON.

Each imports what it needs before its time starts. All read cached files and leave theirs in the page cache.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

THREADS = os.cpu_count() or 1
CHUNK = 128
TOMOGRAM, TILT_SERIES, MASK = (
    "tomograms/TS_001.mrc",
    "tiltseries/TS_001.st",
    "annotations/TS_001_membrane.mrc",
)
VOLUMES = [
    (TOMOGRAM, (300, 928, 960), "<f4", (128, 128, 128), 2),
    (TILT_SERIES, (8, 4096, 4096), "<i2", (1, 1024, 1024), 2),
    (MASK, (300, 928, 960), "i1", (128, 128, 128), 1),
]


def ideal(source: Path, out: Path) -> Callable[[], None]:
    """What cannot be avoided: read every voxel once, encode as many chunks as the three levels have (coarse ones from source
    voxels), write the chunks and the MRC. No mean, no statistics, no checksum."""
    from numcodecs import blosc

    own = threading.local()

    def encode(
        data: np.ndarray, chunk: tuple[int, ...], shuffle: int, path: Path, region: tuple[slice, ...]
    ) -> None:
        block = data[region]
        if data.dtype.itemsize == 1:
            block = (block == 1).view(np.int8)
        buffers = own.__dict__
        if data.dtype.str not in buffers:
            buffers[data.dtype.str] = np.empty(chunk, data.dtype)
        whole = buffers[data.dtype.str]
        if block.shape != chunk:
            whole.fill(0)
        whole[tuple(map(slice, block.shape))] = block
        path.write_bytes(blosc.compress(whole, b"lz4", 5, shuffle, 0))

    def copy(data: np.ndarray, target: int, start: int) -> None:
        piece = data.reshape(-1).view(np.uint8)[start : start + (8 << 20)]
        if data.dtype.itemsize == 1:
            piece = (piece == 1).view(np.uint8)
        os.pwrite(target, piece.data, 1024 + start)

    def work() -> None:
        blosc.use_threads = False
        with ThreadPoolExecutor(THREADS) as pool:
            jobs = []
            for place, shape, dtype, chunk, shuffle in VOLUMES:
                data = np.memmap(source / place, dtype, "r", 1024, shape)
                folder = out / Path(place).parent.name
                folder.mkdir()
                steps = (1, 2, 2) if chunk[0] == 1 else (2, 2, 2)
                for level in range(3):
                    side = tuple(-(-n // step**level) for n, step in zip(shape, steps, strict=True))
                    corners = itertools.product(*(range(0, n, c) for n, c in zip(side, chunk, strict=True)))
                    for number, corner in enumerate(corners):
                        region = tuple(
                            slice(o, min(o + c, n)) for o, c, n in zip(corner, chunk, side, strict=True)
                        )
                        jobs.append(
                            pool.submit(encode, data, chunk, shuffle, folder / f"{level}.{number}", region)
                        )
                target = os.open(folder / "volume.mrc", os.O_WRONLY | os.O_CREAT)
                os.truncate(target, 1024 + data.nbytes)
                jobs += [pool.submit(copy, data, target, start) for start in range(0, data.nbytes, 8 << 20)]
            for job in jobs:
                job.result()

    return work


def tomoportal(source: Path, out: Path) -> Callable[[], None]:
    """Everything the portal wants of the three volumes: Zarr, MRC, statistics, contrast, slab, labels, checksum."""
    from tomoportal.ingest.volumes import MaskRecipe, MemoryBudget, VolumeKind, open_source, write_volume

    kinds = {
        TOMOGRAM: VolumeKind.TOMOGRAM,
        TILT_SERIES: VolumeKind.TILT_SERIES,
        MASK: VolumeKind.SEMANTIC_MASK,
    }
    budget = MemoryBudget.for_threads(THREADS)

    def one(place: str) -> None:
        stem = out / Path(place).parent.name
        write_volume(
            open_source(source / place), spacing=3.37 if place == TILT_SERIES else 13.48, kind=kinds[place], threads=THREADS,
            zarr_dir=stem.with_suffix(".zarr"), mrc_file=stem.with_suffix(".out.mrc"), budget=budget,
            recipe=MaskRecipe(1) if place == MASK else None,
        )  # fmt: skip

    def work() -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(one, (TOMOGRAM, MASK, TILT_SERIES)))

    return work


def tomoportal_zarr(source: Path, out: Path) -> Callable[[], None]:
    """The tomogram to Zarr alone, as the other libraries do it (statistics and contrast come along)."""
    return _many([source / TOMOGRAM], out, with_mrc=False)


def one(source: Path, out: Path) -> Callable[[], None]:
    """One tomogram to Zarr and MRC."""
    return _many([source / TOMOGRAM], out)


def four(source: Path, out: Path) -> Callable[[], None]:
    """Four tomograms at once."""
    return _many([source / TOMOGRAM] * 4, out)


def sparse(source: Path, out: Path) -> Callable[[], None]:
    """A 16 GB MRC of zeros that takes no room on the disk."""
    from tomoportal.formats.mrc_writer import MrcFacts, MrcWriter

    with MrcWriter(out / "sparse.mrc", (1024, 2048, 2048), np.dtype("f4"), spacing=13.48) as writer:
        writer.finish(MrcFacts(0, 0, 0, 0))
    return _many([out / "sparse.mrc"], out)


def _many(sources: list[Path], out: Path, *, with_mrc: bool = True) -> Callable[[], None]:
    from tomoportal.ingest.volumes import MemoryBudget, VolumeKind, open_source, write_volume

    budget = MemoryBudget.for_threads(THREADS)

    def write(number: int) -> None:
        mrc = out / f"{number}.mrc" if with_mrc else None
        write_volume(
            open_source(sources[number]), spacing=13.48, kind=VolumeKind.TOMOGRAM, zarr_dir=out / f"{number}.zarr",
            mrc_file=mrc, threads=THREADS, budget=budget,
        )  # fmt: skip

    def work() -> None:
        with ThreadPoolExecutor(len(sources)) as pool:
            list(pool.map(write, range(len(sources))))

    return work


def ome_zarr(source: Path, out: Path) -> Callable[[], None]:
    """ome-zarr-py, three levels of means, same chunks and codec family."""
    import dask.array as da
    import mrcfile
    from ome_zarr.writer import write_image

    def work() -> None:
        with mrcfile.mmap(source / TOMOGRAM) as file:
            data = da.from_array(file.data, chunks=(CHUNK,) * 3)
            write_image(data, str(out / "a.zarr"), axes="zyx", scale_factors=[2, 4], method="local_mean")

    return work


def ngff_zarr(source: Path, out: Path) -> Callable[[], None]:
    """ngff-zarr, three levels of means with its dask method."""
    import mrcfile
    import ngff_zarr as nz

    def work() -> None:
        with mrcfile.mmap(source / TOMOGRAM) as file:
            image = nz.to_ngff_image(
                file.data, dims=("z", "y", "x"), scale={"z": 13.48, "y": 13.48, "x": 13.48}
            )
            levels = nz.to_multiscales(
                image, scale_factors=[2, 4], chunks=CHUNK, method=nz.Methods.DASK_BIN_SHRINK
            )
            nz.to_ngff_zarr(str(out / "a.zarr"), levels, version="0.4")

    return work


CANDIDATES = {
    "ideal": ideal, "tomoportal": tomoportal, "tomoportal-zarr": tomoportal_zarr, "one": one, "four": four, "sparse": sparse,
    "ome-zarr": ome_zarr, "ngff-zarr": ngff_zarr,
}  # fmt: skip


def main() -> None:
    """Do the candidate's work and print what it took."""
    name, source, out = sys.argv[1:4]
    work = CANDIDATES[name](Path(source), Path(out))
    cpu, wall = os.times(), time.monotonic()
    work()
    wall, after = time.monotonic() - wall, os.times()
    used = sum(after[:4]) - sum(cpu[:4])
    print(json.dumps({"wall": wall, "cpu": used}))


if __name__ == "__main__":
    main()
