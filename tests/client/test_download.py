"""Downloads from a real server: whole, never mixed, never kept when the portal has something else."""

from __future__ import annotations

import hashlib
import json
import zlib

import pytest

from fixtures_server import serving
from tomoportal import (
    Alignment,
    Annotation,
    AnnotationFile,
    Client,
    Dataset,
    Deposition,
    Frame,
    FrameAcquisitionFile,
    GainFile,
    Run,
    TiltSeries,
    Tomogram,
    TomogramVoxelSpacing,
)
from tomoportal.errors import RemoteError, UsageError
from tomoportal.layout.sums import read_sums, sums_bytes, sums_path
from tomoportal.storage import LocalStorage

NOTES = ".tomoportal-downloads"


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
        yield client


@pytest.fixture(scope="module")
def tomograms(client):
    """Two of one run: their files have the same names."""
    return Tomogram.find(client, Tomogram.run.name == "TS_001", limit=2)


def _digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != NOTES)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def _stored(portal, address):
    return portal.layout / address.partition("/files/")[2]


def _names(folder):
    return {path.name for path in folder.iterdir()}


def test_an_mrc_arrives_whole(client, demo_portal, tomograms, tmp_path):
    path = tomograms[0].download_mrcfile(tmp_path)
    assert path.read_bytes() == _stored(demo_portal, tomograms[0].https_mrc_file).read_bytes()
    assert _names(tmp_path) == {"TS_001.mrc", NOTES}


def test_everything_of_a_run_arrives(client, demo_portal, tmp_path):
    (run,) = Run.find(client, [Run.name == "TS_002"])
    folder = run.download_everything(tmp_path)
    assert _digests(folder) == _digests(demo_portal.layout / "10901" / "TS_002")
    assert _names(tmp_path) == {"TS_002"}


@pytest.mark.parametrize("method", ["download_mrcfile", "download_omezarr"])
def test_another_entity_of_the_same_name_is_refused_and_replaces_only_when_told(
    method, tomograms, tmp_path, demo_portal
):
    first, second = tomograms
    path = getattr(first, method)(tmp_path)
    before = _digests(tmp_path)
    with pytest.raises(UsageError, match=rf"{path.name} was downloaded from http.*choose another folder"):
        getattr(second, method)(tmp_path)
    assert _digests(tmp_path) == before
    assert getattr(second, method)(tmp_path, overwrite=True) == path
    stored = _stored(demo_portal, second.https_mrc_file if path.is_file() else second.https_omezarr_dir)
    if path.is_file():
        assert path.read_bytes() == stored.read_bytes()
    else:
        assert _digests(path) == _digests(stored), "no chunk of the first is left"
    assert _names(tmp_path) == {path.name, NOTES}


def test_what_is_there_and_unchanged_is_not_touched(tomograms, tmp_path):
    mrc, folder = tomograms[0].download_mrcfile(tmp_path), tomograms[0].download_omezarr(tmp_path)
    before = [path.stat().st_mtime_ns for path in (mrc, folder, folder / "0" / ".zarray")]
    tomograms[0].download_mrcfile(tmp_path, overwrite=True)
    tomograms[0].download_omezarr(tmp_path)
    assert [path.stat().st_mtime_ns for path in (mrc, folder, folder / "0" / ".zarray")] == before


def test_a_file_of_unknown_origin_is_kept(tomograms, tmp_path):
    (tmp_path / "TS_001.mrc").write_bytes(b"mine")
    with pytest.raises(UsageError, match="nothing tells where it comes from"):
        tomograms[0].download_mrcfile(tmp_path)
    assert (tmp_path / "TS_001.mrc").read_bytes() == b"mine"


def test_a_folder_that_lost_a_file_is_noticed(client, tmp_path):
    series = TiltSeries.find(client, limit=1)[0]
    folder = series.download_omezarr(tmp_path)
    whole = _digests(folder)
    (folder / ".zattrs").unlink()
    with pytest.raises(UsageError, match="not what the portal has today"):
        series.download_omezarr(tmp_path)
    series.download_omezarr(tmp_path, overwrite=True)
    assert _digests(folder) == whole


