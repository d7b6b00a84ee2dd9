"""All benchmarks, one after the other; what `make bench` runs. Each prints Markdown for benchmarks/README.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = (
    "commands.py",
    "planning.py",
    "particles.py",
    "volumes.py",
    "remote.py",
    "runs.py",
    "catalog.py",
    "catalog_http.py",
    "pages.py",
    "files.py",
    "slices.py",
    "downloads.py",
)


def main() -> None:
    """Run every benchmark in a process of its own, with its default arguments."""
    for name in BENCHMARKS:
        subprocess.run([sys.executable, str(Path(__file__).parent / name)], check=True)


if __name__ == "__main__":
    main()
