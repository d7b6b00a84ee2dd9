"""A watcher loads what changes and nothing else, tells trouble once, and goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from fixtures_layout import Layout, add_run, dataset_sidecar, deposition_sidecar, small_layout
from fixtures_mirror import Mirror
from tomoportal.catalog import load, open_catalog
from tomoportal.catalog.watch import Happening, Watcher
from tomoportal.errors import NotFound
from tomoportal.layout.paths import Key
from tomoportal.model import query as q
from tomoportal.storage import LocalStorage

TOMOGRAM = "10500/TS_001/Reconstructions/VoxelSpacing13.480/Tomograms/100/tomogram_metadata.json"
Look = Callable[[], list[Happening]]


@pytest.fixture(scope="session")
def written_layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = small_layout(tmp_path_factory.mktemp("watched") / "files")
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    return layout


@pytest.fixture
def layout(written_layout: Layout, tmp_path: Path) -> Layout:
    return written_layout.copied(tmp_path / "files")


@pytest.fixture
def look(tmp_path: Path, url: str) -> Look:
    """Look once; what was told."""
    told: list[Happening] = []

    def opened() -> LocalStorage:
        if not (tmp_path / "files").is_dir():
            raise NotFound(str(tmp_path / "files"), "there is no such folder")
        return LocalStorage(tmp_path / "files")

    watcher = Watcher(opened, url, told.append)

    def look() -> list[Happening]:
        told.clear()
        watcher.look()
        return list(told)

    return look


def events(told: list[Happening]) -> list[tuple[str, str]]:
    return [(it.event, it.where) for it in told]


def values(url: str, entity: str, field: str) -> list[Any]:
    with open_catalog(url) as catalog:
        return [row["v"] for row in catalog.view().rows(q.Select(entity, (q.Value("v", field),)))]


def test_it_loads_everything_then_only_what_changes(layout: Layout, look: Look, url: str) -> None:
    assert ("loaded", "30001") in events(look())
    assert not look()
    add_run(layout, "30001", "TS_02")
    assert events(look()) == [("loaded", "30001")]
    assert values(url, "Run", "name") == ["TS_01", "TS_02"]
    assert not look()


def test_what_somebody_else_has_loaded_is_not_loaded_again(layout: Layout, look: Look, url: str) -> None:
    look()
    layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001, dataset_title="By ingest"))
    with open_catalog(url) as catalog:
        load(layout.storage, catalog, datasets=["30001"])
    assert not look()


def test_a_mirror_and_its_deposition(mirror: Mirror, look: Look, url: str) -> None:
    look()
    assert not look()
    mirror.change(TOMOGRAM, processing="denoised")
    assert events(look()) == [("loaded", "10500")]
    mirror.change("depositions_metadata/10300/deposition_metadata.json", deposition_title="Renamed")
    assert events(look()) == [("loaded", "10300")]
    assert values(url, "Deposition", "title") == ["Renamed"]
    shutil.rmtree(mirror.root / "10500")
    assert ("removed", "10500") in events(look())
    assert not values(url, "Run", "id")


def test_unreadable_is_told_once_and_loaded_when_repaired(layout: Layout, look: Look, url: str) -> None:
    look()
    path = layout.storage.root / "30001/TS_01/run_metadata.json"
    sound = path.read_bytes()
    layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001, dataset_title="New"))
    path.write_bytes(b"{")
    (told,) = look()
    assert told.problem is not None
    assert (told.event, told.problem.code) == ("problem", "load-unreadable")
    assert not look()
    assert values(url, "Dataset", "title") == ["Chloroplasts"]
    path.write_bytes(sound)
    assert events(look()) == [("loaded", "30001")]
    assert values(url, "Dataset", "title") == ["New"]


def test_refused_rows_are_told_once_and_come_with_what_they_need(
    tmp_path: Path, look: Look, url: str
) -> None:
    layout = small_layout(tmp_path / "files")
    assert [it.event for it in look()] == ["loaded", "problem", "loaded", "current"]
    assert not look()
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    assert ("loaded", "30001") in events(look())
    assert len(values(url, "Tomogram", "id")) == 2


def test_a_storage_that_is_away_for_a_while(layout: Layout, look: Look, tmp_path: Path, url: str) -> None:
    look()
    os.rename(tmp_path / "files", tmp_path / "unmounted")
    assert [it.event for it in look()] == ["away"]
    assert not look()
    assert values(url, "Run", "name") == ["TS_01"]
    os.rename(tmp_path / "unmounted", tmp_path / "files")
    assert [it.event for it in look()] == ["back"]


def test_an_empty_storage_is_taken_for_a_mistake(
    layout: Layout, look: Look, tmp_path: Path, url: str
) -> None:
    look()
    os.rename(tmp_path / "files", tmp_path / "unmounted")
    (tmp_path / "files").mkdir()
    (told,) = look()
    assert told.problem is not None
    assert told.problem.code == "load-empty-storage"
    assert not look()
    assert values(url, "Run", "name") == ["TS_01"]


def test_a_database_that_is_away_for_a_while(layout: Layout, look: Look, url: str) -> None:
    look()
    if (file := make_url(url).database or "").endswith("sqlite"):
        Path(file).write_bytes(b"away" * 500)
    else:
        rename(url, f"{file}_away")
    assert [it.event for it in look()] == ["away"]
    assert not look()
    if file.endswith("sqlite"):
        Path(file).unlink()
    else:
        rename(str(make_url(url).set(database=f"{file}_away").render_as_string(hide_password=False)), file)
    assert [it.event for it in look()][:1] == ["back"]
    assert values(url, "Run", "name") == ["TS_01"]


def rename(url: str, name: str) -> None:
    """Call a database of PostgreSQL otherwise; whoever uses it is thrown out."""
    address = make_url(url)
    other = address.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [address.database]
        )
        connection.execute(f'ALTER DATABASE "{address.database}" RENAME TO "{name}"'.encode())


def test_one_dataset_that_cannot_be_listed_keeps_nobody_else(
    mirror: Mirror, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tomoportal.errors import StorageError

    small_layout(mirror.root)
    list_level = LocalStorage.level

    def level(self: LocalStorage, prefix: str = "") -> Any:
        if prefix == "10500/TS_001/Frames":
            raise StorageError(prefix, "this folder cannot be read: permission denied")
        return list_level(self, prefix)

    monkeypatch.setattr(LocalStorage, "level", level)
    told = look()
    assert ("loaded", "30001") in events(told)
    assert [it.where for it in told if it.problem and it.problem.code == "load-unreadable"] == ["10500"]
    assert not look()
    monkeypatch.undo()
    assert ("loaded", "10500") in events(look())
