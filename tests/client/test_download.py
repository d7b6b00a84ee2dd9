"""Downloads from a real server: whole, never mixed, never kept when the portal has something else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import httpx
import pytest

from fixtures_server import serving
from tomoportal import Annotation, AnnotationFile, Client, Deposition, Run, TiltSeries, Tomogram
from tomoportal.client import transfer
from tomoportal.errors import RemoteError, UsageError


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
        yield client


@pytest.fixture(scope="module")
def tomograms(client):
    """Two of one run: their files have the same names."""
    return Tomogram.find(client, Tomogram.run.name == "TS_001", limit=2)


def _digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
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
    assert _names(tmp_path) == {"TS_001.mrc", ".TS_001.mrc.origin"}


def test_everything_of_a_run_arrives(client, demo_portal, tmp_path):
    (run,) = Run.find(client, [Run.name == "TS_002"])
    folder = run.download_everything(tmp_path)
    assert _digests(folder) == _digests(demo_portal.layout / "10901" / "TS_002")
    assert _names(tmp_path) == {"TS_002", ".TS_002.origin"}


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
    assert _names(tmp_path) == {path.name, f".{path.name}.origin"}


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
        mrc, folder = tomogram.download_mrcfile(here), tomogram.download_omezarr(here)
        stored_mrc = _stored(demo_copy, tomogram.https_mrc_file)
        stored_note = _stored(demo_copy, tomogram.https_omezarr_dir) / ".zattrs"
        for stored in (stored_mrc, stored_note):
            stored.write_bytes(stored.read_bytes()[:-1] + b" ")
        for method in (tomogram.download_mrcfile, tomogram.download_omezarr):
            with pytest.raises(UsageError, match="not what the portal has today"):
                method(here)
            method(here, overwrite=True)
        assert mrc.read_bytes() == stored_mrc.read_bytes()
        assert (folder / ".zattrs").read_bytes() == stored_note.read_bytes()


def test_a_broken_off_folder_is_taken_up_again(tomograms, tmp_path, monkeypatch):
    asked: list[str] = []
    stream = Client.stream

    def breaking(self, url):
        asked.append(url)
        if len(asked) == 6:
            raise httpx.ReadError("cable pulled")
        return stream(self, url)

    monkeypatch.setattr(Client, "stream", breaking)
    with pytest.raises(RemoteError, match="cable pulled"):
        tomograms[0].download_omezarr(tmp_path)
    assert not (tmp_path / "TS_001.zarr").exists()
    first = set(asked[:-1])
    (work,) = tmp_path.iterdir()
    stale = work / "content" / "stale"
    stale.write_bytes(b"no longer at the portal")
    folder = tomograms[0].download_omezarr(tmp_path)
    again = first & set(asked[6:])
    assert all("list-type=2" in url for url in again), "what had come is not fetched twice"
    assert not (folder / "stale").exists()
    monkeypatch.undo()
    tomograms[0].download_omezarr(tmp_path / "fresh")
    assert _digests(folder) == _digests(tmp_path / "fresh" / "TS_001.zarr")


def test_the_parts_of_two_entities_are_never_mixed(tomograms, tmp_path):
    first, second = tomograms
    second.download_omezarr(tmp_path / "second")
    first.download_omezarr(tmp_path / "first")
    (tmp_path / "both").mkdir()
    address = json.loads((tmp_path / "second" / ".TS_001.zarr.origin").read_text())["address"]
    broken = transfer._work(tmp_path / "both" / "TS_001.zarr", address)
    shutil.copytree(tmp_path / "second" / "TS_001.zarr", broken / "content")
    first.download_omezarr(tmp_path / "both")
    assert _digests(tmp_path / "both" / "TS_001.zarr") == _digests(tmp_path / "first" / "TS_001.zarr")


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

    assert offered(Run) == {"download_everything"}
    assert offered(Annotation) == {"download", "download_metadata"}
    assert offered(AnnotationFile) == {"download"}
    assert offered(Deposition) == set()
    assert offered(TiltSeries) == {"download_mrcfile", "download_omezarr", "download_angle_list"}
    assert offered(Tomogram) == {"download_mrcfile", "download_omezarr", "download_all_annotations"}
    series = TiltSeries.find(client, limit=1)[0]
    series.__dict__["https_mrc_file"] = None
    with pytest.raises(UsageError, match="has no file of this kind"):
        series.download_mrcfile()


def _answering(handler) -> Client:
    client = Client("http://portal.test")
    client._http = httpx.Client(transport=httpx.MockTransport(handler))
    return client


def test_an_error_page_is_never_saved_as_the_file(tmp_path):
    with (
        _answering(lambda _: httpx.Response(404, text="no")) as client,
        pytest.raises(RemoteError, match="answered 404"),
    ):
        transfer.fetch_file(client, "http://portal.test/files/a.mrc", tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_no_listing_is_said(tmp_path):
    with (
        _answering(lambda _: httpx.Response(200, text="<html><br>")) as client,
        pytest.raises(RemoteError, match="did not answer with a listing"),
    ):
        transfer.fetch_tree(client, "s3://tomoportal/10901/", tmp_path)


def test_a_destination_that_is_a_file_is_said(tomograms, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be made or used as a folder"):
        tomograms[0].download_mrcfile(tmp_path / "file")


@pytest.mark.parametrize("evil", ["10901/../../evil", "10901//evil", "elsewhere"])
def test_a_listing_cannot_write_outside_the_destination(evil, tmp_path):
    page = f"""<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Contents>
      <Key>10901/good</Key><Size>4</Size></Contents><Contents>
      <Key>{evil}</Key><Size>4</Size></Contents></ListBucketResult>"""
    with (
        _answering(lambda _: httpx.Response(200, text=page)) as client,
        pytest.raises(RemoteError, match="leave the destination"),
    ):
        transfer.fetch_tree(client, "s3://tomoportal/10901/", tmp_path / "here")
    assert not list(tmp_path.iterdir())


def test_a_file_gets_its_name_back_from_its_address(tmp_path):
    with _answering(lambda _: httpx.Response(200, content=b"data")) as client:
        found = transfer.fetch_file(client, "http://portal.test/files/10/a%23b%20c.mrc", tmp_path)
        inside = transfer.fetch_file(client, "http://portal.test/files/10/..%2F..%2Fb.mrc", tmp_path)
        with pytest.raises(RemoteError, match="no name"):
            transfer.fetch_file(client, "http://portal.test/files/..", tmp_path)
    assert found == tmp_path / "a#b c.mrc"
    assert inside == tmp_path / "b.mrc"


def test_a_file_that_changes_while_its_folder_is_fetched_is_noticed(tmp_path):
    page = """<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Contents><Key>1/a</Key>
      <ETag>"old"</ETag><Size>4</Size></Contents></ListBucketResult>"""

    def answer(request):
        if "list-type" in str(request.url):
            return httpx.Response(200, text=page)
        return httpx.Response(200, content=b"data", headers={"ETag": '"new"'})

    with _answering(answer) as client, pytest.raises(RemoteError, match="changed while"):
        transfer.fetch_tree(client, "s3://tomoportal/1/", tmp_path)
    assert not os.path.exists(tmp_path / "1")
