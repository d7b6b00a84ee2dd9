"""The same services when the files lie in an object store."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from fixtures_catalog import small_portal
from fixtures_s3 import S3Server, s3_server  # noqa: F401
from fixtures_server import serving
from tomoportal.settings import Settings

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
MRC = f"{HOME}/Tomograms/100/volume.mrc"
CONTENT = bytes(range(251)) * 40_000


@pytest.fixture(scope="module")
def remote(
    s3_server: S3Server,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("remote")
    small_portal(folder).close()
    s3_server.bucket("portal")
    stored = {
        MRC: CONTENT,
        "30001/TS_01/run_metadata.json": b"{}",
        "30003/dataset_metadata.json": b"secret",
        ".tomoportal/x": b"secret",
        f"{HOME}/Tomograms/101/.replacing": b"{}",
        f"{HOME}/Tomograms/101/volume.mrc": b"half",
    }
    for path, content in stored.items():
        s3_server.client().put_object(Bucket="portal", Key=f"data/{path}", Body=content)
    settings = Settings(storage="s3://portal/data", database=f"sqlite:///{folder / 'catalog.sqlite'}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        with serving(settings) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield client


def test_whole_file_in_pieces(remote: httpx.Client):
    answer = remote.get(f"/files/{MRC}")
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert remote.get(f"/files/{MRC}", headers={"if-none-match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(("asked", "start", "end"), [("5-9", 5, 10), ("-3", -3, None), ("9000000-", 9_000_000, None)])  # fmt: skip
def test_range(remote: httpx.Client, asked, start, end):
    answer = remote.get(f"/s3/tomoportal/{MRC}", headers={"range": f"bytes={asked}"})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]


@pytest.mark.parametrize(
    "path", ["30003/dataset_metadata.json", ".tomoportal/x", "30001/TS_01/absent", "30001/TS_01", "../x"]
)
def test_what_must_not_be_seen(remote: httpx.Client, path):
    answer = remote.get(f"/files/{path}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def test_replaced_entity(remote: httpx.Client):
    assert remote.get(f"/files/{HOME}/Tomograms/101/volume.mrc").status_code == 503


def test_listing(remote: httpx.Client):
    answer = remote.get("/s3/tomoportal", params={"list-type": "2", "prefix": f"{HOME}/Tomograms/100"})
    assert answer.text.count("<Key>") == 1
    assert f"<Key>{MRC}</Key>" in answer.text
    answer = remote.get("/s3/tomoportal", params={"list-type": "2", "prefix": "30003"})
    assert "<KeyCount>0</KeyCount>" in answer.text
    answer = remote.get("/s3/tomoportal", params={"list-type": "2", "prefix": f"{HOME}/Tomograms/"})
    assert answer.status_code == 503
