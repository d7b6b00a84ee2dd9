"""Points of many annotations in one STAR file: the truth of the demo, as the package starfile reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import starfile

from demo_oracle import centres, turns
from fixtures_demo import DemoPortal
from tomoportal.catalog import View, open_catalog
from tomoportal.errors import UsageError
from tomoportal.exports import PLAIN
from tomoportal.exports import particles as exported
from tomoportal.exports.particles import particles, point_lists
from tomoportal.exports.selection import Selection
from tomoportal.formats.rotations import from_relion
from tomoportal.model.query import Many, One, Select, Value

RIBOSOME = "cytosolic ribosome"


@pytest.fixture(scope="module")
def view(demo_portal: DemoPortal) -> Iterator[View]:
    with open_catalog(demo_portal.settings.database) as catalog:
        yield catalog.view(addresses=PLAIN)


@pytest.fixture(scope="module")
def runs(view: View) -> dict[str, dict[str, Any]]:
    """The runs by name, with their tomograms and annotations."""
    fields = tuple(
        Value(name, name) for name in ("id", "voxel_spacing", "alignment_id", "size_x", "size_y", "size_z")
    )
    truth = tuple(Value(name, name) for name in ("id", "object_name", "ground_truth_status"))
    made = Many("tomograms", "tomograms", fields), Many("annotations", "annotations", truth)
    dataset = One("dataset", "dataset", (Value("id", "id"),))
    rows = view.rows(Select("Run", (Value("id", "id"), Value("name", "name"), dataset, *made)))
    return {row["name"]: row for row in rows}


@pytest.fixture
def star(view: View, demo_portal: DemoPortal, tmp_path):
    def make(format: str, objects: tuple[str, ...] = (RIBOSOME,), **ids: tuple[int, ...]) -> Any:
        lists = point_lists(view, Selection(ids), objects, truth=True)
        data = particles(lists, format, lambda path: (demo_portal.layout / path).read_bytes())
        (tmp_path / "p.star").write_bytes(data)
        return starfile.read(tmp_path / "p.star", always_dict=True)

    return make


def facts(demo_portal: DemoPortal, run: str) -> dict[str, Any]:
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][run]


def order(places: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The true place that each place is; every one once, none farther than half a voxel."""
    between = np.linalg.norm(places[:, None] - true[None], axis=2)
    nearest = between.argmin(axis=1)
    assert sorted(nearest) == list(range(len(true)))
    assert between.min(axis=1).max() < 0.51
    return nearest


def frame(runs: dict[str, dict[str, Any]], name: str, spacing: float) -> dict[str, Any]:
    return next(one for one in runs[name]["tomograms"] if one["voxel_spacing"] == spacing)


def places(table: pd.DataFrame, format: str, tomogram: dict[str, Any], pixel: float) -> np.ndarray:
    """Voxels of a tomogram (first one's centre at 0), by what each package says of its numbers."""
    spacing, size = tomogram["voxel_spacing"], np.array([tomogram[f"size_{axis}"] for axis in "xyz"])
    if format == "relion5_star":
        return table[[f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]].to_numpy() / spacing + size / 2
    unit = pixel if format == "relion4_star" else 1.0
    return table[[f"rlnCoordinate{axis}" for axis in "XYZ"]].to_numpy() * unit / spacing


