"""The official client, as it comes from the package index, against our server: what it finds and what it downloads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures_demo import DemoPortal
from fixtures_server import serving
from tomoportal.catalog import open_catalog

PYTHON = Path(__file__).parents[2] / ".cache" / "official" / "bin" / "python"
WALK = Path(__file__).with_name("walk.py")

pytestmark = [
    pytest.mark.official,
    pytest.mark.skipif(not PYTHON.exists(), reason="the official client is not installed (tests/prepare does it)"),
]  # fmt: skip


@dataclass(frozen=True)
class Walked:
    """What the client saw, where it put its files, the address of the server, and the layout that it read."""

    seen: dict[str, Any]
    downloads: Path
    url: str
    layout: Path
    database: str

    def row(self, kind: str, id: int) -> dict[str, Any]:
        return next(row for row in self.seen["rows"][kind] if row["id"] == id)

    def downloaded(self, kind: str) -> dict[str, Any]:
        """The row of what was downloaded of a kind."""
        return self.row(kind, self.seen["downloaded"][NAMES[kind]])


NAMES = {
    "Dataset": "dataset", "Run": "run", "TomogramVoxelSpacing": "spacing", "Tomogram": "tomogram", "TiltSeries": "series",
}  # fmt: skip


@pytest.fixture(scope="module")
def walked(demo_portal: DemoPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    folder = tmp_path_factory.mktemp("official")
    with serving(demo_portal.settings) as url:
        environment = {**os.environ, "BOTO_ENDPOINT_URL": f"{url}/s3", "AWS_EC2_METADATA_DISABLED": "true"}
        done = subprocess.run(
            [PYTHON, WALK, f"{url}/graphql", folder], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-4000:]
        seen = json.loads((folder / "seen.json").read_text())
        yield Walked(seen, folder / "downloads", url, demo_portal.layout, demo_portal.settings.database)


def tree(folder: Path) -> dict[str, bytes]:
    """Every public file below a folder: path → bytes. Of hidden names only those of Zarr are public."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and (not path.name.startswith(".") or path.name.startswith(".z"))
    }


def test_find_gives_every_row(walked: Walked):
    with open_catalog(walked.database) as catalog:
        view = catalog.view(today=date.today())
        for kind, rows in walked.seen["rows"].items():
            ids = [row["id"] for row in rows]
            assert len(ids) == len(set(ids)) == view.count(kind)
    filled = {kind for kind, rows in walked.seen["rows"].items() if rows}
    assert {
        "Deposition",
        "Dataset",
        "Run",
        "TiltSeries",
        "Alignment",
        "Tomogram",
        "Annotation",
        "AnnotationFile",
    } <= filled


def test_relations_agree_with_foreign_keys(walked: Walked):
    checked = 0
    for kind, items in walked.seen["relations"].items():
        for id, relations in items.items():
            row = walked.row(kind, int(id))
            for name, found in relations.items():
                if not isinstance(found, list) and f"{name}_id" in row:
                    assert found == row[f"{name}_id"], (kind, name)
                    checked += 1
    runs = walked.seen["rows"]["Run"]
    for id, relations in walked.seen["relations"]["Dataset"].items():
        assert relations["runs"] == [run["id"] for run in runs if run["dataset_id"] == int(id)]
    assert checked > 10


def test_queries(walked: Walked):
    queries = walked.seen["queries"]
    runs = [run["id"] for run in walked.seen["rows"]["Run"]]
    assert queries["name like"] == queries["nested"] == runs
    assert runs[0] in queries["name equals"]
    assert queries["in"] == [runs[0]]
    assert queries["nested none"] == queries["in nothing"] == []
    assert queries["absent"] is None
    assert queries["dated"] == [row["id"] for row in walked.seen["rows"]["Dataset"]]
    points = [row["id"] for row in walked.seen["rows"]["AnnotationShape"] if row["shape_type"] == "Point"]
    assert queries["by enum"] == points != []


