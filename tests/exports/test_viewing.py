"""Viewer states made from rows: the layers of the copy that ingestion has left, for any tomogram, and nothing that may not be seen."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures_demo import DemoPortal, settings_in
from tomoportal.catalog import Addresses, View, open_catalog
from tomoportal.exports.viewing import viewer_state
from tomoportal.model.query import Compare, Order, Select, Value

TODAY = date(2026, 1, 1)
BASE = "http://portal.example/files/"


@pytest.fixture
def database(demo_portal: DemoPortal, tmp_path: Path) -> Path:
    """A copy of the demo's catalogue."""
    return Path(shutil.copy(demo_portal.folder / "catalog.sqlite", tmp_path))


@pytest.fixture
def view(database: Path) -> Iterator[View]:
    with open_catalog(settings_in(database.parent).database) as catalog:
        yield catalog.view(today=TODAY, addresses=Addresses(BASE))


def changed(database: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(database) as connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()


def tomograms(view: View, run: str = "TS_001") -> list[dict[str, Any]]:
    fields = (Value("id", "id"), Value("spacing", "voxel_spacing"), Value("copy", "neuroglancer_config"))
    (found,) = view.rows(Select("Run", (Value("id", "id"),), Compare("name", "eq", run)))
    return view.rows(Select("Tomogram", fields, Compare("run_id", "eq", found["id"]), (Order(("id",)),)))


def layers(state: str | None) -> dict[str, Any]:
    """Name → sources, as text."""
    return {layer["name"]: json.dumps(layer["source"]) for layer in json.loads(state or "{}")["layers"]}


def test_a_copy_that_has_everything_is_given_as_it_is(view: View) -> None:
    for tomogram in tomograms(view):
        assert json.loads(viewer_state(view, tomogram["id"])) == json.loads(tomogram["copy"])
        assert len(layers(tomogram["copy"])) > 5


def test_without_a_copy_the_same_layers_are_made(view: View, database: Path) -> None:
    copies = {tomogram["id"]: tomogram for tomogram in tomograms(view)}
    changed(database, "UPDATE tomogram SET neuroglancer_config = NULL")
    for id, tomogram in copies.items():
        made, copy = json.loads(viewer_state(view, id)), json.loads(tomogram["copy"])
        assert layers(json.dumps(made)) == layers(tomogram["copy"])
        for name in ("dimensions", "position", "projectionScale"):
            assert made[name] == copy[name]
        assert all(layer["visible"] is bool(layer["visible"]) for layer in made["layers"])


def test_what_a_copy_lacks_is_added_in_its_own_voxels(view: View, database: Path) -> None:
    for tomogram in tomograms(view):
        copy = json.loads(tomogram["copy"])
        short = copy | {"layers": copy["layers"][:2]}
        text = json.dumps(short).replace(BASE, "{files}")
        changed(database, "UPDATE tomogram SET neuroglancer_config = ? WHERE id = ?", text, tomogram["id"])
        made = viewer_state(view, tomogram["id"])
        assert layers(made) == layers(tomogram["copy"])
        assert json.loads(made)["layers"][:2] == short["layers"]


def test_what_is_not_released_is_not_shown(view: View, database: Path) -> None:
    changed(database, "UPDATE tomogram SET neuroglancer_config = NULL")
    changed(
        database,
        "UPDATE annotation SET _release = '2099-01-01T00:00:00+00:00' WHERE object_name = 'membrane'",
    )
    for tomogram in tomograms(view):
        names = layers(viewer_state(view, tomogram["id"]))
        assert not any("membrane" in name for name in names)
        assert any("ribosome" in name for name in names)
    changed(database, "UPDATE tomogram SET _release = '2099-01-01T00:00:00+00:00'")
    assert viewer_state(view, tomogram["id"]) is None


def test_another_alignment_is_not_mixed_in(view: View, database: Path) -> None:
    first, *_ = tomograms(view)
    changed(
        database,
        "UPDATE tomogram SET neuroglancer_config = NULL, alignment_id = NULL WHERE id = ?",
        first["id"],
    )
    assert len(layers(viewer_state(view, first["id"]))) == 1


def test_what_another_program_has_left_is_given_as_it_is(view: View, database: Path) -> None:
    first, *_ = tomograms(view)
    foreign = {
        "layers": [{"name": "x", "type": "image", "source": "zarr://https://elsewhere.example/x.zarr"}]
    }
    changed(
        database, "UPDATE tomogram SET neuroglancer_config = ? WHERE id = ?", json.dumps(foreign), first["id"]
    )
    assert json.loads(viewer_state(view, first["id"])) == foreign
