"""The loader is killed again and again: the catalogue stays whole, and the next load brings it up to date.

With TOMOPORTAL_TEST_ALL=1 that happens 50 times for each database, otherwise 5.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sql

from fixtures_layout import Layout, add_run, dataset_sidecar, deposition_sidecar, small_layout
from tomoportal.catalog import Catalog, load, open_catalog
from tomoportal.catalog.rows import in_order_of_need
from tomoportal.catalog.tables import below
from tomoportal.layout.paths import Key
from tomoportal.model import query as q

TIMES = 50 if os.environ.get("TOMOPORTAL_TEST_ALL") else 5
DATASETS = ("30001", "30002")
TITLES = {"old": "Chloroplasts", "new": "Mitochondria"}
SCRIPT = Path(__file__).with_name("killed_load.py")
WITHIN = 120.0

Dump = dict[str, list[str]]


@dataclass(frozen=True)
class Versions:
    """Two states of one layout, and the rows that each gives, by dataset."""

    layouts: dict[str, Layout]
    rows: dict[str, dict[str, Dump]]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp("versions")
    old = small_layout(folder / "old")
    old.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    for name in DATASETS[1:]:
        old.put(Key("dataset", dataset=name), dataset_sidecar(int(name)))
        add_run(old, name, "TS_01")
    new = old.copied(folder / "new")
    for name in DATASETS:
        new.put(Key("dataset", dataset=name), dataset_sidecar(int(name), dataset_title=TITLES["new"]))
        add_run(new, name, "TS_02", sections=5)
    layouts, rows = {"old": old, "new": new}, {}
    for version, layout in layouts.items():
        with open_catalog(f"sqlite:///{folder / version}.sqlite", create=True) as catalog:
            assert not load(layout.storage, catalog).problems
            rows[version] = dump(catalog)
    return Versions(layouts, rows)


def dump(catalog: Catalog) -> dict[str, Dump]:
    """All rows of each dataset."""
    found: dict[str, Dump] = {}
    with catalog.database.reader.connect() as connection:
        for name in DATASETS:
            found[name] = {}
            for entity in in_order_of_need():
                table = catalog.database.tables.tables[entity.names.table]
                rows = connection.execute(sql.select(table).where(below(table, name)))
                found[name][entity.__name__] = sorted(repr(tuple(row)) for row in rows)
    return found


def start(version: str, versions: Versions, url: str, number: int) -> subprocess.Popen[str]:
    """A loader that has just begun."""
    storage = str(versions.layouts[version].storage.root)
    command = [sys.executable, str(SCRIPT), str(number), "load", "--storage", storage, "--database", url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


def measured(versions: Versions, url: str) -> tuple[int, float]:
    """How many statements a load makes, and how long it takes."""
    process, started = start("new", versions, url, 0), time.monotonic()
    said, _ = process.communicate(timeout=WITHIN)
    return int(said.splitlines()[-1].split()[0]), time.monotonic() - started


def kill(process: subprocess.Popen[str], after: float) -> bool:
    """Kill a loader after some seconds, unless it ends before; whether it was killed, by us or by itself."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode != 0


def check_whole(catalog: Catalog, versions: Versions) -> set[str]:
    """Every dataset has the rows, facets and words of one version; which versions there are."""
    found, seen = dump(catalog), set()
    for name, rows in found.items():
        (version,) = [v for v in TITLES if rows == versions.rows[v][name]]
        title = catalog.view().one("Dataset", int(name), ("title",))
        assert title == {"title": TITLES[version]}
        number = q.Compare("id", "eq", int(name))
        hits = [v for v in TITLES if catalog.view().count("Dataset", q.And((number, q.Search(TITLES[v]))))]
        assert hits == [version]
        seen.add(version)
    return seen


def check_integrity(catalog: Catalog) -> None:
    if catalog.database.path is not None:
        with sqlite3.connect(catalog.database.path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_killed_at_any_moment(versions: Versions, url: str) -> None:
    draw, killed, mixed, now = random.Random(5), 0, 0, "new"
    statements, seconds = measured(versions, url)
    while killed < TIMES:
        now = "old" if now == "new" else "new"
        at_statement = draw.random() < 0.5
        number = draw.randint(1, statements) if at_statement else -1
        after = WITHIN if at_statement else draw.uniform(0, seconds)
        killed += kill(start(now, versions, url, number), after)
        with open_catalog(url) as catalog:
            check_integrity(catalog)
            mixed += len(check_whole(catalog, versions)) > 1
            assert not load(versions.layouts[now].storage, catalog).problems
            assert dump(catalog) == versions.rows[now]
            assert check_whole(catalog, versions) == {now}
    sys.stdout.write(f"{killed} killed, {mixed} of them between two datasets\n")