def test_a_change_at_the_portal_is_noticed_though_the_size_is_the_same(demo_copy, tmp_path):
    here = tmp_path / "here"
    with serving(demo_copy.settings) as url, Client(url) as client:
        tomogram = Tomogram.find(client, limit=1)[0]
        folder = tomogram.download_omezarr(here)
        stored = _stored(demo_copy, tomogram.https_omezarr_dir) / ".zattrs"
        changed = stored.read_bytes()[:-1] + b" "
        stored.write_bytes(changed)
        image = stored.parent.relative_to(demo_copy.layout).as_posix()
        sums = {
            path: int(known, 16) for path, known in read_sums(LocalStorage(demo_copy.layout), image).items()
        }
        (demo_copy.layout / sums_path(image)).write_bytes(
            sums_bytes({**sums, ".zattrs": zlib.crc32(changed)})
        )
        with pytest.raises(UsageError, match="not what the portal has today"):
            tomogram.download_omezarr(here)
        tomogram.download_omezarr(here, overwrite=True)
        assert (folder / ".zattrs").read_bytes() == stored.read_bytes()


def test_a_file_that_rotted_at_the_portal_is_not_kept(demo_copy, tmp_path):
    with serving(demo_copy.settings) as url, Client(url) as client:
        tomogram = Tomogram.find(client, limit=1)[0]
        stored = _stored(demo_copy, tomogram.https_mrc_file)
        data = bytearray(stored.read_bytes())
        data[5000] ^= 1
        stored.write_bytes(data)
        with pytest.raises(RemoteError, match="does not have the checksum that was recorded"):
            tomogram.download_mrcfile(tmp_path / "here")
    assert not (tmp_path / "here" / "TS_001.mrc").exists()


def test_the_same_file_brought_by_another_tool_is_taken_by_its_checksum(
    client, demo_portal, tomograms, tmp_path
):
    target = tmp_path / "TS_001.mrc"
    target.write_bytes(_stored(demo_portal, tomograms[0].https_mrc_file).read_bytes())
    before = target.stat().st_mtime_ns
    assert tomograms[0].download_mrcfile(tmp_path) == target
    assert target.stat().st_mtime_ns == before


def test_verifying_finds_what_changed_here_behind_the_clocks_back(tomograms, tmp_path):
    import os

    target = tomograms[0].download_mrcfile(tmp_path)
    found = target.stat()
    with target.open("r+b") as file:
        file.seek(3000)
        file.write(b"rot")
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    tomograms[0].download_mrcfile(tmp_path)
    with pytest.raises(UsageError, match="not what the portal has today"):
        tomograms[0].download_mrcfile(tmp_path, verify=True)


def test_an_annotation_comes_with_its_metadata(client, demo_portal, tmp_path):
    file = AnnotationFile.find(client, AnnotationFile.annotation_shape.shape_type == "SegmentationMask")[0]
    annotation = file.annotation_shape.annotation
    paths = annotation.download(tmp_path)
    wanted = [one for shape in annotation.annotation_shapes for one in shape.annotation_files]
    assert len(paths) == len(wanted) + 1
    assert {path.suffix for path in paths} >= {".mrc", ".zarr", ".json"}
    for one, path in zip(wanted, paths, strict=False):
        stored = _stored(demo_portal, one.https_path)
        same = (
            _digests(path) == _digests(stored) if path.is_dir() else path.read_bytes() == stored.read_bytes()
        )
        assert same, path
    assert json.loads(paths[-1].read_text())["annotation_object"]["name"] == annotation.object_name


def test_formats_and_shapes_can_be_chosen(client, tmp_path):
    point = Annotation.find(client, Annotation.annotation_shapes.shape_type == "Point")[0]
    (points, metadata) = point.download(tmp_path, format="ndjson", shape="Point")
    assert (points.suffix, metadata.suffix) == (".ndjson", ".json")
    assert point.download(tmp_path / "none", format="unknown") == []


def test_all_annotations_of_a_tomogram(client, tomograms, tmp_path):
    tomogram = tomograms[0]
    frame = [
        AnnotationFile.tomogram_voxel_spacing_id == tomogram.tomogram_voxel_spacing_id,
        AnnotationFile.alignment_id == tomogram.alignment_id,
    ]
    for number, (chosen, more) in enumerate(
        [
            ({}, []),
            (
                {"format": "ndjson", "shape": "Point"},
                [
                    AnnotationFile.format == "ndjson",
                    AnnotationFile.annotation_shape.shape_type == "Point",
                ],
            ),
        ]
    ):
        folder = tmp_path / str(number)
        paths = tomogram.download_all_annotations(folder, **chosen)
        wanted = AnnotationFile.find(client, frame + more)
        ids = {file.annotation_shape.annotation_id for file in wanted}
        assert ids
        assert {int(path.name) for path in folder.iterdir()} == ids
        assert len(set(paths)) == len(paths) == len(wanted) + len(ids)
        assert all(path.exists() for path in paths)


