"""How fast the file service is beside nginx: small files, ranges, large files; both on this machine, in one run.

    python benchmarks/files.py [--seconds 2] [--workers 1] [--rounds 3]

Needs nginx and wrk (`apt-get install nginx-light wrk`). The servers take turns; a ratio is the median of the ratios within a round, since
both halves of a round see the same machine. Client and server share its cores. Both servers get the same files and the same number of
worker processes. Chunks are 2,000 files, asked for in turn.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fixtures_catalog import small_portal  # noqa: E402
from fixtures_server import make_file, serving  # noqa: E402
from tomoportal.settings import Settings  # noqa: E402

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000/Tomograms/100"
SIZES = {"4k": 4 << 10, "256k": 256 << 10, "2m": 2 << 20, "64m": 64 << 20}
CHUNKS = 2000
CASES = (
    ("4 KiB file", "4k", None, 4.0),
    ("chunks of 16 KiB", "chunks", None, 4.0),
    ("64 KiB range of 64 MiB", "64m", "bytes=1048576-1114111", 4.0),
    ("256 KiB file", "256k", None, 2.0),
    ("256 KiB range of 64 MiB", "64m", "bytes=1048576-1310719", 2.0),
    ("2 MiB file", "2m", None, 2.0),
    ("64 MiB file", "64m", None, 2.0),
)
"""What, file, Range header, budget as a ratio to nginx."""

NGINX = """
daemon off; master_process on; worker_processes {workers}; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d;
  scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; location /files/ {{ alias {root}/; }} }} }}
"""


@contextmanager
def nginx(root: Path, folder: Path, workers: int, port: int = 18765) -> Iterator[str]:
    """nginx on the same files."""
    config = make_file(
        folder, "nginx.conf", NGINX.format(workers=workers, folder=folder, port=port, root=root).encode()
    )
    os.chmod(folder, 0o755)
    process = subprocess.Popen(["nginx", "-c", str(config), "-g", f"user {os.environ.get('USER', 'root')};"])
    try:
        time.sleep(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


EACH_CHUNK = """
local n = 0
request = function()
  n = (n + 1) %% %d
  return wrk.format("GET", wrk.path .. "/" .. n)
end
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Answers a second, and how long 99 of 100 of them took at most, in milliseconds."""

    rate: float
    p99: float


def speed(url: str, span: str | None, seconds: int, clients: int, script: Path) -> Speed:
    """What wrk measures with so many connections."""
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "20s"]
    command += ["-H", f"Range: {span}"] if span else []
    command += ["-s", str(script)] if url.endswith("/chunks") else []
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(f"{url} answers errors:\n{said}")
    found = re.search(r"99%\s+([\d.]+)(us|ms|s) *\n.*Requests/sec:\s+([\d.]+)", said, re.DOTALL)
    assert found is not None
    return Speed(float(found[3]), float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]])


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: the rounds of ours and of nginx."""

    what: str
    clients: int
    ours: tuple[Speed, ...]
    nginx: tuple[Speed, ...]
    budget: float

    @property
    def ratio(self) -> float:
        """How many times as fast nginx is."""
        return median(theirs.rate / ours.rate for ours, theirs in zip(self.ours, self.nginx, strict=True))

    def line(self) -> str:
        """In Markdown."""
        ours, theirs = (median(speed.rate for speed in side) for side in (self.ours, self.nginx))
        late, early = (median(speed.p99 for speed in side) for side in (self.ours, self.nginx))
        return (
            f"| {self.what} | {self.clients} | {ours:,.0f} | {theirs:,.0f} | {self.ratio:.1f} | {self.budget:g} "
            f"| {late:.1f} | {early:.1f} |"
        )


@dataclass(frozen=True, slots=True)
class Race:
    """Both servers on the same files, and how long they are asked."""

    servers: tuple[str, str]
    script: Path
    seconds: int
    rounds: int

    def run(self, case: tuple[str, str, str | None, float], clients: int) -> Result:
        """The servers take turns."""
        what, file, span, budget = case
        path = "volume.zarr/0/chunks" if file == "chunks" else f"{file}.bin"
        seconds = self.seconds * (3 if file == "64m" and not span else 1)
        rounds = [
            [
                speed(f"{server}/files/{HOME}/{path}", span, seconds, clients, self.script)
                for server in self.servers
            ]
            for _ in range(self.rounds)
        ]
        ours, theirs = zip(*rounds, strict=True)
        return Result(what, clients, ours, theirs, budget)


def make_files(root: Path) -> None:
    """One file of each size, and the chunks."""
    for label, size in SIZES.items():
        make_file(root, f"{HOME}/{label}.bin", os.urandom(size))
    for number in range(CHUNKS):
        make_file(root, f"{HOME}/volume.zarr/0/chunks/{number}", os.urandom(16 << 10))


def measure(seconds: int, workers: int, rounds: int) -> Iterator[Result]:
    """Every case with 16 clients, the small ones with 64, too."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small_portal(folder).close()
        root = folder / "files"
        make_files(root)
        script = make_file(folder, "chunks.lua", (EACH_CHUNK % CHUNKS).encode())
        settings = Settings(storage=str(root), database=f"sqlite:///{folder / 'catalog.sqlite'}")
        with (
            serving(settings, "--workers", str(workers)) as ours,
            nginx(root, folder / "nginx", workers) as theirs,
        ):
            race = Race((ours, theirs), script, seconds, rounds)
            for case in CASES:
                is_small = case[2] or SIZES.get(case[1], 0) <= 256 << 10
                for clients in (16, 64) if is_small else (16,):
                    yield race.run(case, clients)


HEAD = (
    "| what | clients | ours /s | nginx /s | nginx ÷ ours | budget | p99 ours ms | p99 nginx ms |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            print(f"Not measured: {tool} is missing (apt-get install nginx-light wrk).")
            return
    print(f"Load average {os.getloadavg()[0]:.0f} at the start.\n\n{HEAD}")
    for result in measure(options.seconds, options.workers, options.rounds):
        print(result.line(), flush=True)
    print(f"\nLoad average {os.getloadavg()[0]:.0f} at the end.")


if __name__ == "__main__":
    main()
