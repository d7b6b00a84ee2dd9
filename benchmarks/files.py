"""How fast the file service is beside nginx: small files, ranges, large files; both on this machine, in one run.

    python benchmarks/files.py [--seconds 3] [--workers 1]

Needs nginx and wrk (`apt-get install nginx-light wrk`). Each figure is the better of two turns; client and server share the machine's
cores. Both servers get the same files and the same number of worker processes.
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
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fixtures_catalog import small_portal  # noqa: E402
from fixtures_server import make_file, serving  # noqa: E402
from tomoportal.settings import Settings  # noqa: E402

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000/Tomograms/100"
SIZES = {"4k": 4 << 10, "256k": 256 << 10, "2m": 2 << 20, "64m": 64 << 20}
CASES = (
    ("4 KiB file", "4k", None, 4.0),
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


def rate(url: str, span: str | None, seconds: int) -> float:
    """Answers a second, by wrk with 16 connections."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", *(["-H", f"Range: {span}"] if span else []), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(f"{url} answers errors:\n{said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None
    return float(found[1])


def measure(seconds: int, workers: int) -> list[tuple[str, float, float, float]]:
    """(what, ours, nginx, budget) in answers a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small_portal(folder).close()
        root = folder / "files"
        for label, size in SIZES.items():
            make_file(root, f"{HOME}/{label}.bin", os.urandom(size))
        settings = Settings(storage=str(root), database=f"sqlite:///{folder / 'catalog.sqlite'}")
        results = []
        with (
            serving(settings, "--workers", str(workers)) as ours,
            nginx(root, folder / "nginx", workers) as theirs,
        ):
            for what, file, span, budget in CASES:
                best = [0.0, 0.0]
                for turn in (0, 1, 0, 1):
                    url = f"{(ours, theirs)[turn]}/files/{HOME}/{file}.bin"
                    best[turn] = max(best[turn], rate(url, span, seconds))
                results.append((what, best[0], best[1], budget))
    return results


def table(results: list[tuple[str, float, float, float]]) -> str:
    """The results as Markdown."""
    lines = ["| what | ours /s | nginx /s | nginx / ours | budget |", "|---|---|---|---|---|"]
    for what, ours, theirs, budget in results:
        lines.append(f"| {what} | {ours:,.0f} | {theirs:,.0f} | {theirs / ours:.1f} | {budget:g} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is missing: apt-get install nginx-light wrk")
    print(table(measure(options.seconds, options.workers)))


if __name__ == "__main__":
    main()