def test_each_class_has_the_downloads_that_work_for_it(client):
    def offered(kind):
        return {name for name in dir(kind) if name.startswith("download")}

    volume = {"download_mrcfile", "download_omezarr"}
    assert offered(Dataset) == offered(TomogramVoxelSpacing) == offered(Deposition) == {"download_everything"}
    assert offered(Run) == {"download_everything", "download_frames", "download_frame_acquisition_files"}
    assert offered(Annotation) == {"download", "download_metadata"}
    single = {"download"}
    assert all(
        offered(kind) == single for kind in (AnnotationFile, Alignment, Frame, GainFile, FrameAcquisitionFile)
    )
    more = {"download_angle_list", "download_alignment_file", "download_collection_metadata"}
    assert offered(TiltSeries) == volume | more
    assert offered(Tomogram) == volume | {"download_all_annotations"}


def test_what_an_entity_does_not_have_is_said(client, tmp_path):
    series = TiltSeries.find(client, limit=1)[0]
    series.__dict__["https_mrc_file"] = None
    with pytest.raises(UsageError, match="has no file of this kind"):
        series.download_mrcfile(tmp_path)


def test_a_destination_that_is_a_file_is_said(tomograms, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be made or used as a folder"):
        tomograms[0].download_mrcfile(tmp_path / "file")


def test_a_run_brings_its_frames_and_acquisition_files(client, demo_portal, tmp_path):
    run = Run.find(client, Run.frames.s3_frame_path != None)[0]  # noqa: E711
    stored = demo_portal.layout / str(run.dataset_id) / run.name
    assert _digests(run.download_frames(tmp_path)) == _digests(stored / "Frames")
    mdocs = run.download_frame_acquisition_files(tmp_path / "mdocs")
    assert [path.read_bytes() for path in mdocs] == [
        _stored(demo_portal, file.https_mdoc_path).read_bytes() for file in run.frame_acquisition_files
    ]
    frame = Frame.find(client, [Frame.run_id == run.id, Frame.s3_frame_path != None])[0]  # noqa: E711
    assert (
        frame.download(tmp_path / "one").read_bytes()
        == _stored(demo_portal, frame.https_frame_path).read_bytes()
    )


def test_gains_come_alone(client, demo_portal, tmp_path):
    gain = GainFile.find(client)[0]
    assert gain.download(tmp_path).read_bytes() == _stored(demo_portal, gain.https_file_path).read_bytes()


def test_a_tilt_series_brings_its_alignment_and_acquisition_files(client, demo_portal, tmp_path):
    series = TiltSeries.find(client)[0]
    (alignment,) = series.alignments
    paths = series.download_alignment_file(tmp_path / "alignment")
    stored = _stored(demo_portal, alignment.https_alignment_metadata).parent
    assert _digests(tmp_path / "alignment") == _digests(stored)
    assert {path.suffix for path in paths} >= {".xf", ".tlt", ".json"}
    assert alignment.download(tmp_path / "alignment") == paths
    mdocs = series.download_collection_metadata(tmp_path)
    assert {path.name for path in mdocs} == {
        file.https_mdoc_path.rpartition("/")[2] for file in series.run.frame_acquisition_files
    }
    angles = series.download_angle_list(tmp_path)
    assert angles.read_bytes() == _stored(demo_portal, series.https_angle_list).read_bytes()


def test_a_voxel_spacing_keeps_its_place_in_the_run(client, demo_portal, tmp_path):
    spacing = TomogramVoxelSpacing.find(client)[0]
    folder = spacing.download_everything(tmp_path)
    assert folder.relative_to(tmp_path).parts[0] == "Reconstructions"
    assert _digests(folder) == _digests(_stored(demo_portal, spacing.https_prefix))


def test_a_deposition_brings_what_was_deposited(client, demo_portal, tmp_path):
    deposition = Deposition.find(client)[0]
    paths = deposition.download_everything(tmp_path, only=("annotations", "alignments"))
    files = AnnotationFile.find(
        client, AnnotationFile.annotation_shape.annotation.deposition_id == deposition.id
    )
    assert {tmp_path / file.https_path.partition("/files/")[2] for file in files} <= set(paths)
    assert all((demo_portal.layout / path.relative_to(tmp_path)).exists() for path in paths)
    assert not list(tmp_path.rglob("Tomograms"))
    assert not list(tmp_path.rglob("deposition_metadata.json"))
    with pytest.raises(UsageError, match="no kind of data"):
        deposition.download_everything(tmp_path, only="tomgrams")
