"""The main job on real files: check, plan, ingest, serve, download with the official client; compared with independent readers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from fixtures_command import FlowPortal, Ran, contents, tomoportal
from fixtures_demo import settings_in
from fixtures_server import serving
from real_deposition import RUNS, Real, collect, deposition_file
from tomoportal.layout.private import read_index
from tomoportal.storage import open_storage

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TOMOPORTAL_SHARED", ROOT.parent / "shared")) / "data"
OFFICIAL = ROOT / ".cache/official/bin/python"
TOMOGRAMS = [run for run in RUNS if run.tomogram]
MASKS = [run for run in RUNS if run.mask]
STACKS = [run for run in RUNS if run.stack]

pytestmark = [
    pytest.mark.skipif(
        not DATA.is_dir(),
        reason=f"the sample data are not there ({DATA}); TOMOPORTAL_SHARED names another place",
    ),
    pytest.mark.filterwarnings("ignore::RuntimeWarning:mrcfile"),
]


@dataclass(frozen=True)
class Journey:
    """What each command said, the portal that came of it, and its files before and after the second ingestion."""

    portal: FlowPortal
    said: dict[str, Ran]
    unchanged: bool

    def stored(self, run: Real, kind: str, name: str) -> Path:
        """A file of the first tomogram, tilt series or alignment of a run."""
        places = {
            "Tomograms": f"Reconstructions/VoxelSpacing{run.spacing:.3f}/Tomograms/100",
            "Annotations": f"Reconstructions/VoxelSpacing{run.spacing:.3f}/Annotations/100",
        }
        return self.portal.layout / "20002" / run.name / places.get(kind, f"{kind}/100") / name

    def sidecar(self, run: Real, kind: str, name: str) -> dict[str, Any]:
        return json.loads(self.stored(run, kind, name).read_text())


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    folder = tmp_path_factory.mktemp("real")
    source, portal = folder / "source", FlowPortal(folder / "portal")
    collect(DATA, source)
    config, before = deposition_file(folder / "real.yaml"), contents(folder)
    said = {
        "check": tomoportal("check", config, "--source", source, "--storage", portal.layout),
        "plan": portal.plan(config, source),
    }
    assert contents(folder) == before, "check and plan write nothing"
    said["ingest"] = portal.ingest(config, source)
    first = contents(portal.layout)
    said["again"] = tomoportal("ingest", config, "--source", source, *portal.options)
    return Journey(portal, said, contents(portal.layout) == first)


def original(path: str) -> np.ndarray:
    """A sample volume (z, y, x) as other readers give it."""
    if path.endswith(".tif"):
        return tifffile.imread(DATA / path)
    with mrcfile.open(DATA / path, permissive=True) as file:
        data = np.array(file.data)
        axes = (int(file.header.mapc), int(file.header.mapr), int(file.header.maps))
    if path.endswith("mrc3D.mrc"):
        data = data.view(np.uint8)
    return np.moveaxis(data, (2, 1, 0), [{1: 2, 2: 1, 3: 0}[axis] for axis in axes])


def mdoc_values(path: str, key: str) -> list[float]:
    """The values of a key in the sections of an mdoc, by plain text (the usual library refuses one of these files)."""
    text = (DATA / path).read_text().replace("\r", "")
    return [float(value) for value in re.findall(rf"^{key} = (\S+)$", text, re.MULTILINE)]


def test_the_deposition_file_is_faultless_and_everything_is_found(journey):
    assert journey.said["check"].code == 0
    assert "no problems" in journey.said["check"].out
    assert "16 runs, 3 tiltseries, 2 rawtilts, 5 collection_metadata" in journey.said["check"].out
    assert journey.said["plan"].code == 0
    assert journey.said["plan"].out.splitlines()[-1].startswith("46 to do, reading 24.2 MB; 0 unchanged")


def test_everything_is_published_and_the_second_time_nothing_is_done(journey):
    ran = journey.said["ingest"]
    assert (ran.code, ran.err) == (0, "")
    assert not [problem for problem in ran.problems if problem["severity"] != "warning"]
    again = journey.said["again"]
    assert again.code == 0
    assert again.out.startswith("Nothing to do: ")
    assert journey.unchanged
    portal = journey.portal
    assert {row["name"] for row in portal.rows("Run", "name")} == {run.name for run in RUNS}
    assert len(portal.rows("Tomogram")) == len(TOMOGRAMS)
    assert len(portal.rows("TiltSeries")) == len(STACKS)
    assert len(portal.rows("Annotation")) == len(MASKS) + 1


def test_what_was_tolerated_is_told_with_the_file_and_both_numbers(journey):
    told: dict[str, dict[str, str]] = {}
    for problem in journey.said["ingest"].problems:
        told.setdefault(problem["where"].split("/")[1], {})[problem["code"]] = (
            f"{problem['file']}: {problem['message']}"
        )
    haadf = "real/etspy/etspy/tests/test_data/HAADF.mrc: the pixel size 33.6000 Å comes from the FEI extended header; "
    assert told["HAADF"]["mrc-fei-pixel-size"] == haadf + "the main header says 1.0000 Å."
    assert "HAADF.rawtlt: there is no mdoc" in told["HAADF"]["no-mdoc"]
    assert "test_000.mrc: there is no angle list" in told["test_000"]["angles-from-mdoc"]
    assert "mrc3D.mrc: bytes 209-212 hold" in told["mrc3D"]["mrc-map-id"]
    assert "unsigned bytes become uint16" in told["mrc3D"]["dtype-changed"]
    assert "x 0.4483 Å, y 0.3925 Å, z 0.4587 Å" in told["EMD-3001"]["voxel-size-uneven"]
    assert "axes z, x, y" in told["EMD-3001"]["mrc-axis-order"]
    assert "x, y, z = -21, -12, 0 voxels; `offset` is 0, 0, 0" in told["EMD-3001"]["metadata-offset"]
    assert "voxel size of 1.0000 Å, 6.8400 Å is published" in told["vesicle"]["voxel-size-differs"]
    assert "16843009" in told["vesicle"]["mrc-version"]
    assert (
        "global_no_local.xf: the pixel spacing of the tilt series is not known"
        in told["aligned"]["alignment-pixel-spacing"]
    )
    alone = {"aligned", "imod_1"}
    contradicted = "the angles go from -4.38° to 2.013°; `tilt_range` is -40° to 40°"
    assert told["TS_run1"]["metadata-tilt-range"].endswith(contradicted)
    alone |= {"TS_run1"}
    assert set(told) == {"HAADF", "test_000", "mrc3D", "EMD-3001", "emd_5625", "ribosome", "vesicle", *alone}


@pytest.mark.parametrize("run", TOMOGRAMS, ids=lambda run: run.name)
def test_tomograms_hold_the_voxels_of_their_sources(journey, run):
    expected = original(run.tomogram)
    with mrcfile.open(journey.stored(run, "Tomograms", f"{run.name}.mrc")) as file:
        np.testing.assert_array_equal(file.data, expected)
        np.testing.assert_allclose([file.voxel_size[axis] for axis in "xyz"], run.spacing, rtol=1e-6)
        assert file.data.dtype == {np.dtype(np.uint8): np.uint16}.get(
            expected.dtype, expected.dtype
        ) or run.tomogram.endswith("tif")
    group = zarr.open_group(journey.stored(run, "Tomograms", f"{run.name}.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][...], expected)
    (scales,) = group.attrs["multiscales"]
    first = scales["datasets"][0]["coordinateTransformations"][0]["scale"]
    np.testing.assert_allclose(first, run.spacing)
    sidecar = journey.sidecar(run, "Tomograms", "tomogram-metadata.json")
    assert sidecar["size"] == dict(zip("zyx", expected.shape, strict=True))
    (row,) = [
        row
        for row in journey.portal.rows("Tomogram", "name", "size_x", "size_z", "voxel_spacing")
        if row["name"] == run.name
    ]
    assert (row["size_x"], row["size_z"], row["voxel_spacing"]) == (
        expected.shape[2],
        expected.shape[0],
        run.spacing,
    )


@pytest.mark.parametrize("run", STACKS, ids=lambda run: run.name)
def test_tilt_series_hold_the_images_of_their_sources(journey, run):
    expected = original(run.stack)
    with mrcfile.open(journey.stored(run, "TiltSeries", f"{run.name}.mrc")) as file:
        np.testing.assert_array_equal(file.data, expected)
        assert file.is_image_stack()
        assert file.voxel_size.x == pytest.approx(run.pixel)
    group = zarr.open_group(journey.stored(run, "TiltSeries", f"{run.name}.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][...], expected)
    assert group["1"].shape[0] == expected.shape[0], "the images of a tilt series are never averaged"
    sidecar = journey.sidecar(run, "TiltSeries", "tiltseries_metadata.json")
    assert sidecar["pixel_spacing"] == run.pixel
    if run.angles:
        copied = journey.stored(run, "TiltSeries", Path(run.angles).name)
        assert copied.read_bytes() == (DATA / run.angles).read_bytes()
        assert len(np.loadtxt(copied)) == expected.shape[0]


def test_sections_get_their_angle_and_their_place_in_the_acquisition(journey):
    (run,) = [run for run in RUNS if run.name == "TS_run1"]
    angles = np.loadtxt(DATA / run.angles)
    tilts = mdoc_values(run.mdoc, "TiltAngle")
    sections = journey.sidecar(run, "TiltSeries", "tiltseries_metadata.json")["per_section_parameter"]
    assert [section["raw_angle"] for section in sections] == angles.tolist()
    for section in sections:
        assert round(tilts[section["frame_acquisition_order"]], 2) == round(section["raw_angle"], 2)
    rows = journey.portal.rows("PerSectionParameters", "z_index", "raw_angle")
    listless = next(run for run in RUNS if run.name == "test_000")
    expected = [*angles, *mdoc_values(listless.mdoc, "TiltAngle")]
    assert sorted(row["raw_angle"] for row in rows) == sorted(expected)


@pytest.mark.parametrize("run", [run for run in RUNS if run.mdoc], ids=lambda run: run.name)
def test_frames_follow_the_mdoc(journey, run):
    frames = json.loads(
        (journey.portal.layout / f"20002/{run.name}/Frames/frames_metadata.json").read_text()
    )["frames"]
    tilts, exposures = mdoc_values(run.mdoc, "TiltAngle"), mdoc_values(run.mdoc, "ExposureDose")
    assert sorted(frame["raw_angle"] for frame in frames) == sorted(tilts)
    assert [frame["acquisition_order"] for frame in frames] == list(range(len(tilts)))
    before = [frame["accumulated_dose"] for frame in frames]
    doses = [frame["exposure_dose"] for frame in frames]
    if None not in doses:
        np.testing.assert_allclose(np.cumsum([0, *doses[:-1]]), before, rtol=1e-5, atol=1e-6)
    if len(exposures) == len(tilts) and min(exposures) > 0:
        assert sum(doses) == pytest.approx(sum(exposures), rel=1e-5)


@pytest.mark.parametrize("run", MASKS, ids=lambda run: run.name)
def test_masks_mark_exactly_the_voxels_of_their_label(journey, run):
    expected = original(run.mask) == run.label
    name = "membrane-1.0_segmentationmask"
    with mrcfile.open(journey.stored(run, "Annotations", f"{name}.mrc")) as file:
        assert file.data.dtype == np.int8
        assert int(file.data.sum()) == int(expected.sum()) > 0
        np.testing.assert_array_equal(file.data, expected)
        assert file.voxel_size.z == pytest.approx(run.spacing)
    group = zarr.open_group(journey.stored(run, "Annotations", f"{name}.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][...], expected)


def test_points_keep_their_numbers(journey):
    (run,) = [run for run in RUNS if run.points]
    lines = journey.stored(run, "Annotations", "ball-1.0_point.ndjson").read_text().splitlines()
    found = [[json.loads(line)["location"][axis] for axis in "xyz"] for line in lines]
    assert found == np.loadtxt(DATA / run.points, delimiter=",").tolist()


@pytest.mark.parametrize("run", [run for run in RUNS if run.alignment], ids=lambda run: run.name)
def test_alignments_are_copied_and_read(journey, run):
    sidecar = journey.sidecar(run, "Alignments", "alignment_metadata.json")
    for path in run.alignment:
        assert journey.stored(run, "Alignments", Path(path).name).read_bytes() == (DATA / path).read_bytes()
    xf, tlt = np.loadtxt(DATA / run.alignment[0]), np.loadtxt(DATA / run.alignment[1])
    sections = sidecar["per_section_alignment_parameters"]
    assert [section["tilt_angle"] for section in sections] == tlt.tolist()
    for section, line in zip(sections, xf, strict=True):
        np.testing.assert_allclose(section["in_plane_rotation"], line[:4].reshape(2, 2).T)
        assert (section["x_offset"], section["y_offset"]) == (None, None), "no tilt series, no pixel spacing"
    assert sidecar["volume_dimension"] == run.dimension


def test_recorded_checksums_are_those_of_the_files(journey):
    files = {
        path: file
        for record in read_index(open_storage(str(journey.portal.layout)), "20002") or []
        for path, file in record.files.items()
    }
    assert len(files) > 60
    for path, file in files.items():
        stored = journey.portal.layout / path
        if "probe" in file:
            sizes = [one.stat().st_size for one in stored.rglob("*") if one.is_file()]
            assert (len(sizes), sum(sizes)) == (file["count"], file["size"]), path
        else:
            assert hashlib.sha256(stored.read_bytes()).hexdigest() == file["sha256"], path


@dataclass(frozen=True)
class Downloads:
    """What the official client wrote and saw."""

    folder: Path
    seen: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def downloads(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Downloads:
    if not OFFICIAL.exists():
        pytest.skip("the official client is not installed (tests/prepare does it)")
    folder = tmp_path_factory.mktemp("downloads")
    with serving(settings_in(journey.portal.folder)) as url:
        environment = {**os.environ, "BOTO_ENDPOINT_URL": f"{url}/s3", "AWS_EC2_METADATA_DISABLED": "true"}
        command = [OFFICIAL, Path(__file__).with_name("download_real.py"), f"{url}/graphql", folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    return Downloads(folder, json.loads((folder / "seen.json").read_text()))


@pytest.mark.official
def test_the_official_client_downloads_every_byte(journey, downloads):
    stored = {path: data for path, data in journey.portal.public().items() if path.startswith("20002/")}
    got = contents(downloads.folder / "everything")
    assert set(got) == set(stored)
    assert [path for path in stored if got[path] != stored[path]] == []


@pytest.mark.official
def test_single_volumes_come_as_they_are_stored(journey, downloads):
    for kind, runs, folder in (("Tomogram", TOMOGRAMS, "Tomograms"), ("TiltSeries", STACKS, "TiltSeries")):
        for run in runs:
            home = downloads.folder / kind / run.name
            stored = journey.stored(run, folder, "")
            assert contents(home) == {
                path: data
                for path, data in contents(stored).items()
                if path.startswith((f"{run.name}.mrc", f"{run.name}.zarr/"))
            }


@pytest.mark.official
def test_the_official_client_sees_the_numbers_of_the_sources(downloads):
    names = {row["id"]: row["name"] for row in downloads.seen["Run"]}
    assert set(names.values()) == {run.name for run in RUNS}
    tomograms = {names[row["run_id"]]: row for row in downloads.seen["Tomogram"]}
    for run in TOMOGRAMS:
        row, shape = tomograms[run.name], original(run.tomogram).shape
        assert (row["size_z"], row["size_y"], row["size_x"]) == shape
        assert row["voxel_spacing"] == run.spacing
    stacks = {names[row["run_id"]]: row for row in downloads.seen["TiltSeries"]}
    for run in STACKS:
        assert stacks[run.name]["pixel_spacing"] == run.pixel
        assert stacks[run.name]["size_z"] == original(run.stack).shape[0]
    frames = downloads.seen["Frame"]
    assert len(frames) == sum(len(mdoc_values(run.mdoc, "TiltAngle")) for run in RUNS if run.mdoc)
    assert len(downloads.seen["PerSectionAlignmentParameters"]) == 61 + 59
