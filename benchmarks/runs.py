"""What many small runs cost: time, processor time and private memory of the first ingest, of "nothing to do" and of a load.

    python benchmarks/runs.py [RUNS]     RUNS: 100 unless given

The tiny deposition of the tests (a tilt series of 5 images, an alignment, a tomogram of 12 × 20 × 24 voxels, two annotations,
pictures) with as many runs, and with a quarter of them: what a run costs is the difference, so that start and libraries do not count.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))

from volumes import private_memory  # noqa: E402

from fixtures_tiny import Tiny  # noqa: E402

FILES = ("tomograms/{}.mrc", "{}_mask.mrc", "{}.st", "{}.csv", "{}.rawtlt", "{}.tlt", "{}.xf", "{}.mdoc")
PROGRAM = [sys.executable, "-m", "tomoportal"]


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, processor seconds, peak of private memory in MiB."""

    wall: float
    busy: float
    memory: float


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=int, nargs="?", default=100)
    options = parser.parse_args()
    many, few = options.runs, max(1, options.runs // 4)
    with tempfile.TemporaryDirectory(prefix="tomoportal-bench-") as scratch:
        costs = [costs_of(Path(scratch) / str(runs), runs) for runs in (few, many)]
    print(
        f"| {many} tiny runs | wall s | processor ms per run | peak of private memory MiB, {few} runs / {many} runs | KB per run |\n"
        "|---|---|---|---|---|"
    )
    for what in costs[0]:
        print(row(what, costs[0][what], costs[1][what], many - few))


def row(what: str, few: Cost, many: Cost, more: int) -> str:
    """One line of the table; `more` runs lie between the two."""
    busy, memory = (many.busy - few.busy) / more * 1e3, (many.memory - few.memory) * 1024 / more
    return f"| {what} | {many.wall:.1f} | {busy:.1f} | {few.memory:.0f} / {many.memory:.0f} | {memory:.1f} |"


def costs_of(folder: Path, runs: int) -> dict[str, Cost]:
    """Ingest that many runs into a new portal, do it again, and load the catalogue anew from what lies there."""
    tiny = sources(folder, runs)
    portal = [f"--storage={folder / 'portal'}", f"--database=sqlite:///{folder / 'catalog.sqlite'}"]
    ingest = [*PROGRAM, "ingest", str(tiny.file), f"--source={tiny.source}", *portal]
    first, again = watched(ingest), watched(ingest)
    for file in folder.glob("catalog.sqlite*"):
        file.unlink()
    return {
        "first ingest": first,
        "nothing to do": again,
        "`tomoportal load`": watched([*PROGRAM, "load", *portal]),
    }


def sources(folder: Path, runs: int) -> Tiny:
    """The files of one run under as many names."""
    tiny = Tiny(folder).run("R00000").write()
    for number in range(1, runs):
        for name in FILES:
            shutil.copyfile(tiny.lab / name.format("R00000"), tiny.lab / name.format(f"R{number:05}"))
    return tiny


def watched(command: list[str]) -> Cost:
    """Run a command to its end and watch it."""
    peak, started = 0.0, time.perf_counter()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT)
        ended = threading.Event()
        waited: list[tuple[int, int, os.struct_rusage]] = []
        threading.Thread(target=lambda: (waited.append(os.wait4(process.pid, 0)), ended.set())).start()
        while not ended.wait(0.01):
            peak = max(peak, private_memory(process.pid))
        _, status, used = waited[0]
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{told.read().decode()}")
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, peak)


if __name__ == "__main__":
    main()
