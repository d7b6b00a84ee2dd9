"""How fast downloads are beside the official client, the aws command line and rclone: an OME-Zarr of 4,096 small chunks, an MRC of 2 GB,
and all annotations of a tomogram; directly, and with 20 ms of added latency.

    python benchmarks/downloads.py [--rounds 3] [--large 2.0] [--chunks 4096]

Needs the official client in .cache/official (`tests/prepare`); `aws` and `rclone` take part when they are there. Everyone is a process of
its own on the same server, in turns; times are those of the download alone, without starting and importing; memory is the peak of the
process. Processor seconds are those of the downloading process alone. Tomoportal hashes what it brings (SHA-256, about 0.6 s of one
processor for each GB; CRC-32 of chunks), which the official client does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

from delaying_proxy import delaying  # noqa: E402

from fixtures_demo import settings_in  # noqa: E402
from fixtures_server import serving  # noqa: E402
from tomoportal.catalog import open_catalog  # noqa: E402
from tomoportal.cli.ingest import ingest_config  # noqa: E402
from tomoportal.demo import write_demo  # noqa: E402
from tomoportal.layout.paths import owner  # noqa: E402
from tomoportal.layout.private import ledger_path, read_ledger, write_ledger  # noqa: E402
from tomoportal.layout.sums import sums_bytes, sums_path  # noqa: E402
from tomoportal.model.query import Select, Value  # noqa: E402
from tomoportal.storage import LocalStorage  # noqa: E402

OFFICIAL = ROOT / ".cache" / "official" / "bin" / "python"
CHUNK = 64 << 10
DELAY = 0.02
BUDGET_MB = 200

CALL = """
import json, sys, time
package, url, id, method, folder = sys.argv[1:]
module = __import__(package)
client = module.Client(url)
tomogram = module.Tomogram.get_by_id(client, int(id))
began, worked = time.perf_counter(), time.process_time()
getattr(tomogram, method)(folder)
print(json.dumps([time.perf_counter() - began, time.process_time() - worked]))
"""


@dataclass(frozen=True)
class Sample:
    """A portal in `folder`; the tomogram `id` has the large files, `zarr` is its key."""

    folder: Path
    id: int
    zarr: str


@dataclass(frozen=True)
class Turn:
    """Seconds, those of processors, and the peak of memory in MB."""

    seconds: float
    processor: float
    memory: float


def sample(folder: Path, chunks: int, large: float) -> Sample:
    """The demo with one tomogram made large."""
    demo = write_demo(folder / "demo", size="small")
    settings = settings_in(folder)
    for config in demo.configs:
        ingest_config(config, str(demo.source), settings, quiet=True)
    fields = tuple(Value(name, name) for name in ("id", "omezarr_path", "mrc_path"))
    with open_catalog(settings.database) as catalog:
        row = catalog.view().rows(Select("Tomogram", fields))[0]
    root = folder / "files"
    for number in range(chunks):
        place = (
            root / row["omezarr_path"] / "0" / str(number // 256) / str(number // 16 % 16) / str(number % 16)
        )
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(os.urandom(CHUNK))
    image = root / row["omezarr_path"]
    sums = {
        path.relative_to(image).as_posix(): zlib.crc32(path.read_bytes())
        for path in image.rglob("*")
        if path.is_file()
    }
    (root / sums_path(row["omezarr_path"])).write_bytes(sums_bytes(sums))
    _enlarge(root, row["mrc_path"], int(large * 1e9))
    return Sample(folder, row["id"], row["omezarr_path"])


def _enlarge(root: Path, path: str, size: int) -> None:
    """A file of this size with its checksum in the ledger, as ingestion writes it there."""
    digest = hashlib.sha256()
    with (root / path).open("wb") as file:
        for _ in range(size // (1 << 20)):
            block = os.urandom(1 << 20)
            digest.update(block)
            file.write(block)
    storage = LocalStorage(root)
    key = owner(path)
    assert key is not None
    ledger = read_ledger(storage, ledger_path(key))
    record = ledger.get(key)
    assert record is not None
    record.files[path].update(size=(root / path).stat().st_size, sha256=digest.hexdigest())
    write_ledger(storage, ledger_path(key), ledger)


def _run(command: list[str], environment: dict[str, str]) -> tuple[Turn, str]:
    """What a process needed, and its output."""
    began, before = time.perf_counter(), os.times()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, env={**os.environ, **environment})
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _peak(process.pid))
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{command[0]} failed: {errors.read()[-2000:]}")
        after = os.times()
        worked = after.children_user + after.children_system - before.children_user - before.children_system
        return Turn(seconds, worked, peak), out.read()


def _peak(pid: int) -> float:
    """The largest resident memory that a process has had, in MB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0.0


