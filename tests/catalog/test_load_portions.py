"""Loading a dataset some runs at a time: the same rows, all or nothing, little held, and nobody kept waiting while files are read."""

from __future__ import annotations

import sqlite3
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from fixtures_layout import Layout, add_run, deposition_sidecar, small_layout
from tomoportal.catalog import Catalog, load, open_catalog, sidecars, spool
from tomoportal.catalog.search import index
from tomoportal.errors import CatalogError
from tomoportal.layout import paths
from tomoportal.layout.paths import Key
from tomoportal.storage import LocalStorage

NAMES = [f"TS_{number:02}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = small_layout(tmp_path_factory.mktemp("layout") / "files")
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    for name in NAMES[1:]:
        add_run(layout, "30001", name)
    return layout


@pytest.fixture
def a_run_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecars, "AT_A_TIME", 1)
    monkeypatch.setattr(index, "AT_A_TIME", 1)
    monkeypatch.setattr(spool, "IN_MEMORY", 1000)


def opened(folder: Path, name: str = "catalog") -> Catalog:
    return open_catalog(f"sqlite:///{folder / name}.sqlite", create=True)


def dump(catalog: Catalog) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, sorted."""
    with sqlite3.connect(str(catalog.database.path)) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'catalog'"
        )
        return {
            name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"')))
            for (name,) in found.fetchall()
        }


@pytest.fixture
def whole(written: Layout, tmp_path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What a load of everything at once gives."""
    with opened(tmp_path, "whole") as catalog:
        report = load(written.storage, catalog)
        assert not report.problems
        assert len(dump(catalog)["run"]) == len(NAMES)
        return {"report": [(report.rows,)], **dump(catalog)}


def test_in_portions_it_is_the_same(
    written: Layout, tmp_path: Path, whole: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("a_run_at_a_time")
    with opened(tmp_path) as catalog:
        report = load(written.storage, catalog)
        assert {"report": [(report.rows,)], **dump(catalog)} == whole
        again = load(written.storage, catalog)
        assert {"report": [(again.rows,)], **dump(catalog)} == whole
        load(written.storage, catalog, datasets=["30001"], runs=NAMES[1:4])
        assert {"report": [(report.rows,)], **dump(catalog)} == whole


def test_the_size_of_a_dataset_counts_all_its_runs(
    written: Layout, tmp_path: Path, a_run_at_a_time: None
) -> None:
    expected = sum(record.total_size() for record in written.records.values() if record.key.dataset)
    with opened(tmp_path) as catalog:
        load(written.storage, catalog)
        with sqlite3.connect(str(catalog.database.path)) as connection:
            assert connection.execute("SELECT file_size FROM dataset").fetchall() == [(expected,)]


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_one_faulty_sidecar_leaves_all_old_rows(
    written: Layout, tmp_path: Path, a_run_at_a_time: None, name: str
) -> None:
    layout = written.copied(tmp_path / "files")
    with opened(tmp_path) as catalog:
        load(layout.storage, catalog)
        before = dump(catalog)
        layout.storage.delete(paths.sidecar(Key("run", dataset="30001", run=NAMES[2])))
        layout.storage.write(paths.sidecar(Key("run", dataset="30001", run=name)), b"{ half")
        report = load(layout.storage, catalog)
        assert [problem.code for problem in report.problems] == ["load-unreadable"]
        assert not report.datasets
        assert dump(catalog) == before


def test_an_index_that_ends_too_early_deletes_nothing(
    written: Layout, tmp_path: Path, a_run_at_a_time: None
) -> None:
    layout = written.copied(tmp_path / "files")
    with opened(tmp_path) as catalog:
        load(layout.storage, catalog)
        before = dump(catalog)
        index = layout.storage.read(".tomoportal/datasets/30001/index.json")
        layout.storage.write(".tomoportal/datasets/30001/index.json", index[: len(index) // 2])
        (problem,) = load(layout.storage, catalog).problems
        assert problem.code == "load-unreadable"
        assert "index.json" in problem.message
        assert dump(catalog) == before


def test_rows_of_the_last_portion_that_clash_leave_all_old_rows(
    written: Layout, tmp_path: Path, a_run_at_a_time: None
) -> None:
    layout = written.copied(tmp_path / "files")
    with opened(tmp_path) as catalog:
        load(layout.storage, catalog, datasets=["30001"])
        with sqlite3.connect(str(catalog.database.path)) as connection:
            where = f"_folder = '30001/{NAMES[-1]}'"
            connection.execute(f"UPDATE run SET _folder = '30009/X' WHERE {where}")
        before = dump(catalog)
        assert [p.code for p in load(layout.storage, catalog).problems] == ["load-duplicate"]
        assert dump(catalog) == before


class Asking(LocalStorage):
    """Tries to write to the catalogue whenever a sidecar of a run is read."""

    def __init__(self, root: Path, database: Path) -> None:
        super().__init__(root)
        self.database, self.asked = database, 0

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        if path.endswith("run_metadata.json"):
            with sqlite3.connect(self.database, timeout=0) as connection:
                connection.execute("BEGIN IMMEDIATE")
            self.asked += 1
        return super().read(path, start, length)


def test_others_may_write_while_files_are_read(
    written: Layout, tmp_path: Path, a_run_at_a_time: None
) -> None:
    with opened(tmp_path) as catalog:
        load(written.storage, catalog)
        storage = Asking(written.storage.root, tmp_path / "catalog.sqlite")
        assert not load(storage, catalog).problems
        assert storage.asked == len(NAMES)


@pytest.fixture
def sizes(tmp_path: Path) -> dict[int, Layout]:
    """Layouts with 6 and with 24 runs."""
    made = {}
    for runs in (6, 24):
        made[runs] = small_layout(tmp_path / f"files-{runs}")
        made[runs].gathers = False
        made[runs].put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
        for number in range(2, runs + 1):
            add_run(made[runs], "30001", f"TS_{number:02}")
        made[runs].gather("30001")
    return made


def test_what_is_held_does_not_grow_with_the_runs(
    sizes: dict[int, Layout], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidecars, "AT_A_TIME", 30)
    monkeypatch.setattr(index, "AT_A_TIME", 30)
    monkeypatch.setattr(spool, "IN_MEMORY", 1000)
    peaks = []
    for runs, name in ((6, "warm"), (6, "few"), (24, "many")):
        with opened(tmp_path, name) as catalog:
            tracemalloc.start()
            assert not load(sizes[runs].storage, catalog).problems
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]


def test_no_room_for_the_rows_is_told(
    written: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with opened(tmp_path) as catalog, pytest.raises(CatalogError, match="TMPDIR"):
        load(written.storage, catalog)
