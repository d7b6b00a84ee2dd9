"""`tomoportal download` and `tomoportal manifest` as users meet them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures_command import tomoportal
from fixtures_server import serving
from tomoportal import Client, Tomogram

NOTES = ".tomoportal-downloads"


@pytest.fixture(scope="module")
def url(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(autouse=True)
def portal(url, monkeypatch):
    monkeypatch.setenv("TOMOPORTAL_URL", url)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != NOTES
    }


def test_a_run_keeps_the_paths_of_the_portal(demo_portal, url, tmp_path):
    ran = tomoportal("download", f"{url}/runs/1", "--to", tmp_path / "a")
    assert ran.code == 0, ran.err
    assert files(tmp_path / "a/10901/TS_001") == files(demo_portal.layout / "10901/TS_001")
    assert f"to {tmp_path / 'a'}" in ran.out
    again = tomoportal("download", "run", 1, "--to", tmp_path / "a", "--json")
    end = json.loads(again.out)
    assert (end["failed"], end["kept_files"]) == (0, end["files"])


def test_a_dry_run_tells_and_writes_nothing(demo_portal, tmp_path):
    here = tmp_path / "here"
    ran = tomoportal("download", "dataset", 10901, "--dry-run", "--json", "--to", here)
    plan = json.loads(ran.out)
    stored = [path for path in (demo_portal.layout / "10901").rglob("*") if path.is_file()]
    assert plan["files"] == len(stored) == sum(kind["files"] for kind in plan["kinds"].values())
    assert plan["bytes"] == sum(path.stat().st_size for path in stored)
    assert {"tomograms", "annotations", "tiltseries", "frames", "pictures", "metadata"} <= set(plan["kinds"])
    assert not here.exists()
    table = tomoportal("download", "dataset", 10901, "--dry-run").out
    assert "tomograms" in table
    assert f"{plan['files']:,}" in table


def test_filters_choose(url, tmp_path):
    with Client(url) as client:
        spacing = Tomogram.find(client)[0].voxel_spacing
    options = (
        "--only",
        "tomograms",
        "--format",
        "zarr",
        "--voxel-spacing",
        round(spacing, 3),
        "--object",
        "ribosome",
    )
    assert tomoportal("download", *options, "--to", tmp_path).code == 0
    found = files(tmp_path)
    assert found
    assert all("/Tomograms/" in path and ".zarr/" in path for path in found)


def test_a_manifest_travels(tmp_path):
    listed = tmp_path / "list.jsonl"
    assert tomoportal("manifest", "run", 1, "--only", "annotations,alignments", "-o", listed).code == 0
    ran = tomoportal("download", "--manifest", listed, "--to", tmp_path / "one", "--json")
    assert ran.code == 0, ran.err
    assert "Downloading from http" in ran.err
    lines = [json.loads(line) for line in listed.read_text().splitlines()]
    assert set(files(tmp_path / "one")) == {line["path"] for line in lines[1:-1]}
    printed = tomoportal("manifest", "run", 1, "--only", "annotations,alignments")
    assert printed.out == listed.read_text()
    sums = tomoportal("manifest", "run", 1, "--only", "annotations,alignments", "--as", "sha256sum").out
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet"], input=sums, text=True, cwd=tmp_path / "one", capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_downloads_from_a_list(tmp_path):
    listed = tomoportal("manifest", "run", 1, "--only", "alignments", "--as", "curl").out
    done = subprocess.run(
        ["curl", "-s", "-K", "-"], input=listed, text=True, cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert tomoportal("download", "run", 1, "--only", "alignments", "--to", tmp_path / "ours").code == 0
    ours = files(tmp_path / "ours")
    shutil.rmtree(tmp_path / "ours")
    assert files(tmp_path) == ours


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("download",), 2, "Nothing is named"),
        (("download", "nonsense"), 2, "names nothing"),
        (("download", "dataset", "77"), 3, "none with this id"),
        (("download", "run", "1", "--only", "tomgrams"), 2, "no kind of data"),
        (("download", "run", "1", "--format", "jpeg"), 2, "is not known"),
        (("download", "--object", "unicorn"), 2, "no file fits"),
        (("download", "--manifest", "/nowhere"), 2, "cannot be read"),
        (("download", "run", "1", "--manifest", "/dev/null"), 2, "name no targets beside it"),
        (("download", "--manifest", "/dev/null", "--only", "frames"), 2, "nor filters"),
        (("download", "--manifest", "/dev/null"), 2, "no manifest"),
        (("download", "10901/nothing"), 3, "no such public file"),
        (("download", "run", "1", "--url", "http://127.0.0.1:9"), 3, "cannot be reached"),
        (("download", "run", "1", "--only", "alignments", "--to", "ftp://x/y"), 2, "no object store"),
        (("manifest", "run", "1", "--as", "csv"), 2, "--as csv is not known"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_sentence_and_a_code(arguments, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = tomoportal(*arguments)
    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_something_else_is_kept_and_told(tmp_path):
    assert tomoportal("download", "run", 1, "--only", "alignments", "--to", tmp_path).code == 0
    one, other = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != NOTES)[:2]
    for path in (one, other):
        path.write_text("mine")
    ran = tomoportal("download", "run", 1, "--only", "alignments", "--to", tmp_path)
    assert ran.code == 1
    assert "2 files or folders could not be had" in ran.err
    assert one.read_text() == "mine"
    assert tomoportal("download", "run", 1, "--only", "alignments", "--to", tmp_path, "--overwrite").code == 0
    assert one.read_text() != "mine"
