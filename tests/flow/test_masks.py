"""Masks through the front door: every shape and format, read back with mrcfile and zarr."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import trimesh
import zarr

from fixtures_demo import settings_in
from fixtures_tiny import write_mrc
from tomoportal.cli.ingest import ingest_config
from tomoportal.ingest.selection import Selection
from tomoportal.problems import Problem

SHAPE = (12, 20, 24)
DRAWN = "20002/R1/**/*-neuroglancer-config.json"


@dataclass
class Published:
    """What is in the layout of the one annotation, and what was told."""

    sidecar: dict[str, Any] | None
    files: Path
    problems: dict[str, Problem]

    def path(self, kind: str) -> Path:
        (file,) = [file for file in (self.sidecar or {})["files"] if file["format"] == kind]
        return self.files / file["path"]

    def zarr(self, level: int = 0) -> np.ndarray:
        return np.asarray(zarr.open_group(str(self.path("zarr")), mode="r")[str(level)][:])

    def layer(self, word: str) -> dict[str, Any]:
        (state,) = self.files.glob(DRAWN)
        (layer,) = [layer for layer in json.loads(state.read_text())["layers"] if word in layer["name"]]
        return layer


@pytest.fixture
def ingest(tiny, tmp_path):
    """Ingest one annotation with these sources."""

    def run(*sources: dict[str, Any], **options: Any) -> Published:
        tiny.config["annotations"] = tiny.config["annotations"][:1]
        tiny.config["annotations"][0]["sources"] = list(sources)
        settings = settings_in(tmp_path / "portal")
        report = ingest_config(tiny.write().file, str(tiny.source), settings, quiet=True, **options)
        files = tmp_path / "portal/files"
        sidecars = list(files.glob("20002/R1/**/Annotations/*/*-1.0.json"))
        told = {problem.code: problem for problem in report.sorted_problems()}
        return Published(json.loads(sidecars[0].read_text()) if sidecars else None, files, told)

    return run


def instances(kind: str = "mrc", **more: Any) -> dict[str, Any]:
    return {
        "InstanceSegmentationMask": {"file_format": kind, "glob_string": f"{{run_name}}_cells.{kind}", **more}
    }


def semantic(name: str, kind: str = "mrc", **more: Any) -> dict[str, Any]:
    return {"SemanticSegmentationMask": {"file_format": kind, "glob_string": name, **more}}


def cells(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    data = np.zeros(shape, np.uint16)
    data[2:9, 3:9, 4:10] = 5
    data[4:8, 11:17, 12:20] = 700
    return data


def put_zarr(path: Path, data: np.ndarray, spacing: float = 10.0) -> None:
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    group.create_array("0", data=data, chunks=(8, 8, 8), config={"write_empty_chunks": True})
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    transform = [{"type": "scale", "scale": [spacing] * 3}]
    datasets = [{"path": "0", "coordinateTransformations": transform}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]


@pytest.mark.parametrize("kind", ["mrc", "zarr"])
def test_objects_keep_their_numbers(tiny, ingest, kind: str) -> None:
    put = put_zarr if kind == "zarr" else write_mrc
    put(tiny.lab / f"R1_cells.{kind}", cells(), 10.0)
    out = ingest(instances(kind))
    assert not out.problems
    assert [(file["format"], file["shape"]) for file in out.sidecar["files"]] == [
        (kind, "InstanceSegmentationMask") for kind in ("zarr", "mrc")
    ]
    assert out.sidecar["object_count"] == 2
    assert np.array_equal(out.zarr(), cells())
    assert np.array_equal(out.zarr(1), cells()[::2, ::2, ::2])
    with mrcfile.open(out.path("mrc")) as file:
        assert np.array_equal(file.data, cells())
        assert file.voxel_size.x == pytest.approx(10.0)
    layer = out.layer("segmented instances")
    assert layer["segments"] == ["5", "700"]
    assert len(set(layer["segmentColors"].values())) == 2
    assert layer["source"]["url"].endswith("instancesegmentationmask.zarr/|zarr2:")


def test_objects_on_another_grid_are_brought_to_that_of_the_tomogram(tiny, ingest) -> None:
    write_mrc(tiny.lab / "R1_cells.mrc", cells().repeat(2, 0).repeat(2, 1).repeat(2, 2), 5.0)
    out = ingest(instances(rescale=True))
    assert np.array_equal(out.zarr(), cells())
    assert not out.problems


def test_more_objects_than_the_viewer_lists_are_all_shown(tiny, ingest) -> None:
    write_mrc(tiny.lab / "R1_cells.mrc", np.arange(12 * 20 * 24, dtype=np.uint16).reshape(SHAPE), 10.0)
    out = ingest(instances())
    assert out.sidecar["object_count"] == 12 * 20 * 24 - 1
    assert not {"segments", "segmentColors", "segmentDefaultColor"} & set(out.layer("segmented instances"))


def test_labels_that_no_mrc_holds_are_published_as_zarr(tiny, ingest) -> None:
    data = cells().astype(np.uint32)
    data[data == 700] = 3_000_000_000
    put_zarr(tiny.lab / "R1_cells.zarr", data)
    out = ingest(instances("zarr"))
    assert [file["format"] for file in out.sidecar["files"]] == ["zarr"]
    assert np.array_equal(out.zarr(), data)
    assert "3000000000" in out.problems["mrc-left-out"].message


def test_masks_of_both_kinds_make_one_annotation_and_go_together(tiny, ingest) -> None:
    write_mrc(tiny.lab / "R1_cells.mrc", cells(), 10.0)
    out = ingest(instances(is_visualization_default=True), semantic("{run_name}_mask.mrc", mask_label=2))
    assert {(file["format"], file["shape"]) for file in out.sidecar["files"]} == {
        (kind, shape)
        for kind in ("zarr", "mrc")
        for shape in ("SegmentationMask", "InstanceSegmentationMask")
    }
    slabs = sorted(path.name for path in out.files.glob(".tomoportal/slabs/**/Annotations/*.npz"))
    assert [name.partition("-")[2] for name in slabs] == [
        "instancesegmentationmask.npz",
        "segmentationmask.npz",
    ]


def test_probabilities_are_no_labels(tiny, ingest) -> None:
    write_mrc(
        tiny.lab / "R1_cells.mrc", np.linspace(0, 1, 12 * 20 * 24, dtype=np.float32).reshape(SHAPE), 10.0
    )
    out = ingest(instances())
    assert out.sidecar is None
    assert "is no label" in out.problems["annotation-failed"].message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (semantic("R1_none.mrc"), "no voxel has the mask label 1; the labels in it are 0"),
        (
            semantic("R1_mask.mrc", mask_label=9),
            "no voxel has the mask label 9; the labels in it are 0, 1, 2",
        ),
        (semantic("R1_mask.mrc", threshold=3.5), "no voxel reaches the threshold 3.5"),
        (
            {"InstanceSegmentationMask": {"file_format": "mrc", "glob_string": "R1_none.mrc"}},
            "no voxel has a label above 0",
        ),
    ],
)
def test_a_mask_of_nothing_is_left_out_beside_another(tiny, ingest, source, words: str) -> None:
    write_mrc(tiny.lab / "R1_none.mrc", np.zeros(SHAPE, np.int8), 10.0)
    out = ingest({"Point": {"file_format": "csv", "glob_string": "{run_name}.csv"}}, source)
    assert [file["shape"] for file in out.sidecar["files"]] == ["Point"]
    assert words in out.problems["left-out"].message


def test_probabilities_become_a_mask_by_their_threshold(tiny, ingest) -> None:
    data = np.random.default_rng(3).random(SHAPE).astype(np.float32)
    put_zarr(tiny.lab / "R1_p.zarr", data)
    out = ingest(semantic("{run_name}_p.zarr", "zarr", threshold=0.75))
    assert np.array_equal(out.zarr(), data >= np.float32(0.75))


@pytest.mark.parametrize("make", [lambda: instances(), lambda: semantic("R1_cells.mrc", mask_label=5)])
def test_a_mask_of_another_size_is_told(tiny, ingest, make) -> None:
    write_mrc(tiny.lab / "R1_cells.mrc", cells((12, 20, 30)), 10.0)
    problem = ingest(make()).problems["mask-size"]
    assert "30 × 20 × 12" in problem.message
    assert "24 × 20 × 12" in problem.message
    assert "rescale: true" in problem.hint


def test_surfaces_are_made_when_asked_for_and_stay(tiny, ingest, tmp_path) -> None:
    source = semantic("{run_name}_mask.mrc", mask_label=2)
    assert "surface" not in str(ingest(source).layer("segmentation")["source"])

    def again(**options: Any) -> Published:
        selection = Selection.of(**options)
        return ingest(source, selection=selection)

    out = again(meshes=True)
    volume, drawn = out.layer("segmentation")["source"]
    assert volume["url"].endswith("segmentationmask.zarr/|zarr2:")
    home = out.files / drawn["url"].removeprefix("{files}/").removeprefix("{files}").partition("|")[0]
    assert json.loads((home / "info").read_text())["@type"] == "neuroglancer_legacy_mesh"
    made = (home / "1").read_bytes()
    (count,) = np.frombuffer(made, "<u4", 1)
    vertices = np.frombuffer(made, "<f4", 3 * int(count), offset=4).reshape(-1, 3)
    faces = np.frombuffer(made, "<u4", offset=4 + 12 * int(count)).reshape(-1, 3)
    surface = trimesh.Trimesh(vertices, faces, process=False)
    voxels = np.argwhere(out.zarr())[:, ::-1]
    assert surface.is_watertight
    assert np.allclose(surface.center_mass, voxels.mean(axis=0), atol=0.1)
    assert np.allclose(surface.bounds, [voxels.min(axis=0) - 0.5, voxels.max(axis=0) + 0.5], atol=0.5)

    written = (home / "1").stat().st_mtime_ns
    again()
    assert (home / "1").stat().st_mtime_ns == written
    tiny.run("R2")
    again()
    assert (home / "1").stat().st_mtime_ns == written
    again(meshes=False)
    assert not home.exists()


def test_objects_get_surfaces_of_their_own(tiny, ingest) -> None:
    write_mrc(tiny.lab / "R1_cells.mrc", cells(), 10.0)
    out = ingest(instances(), selection=Selection.of(meshes=True))
    layer = out.layer("segmented instances")
    home = out.files / layer["source"][1]["url"].removeprefix("{files}").strip("/").partition("/|")[0]
    for label in (5, 700):
        (fragment,) = json.loads((home / f"{label}:0").read_text())["fragments"]
        made = (home / fragment).read_bytes()
        (count,) = np.frombuffer(made, "<u4", 1)
        vertices = np.frombuffer(made, "<f4", 3 * int(count), offset=4).reshape(-1, 3)
        voxels = np.argwhere(cells() == label)[:, ::-1]
        ends = [voxels.min(axis=0) - 0.5, voxels.max(axis=0) + 0.5]
        assert np.allclose([vertices.min(axis=0), vertices.max(axis=0)], ends, atol=0.5)
    assert layer["segments"] == ["5", "700"]