def by_client(python: Path | str, package: str, method: str) -> Callable[[str, Sample, Path], Turn]:
    """A download by a method of a client."""

    def turn(url: str, made: Sample, folder: Path) -> Turn:
        command = [str(python), "-c", CALL, package, f"{url}/graphql", str(made.id), method, str(folder)]
        environment = {
            "BOTO_ENDPOINT_URL": f"{url}/s3",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TMPDIR": str(folder),
        }
        turn, said = _run(command, environment)
        seconds, processor = json.loads(said.strip().splitlines()[-1])
        return Turn(seconds, processor, turn.memory)

    return turn


def by_aws(url: str, made: Sample, folder: Path) -> Turn:
    """`aws s3 cp`, as it is installed; includes its start."""
    command = [
        "aws",
        "s3",
        "cp",
        "--recursive",
        "--quiet",
        "--no-sign-request",
        "--endpoint-url",
        f"{url}/s3",
    ]
    command += [f"s3://tomoportal/{made.zarr}", str(folder)]
    return _run(command, {"AWS_DEFAULT_REGION": "us-east-1"})[0]


def by_rclone(url: str, made: Sample, folder: Path) -> Turn:
    """`rclone copy` with as many transfers as we have; includes its start."""
    program = str(Path(sys.executable).with_name("rclone"))
    remote = f":s3,provider=Other,endpoint='{url}/s3':tomoportal/{made.zarr}"
    command = [program, "copy", "--transfers=32", "--checkers=32", "--config=/dev/null", remote, str(folder)]
    return _run(command, {})[0]


CASES = (
    ("download_omezarr", "OME-Zarr"),
    ("download_mrcfile", "MRC"),
    ("download_all_annotations", "annotations"),
)


def contenders(method: str) -> dict[str, Callable[[str, Sample, Path], Turn]]:
    """Who can do it."""
    found: dict[str, Callable[[str, Sample, Path], Turn]] = {
        "Tomoportal": by_client(sys.executable, "tomoportal", method),
        "official client": by_client(OFFICIAL, "cryoet_data_portal", method),
    }
    if method == "download_omezarr":
        if shutil.which("aws"):
            found["aws s3 cp"] = by_aws
        if Path(sys.executable).with_name("rclone").exists():
            found["rclone copy"] = by_rclone
    return found


def measure(made: Sample, rounds: int) -> Iterator[tuple[str, str, float, list[Turn]]]:
    """(what, who, delay in seconds, turns)"""
    with serving(settings_in(made.folder)) as direct, delaying(direct, DELAY) as far:
        for method, what in CASES:
            for delay, url in ((0.0, direct), (DELAY, far)):
                turns: dict[str, list[Turn]] = {who: [] for who in contenders(method)}
                for _ in range(rounds):
                    for who, take in contenders(method).items():
                        with _place(made.folder) as folder:
                            turns[who].append(take(url, made, folder))
                yield from ((what, who, delay, turns[who]) for who in turns)


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    place = folder / "out"
    place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=float, default=2.0, help="GB of the MRC")
    parser.add_argument("--chunks", type=int, default=4096)
    options = parser.parse_args()
    if not OFFICIAL.exists():
        raise SystemExit("the official client is missing: tests/prepare installs it")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        made = sample(Path(name), options.chunks, options.large)
        print(
            "| what | latency ms | who | s (min / median) | ÷ Tomoportal | processor s | memory MB |\n|---|---|---|---|---|---|---|"
        )
        ours = 1.0
        for what, who, delay, turns in measure(made, options.rounds):
            middle = statistics.median(turn.seconds for turn in turns)
            ours = middle if who == "Tomoportal" else ours
            least, memory = min(turn.seconds for turn in turns), max(turn.memory for turn in turns)
            worked = statistics.median(turn.processor for turn in turns)
            print(
                f"| {what} | {delay * 1000:.0f} | {who} | {least:.2f} / {middle:.2f} | {middle / ours:.2f} | {worked:.2f} | {memory:.0f} |",
                flush=True,
            )
    print(f"\nload average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
