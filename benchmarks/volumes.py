"""Volumes: our writer beside the measured ideal and beside other libraries, in time, CPU and private memory.

    python benchmarks/volumes.py [--rounds 3] [--peers PYTHON] [--scratch FOLDER] [--part time|memory|all]

Every candidate is a process of its own, started in turn (A, B, C, A, B, C, …), so that a busy machine disturbs all alike; the
ratios are taken within a round. Prints Markdown tables. Needs the generator of the 1.6 GB sample (`TOMOPORTAL_SHARED`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("TOMOPORTAL_SHARED", HERE.parents[1] / "shared"))
SAMPLE_INTERVAL = 0.01


@dataclass(frozen=True)
class Run:
    """One run of one candidate: seconds, CPU seconds (user and system), peak of private memory in MiB, bytes written."""

    wall: float
    cpu: float
    private: float
    written: int


def sample(scratch: Path) -> Path:
    """The folder of the 1.6 GB deposition, made once per scratch folder."""
    root = scratch / "large"
    if not (root / "config.yaml").exists():
        generator = SHARED / "tools" / "gen_synthetic_deposition.py"
        subprocess.run([sys.executable, str(generator), str(root), "--preset", "large"], check=True)
    return root / "depo"


def measure(python: str, candidate: str, source: Path, scratch: Path) -> Run:
    """Run `candidate` of volume_candidates.py once and watch it. Its time starts when its imports are done."""
    out = Path(tempfile.mkdtemp(prefix="out-", dir=scratch))
    os.sync()
    command = [python, str(HERE / "volume_candidates.py"), candidate, str(source), str(out)]
    peak = 0.0
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                peak = max(peak, private_memory(process.pid))
                time.sleep(SAMPLE_INTERVAL)
            text = process.stdout.read() if process.stdout else ""
        if process.returncode:
            raise SystemExit(f"{candidate} failed with status {process.returncode}")
        told = json.loads(text.splitlines()[-1])
        written = sum(path.stat().st_blocks * 512 for path in out.rglob("*") if path.is_file())
        return Run(told["wall"], told["cpu"], peak, written)
    finally:
        shutil.rmtree(out)


def private_memory(pid: int) -> float:
    """Anonymous and shared-anonymous pages of a process in MiB: what mapped files do not account for."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(("RssAnon", "RssShmem")))


def compare(
    candidates: list[tuple[str, str]], source: Path, scratch: Path, rounds: int
) -> dict[str, list[Run]]:
    """`rounds` interleaved runs of every (python, candidate)."""
    runs: dict[str, list[Run]] = {candidate: [] for _, candidate in candidates}
    for _ in range(rounds):
        for python, candidate in candidates:
            runs[candidate].append(measure(python, candidate, source, scratch))
            last = runs[candidate][-1]
            print(
                f"  {candidate}: {last.wall:.1f} s, {last.cpu:.1f} CPU s, {last.private:.0f} MiB",
                file=sys.stderr,
            )
    return runs


def table(runs: dict[str, list[Run]], base: str) -> str:
    """Medians, and ratios to `base` taken round by round."""
    rows = [
        f"| who | wall s (min / median / max) | CPU s | private memory MiB | written MB | wall ÷ {base} | CPU ÷ {base} |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in runs.items():
        walls = sorted(run.wall for run in found)
        wall_ratio = statistics.median(
            run.wall / other.wall for run, other in zip(found, runs[base], strict=True)
        )
        cpu_ratio = statistics.median(
            run.cpu / other.cpu for run, other in zip(found, runs[base], strict=True)
        )
        rows.append(
            f"| {name} | {walls[0]:.1f} / {statistics.median(walls):.1f} / {walls[-1]:.1f} "
            f"| {statistics.median(run.cpu for run in found):.1f} | {max(run.private for run in found):.0f} "
            f"| {found[0].written / 1e6:.0f} | {wall_ratio:.2f} | {cpu_ratio:.2f} |"
        )
    return "\n".join(rows)


def memory_table(source: Path, scratch: Path) -> str:
    """Private memory of one volume, of four at once, and of a sparse 16 GB volume."""
    rows = ["| what | private memory MiB | wall s |", "|---|---|---|"]
    for candidate in ("one", "four", "sparse"):
        run = measure(sys.executable, candidate, source, scratch)
        rows.append(f"| {candidate} | {run.private:.0f} | {run.wall:.1f} |")
        print(rows[-1], file=sys.stderr)
    return "\n".join(rows)


def main() -> None:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=os.environ.get("TOMOPORTAL_BENCH_PYTHON", sys.executable))
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "tomoportal-bench")
    parser.add_argument("--part", choices=("time", "memory", "all"), default="all")
    options = parser.parse_args()
    options.scratch.mkdir(parents=True, exist_ok=True)
    source = sample(options.scratch)
    if options.part in ("time", "all"):
        ours = [(sys.executable, name) for name in ("ideal", "tomoportal")]
        print("Three volumes (1.6 GB) to Zarr and MRC:\n")
        print(table(compare(ours, source, options.scratch, options.rounds), "ideal"))
        names = ["tomoportal-zarr", "ome-zarr", "ngff-zarr"]
        one = [(options.peers if name in names[1:] else sys.executable, name) for name in names]
        print("\nThe tomogram alone (1.07 GB) to Zarr:\n")
        print(table(compare(one, source, options.scratch, options.rounds), "tomoportal-zarr"))
    if options.part in ("memory", "all"):
        print("\nPrivate memory:\n")
        print(memory_table(source, options.scratch))


if __name__ == "__main__":
    main()