def test_addresses_are_those_of_this_server(walked: Walked):
    for kind, rows in walked.seen["rows"].items():
        for row in rows:
            for name, value in row.items():
                if name.startswith("https_") and value:
                    assert value.startswith(f"{walked.url}/files/"), (kind, name)
                if name.startswith("s3_") and value:
                    assert value.startswith("s3://tomoportal/"), (kind, name)
                if name.endswith("_prefix") and value:
                    assert value.endswith("/"), (kind, name)
                    assert not value.endswith("//"), (kind, name)


@pytest.mark.parametrize("kind", ["Dataset", "Run", "TomogramVoxelSpacing"])
def test_download_everything(walked: Walked, kind: str):
    home = walked.downloaded(kind)["s3_prefix"].removeprefix("s3://tomoportal/").rstrip("/")
    parents = {"Dataset": 0, "Run": 1, "TomogramVoxelSpacing": 2}[kind]
    target = walked.downloads / NAMES[kind] / "/".join(home.split("/")[parents:])
    assert tree(target) == tree(walked.layout / home) != {}


@pytest.mark.parametrize("kind", ["Tomogram", "TiltSeries"])
def test_volumes(walked: Walked, kind: str):
    import mrcfile
    import zarr

    row, folder = walked.downloaded(kind), walked.downloads / NAMES[kind]
    mrc = row["https_mrc_file"].removeprefix(f"{walked.url}/files/")
    assert (folder / Path(mrc).name).read_bytes() == (walked.layout / mrc).read_bytes()
    ome_zarr = row["s3_omezarr_dir"].removeprefix("s3://tomoportal/")
    assert tree(folder / Path(ome_zarr).name) == tree(walked.layout / ome_zarr) != {}
    with mrcfile.open(folder / Path(mrc).name) as file:
        stored = zarr.open_group(folder / Path(ome_zarr).name, mode="r")["0"]
        assert file.data.shape == stored.shape == (row["size_z"], row["size_y"], row["size_x"])
        assert (file.data == stored[:]).all()


def test_frames_and_angles(walked: Walked):
    run = walked.downloaded("Run")["s3_prefix"].removeprefix("s3://tomoportal/")
    assert tree(walked.downloads / "frames" / "Frames") == tree(walked.layout / run / "Frames") != {}
    angles = walked.downloaded("TiltSeries")["https_angle_list"].removeprefix(f"{walked.url}/files/")
    assert (walked.downloads / "series" / Path(angles).name).read_bytes() == (
        walked.layout / angles
    ).read_bytes()


def test_annotations(walked: Walked):
    home = walked.downloaded("TomogramVoxelSpacing")["s3_prefix"].removeprefix("s3://tomoportal/")
    expected: dict[str, bytes] = {}
    for folder in (walked.layout / home / "Annotations").iterdir():
        expected |= tree(folder)
    assert tree(walked.downloads / "each") == tree(walked.downloads / "annotations") == expected != {}
    ours = {name: data for name, data in expected.items() if name.endswith(".json") and "/" not in name}
    assert tree(walked.downloads / "metadata") == ours
    points = {name for name in tree(walked.downloads / "points") if name.endswith(".ndjson")}
    assert points == {name for name in expected if name.endswith("_point.ndjson")} != set()


def test_our_client_sees_the_same(walked: Walked, tmp_path: Path):
    """The same script with its imports answered by our client: rows, relations and queries."""
    command = [sys.executable, "-m", "tomoportal.compat", WALK, f"{walked.url}/graphql", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    ours = json.loads((tmp_path / "seen.json").read_text())
    assert ours["queries"] == walked.seen["queries"]
    for kind, rows in walked.seen["rows"].items():
        assert [{name: row[name] for name in rows[0]} for row in ours["rows"][kind]] == rows, kind
    assert len(walked.seen["relations"]) > 20
    for kind, items in walked.seen["relations"].items():
        for id, relations in items.items():
            assert relations.items() <= ours["relations"][kind][id].items(), (kind, id)
