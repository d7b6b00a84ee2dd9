"""How soon the commands answer, and a whole ingestion through the front door beside the ideal for its volumes.

python benchmarks/commands.py [SAMPLE]     SAMPLE: a folder made by gen_synthetic_deposition.py --preset large; made when absent
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[2] / "shared"))
PROGRAM = str(Path(sys.executable).with_name("tomoportal"))
ROUNDS = 7


def seconds(command: list[str]) -> float:
    """Median wall time of a command."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    """Print a Markdown table."""
    config = str(SHARED / "data/configs/10301.yaml")
    rows = [
        ("`tomoportal --help`", seconds([PROGRAM, "--help"]), "0.2"),
        ("`tomoportal check` of one config", seconds([PROGRAM, "check", config]), "0.7"),
        ("`import tomoportal`", seconds([sys.executable, "-c", "import tomoportal; tomoportal.Client"]), "0.2"),
    ]  # fmt: skip
    print("| command | seconds (median) | budget |\n|---|---|---|")
    for name, median, budget in rows:
        print(f"| {name} | {median:.2f} | {budget} |")
    ingest(Path(sys.argv[1]) if len(sys.argv) > 1 else None)


def ingest(sample: Path | None) -> None:
    """Time `tomoportal ingest` of the 1.6 GB sample, three times into an empty portal."""
    with tempfile.TemporaryDirectory(prefix="tomoportal-bench-") as folder:
        if sample is None:
            sample = Path(folder) / "sample"
            generator = SHARED / "tools/gen_synthetic_deposition.py"
            subprocess.run([sys.executable, generator, sample, "--preset", "large"], check=True)
        print("\n| `tomoportal ingest` of the 1.6 GB sample | wall s | CPU s |\n|---|---|---|")
        for number in range(3):
            portal = Path(folder) / "portal"
            command = [
                PROGRAM,
                "ingest",
                sample / "config.yaml",
                "--source",
                sample,
                "--storage",
                portal / "files",
            ]
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(
                [*command, "--database", f"sqlite:///{portal}/c.sqlite"], check=True, capture_output=True
            )
            wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            print(f"| run {number + 1} | {wall:.1f} | {cpu:.1f} |")
            shutil.rmtree(portal)


if __name__ == "__main__":
    main()
