"""What a plan tells about volumes that pass through scratch files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fixtures_command import FlowPortal
from tomoportal.ingest.scratch import scratch_use
from tomoportal.ingest.task import Input, Task
from tomoportal.layout.paths import Key
from tomoportal.storage import open_storage


def task(kind: str, role: str, *names: str) -> Task:
    return Task(Key(kind), {}, {role: tuple(Input(name, 1, "") for name in names)}, {}, {})


HERE = {
    "a.mrc": "", "a.rec": "", "a.mrc.gz": "unpacked to scratch", "A.MAP.BZ2": "unpacked to scratch",
    "a.zarr": "decoded through scratch", "a.tif": "decoded through scratch if compressed", "a.dm4": "",
}  # fmt: skip
REMOTE = {
    "a.mrc": "read by ranges through scratch", "a.mrc.gz": "fetched and unpacked to scratch", "a.zarr": "decoded through scratch",
    "a.tif": "fetched to scratch", "a.dm4": "fetched to scratch",
}  # fmt: skip


@pytest.mark.parametrize("name", HERE)
def test_volumes_on_this_machine(tmp_path: Path, name: str) -> None:
    storage = open_storage(str(tmp_path))
    assert scratch_use(task("tomogram", "volume", name), storage) == HERE[name]
    assert scratch_use(task("tiltseries", "stack", name), storage) == HERE[name]


@pytest.mark.parametrize("name", REMOTE)
def test_volumes_on_an_object_store(name: str) -> None:
    assert scratch_use(task("tomogram", "volume", name), open_storage("s3://bucket/lab")) == REMOTE[name]


def test_only_volumes_are_looked_at(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path))
    assert scratch_use(task("annotation", "files", "a.csv", "m.zarr"), storage) == "decoded through scratch"
    assert scratch_use(task("annotation", "files", "a.csv", "m.mrc"), storage) == ""
    assert scratch_use(task("frames", "files", "a.tif"), storage) == ""


def test_the_plan_shows_it(tiny, tmp_path: Path) -> None:
    plain = tiny.lab / "tomograms/R1.mrc"
    (tiny.lab / "R1.mrc.gz").write_bytes(gzip.compress(plain.read_bytes()))
    tiny.config["tomograms"][0]["sources"] = [
        {"source_glob": {"list_glob": "{run_name}.mrc.gz", "match_regex": ".*"}}
    ]
    ran = FlowPortal(tmp_path / "portal").plan(tiny.write().file, tiny.source)
    (line,) = (line for line in ran.out.splitlines() if line.startswith("tomogram"))
    assert line.endswith("kB, unpacked to scratch")
    (stack,) = (line for line in ran.out.splitlines() if line.startswith("tiltseries"))
    assert "scratch" not in stack
