"""Cuts of a tomogram of 960 × 928 × 300 voxels (1.07 GB as float32, of the 1.6 GB sample) from the real server, on loopback.

    python benchmarks/slices.py [--rounds 40] [--scratch FOLDER]

Each request asks for another slice, so that no answer is remembered; files are in the page cache. Prints a Markdown table of medians,
95th percentiles and sizes, with the load of the machine. Needs the generator of the 1.6 GB sample (`TOMOPORTAL_SHARED`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from volumes import sample  # noqa: E402

from fixtures_server import serving  # noqa: E402
from tomoportal.settings import Settings  # noqa: E402

CASES = (
    ("XY, whole resolution", "axis=z&w=1024"),
    ("XY, 512 pixels", "axis=z&w=512"),
    ("XZ, whole resolution", "axis=y&w=1024"),
    ("YZ, half resolution, as the page asks for it", "axis=x&w=128"),
    ("YZ, whole resolution", "axis=x&w=300"),
    ("XY, slab of 11", "axis=z&w=1024&slab=5"),
    ("XY as PNG", "axis=z&w=1024&png"),
)


def portal(scratch: Path) -> Settings:
    """The sample, ingested once per scratch folder."""
    settings = Settings(storage=str(scratch / "files"), database=f"sqlite:///{scratch / 'catalog.sqlite'}")
    if not (scratch / "catalog.sqlite").exists():
        source = sample(scratch)
        program = Path(sys.executable).with_name("tomoportal")
        command = [str(program), "ingest", str(source.parent / "config.yaml"), "--source", str(source.parent)]
        command += ["--storage", settings.storage, "--database", settings.database]
        subprocess.run(command, check=True)
    return settings


def tomogram(url: str) -> tuple[int, dict[str, int]]:
    """Its number, and how many slices it has along each axis."""
    body = json.dumps({"query": "{ tomograms { id sizeX sizeY sizeZ } }"}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        found = json.load(answer)["data"]["tomograms"]
    row = max(found, key=lambda row: row["sizeX"])
    return row["id"], {axis: row[f"size{axis.upper()}"] for axis in "zyx"}


def measured(url: str, id: int, asked: str, side: int, rounds: int) -> tuple[list[float], list[int]]:
    """Milliseconds and bytes of requests for different slices near the middle, after some that warm up."""
    kind = "png" if asked.endswith("&png") else "jpg"
    asked = asked.removesuffix("&png")
    times, sizes = [], []
    for number in range(-5, rounds):
        address = f"{url}/tomograms/{id}/slice.{kind}?{asked}&index={side // 4 + number * 3 % (side // 2)}"
        start = time.perf_counter()
        with urllib.request.urlopen(address) as answer:
            size = len(answer.read())
        if number >= 0:
            times.append((time.perf_counter() - start) * 1000)
            sizes.append(size)
    return times, sizes


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--scratch", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(portal(given.scratch or Path(folder))) as url:
        id, sides = tomogram(url)
        print("| cut | median ms | 95th ms | kB |\n|---|---|---|---|")
        for name, asked in CASES:
            times, sizes = measured(url, id, asked, sides[asked[5]], given.rounds)
            late = statistics.quantiles(times, n=20)[-1]
            print(
                f"| {name} | {statistics.median(times):.0f} | {late:.0f} | {statistics.mean(sizes) / 1000:.0f} |"
            )
        print(f"\nLoad average {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
