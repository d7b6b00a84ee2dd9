"""The real server for tests: `with serving(settings) as url:` runs granian in a process of its own and ends it surely.

`settings` is a `Settings`; `url` is the base address without a trailing slash.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from tomoportal.settings import Settings

START_WITHIN = 60.0


@contextmanager
def serving(settings: Settings, *options: str) -> Iterator[str]:
    """Run `tomoportal serve --port 0` and wait for the address that it prints."""
    program = str(Path(sys.executable).with_name("tomoportal"))
    command = [program, "serve", "--port", "0"]
    command += ["--storage", settings.storage, "--database", settings.database, *options]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TOMOPORTAL_")}
    environment |= {"TOMOPORTAL_BUCKET": settings.bucket, "PYTHONUNBUFFERED": "1"}
    environment |= {
        f"TOMOPORTAL_QUERY_{name.upper()}": str(value) for name, value in asdict(settings.limits).items()
    }
    environment["TOMOPORTAL_ORIGINS"] = ",".join(settings.origins)
    if settings.public_url:
        environment["TOMOPORTAL_URL"] = settings.public_url
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    )  # fmt: skip
    try:
        yield _address(process)
    finally:
        _end(process)
        if process.stdout is not None:
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said: list[str] = []
    found: Queue[str] = Queue()

    def listen(lines: Iterable[str]) -> None:
        for line in lines:
            said.append(line)
            for word in line.split():
                if word.startswith("http://"):
                    found.put(word.rstrip("/"))
        found.put("")

    Thread(target=listen, args=(process.stdout,), daemon=True).start()
    with suppress(Empty):
        if address := found.get(timeout=START_WITHIN):
            return address
    raise AssertionError("the server did not start; it said:\n" + "".join(said))


def _end(process: subprocess.Popen[str]) -> None:
    """Ask politely, then end the whole group: workers must not outlive the test."""
    process.send_signal(signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def make_file(root: Path, path: str, content: bytes) -> Path:
    """A file below a folder, with its parents."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target
