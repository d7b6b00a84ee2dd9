"""`tomoportal load` as an operator meets it: sentences, exit codes, measuring, and watching in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from fixtures_command import FlowPortal, ingest_tiny, tomoportal
from fixtures_mirror import Mirror
from fixtures_tiny import Tiny

PROGRAM = str(Path(sys.executable).with_name("tomoportal"))
WITHIN = 60.0
TOMOGRAM = "10500/TS_001/Reconstructions/VoxelSpacing13.480/Tomograms/100/tomogram_metadata.json"


@pytest.fixture
def portal(tmp_path: Path) -> FlowPortal:
    return FlowPortal(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "files")


def test_a_folder_that_is_not_there(portal: FlowPortal) -> None:
    ran = portal.load()
    assert ran.code == 3
    assert "files: there is no such folder" in ran.err
    assert not (portal.folder / "catalog.sqlite").exists()


def test_a_folder_with_nothing_in_it(portal: FlowPortal) -> None:
    portal.layout.mkdir()
    ran = portal.load()
    assert ran.code == 1
    assert "holds no dataset" in ran.problem("load-nothing")["message"]


def test_a_dataset_that_is_not_there(portal: FlowPortal, mirror: Mirror) -> None:
    assert portal.load().code == 0
    ran = portal.load("10501")
    assert ran.code == 1
    assert "there is no dataset 10501" in ran.problem("load-unknown-dataset")["message"]


def test_a_database_that_cannot_be_reached(portal: FlowPortal, mirror: Mirror) -> None:
    ran = tomoportal(
        "load", "--storage", portal.layout, "--database", "sqlite:////proc/nowhere/catalog.sqlite"
    )
    assert ran.code == 3
    assert "cannot be written" in ran.err


def test_measuring(portal: FlowPortal, mirror: Mirror) -> None:
    assert portal.load().code == 0
    assert portal.rows("Tomogram", "file_size_omezarr") == [{"file_size_omezarr": None}]
    ran = portal.load("--measure")
    assert ran.code == 0
    assert "may take long" in ran.err
    assert "1 runs of 1 mirrored datasets measured, 0 were known" in ran.err
    (row,) = portal.rows("Tomogram", "file_size_omezarr")
    assert row["file_size_omezarr"] == mirror.size_below(f"{TOMOGRAM.rpartition('/')[0]}/TS_001.zarr")


def test_measuring_what_was_ingested(portal: FlowPortal, tiny: Tiny) -> None:
    ingest_tiny(tiny, portal)
    assert "nothing to measure" in portal.load("--measure").err


def test_watching_takes_no_names(portal: FlowPortal, mirror: Mirror) -> None:
    ran = portal.load("--watch", "10500")
    assert ran.code == 2
    assert "--watch looks at all datasets" in ran.err


class Watching:
    """A running `tomoportal load --watch --json`."""

    def __init__(self, portal: FlowPortal) -> None:
        command = [PROGRAM, "load", "--watch", "--every", "0.2", "--json", *portal.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines: Queue[str] = Queue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, event: str) -> dict[str, Any]:
        """The next line that tells this event; others may come before."""
        while (told := json.loads(self._lines.get(timeout=WITHIN)))["event"] != event:
            pass
        return told

    @property
    def waiting(self) -> int:
        return self._lines.qsize()


@contextmanager
def watching(portal: FlowPortal) -> Iterator[Watching]:
    watcher = Watching(portal)
    try:
        yield watcher
    finally:
        watcher.process.kill()
        watcher.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watcher_sees_what_another_process_ingests(
    portal: FlowPortal, tiny: Tiny, tmp_path: Path, number: signal.Signals
) -> None:
    ingest_tiny(tiny, portal)
    elsewhere = FlowPortal(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    os.symlink(portal.layout, elsewhere.layout)
    with watching(elsewhere) as watcher:
        assert watcher.until("loaded")["rows"] > 0
        assert watcher.until("current")["message"] == "1 datasets are known"
        ingest_tiny(tiny.run("R2"), portal)
        assert watcher.until("loaded")["where"] == "20002"
        assert [row["name"] for row in elsewhere.rows("Run", "name")] == ["R1", "R2"]
        watcher.process.send_signal(number)
        assert watcher.process.wait(WITHIN) == 0


def test_a_watcher_outlives_damage(portal: FlowPortal, mirror: Mirror) -> None:
    with watching(portal) as watcher:
        watcher.until("current")
        sound = (mirror.root / TOMOGRAM).read_bytes()
        mirror.file(TOMOGRAM, b"{")
        assert watcher.until("problem")["problem"]["code"] == "load-unreadable"
        assert len(portal.rows("Tomogram")) == 1
        os.rename(mirror.root, portal.folder / "unmounted")
        assert "no such folder" in watcher.until("away")["message"]
        os.rename(portal.folder / "unmounted", mirror.root)
        watcher.until("back")
        mirror.file(TOMOGRAM, sound)
        assert watcher.until("loaded")["where"] == "10500"
        assert not watcher.waiting
        watcher.process.terminate()
        assert watcher.process.wait(WITHIN) == 0
