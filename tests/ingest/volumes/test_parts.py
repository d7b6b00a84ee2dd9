"""The small parts of the pass: visiting order, budget, statistics, slabs."""

from __future__ import annotations

import threading
import time
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomoportal.errors import FormatError, UsageError
from tomoportal.ingest.volumes import MemoryBudget, Slab, VolumeKind, load_slab, save_slab
from tomoportal.ingest.volumes.order import octant_order
from tomoportal.ingest.volumes.slab import slab_range, slab_step
from tomoportal.ingest.volumes.statistics import measure, merge

sides = st.integers(1, 9)


@given(grid=st.tuples(sides, sides, sides), steps=st.sampled_from([(2, 2, 2), (1, 2, 2)]))
def test_every_chunk_is_visited_once_and_few_coarse_chunks_are_open(grid, steps) -> None:
    order = list(octant_order(grid, steps))
    assert sorted(order) == sorted(product(*map(range, grid)))
    for name, factors in (
        ("octant", steps),
        ("band", (*steps[:2], max(grid))),
        ("row of coarse chunks", (steps[0] ** 2, steps[1] ** 2, max(grid))),
    ):
        groups = [tuple(i // f for i, f in zip(index, factors, strict=True)) for index in order]
        changes = sum(a != b for a, b in pairwise(groups))
        assert changes == len(set(groups)) - 1, f"chunks of one {name} follow each other"


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50), min_size=1, max_size=6))
def test_merged_statistics_are_those_of_the_whole(parts: list[list[float]]) -> None:
    arrays = [np.array(part, np.float32) for part in parts]
    whole = np.concatenate(arrays).astype(np.float64)
    total = merge(map(measure, arrays))
    assert (total.count, total.minimum, total.maximum) == (whole.size, whole.min(), whole.max())
    rounding = float(np.abs(whole).max()) * 2.0**-23
    assert total.mean == pytest.approx(whole.mean(), rel=0, abs=rounding), (
        "distances are single-precision numbers"
    )
    assert total.sigma == pytest.approx(whole.std(), rel=1e-4, abs=1)


def test_tasks_wait_for_memory_and_a_large_one_runs_alone() -> None:
    budget = MemoryBudget(100)
    running, most = 0, 0
    lock = threading.Lock()

    def task(need: int) -> None:
        nonlocal running, most
        with budget.take(need) as granted:
            with lock:
                running += granted
                most = max(most, running)
            time.sleep(0.002)
            with lock:
                running -= granted

    threads = [threading.Thread(target=task, args=(need,)) for need in (60, 60, 30, 1000, 10, 100, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 100
    with budget.take(500) as granted:
        assert granted == 100
    with pytest.raises(UsageError):
        MemoryBudget(0)


def test_slabs_are_forty_sections_in_the_middle() -> None:
    assert slab_range((300, 9, 9), VolumeKind.TOMOGRAM) == (130, 170)
    assert slab_range((30, 9, 9), VolumeKind.TOMOGRAM) == (0, 30)
    assert slab_range((1, 9, 9), VolumeKind.TOMOGRAM) == (0, 1)
    assert slab_range((41, 9, 9), VolumeKind.TILT_SERIES) == (20, 21)
    assert [slab_step((9, 9, side)) for side in (4096, 4097, 20000)] == [1, 2, 8]


@pytest.mark.parametrize("shape", [(300, 20, 30), (41, 140, 135), (1, 3, 2)])
def test_the_slab_is_the_mean_of_its_sections(mrc, written, shape) -> None:
    data = np.random.default_rng(1).normal(5, 2, shape).astype(np.float32)
    slab = written(mrc(data)).slab
    assert np.allclose(slab.image, data[slab.start : slab.stop].mean(axis=0), atol=1e-5)
    assert slab.shape == shape


def test_a_saved_slab_comes_back_and_has_fixed_bytes(tmp_path: Path) -> None:
    slab = Slab(np.random.default_rng(0).random((7, 9), np.float32), 3, 43, (50, 7, 9), 1)
    save_slab(slab, tmp_path / "a.npz")
    save_slab(slab, tmp_path / "b.npz")
    again = load_slab(tmp_path / "a.npz")
    assert np.array_equal(again.image, slab.image)
    assert (again.start, again.stop, again.shape, again.step) == (3, 43, (50, 7, 9), 1)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(b"no")
    with pytest.raises(FormatError, match="not a saved slab"):
        load_slab(tmp_path / "a.npz")
