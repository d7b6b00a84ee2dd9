"""`tomoportal compare`: files and annotations of a portal, points and masks."""

from __future__ import annotations

import json

import mrcfile
import numpy as np
import pytest

from fixtures_command import Ran, tomoportal
from fixtures_demo import DemoPortal
from fixtures_server import serving
from tomoportal.catalog import open_catalog
from tomoportal.exports import PLAIN, annotation_export
from tomoportal.exports.annotation import mask_path
from tomoportal.formats.particles import read_ndjson
from tomoportal.model.query import And, Compare, Related, Select, Value
from tomoportal.storage import open_storage


def ids(portal: DemoPortal, shape: str) -> list[int]:
    of_shape = Related("annotation_shapes", Compare("shape_type", "eq", shape))
    where = And((of_shape, Related("run", Compare("name", "eq", "TS_001"))))
    with open_catalog(portal.settings.database) as catalog:
        return [row["id"] for row in catalog.view().rows(Select("Annotation", (Value("id", "id"),), where))]


@pytest.fixture(scope="module")
def points(demo_portal: DemoPortal) -> tuple[int, np.ndarray, float]:
    """An annotation of points, its places in Å from the first voxel's centre, and its voxel spacing."""
    id = ids(demo_portal, "Point")[0]
    with open_catalog(demo_portal.settings.database) as catalog:
        planned = annotation_export(catalog.view(addresses=PLAIN), id, format="ndjson")
    data = open_storage(demo_portal.settings.storage).read(planned.path)
    return id, read_ndjson(data, planned.path).of(None).positions * planned.spacing, planned.spacing


@pytest.fixture
def compare(demo_portal: DemoPortal):
    def run(*words: object, local: bool = True) -> Ran:
        settings = demo_portal.settings
        where = ("--storage", settings.storage, "--database", settings.database) if local else ()
        return tomoportal("compare", *words, *where)

    return run


def write_copick(path, places: np.ndarray):
    content = [{"location": dict(zip("xyz", place, strict=True))} for place in places.tolist()]
    path.write_text(json.dumps({"points": content}))
    return path


def test_a_file_against_an_annotation(compare, points, tmp_path) -> None:
    """Two of the true points are missing, the others 3 Å off, and one is invented."""
    id, places, _ = points
    predicted = np.concatenate([places[2:] + np.array([0, 0, 3.0]), [[-900.0, 0, 0]]])
    ran = compare(
        write_copick(tmp_path / "p.json", predicted), f"annotation:{id}", "--radius", "10", "--json"
    )
    assert ran.code == 0, ran.err
    scores = json.loads(ran.out)
    right, count = len(places) - 2, len(places)
    assert (scores["found"], scores["predicted"], scores["true"]) == (right, count - 1, count)
    assert scores["precision"] == pytest.approx(right / (count - 1))
    assert scores["recall"] == pytest.approx(right / count)
    assert scores["mean_distance"] == pytest.approx(3)
    told = compare(tmp_path / "p.json", f"annotation:{id}", "--radius", "10").out
    assert f"{count - 1} predicted points, {count} true, {right} in both" in told


def test_an_export_against_its_annotation(compare, points, demo_portal, tmp_path) -> None:
    id, places, spacing = points
    storage = ("--storage", demo_portal.settings.storage, "--database", demo_portal.settings.database)
    for format in ("relion5_star", "mod", "csv"):
        file = tmp_path / {"relion5_star": "p.star", "mod": "p.mod", "csv": "p.csv"}[format]
        assert (
            tomoportal("export", "annotation", id, "--format", format, "--output", file, *storage).code == 0
        )
        ran = compare(file, f"annotation:{id}", "--radius", "1", "--voxel-spacing", spacing, "--json")
        assert ran.code == 0, ran.err
        scores = json.loads(ran.out)
        assert (scores["f1"], scores["true"]) == (1.0, len(places))
        assert scores["mean_distance"] < 0.001


def test_over_http(compare, points, demo_portal, tmp_path) -> None:
    id, places, _ = points
    (mask, *_) = ids(demo_portal, "SegmentationMask")
    file = write_copick(tmp_path / "p.json", places)
    with serving(demo_portal.settings) as url:
        ran = compare(file, f"annotation:{id}", "--radius", "1", "--url", url, "--json", local=False)
        assert json.loads(ran.out)["f1"] == 1
        ran = compare(f"annotation:{mask}", f"annotation:{mask}", "--url", url, "--json", local=False)
        assert json.loads(ran.out)["dice"] == 1
        ran = compare(file, "annotation:999999", "--radius", "1", "--url", url, local=False)
        assert (ran.code, "no such annotation" in ran.err) == (2, True)


def test_masks(compare, points, demo_portal, tmp_path) -> None:
    _, _, spacing = points
    (id, *_) = ids(demo_portal, "SegmentationMask")
    with open_catalog(demo_portal.settings.database) as catalog:
        path = demo_portal.layout / mask_path(catalog.view(addresses=PLAIN), id)
    truth = mrcfile.read(path)
    predicted = np.roll(truth, 1, axis=2).astype(np.float32) * 0.9
    with mrcfile.new(tmp_path / "p.mrc") as file:
        file.set_data(predicted)
        file.voxel_size = spacing
    ran = compare(tmp_path / "p.mrc", f"annotation:{id}", "--threshold", "0.5", "--json")
    assert ran.code == 0, ran.err
    common = int(((predicted > 0.5) & (truth != 0)).sum())
    assert json.loads(ran.out)["dice"] == pytest.approx(common / np.count_nonzero(truth))
    assert "dice" in compare(tmp_path / "p.mrc", f"annotation:{id}").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a.csv", "b.csv"], "to compare points give --radius"),
        (["a.mrc", "b.mrc", "--radius", "5"], "--radius is for points"),
        (["a.csv", "b.csv", "--radius", "5", "--label", "1"], "are for masks"),
        (["annotation:x", "b.mrc"], "expected annotation:ID"),
    ],
)
def test_wrong_usage(words: list[str], sentence: str, compare) -> None:
    ran = compare(*words)
    assert (ran.code, sentence in ran.err) == (2, True), ran.err


def test_an_annotation_that_is_not_there(compare, tmp_path) -> None:
    file = write_copick(tmp_path / "p.json", np.zeros((1, 3)))
    for words in ([file, "annotation:999999", "--radius", "5"], ["annotation:999999", "annotation:999999"]):
        ran = compare(*words)
        assert (ran.code, "no such annotation here." in ran.err) == (2, True)


def test_a_file_that_is_not_there(compare) -> None:
    ran = compare("/none/a.csv", "/none/b.csv", "--radius", "5")
    assert (ran.code, "cannot be read" in ran.err) == (1, True)
