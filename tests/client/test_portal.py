"""The client against a real server."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from fixtures_server import serving
from tomoportal import Annotation, Client, Dataset, Run, TiltSeries, Tomogram
from tomoportal.client import download
from tomoportal.errors import QueryError, RemoteError, UsageError


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
        yield client


def _digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_finding_counting_ordering_and_pages(client):
    runs = Run.find(client, order_by=[Run.name.descending()])
    assert [run.name for run in runs] == ["TS_002", "TS_001"]
    assert Run.count(client) == 2
    assert [run.name for run in Run.find(client, order_by=[Run.name.ascending()], limit=1, offset=1)] == [
        "TS_002"
    ]
    assert Run.find(client, [Run.name == "TS_001", Run.name == "TS_002"]) == []


def test_relations_lead_there_and_back(client):
    (run,) = Run.find(client, [Run.name == "TS_001"])
    assert run.dataset.id == 10901
    assert {tomogram.run_id for tomogram in run.tomograms} == {run.id}
    assert run.dataset.deposition.authors[0].name


def test_one_result_can_be_used_directly_and_several_cannot(client):
    assert Run.find(client, Run.name == "TS_001").dataset_id == 10901
    with pytest.raises(AttributeError, match="there are 2 results"):
        _ = Run.find(client).dataset_id


def test_nothing_found(client):
    assert Dataset.get_by_id(client, 1) is None
    assert Annotation.find(client, Annotation.object_name == "unicorn") == []


def test_dates_and_dictionaries(client):
    dataset = Dataset.get_by_id(client, 10901)
    assert dataset.release_date.year == 2025
    assert dataset.to_dict()["title"] == dataset.title


def test_an_mrc_arrives_whole(client, demo_portal, tmp_path):
    tomogram = Tomogram.find(client, limit=1)[0]
    path = tomogram.download_mrcfile(tmp_path)
    assert path.stat().st_size == tomogram.file_size_mrc
    stored = demo_portal.layout / tomogram.https_mrc_file.partition("/files/")[2]
    assert path.read_bytes() == stored.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_everything_of_a_run_arrives(client, demo_portal, tmp_path):
    (run,) = Run.find(client, [Run.name == "TS_002"])
    folder = run.download_everything(tmp_path)
    stored = demo_portal.layout / "10901" / "TS_002"
    assert _digests(folder) == _digests(stored)


def test_a_second_download_fetches_only_what_is_missing(client, tmp_path):
    series = TiltSeries.find(client, limit=1)[0]
    folder = series.download_omezarr(tmp_path)
    kept = folder / "0" / ".zarray"
    before = kept.stat().st_mtime_ns
    (folder / ".zattrs").unlink()
    series.download_omezarr(tmp_path)
    assert (folder / ".zattrs").is_file()
    assert kept.stat().st_mtime_ns == before


def test_what_an_entity_does_not_have_is_said(client, tmp_path):
    with pytest.raises(UsageError, match="Run has no https_mrc_file"):
        Run.find(client, limit=1)[0].download_mrcfile(tmp_path)


def test_a_wrong_filter_is_a_query_error(client):
    with pytest.raises(QueryError, match="is no filter"):
        Run.find(client, [True])
    with pytest.raises(QueryError):
        client.query("{ nonsense }")


def test_no_portal_there_is_a_sentence():
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(RemoteError, match="cannot be reached"):
        Run.find(nobody)


def _answering(handler) -> Client:
    client = Client("http://portal.test")
    client._http = httpx.Client(transport=httpx.MockTransport(handler))
    return client


def test_an_error_page_is_never_saved_as_the_file(tmp_path):
    with (
        _answering(lambda _: httpx.Response(404, text="no")) as client,
        pytest.raises(RemoteError, match="answered 404"),
    ):
        download._file(client, "http://portal.test/files/a.mrc", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_listing_cannot_write_outside_the_destination(tmp_path):
    page = """<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Contents>
      <Key>10901/good</Key><Size>4</Size></Contents><Contents>
      <Key>10901/../../evil</Key><Size>4</Size></Contents></ListBucketResult>"""
    with (
        _answering(lambda _: httpx.Response(200, text=page)) as client,
        pytest.raises(RemoteError, match="leave the destination"),
    ):
        download._tree(client, "s3://tomoportal/10901/", tmp_path / "here")
    assert not list(tmp_path.iterdir())


def test_a_file_gets_its_name_back_from_its_address(tmp_path):
    with _answering(lambda _: httpx.Response(200, content=b"data")) as client:
        found = download._file(client, "http://portal.test/files/10/a%23b%20c.mrc", tmp_path)
        inside = download._file(client, "http://portal.test/files/10/..%2F..%2Fb.mrc", tmp_path)
    assert found == tmp_path / "a#b c.mrc"
    assert inside == tmp_path / "b.mrc"
