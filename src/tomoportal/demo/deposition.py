"""Writes the demo deposition: simulates every run, saves the depositor's files, the deposition files and the truth table.

Effects stay below the folder given. Runs are simulated by two threads, since the work is numpy and scipy; each run
has a random generator of its own, so that their order does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tomoportal.demo import TRUTH_FILE, DemoFiles, files, scenes
from tomoportal.demo.configs import DEPOSITION_ID, config_text
from tomoportal.demo.phantom import Lattice
from tomoportal.demo.runs import RunResult, simulate
from tomoportal.demo.sources import CELLS, FOLDERS, VESICLES, RunPlan

CONVENTIONS = {
    "contrast": "protein is dark (low values) in tilt images and tomograms",
    "arrays": "z, y, x",
    "points": "x, y, z; voxel 0 has its centre at coordinate 0, in voxels and in angstrom alike",
    "binned": "the coarser tomogram averages 2 x 2 x 2 voxels, so that x_coarse = (x_fine + 0.5) / 2 - 0.5",
    "rotation": "3 x 3, turns the particle's reference into the tomogram, acting on column vectors x, y, z",
    "tilt": "x' - cx = (x - cx) cos t + (z - cz) sin t, y' = y, c = (n - 1) / 2",
    "transforms": "[x_aligned - c; y_aligned - c] = [[A11, A12], [A21, A22]] [x_raw - c; y_raw - c] + [DX; DY], pixels",
}


def plans(small: bool) -> tuple[RunPlan, ...]:
    """The runs of the demo, in the order of the truth table."""
    if small:
        lattice = Lattice((32, 96, 96), 21.424, 14)
        return (
            RunPlan(CELLS, "TS_001", scenes.cell_edge, lattice, axis=84.7, quality=4),
            RunPlan(
                CELLS,
                "TS_002",
                scenes.neurite,
                lattice,
                axis=84.7,
                quality=3,
                predicted=False,
                movies=True,
                aretomo=True,
            ),
        )
    cells = Lattice((80, 384, 384), 10.712, 44)
    vesicles = Lattice((72, 352, 352), 13.68, 42)
    return (
        RunPlan(CELLS, "TS_001", scenes.cell_edge, cells, axis=84.7, quality=5),
        RunPlan(
            CELLS, "TS_002", scenes.mitochondrion, cells, axis=84.7, quality=4, movies=True, aretomo=True
        ),
        RunPlan(CELLS, "TS_004", scenes.neurite, cells, axis=84.6, quality=4, predicted=False),
        RunPlan(VESICLES, "Position_12", scenes.proteoliposomes, vesicles, axis=-94.2, defocus=52000.0),
        RunPlan(
            VESICLES,
            "Position_12_2",
            scenes.liposome_pair,
            vesicles,
            axis=-94.2,
            defocus=60000.0,
            tilts=False,
        ),
    )


def write_deposition(
    folder: Path, *, seed: int, progress: Callable[[str], None] | None, small: bool
) -> DemoFiles:
    """Simulate and write everything; see `tomoportal.demo.write_demo`."""
    source = folder / "sources"
    source.mkdir(parents=True, exist_ok=True)
    wanted = plans(small)
    results: dict[str, RunResult] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {
            pool.submit(simulate, plan, [seed, k], source / FOLDERS[plan.dataset]): plan
            for k, plan in enumerate(wanted)
        }
        for done in as_completed(running):
            plan = running[done]
            results[plan.name] = done.result()
            if progress:
                progress(f"Simulated {plan.name} ({len(results)} of {len(wanted)}).")
    ordered = [(plan, results[plan.name]) for plan in wanted]
    datasets = list(dict.fromkeys(plan.dataset for plan in wanted))
    configs = tuple(_write_config(folder, source, dataset, ordered) for dataset in datasets)
    truth = folder / TRUTH_FILE
    truth.write_text(json.dumps(_truth(seed, ordered), indent=1) + "\n", encoding="utf-8")
    return DemoFiles(configs, source, truth)


def _write_config(folder: Path, source: Path, dataset: str, results: list[tuple[RunPlan, RunResult]]) -> Path:
    mine = [(plan, result) for plan, result in results if plan.dataset == dataset]
    if dataset == CELLS:
        files.write_text(source / FOLDERS[dataset] / "run_data.tsv", _run_table([plan for plan, _ in mine]))
    path = folder / f"demo-{dataset}.yaml"
    scores = _scores([result for _, result in mine])
    path.write_text(config_text(dataset, FOLDERS[dataset], mine[0][0].lattice, *scores), encoding="utf-8")
    return path


def _run_table(cells: list[RunPlan]) -> list[str]:
    header = ["run_name", "pixel_spacing", "voxel_spacing", "voxel_spacing_bin2", "tilt_axis", "quality"]
    rows = [
        [p.name, p.spacings[0], p.spacings[0], p.spacings[1], f"{p.axis:.1f}", str(p.quality)] for p in cells
    ]
    return ["\t".join(row) for row in [header, *rows]]


def _scores(results: Iterable[RunResult]) -> tuple[float, float]:
    """Precision and recall in percent of the predicted picks, over all runs."""
    right, picked, there = (sum(column) for column in zip(*(r.predicted for r in results), strict=True))
    return (round(100 * right / max(picked, 1), 1), round(100 * right / max(there, 1), 1))


def _truth(seed: int, results: list[tuple[RunPlan, RunResult]]) -> dict[str, Any]:
    datasets: dict[str, Any] = {}
    for plan, result in results:
        entry = datasets.setdefault(plan.dataset, {"source_prefix": FOLDERS[plan.dataset], "runs": {}})
        entry["runs"][plan.name] = result.facts
    return {"seed": seed, "deposition_id": DEPOSITION_ID, "conventions": CONVENTIONS, "datasets": datasets}
