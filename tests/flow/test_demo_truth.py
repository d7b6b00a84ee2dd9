"""What was put into the phantom comes out of the portal where the annotations say, through GraphQL and the downloads."""

from __future__ import annotations

import re

import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from demo_oracle import centres, darkness
from fixtures_server import serving
from tomoportal import AnnotationFile, Client, Run, Tomogram
from tomoportal.formats.particles import read_ndjson

RUN = "TS_001"
RIBOSOME = "cytosolic ribosome"


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
        yield client


@pytest.fixture(scope="module")
def facts(demo_portal):
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][RUN]


@pytest.fixture(scope="module")
def tomogram(client):
    finest = Tomogram.find(client, [Tomogram.run.name == RUN], order_by=[Tomogram.voxel_spacing.ascending()])
    return next(one for one in finest if one.processing == "raw")


@pytest.fixture(scope="module")
def volume(tomogram, tmp_path_factory):
    path = tomogram.download_mrcfile(tmp_path_factory.mktemp("mrc"))
    with mrcfile.open(path) as file:
        assert float(file.voxel_size.x) == pytest.approx(tomogram.voxel_spacing)
        return file.data.astype(np.float32)


def _files(client, shape, **where):
    filters = [
        AnnotationFile.annotation_shape.shape_type == shape,
        AnnotationFile.annotation_shape.annotation.run.name == RUN,
        AnnotationFile.annotation_shape.annotation.ground_truth_status == True,  # noqa: E712
    ]
    found = AnnotationFile.find(client, filters)
    return [one for one in found if all(getattr(one, name) == value for name, value in where.items())]


@pytest.fixture(scope="module")
def points(client, tomogram):
    files = _files(client, "Point", tomogram_voxel_spacing_id=tomogram.tomogram_voxel_spacing_id)
    (file,) = [one for one in files if one.annotation_shape.annotation.object_name == RIBOSOME]
    with client.stream(file.https_path) as response:
        return read_ndjson(response.read(), file.https_path).of(None).positions


def test_the_published_points_are_those_of_the_truth(points, facts, tomogram):
    true = centres(facts, f"{tomogram.voxel_spacing:.3f}")
    assert len(points) == len(true)
    distances = np.linalg.norm(points[:, None] - true[None], axis=2).min(axis=1)
    assert distances.max() < 0.51, "each point lies within half a voxel per rounding of a true centre"


def test_density_lies_where_the_points_are_and_nowhere_else(points, volume, tomogram):
    def score(xyz):
        return float(np.mean(darkness(volume, xyz, tomogram.voxel_spacing)))

    size = np.array(volume.shape[::-1])
    random = np.random.default_rng(3).uniform(4, size - 5, (400, 3))
    mirrored = [np.where([axis == i for i in range(3)], size - 1 - points, points) for axis in range(3)]
    true = score(points)
    assert true > 3
    assert true > score(random) + 3
    assert true > max(score(xyz) for xyz in mirrored) + 2
    assert true > score(points[:, [1, 0, 2]]) + 2


