"""Surfaces of masks: what `ingest --meshes` adds to the mask of the 1.6 GB sample, beside marching cubes of scikit-image if it is there.

    python benchmarks/meshes.py [--rounds 3] [--peers PYTHON] [--scratch FOLDER]

Every round is a process of its own for each candidate. The time starts when its imports are done and the mask has been published; the peer
reads the whole binary mask into memory first, which is not counted. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from volumes import sample

OURS = """
import sys, time
from pathlib import Path
import zarr  # what is loaded is not counted
from tomoportal.ingest.volumes import VolumeKind, open_source, write_volume
from tomoportal.ingest.volumes.surface import mask_surface
from tomoportal.viewer.meshes import write_mesh_layer
source, out = Path(sys.argv[1]), Path(sys.argv[2])
if not (out / "a.zarr").exists():
    facts, _ = write_volume(
        open_source(source), spacing=13.48, kind=VolumeKind.SEMANTIC_MASK, zarr_dir=out / "a.zarr", mrc_file=None, threads=2
    )
    (out / "facts").write_text(repr((facts.bounding_box, facts.mean * facts.finite)))
box, voxels = eval((out / "facts").read_text())
wall, cpu = time.perf_counter(), time.process_time()
vertices, faces = mask_surface(out / "a.zarr", box, voxels)
files = write_mesh_layer(vertices, faces, label="membrane")
for path, content in files.items():
    (out / path.replace("/", "-").replace(":", "-")).write_bytes(content)
print(time.perf_counter() - wall, time.process_time() - cpu, len(faces), sum(map(len, files.values())))
"""
PEER = """
import sys, time
import mrcfile
from skimage.measure import marching_cubes
mask = (mrcfile.mmap(sys.argv[1], permissive=True).data == 1).astype("float32")
wall, cpu = time.perf_counter(), time.process_time()
vertices, faces, _, _ = marching_cubes(mask, 0.5)
print(time.perf_counter() - wall, time.process_time() - cpu, len(faces), 12 * (len(vertices) + len(faces)))
"""


def measure(python: str, program: str, source: Path, out: Path) -> list[float]:
    """Seconds, processor seconds, faces, bytes of one run."""
    command = [python, "-c", program, str(source), str(out)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in ran.stdout.split()]


def has_peer(python: str) -> bool:
    """Whether scikit-image is installed there."""
    return subprocess.run([python, "-c", "import skimage, mrcfile"], capture_output=True).returncode == 0


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=os.environ.get("TOMOPORTAL_BENCH_PYTHON", sys.executable))
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "tomoportal-bench")
    options = parser.parse_args()
    options.scratch.mkdir(parents=True, exist_ok=True)
    mask = sample(options.scratch) / "annotations/TS_001_membrane.mrc"
    candidates = {"tomoportal": (sys.executable, OURS)}
    if has_peer(options.peers):
        candidates["scikit-image, every voxel"] = (options.peers, PEER)
    print("| who | wall s (min / median / max) | CPU s | faces | MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.scratch) as out:
        found: dict[str, list[list[float]]] = {name: [] for name in candidates}
        for _ in range(options.rounds):
            for name, (python, program) in candidates.items():
                found[name].append(measure(python, program, mask, Path(out)))
        for name, runs in found.items():
            walls = sorted(run[0] for run in runs)
            cpu = statistics.median(run[1] for run in runs)
            print(
                f"| {name} | {walls[0]:.1f} / {statistics.median(walls):.1f} / {walls[-1]:.1f} | {cpu:.1f} "
                f"| {runs[0][2]:,.0f} | {runs[0][3] / 1e6:.1f} |"
            )


if __name__ == "__main__":
    main()
