"""A mirror of the reference system is served as it is: files, queries, pages, the official client; from a folder and from a bucket."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fixtures_command import FlowPortal, contents, tomoportal
from fixtures_demo import settings_in
from fixtures_mirror import Mirror
from fixtures_s3 import S3Server, s3_server  # noqa: F401 - a fixture
from fixtures_server import serving
from tomoportal.web.urls import DATASETS, DEPOSITIONS

OFFICIAL = Path(__file__).parents[2] / ".cache" / "official" / "bin" / "python"
WALK = Path(__file__).parents[1] / "official" / "walk.py"


@dataclass(frozen=True)
class Served:
    """A running portal whose files are a mirror."""

    mirror: Mirror
    portal: FlowPortal
    url: str

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return answer.read()

    def ask(self, text: str) -> Any:
        """The data of a GraphQL answer."""
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": text}).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("mirrored")
    mirror, portal = Mirror(folder / "files"), FlowPortal(folder)
    before = contents(mirror.root)
    assert portal.load("--measure").code == 0
    assert contents(mirror.root) == before
    with serving(settings_in(folder)) as url:
        yield Served(mirror, portal, url)


def test_every_file_is_given_out(served: Served) -> None:
    for path in served.mirror.sizes:
        assert served.get(f"/files/{quote(path)}") == (served.mirror.root / path).read_bytes(), path


def test_queries(served: Served) -> None:
    told = served.ask(
        """{ datasets { id title fileSize deposition { id title depositionTypes { edges { node { type } } } }
          runs { edges { node { name tomograms { edges { node { httpsMrcFile fileSizeOmezarr alignment { tiltseries { id } } } } }
            annotationsAggregate { aggregate { count } } } } } } }"""
    )
    (dataset,) = told["datasets"]
    assert (dataset["id"], dataset["deposition"]["id"]) == (10500, 10300)
    assert dataset["fileSize"] == served.mirror.size_below("10500")
    (run,) = [edge["node"] for edge in dataset["runs"]["edges"]]
    (tomogram,) = [edge["node"] for edge in run["tomograms"]["edges"]]
    assert run["annotationsAggregate"]["aggregate"] == [{"count": 2}]
    assert tomogram["alignment"]["tiltseries"]["id"]
    assert tomogram["httpsMrcFile"].startswith(f"{served.url}/files/10500/TS_001/")


def test_pages(served: Served) -> None:
    run = served.ask("{ runs { id } }")["runs"][0]["id"]
    paths = ("/", DATASETS, DEPOSITIONS, "/datasets/10500", "/depositions/10300", f"/runs/{run}")
    pages = {path: served.get(path).decode() for path in paths}
    assert "Mirrored algae" in pages[DATASETS]
    assert "TS_001" in pages["/datasets/10500"]
    assert "cytosolic ribosome" in pages[f"/runs/{run}"]


def test_layers_of_the_viewer_lead_to_files_of_this_server(served: Served) -> None:
    text = served.ask("{ tomograms { neuroglancerConfig } }")["tomograms"][0]["neuroglancerConfig"]
    volume, mask, points = (layer["source"]["url"] for layer in json.loads(text)["layers"])
    assert volume.startswith(f"zarr://{served.url}/files/")
    assert json.loads(served.get(volume.removeprefix(f"zarr://{served.url}") + "/.zattrs"))["multiscales"]
    for layer in (mask, points):
        assert served.get(layer.removeprefix(f"precomputed://{served.url}") + "/info") == b"{}"


@pytest.mark.official
@pytest.mark.skipif(
    not OFFICIAL.exists(), reason="the official client is not installed (tests/prepare does it)"
)
def test_the_official_client(served: Served, tmp_path: Path) -> None:
    environment = {**os.environ, "BOTO_ENDPOINT_URL": f"{served.url}/s3", "AWS_EC2_METADATA_DISABLED": "true"}
    command = [OFFICIAL, WALK, f"{served.url}/graphql", tmp_path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert {name for name, rows in seen["rows"].items() if not rows} == set()
    fetched = contents(tmp_path / "downloads" / "dataset" / "10500")
    wanted = {path.removeprefix("10500/") for path in served.mirror.sizes if path.startswith("10500/")}
    assert set(fetched) == wanted
    assert (
        fetched["TS_001/run_metadata.json"]
        == served.mirror.root.joinpath("10500/TS_001/run_metadata.json").read_bytes()
    )


def test_a_bucket_that_nobody_may_write(
    tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    bucket, mirror, client = s3_server.bucket("mirror"), Mirror(tmp_path / "made"), s3_server.client()
    for path in mirror.sizes:
        client.upload_file(str(mirror.root / path), "mirror", f"data/{path}")
    local, remote = FlowPortal(tmp_path / "local"), FlowPortal(tmp_path / "remote")
    for portal, storage in ((local, mirror.root), (remote, f"{bucket}/data")):
        database = settings_in(portal.folder).database
        ran = tomoportal("load", "--measure", "--json", "--storage", storage, "--database", database)
        assert (ran.code, ran.problems) == (0, [])
    for entity in ("Run", "Tomogram", "AnnotationFile", "PerSectionParameters", "Dataset"):
        fields = ("id", "file_size") if entity == "Dataset" else ("id",)
        assert remote.rows(entity, *fields) == local.rows(entity, *fields)
    keys = {item["Key"] for item in client.list_objects_v2(Bucket="mirror")["Contents"]}
    assert keys == {f"data/{path}" for path in mirror.sizes}
