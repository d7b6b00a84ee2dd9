"""A project of `tomoportal export copick`, opened by copick itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest

from demo_oracle import centres
from fixtures_command import tomoportal
from fixtures_demo import DemoPortal

PYTHON = Path(__file__).parents[2] / ".cache" / "copick" / "bin" / "python"
OPEN = Path(__file__).with_name("open_project.py")
RUN, RIBOSOME = "TS_001", "cytosolic ribosome"

installed = pytest.mark.skipif(not PYTHON.exists(), reason="copick is not installed (tests/prepare does it)")


def options(portal: DemoPortal) -> list[str]:
    return ["--storage", portal.settings.storage, "--database", portal.settings.database]


@pytest.fixture(scope="module")
def project(demo_portal: DemoPortal, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("copick") / "project"
    ran = tomoportal("export", "copick", "--output", folder, "--run", RUN, *options(demo_portal))
    assert ran.code == 0, ran.err
    assert "copick.json: " in ran.out
    return folder


@pytest.fixture(scope="module")
def seen(project: Path) -> dict[str, Any]:
    done = subprocess.run([PYTHON, OPEN, project / "copick.json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def spacing(demo_portal: DemoPortal) -> float:
    """Å per voxel of the annotations."""
    (path, _), *_ = sidecars(demo_portal, "Annotations")
    return float(path.parts[-4].removeprefix("VoxelSpacing"))


def sidecars(portal: DemoPortal, kind: str) -> list[tuple[Path, dict[str, Any]]]:
    found = sorted(portal.layout.glob(f"*/{RUN}/Reconstructions/*/{kind}/*/*.json"))
    return [(path, json.loads(path.read_text())) for path in found]


@installed
def test_picks_are_the_truth_in_angstrom(seen, demo_portal, spacing) -> None:
    (dataset,) = demo_portal.truth["datasets"].values()
    true = centres(dataset["runs"][RUN], f"{spacing:.3f}") * spacing
    lists = [pick for pick in seen["runs"][RUN]["picks"] if pick["object"] == "cytosolic-ribosome"]
    assert {pick["user"] for pick in lists} == {"portal"}
    assert len({pick["session"] for pick in lists}) == len(lists)
    whole = [np.array(pick["places"]) for pick in lists if len(pick["places"]) == len(true)]
    assert whole
    distances = [np.linalg.norm(places[:, None] - true[None], axis=2).min(axis=1).max() for places in whole]
    assert min(distances) < 0.51 * spacing


@installed
def test_every_list_of_points_and_every_mask_is_there(seen, demo_portal) -> None:
    files = [file for _, content in sidecars(demo_portal, "Annotations") for file in content["files"]]
    run = seen["runs"][RUN]
    with_points = {file["path"].rsplit("/", 1)[0] for file in files if file["format"] == "ndjson"}
    assert len(run["picks"]) == len(with_points)
    masks = [
        file["path"] for file in files if file["format"] == "zarr" and file["shape"] == "SegmentationMask"
    ]
    counts = [
        int(np.count_nonzero(mrcfile.read(demo_portal.layout / path.replace(".zarr", ".mrc"))))
        for path in masks
    ]
    assert masks
    assert sorted(mask["voxels"] for mask in run["masks"]) == sorted(counts)


@installed
def test_tomograms_are_those_of_the_portal(seen, demo_portal) -> None:
    published = [
        mrcfile.read(demo_portal.layout / content["mrc_file"])
        for _, content in sidecars(demo_portal, "Tomograms")
    ]
    expected = sorted(
        (list(data.shape), round(float(data.astype(np.float64).mean()), 4)) for data in published
    )
    found = seen["runs"][RUN]["tomograms"]
    assert sorted((one["shape"], round(one["mean"], 4)) for one in found) == expected
    assert {one["spacing"] for one in found} == {
        content["voxel_spacing"] for _, content in sidecars(demo_portal, "Tomograms")
    }


@installed
def test_objects_and_the_overlay(seen) -> None:
    objects = {item["name"]: item for item in seen["objects"]}
    assert objects["cytosolic-ribosome"]["is_particle"] is True
    assert objects["cytosolic-ribosome"]["identifier"] == "GO:0022626"
    assert objects["cytosolic-ribosome"]["radius"] > 0
    assert len({tuple(item["color"]) for item in seen["objects"]}) == len(objects)
    assert sorted(item["label"] for item in seen["objects"]) == list(range(1, len(objects) + 1))
    assert any(not item["is_particle"] for item in seen["objects"])
    assert seen["stored"] == [1]


def test_a_part_of_it(demo_portal: DemoPortal, spacing, tmp_path) -> None:
    folder = tmp_path / "part"
    ran = tomoportal(
        "export", "copick", "--output", folder, "--object", RIBOSOME, "--voxel-spacing", spacing, "--volumes", "none",
        *options(demo_portal),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    config = json.loads((folder / "copick.json").read_text())
    assert [item["name"] for item in config["pickable_objects"]] == ["cytosolic-ribosome"]
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert all(name.endswith("_cytosolic-ribosome.json") for name in names - {"copick.json"})
    assert len(names) > 2


def test_copies_instead_of_links(demo_portal: DemoPortal, spacing, tmp_path) -> None:
    ran = tomoportal(
        "export",
        "copick",
        "--output",
        tmp_path / "p",
        "--run",
        RUN,
        "--volumes",
        "copy",
        *options(demo_portal),
    )
    assert ran.code == 0, ran.err
    (volume, *_) = sorted((tmp_path / "p/static").rglob(f"VoxelSpacing{spacing:.3f}/*.zarr"))
    assert not volume.is_symlink()
    source = next(demo_portal.layout.rglob(f"{RUN}/**/VoxelSpacing{spacing:.3f}/Tomograms/100/*.zarr"))
    assert {path.name for path in volume.iterdir()} == {path.name for path in source.iterdir()}


def test_what_is_refused(demo_portal: DemoPortal, tmp_path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    for words, sentence in (
        (["--output", tmp_path / "full"], "is not empty"),
        (["--output", tmp_path / "a", "--run", "none"], "no published run is chosen"),
        (["--output", tmp_path / "b", "--object", "none"], "no annotation of points or masks"),
        (["--output", tmp_path / "c", "--volumes", "move"], "expected link, copy, none"),
    ):
        ran = tomoportal("export", "copick", *words, *options(demo_portal))
        assert (ran.code, sentence in ran.err) == (2, True), ran.err


def test_a_remote_storage_cannot_be_linked(demo_portal: DemoPortal, tmp_path) -> None:
    where = ["--storage", "s3://nowhere/x", "--database", demo_portal.settings.database]
    ran = tomoportal("export", "copick", "--output", tmp_path / "p", *where)
    assert (ran.code, "--volumes copy" in ran.err) == (2, True), ran.err
