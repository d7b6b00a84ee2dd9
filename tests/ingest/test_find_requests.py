"""How often finding and planning ask a storage: each folder is listed once, and no file is asked for again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fixtures_demo import settings_in
from ingest.made_sources import MemoryStorage
from tomoportal.cli.planning import planned
from tomoportal.config import load_config
from tomoportal.ingest.find import find
from tomoportal.ingest.find.places import Levels, Tree, folder_input
from tomoportal.storage import LocalStorage


class Counting(LocalStorage):
    """A folder that counts what it is asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[tuple[str, str]] = Counter()

    def list(self, prefix=""):
        self.asked["list", prefix] += 1
        return super().list(prefix)

    def level(self, prefix=""):
        self.asked["level", prefix] += 1
        return super().level(prefix)

    def stat(self, path):
        self.asked["stat", path] += 1
        return super().stat(path)


@pytest.fixture
def many(tiny):
    """The tiny deposition with some runs, and folders that no pattern leads to."""
    for number in range(2, 6):
        tiny.run(f"R{number}", seed=number)
    for path in ("raw.zarr/0/0", "unasked/deep/a", "tomograms/R9.zarr/0/0"):
        (tiny.lab / path).mkdir(parents=True)
        (tiny.lab / path / "0").write_bytes(b"chunk")
    return tiny.write()


def test_each_folder_of_a_disk_is_listed_once_and_no_volume_is_entered(many):
    config = load_config(many.file).config
    storage = Counting(many.source)

    found = find(config, storage, MemoryStorage())
    inputs = [found.listing.fingerprint(path) for path in ("lab/R1.st", "lab/tomograms/R3.mrc", "lab/R5.xf")]

    assert len(list(found.runs())) == 5
    assert storage.asked == {("level", "lab"): 1, ("level", "lab/tomograms"): 1}
    plain = LocalStorage(many.source)
    assert [(one.size, one.tag) for one in inputs] == [
        (entry.size, entry.tag) for entry in (plain.stat(one.path) for one in inputs)
    ]


def test_planning_asks_for_nothing_that_was_listed(many, tmp_path, monkeypatch):
    storage = Counting(many.source)
    monkeypatch.setattr("tomoportal.cli.planning.open_source_storage", lambda url: storage)

    plan = planned(many.file, str(many.source), settings_in(tmp_path / "portal")).plan

    assert len(list(plan.tasks())) > 5 * 5
    assert {what for what, _ in storage.asked} == {"level"}
    assert set(storage.asked.values()) == {1}


def test_an_object_store_is_listed_once_and_never_asked_for_a_file(many):
    files = {
        path.relative_to(many.source).as_posix(): path.read_bytes()
        for path in many.source.rglob("*")
        if path.is_file()
    }
    storage = MemoryStorage(files)

    found = find(load_config(many.file).config, storage, MemoryStorage())
    for path in files:
        if ".zarr/" not in path:
            assert found.listing.fingerprint(path).size == len(files[path])
    volume = found.listing.fingerprint("lab/tomograms/R9.zarr")

    assert storage.listings == ["lab"]
    assert (storage.levels, storage.stats) == ([], [])
    assert volume == folder_input(storage, "lab/tomograms/R9.zarr")


def test_a_volume_changes_with_any_chunk_alike_on_both_kinds(tmp_path):
    storage = LocalStorage(tmp_path)
    for path in ("v.zarr/.zattrs", "v.zarr/0/0/0/0", "v.zarr/0/0/0/1"):
        storage.write(path, b"12")
    tree = Tree(storage, "", [""])
    assert tree.folders("") == ["v.zarr"]
    before = folder_input(storage, "v.zarr")

    assert tree.volume("v.zarr") == before
    assert Levels(storage).volume("v.zarr") is None
    (tmp_path / "v.zarr/0/0/0/1").write_bytes(b"123")

    after = folder_input(storage, "v.zarr")
    assert (before.size, after.size) == (6, 7)
    assert before.tag != after.tag


def test_what_is_gone_has_no_size(many):
    found = find(load_config(many.file).config, LocalStorage(many.source), MemoryStorage())

    assert found.listing.fingerprint("lab/gone.mrc").size == 0
