"""How long one list of particles of many runs takes to become annotations, with one small tomogram a run: all of `tomoportal ingest`.

python benchmarks/particles.py [POINTS [RUNS]]     1,000,000 points over 500 runs unless given
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import mrcfile
import numpy as np
import yaml
from planning import ANNOTATION, CONFIG, PROGRAM, TOMOGRAM, glob

SHAPE = (8, 16, 16)
"""Voxels (z, y, x) of a tomogram."""
COLUMNS = ("CoordinateX", "CoordinateY", "CoordinateZ", "AngleRot", "AngleTilt", "AnglePsi", "TomoName")
SHAPES = ("none", "Point", "OrientedPoint")
"""`none`: the tomograms alone, to compare with."""


def main() -> None:
    """Print a Markdown table."""
    points, runs = (int(word) for word in (*sys.argv[1:], "1000000", "500")[: max(2, len(sys.argv) - 1)])
    with tempfile.TemporaryDirectory(prefix="tomoportal-bench-") as made:
        folder = Path(made)
        with ProcessPoolExecutor(
            1
        ) as apart:  # what this process has used is counted as used by those that it starts
            apart.submit(make_sources, folder / "sources", points, runs).result()
        print("| annotation | wall s | CPU s | peak memory MiB | points published |\n|---|---|---|---|---|")
        for shape in SHAPES:
            config = write_config(folder / f"{shape}.yaml", shape)
            wall, cpu, memory = measured(config, folder, folder / shape)
            count = sum(file.read_bytes().count(b"\n") for file in folder.glob(f"{shape}/files/**/*.ndjson"))
            print(f"| {shape} | {wall:.1f} | {cpu:.1f} | {memory:.0f} | {count:,} |", flush=True)


def make_sources(folder: Path, points: int, runs: int) -> None:
    """One STAR file with the points of all runs in random order, and a tomogram of noise for each run."""
    rng = np.random.default_rng(7)
    home = folder / "lab"
    (home / "tomograms").mkdir(parents=True)
    for number in range(runs):
        with mrcfile.new(home / f"tomograms/TS_{number:04}.mrc") as file:
            file.set_data(rng.normal(size=SHAPE).astype(np.float32))
            file.voxel_size = 10.0
    places = rng.uniform(0, np.array(SHAPE[::-1]) - 1, (points, 3))
    angles = rng.uniform((-180, 0, -180), (180, 180, 180), (points, 3))
    names = rng.integers(0, runs, points)
    with (home / "all.star").open("w") as file:
        file.write("data_particles\n\nloop_\n" + "".join(f"_rln{label}\n" for label in COLUMNS))
        for row, name in zip(np.concatenate([places, angles], axis=1).tolist(), names.tolist(), strict=True):
            file.write(" ".join(f"{value:.6f}" for value in row) + f" TS_{name:04}\n")


def write_config(file: Path, shape: str) -> Path:
    """A deposition of tomograms and of one annotation of this shape."""
    source = {"file_format": "tomoman_relion_star", "glob_string": "all.star", "filter_value": "{run_name}"}
    kept = {key: CONFIG[key] for key in ("version", "depositions", "datasets")}
    config = {
        **kept,
        "standardization_config": {"deposition_id": 1, "source_prefix": "lab"},
        "runs": [{"sources": glob("tomograms/TS_*.mrc", name_regex=r"(.*)\.mrc")}],
        "voxel_spacings": [{"sources": [{"literal": {"value": [10.0]}}]}],
        "tomograms": [
            {"metadata": {**TOMOGRAM, "voxel_spacing": 10.0}, "sources": glob("tomograms/{run_name}.mrc")}
        ],
        "annotations": [{"metadata": ANNOTATION, "sources": [{shape: source}]}],
    }
    if shape == "none":
        del config["annotations"]
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


def measured(config: Path, folder: Path, portal: Path) -> tuple[float, float, float]:
    """Seconds by the clock and of processor time, and the largest resident memory (MiB), of one ingestion into an empty portal."""
    command = [PROGRAM, "ingest", config, "--source", folder / "sources", "--storage", portal / "files",
               "--database", f"sqlite:///{portal}/catalog.sqlite"]  # fmt: skip
    started = time.perf_counter()
    child = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"tomoportal ingest ended with {child.returncode}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
