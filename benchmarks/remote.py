"""Object stores: the 1.6 GB sample ingested from and to an S3 server on this machine, beside copying it first.

    python benchmarks/remote.py [--rounds 3] [--scratch FOLDER]

The server is `rclone serve s3` (without checksums as entity tags, which it would compute anew for each request) behind the counting
proxy of the tests, which takes part of a core and answers ranges as Amazon does. Candidates take turns; ratios are taken within a
round. The movies of the sample are noise, which is published and told.
*Scratch* is the peak of what the process holds below TMPDIR, unlinked files included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from volumes import private_memory, sample

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fixtures_proxy import Proxy, proxy_to

PROGRAM = Path(sys.executable).with_name("tomoportal")
RCLONE = Path(sys.executable).with_name("rclone")
INTERVAL = 0.02
ACCESS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_REGION": "us-east-1"}


@dataclass(frozen=True)
class Run:
    """Seconds, peaks of private memory and scratch in MB, requests, and MB through the proxy in both directions."""

    wall: float
    private: float
    scratch: float
    requests: int
    fetched: float
    sent: float


@contextmanager
def server(folder: Path, work: Path) -> Iterator[Proxy]:
    """`rclone serve s3` on `folder`, behind the proxy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [RCLONE, "serve", "s3", "--auth-key=AKID,SECRET", f"--addr=127.0.0.1:{port}", "--etag-hash=",
               "--vfs-cache-mode=writes", f"--cache-dir={work / 'cache'}", "--config=/dev/null", "-q", folder]  # fmt: skip
    with subprocess.Popen(command) as process, proxy_to(f"http://127.0.0.1:{port}") as proxy:
        try:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(INTERVAL)
            yield proxy
        finally:
            process.terminate()


def held(pid: int, scratch: Path) -> float:
    """MB on the disk below `scratch`, and in unlinked files of the process."""
    total = 0
    for folder, _, names in os.walk(scratch):
        for name in names:
            with suppress(OSError):
                total += Path(folder, name).stat().st_blocks * 512
    deleted: dict[int, int] = {}
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            parts = line.split(maxsplit=5)
            if len(parts) == 6 and parts[5].startswith(str(scratch)) and parts[5].endswith("(deleted)"):
                low, high = (int(end, 16) for end in parts[0].split("-"))
                deleted[int(parts[4])] = deleted.get(int(parts[4]), 0) + high - low
    return (total + sum(deleted.values())) / 1e6


def measured(commands: list[list[object]], proxy: Proxy, work: Path) -> Run:
    """Run commands one after the other and watch them."""
    scratch = work / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    environment = {**os.environ, **ACCESS, "AWS_ENDPOINT_URL": proxy.endpoint, "TMPDIR": str(scratch)}
    seen, fetched, sent = len(proxy.seen), proxy.sent["GET"], proxy.received
    private = disk = 0.0
    os.sync()
    begun = time.monotonic()
    for command in commands:
        with subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            while process.poll() is None:
                if command[0] == PROGRAM:
                    private = max(private, private_memory(process.pid) * 1.048576)
                disk = max(disk, held(process.pid, scratch))
                time.sleep(INTERVAL)
        if process.returncode:
            raise SystemExit(f"{command[:2]} failed with status {process.returncode}")
    wall = time.monotonic() - begun
    return Run(
        wall,
        private,
        disk,
        len(proxy.seen) - seen,
        (proxy.sent["GET"] - fetched) / 1e6,
        (proxy.received - sent) / 1e6,
    )


def candidates(root: Path, url: str, work: Path, proxy: Proxy) -> dict[str, list[list[object]]]:
    """Name → commands."""
    remote = (
        f":s3,provider=Other,access_key_id=AKID,secret_access_key=SECRET,endpoint='{proxy.endpoint}':source"
    )
    portal, copy = work / "portal", work / "tmp" / "copy"

    def ingest(source: object, target: object) -> list[object]:
        return [PROGRAM, "ingest", work / "config.yaml", "--source", source, "--storage", target,
                "--database", f"sqlite:///{portal}.sqlite"]  # fmt: skip

    return {
        "local → local": [ingest(root, portal)],
        "S3 → local": [ingest("s3://source", portal)],
        "rclone copy, local → local": [
            [RCLONE, "--config=/dev/null", "copy", remote, copy],
            ingest(copy, portal),
        ],
        "local → S3": [ingest(root, url)],
        "S3 → S3": [ingest("s3://source", url)],
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "tomoportal-bench")
    options = parser.parse_args()
    options.scratch.mkdir(parents=True, exist_ok=True)
    root = sample(options.scratch).parent
    work = Path(tempfile.mkdtemp(prefix="remote-", dir=options.scratch))
    runs: dict[str, list[Run]] = {}
    try:
        shutil.copytree(root, work / "s3" / "source", copy_function=os.link)
        (work / "s3" / "target").mkdir()
        shutil.copy(root / "config.yaml", work / "config.yaml")
        with server(work / "s3", work) as proxy:
            for turn in range(options.rounds):
                for name in candidates(root, "", work, proxy):
                    commands = candidates(root, f"s3://target/{turn}-{len(name)}", work, proxy)[name]
                    runs.setdefault(name, []).append(measured(commands, proxy, work))
                    print(name, runs[name][-1], file=sys.stderr)
                    for left in (work / "portal", work / "portal.sqlite"):
                        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report(runs)


def report(runs: dict[str, list[Run]]) -> None:
    """Medians; the ratio is that of the rounds."""
    base = runs["rclone copy, local → local"]
    size = statistics.median(run.fetched for run in base)
    print(
        "| way | wall s | ÷ copying first | private memory MB | scratch MB | requests | fetched MB | ÷ size | sent MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, found in runs.items():
        middle = {
            key: statistics.median(getattr(run, key) for run in found) for key in Run.__dataclass_fields__
        }
        ratio = statistics.median(run.wall / other.wall for run, other in zip(found, base, strict=True))
        print(
            f"| {name} | {middle['wall']:.1f} | {ratio:.2f} | {max(run.private for run in found):.0f} | {middle['scratch']:.0f} "
            f"| {middle['requests']:.0f} | {middle['fetched']:.0f} | {middle['fetched'] / size:.2f} | {middle['sent']:.0f} |"
        )


if __name__ == "__main__":
    main()