@pytest.mark.parametrize("format", ["relion5_star", "relion4_star", "warp_star"])
def test_points_of_all_runs_are_the_truth(format, star, runs, demo_portal):
    for spacing in {one["voxel_spacing"] for one in runs["TS_001"]["tomograms"]}:
        chosen = {name: frame(runs, name, spacing) for name in runs}
        blocks = star(format, tomograms=tuple(sorted(one["id"] for one in chosen.values())))
        table = blocks["particles"]
        pixel = blocks["optics"]["rlnTomoTiltSeriesPixelSize"].item() if "optics" in blocks else 1.0
        for name, tomogram in chosen.items():
            label, word = (
                ("rlnMicrographName", f"{name}.tomostar") if format == "warp_star" else ("rlnTomoName", name)
            )
            mine = table[table[label] == word]
            true = facts(demo_portal, name)
            nearest = order(places(mine, format, tomogram, pixel), centres(true, f"{spacing:.3f}"))
            angles = mine[["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]].to_numpy()
            np.testing.assert_allclose(from_relion(angles), turns(true)[nearest], atol=1e-4)
        assert len(chosen) == 2
        assert len(table) == sum(len(centres(facts(demo_portal, name), f"{spacing:.3f}")) for name in chosen)


def test_particles_have_names_and_optics_of_their_own(star, runs):
    blocks = star("relion5_star", runs=tuple(run["id"] for run in runs.values()))
    table, optics = blocks["particles"], blocks["optics"]
    assert table["rlnTomoParticleName"].is_unique
    assert set(table["rlnOpticsGroup"]) == set(optics["rlnOpticsGroup"]) == {1}
    assert optics["rlnVoltage"].item() == 300


def test_objects_are_classes_that_comments_explain(view, runs, demo_portal):
    lists = point_lists(view, Selection({"datasets": (runs["TS_001"]["dataset"]["id"],)}))
    data = particles(lists, "warp_star", lambda path: (demo_portal.layout / path).read_bytes()).decode()
    names = sorted({item.object for item in lists})
    comments = [line for line in data.splitlines() if line.startswith("# rlnClassNumber")]
    assert comments == [f"# rlnClassNumber {number}: {name}" for number, name in enumerate(names, start=1)]
    assert len(names) > 1
    for item in lists:
        assert f"particles of annotation {item.annotation} ({item.object})" in data
    assert "--coords_angpix 1" in data


def test_a_tomogram_brings_what_fits_it_unless_annotations_are_named(view, runs):
    run = runs["TS_001"]
    tomogram = next(one for one in run["tomograms"])
    all_of_it = point_lists(view, Selection({"tomograms": (tomogram["id"],)}))
    assert len(all_of_it) > 1
    assert {item.tomogram for item in all_of_it} == {tomogram["id"]}
    (first, *_) = all_of_it
    only = Selection({"tomograms": (tomogram["id"],), "annotations": (first.annotation,)})
    assert point_lists(view, only) == (first,)
    assert point_lists(view, only, ["something else"]) == ()


def test_a_run_of_the_same_name_elsewhere_is_told_apart():
    rows = [
        ({"run": {"id": id, "name": "TS_1", "dataset": dataset}}, id)
        for id, dataset in ((1, 10), (2, 11), (3, 11))
    ]
    found = [
        exported._Points({**row, "spacing": {"voxel_spacing": 5.0}}, {"alignment_id": alignment})
        for row, id in rows
        for alignment in ((7, 8) if id == 1 else (None,))
    ]
    names = exported._names(found)
    assert sorted(names.values()) == ["10_TS_1_AL-7", "10_TS_1_AL-8", "11_TS_1_RN-2", "11_TS_1_RN-3"]


def test_what_cannot_be_made_is_told(view, runs, demo_portal, monkeypatch):
    def read(path: str) -> bytes:
        return (demo_portal.layout / path).read_bytes()

    lists = point_lists(view, Selection({"runs": (runs["TS_001"]["id"],)}))
    for format, some, sentence in (
        ("pdf", lists, "pdf is no format of particles; expected one of relion5_star"),
        ("warp_star", (), "This selection has no points"),
    ):
        with pytest.raises(UsageError, match=sentence):
            particles(some, format, read)
    monkeypatch.setattr(exported, "LARGEST", 100)
    with pytest.raises(UsageError, match="Choose fewer objects or runs"):
        particles(lists, "warp_star", read)
    monkeypatch.setattr(exported, "MOST_LISTS", 1)
    with pytest.raises(UsageError, match="lists of points; one file takes 1"):
        particles(lists, "warp_star", read)