def test_the_zarr_holds_the_same_numbers_as_the_mrc(tomogram, volume, tmp_path):
    group = zarr.open_group(tomogram.download_omezarr(tmp_path), mode="r")
    np.testing.assert_array_equal(group["0"][:].astype(np.float32), volume)
    scale = group.attrs["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scale == pytest.approx([tomogram.voxel_spacing] * 3)


def test_a_mask_fills_the_volume_that_was_simulated(client, facts, tomogram, tmp_path):
    spacing = tomogram.tomogram_voxel_spacing_id
    for file in _files(client, "SegmentationMask", format="mrc", tomogram_voxel_spacing_id=spacing):
        name = file.annotation_shape.annotation.object_name
        label = facts["labels"].get(name.replace(" ", "_")) or facts["labels"].get(name)
        if label is None:
            continue
        path = tmp_path / f"{name}.mrc"
        with client.stream(file.https_path) as response:
            path.write_bytes(response.read())
        with mrcfile.open(path) as mask:
            assert int(mask.data.sum()) == label["voxels"]
        break
    else:
        pytest.fail("no mask has a counterpart in the truth table")


def test_the_angles_and_alignment_are_those_that_were_simulated(client, facts):
    (run,) = Run.find(client, [Run.name == RUN])
    (series,) = run.tiltseries
    raw = sorted(section.raw_angle for section in series.per_section_parameters)
    assert raw == pytest.approx(sorted(facts["nominal_angles"]), abs=0.01)
    (alignment,) = run.alignments
    sections = sorted(alignment.per_section_alignments, key=lambda one: one.z_index)
    assert [one.tilt_angle for one in sections] == pytest.approx(facts["refined_angles"], abs=0.01)
    for section, (a11, a12, a21, a22, dx, dy) in zip(sections, facts["transforms"], strict=True):
        np.testing.assert_allclose(section.in_plane_rotation, [[a11, a21], [a12, a22]], atol=1e-6)
        shift = np.array([[a11, a21], [a12, a22]]) @ [-dx, -dy] * series.pixel_spacing
        np.testing.assert_allclose(
            [section.x_offset, section.y_offset], shift, atol=2e-3 * series.pixel_spacing
        )


@pytest.fixture(scope="module")
def recorded(client, demo_portal):
    """The run whose movies were kept, as the portal tells it, and what was simulated."""
    (dataset,) = demo_portal.truth["datasets"].values()
    ((name, facts),) = [(name, run) for name, run in dataset["runs"].items() if "acquisition" in run]
    (run,) = Run.find(client, [Run.name == name])
    return run, facts


def test_movies_doses_and_order_are_those_that_were_simulated(recorded):
    run, facts = recorded
    taken = facts["acquisition"]
    frames = sorted(run.frames, key=lambda frame: frame.acquisition_order)
    assert [frame.https_frame_path.rpartition("/")[2] for frame in frames] == taken["movies"]
    dose = taken["dose_per_image"]
    assert [frame.exposure_dose for frame in frames] == [dose] * len(frames)
    assert [frame.accumulated_dose for frame in frames] == pytest.approx(
        [dose * n for n in range(len(frames))]
    )
    assert {frame.is_gain_corrected for frame in frames} == {False}
    by_frame = {frame.id: angle for frame, angle in zip(frames, taken["acquired_angles"], strict=True)}
    for section in run.per_section_parameters:
        assert section.raw_angle == pytest.approx(by_frame[section.frame_id], abs=0.006)


def test_movies_corrected_by_their_gain_add_up_to_the_tilt_image(recorded, client, tmp_path):
    run, _ = recorded
    (gain,) = run.gain_files
    (series,) = run.tiltseries
    frame = max(run.frames, key=lambda one: one.acquisition_order)
    (section,) = frame.per_section_parameters
    for address, name in ((gain.https_file_path, "gain.mrc"), (frame.https_frame_path, "movie.tif")):
        with client.stream(address) as response:
            (tmp_path / name).write_bytes(response.read())
    factors, images = mrcfile.read(tmp_path / "gain.mrc"), tifffile.imread(tmp_path / "movie.tif")
    corrected = (images * factors).sum(axis=0)
    tilt = mrcfile.read(series.download_mrcfile(tmp_path))[section.z_index].astype(float)
    side = [4 * n for n in corrected.shape]
    mean = tilt[: side[0], : side[1]].reshape(corrected.shape[0], 4, corrected.shape[1], 4).mean(axis=(1, 3))
    assert np.abs(corrected - mean).max() < 0.02 * mean.mean()


def test_ctf_estimates_lie_around_the_defocus_that_was_simulated(recorded, demo_portal):
    run, facts = recorded
    written = np.loadtxt(demo_portal.files.source / "cell_periphery" / facts["files"]["ctf"])
    sections = sorted(run.per_section_parameters, key=lambda section: section.z_index)
    names = ("major_defocus", "minor_defocus", "astigmatic_angle", "phase_shift", "max_resolution")
    told = [[getattr(section, name) for name in names] for section in sections]
    np.testing.assert_allclose(told, written[:, [1, 2, 3, 4, 6]])
    assert abs(np.mean(told, axis=0)[0] - facts["acquisition"]["defocus"]) < 150


def test_the_page_of_the_run_tells_the_defocus(recorded, client):
    run, facts = recorded
    with client.stream(f"{client.url.removesuffix('/graphql')}/runs/{run.id}") as response:
        page = response.read().decode()
    told = re.search(r"Defocus.*?([\d.]+) to ([\d.]+)\u202fµm, 41 images", page, re.DOTALL)
    least, most = sorted(float(value) for value in told.groups())
    assert least < facts["acquisition"]["defocus"] / 1e4 < most
    assert most - least < 0.2
