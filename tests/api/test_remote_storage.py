"""The same services when the files lie in an object store."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.client import Config

from fixtures_catalog import small_portal
from fixtures_proxy import Harm, Proxy, Request, proxy_to
from fixtures_s3 import S3Server, s3_server  # noqa: F401
from fixtures_server import serving
from tomoportal.api.listing import page
from tomoportal.api.portal import Portal
from tomoportal.settings import Settings

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
MRC = f"{HOME}/Tomograms/100/volume.mrc"
CONTENT = bytes(range(251)) * 40_000


@pytest.fixture(scope="module")
def line(s3_server: S3Server) -> Iterator[Proxy]:  # noqa: F811
    """What lies between the portal and its store."""
    with proxy_to(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def settings(
    s3_server: S3Server,  # noqa: F811
    line: Proxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:
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
        for name, value in {**s3_server.environment, "AWS_ENDPOINT_URL": line.endpoint}.items():
            patch.setenv(name, value)
        yield settings


@pytest.fixture(scope="module")
def remote(settings: Settings) -> Iterator[httpx.Client]:
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


@pytest.fixture
def harm(line: Proxy) -> Iterator[Callable[[Callable[[Request], Harm | None]], None]]:
    """`harm(function)` does harm to what passes the line, until the end of the test."""

    def begin(function: Callable[[Request], Harm | None]) -> None:
        line.harm = function

    yield begin
    line.harm, line.rate = lambda _: None, 0.0


def first_byte(request: Request) -> int:
    """Where the range of a request to the store begins."""
    return int(request.range.removeprefix("bytes=").partition("-")[0] or 0)


@pytest.mark.parametrize(("service", "status"), [("/files", 502), ("/s3/tomoportal", 500)])
def test_an_answer_that_cannot_begin_is_an_error(remote, harm, service, status):
    harm(lambda request: Harm.SHORTENED if request.method == "GET" and request.range else None)
    answer = remote.get(f"{service}/{MRC}")
    assert answer.status_code == status
    assert "try again later" in answer.text
    assert remote.head(f"{service}/{MRC}").status_code == 200


@pytest.mark.parametrize(
    ("service", "kind"),
    [("/files", Harm.DROPPED), ("/files", Harm.SHORTENED), ("/s3/tomoportal", Harm.SHORTENED)],
)
def test_an_answer_that_cannot_end_breaks_off(remote, harm, service, kind):
    harm(lambda request: kind if request.method == "GET" and first_byte(request) >= 4 << 20 else None)
    with remote.stream("GET", f"{service}/{MRC}") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-length"] == str(len(CONTENT))
        with pytest.raises(httpx.RemoteProtocolError):
            list(answer.iter_bytes())


def test_passing_trouble_is_not_noticed(remote, harm, line):
    cut: set[str] = set()

    def first_time(request: Request) -> Harm | None:
        if not request.range or request.range in cut or first_byte(request) % (4 << 20):
            return None
        cut.add(request.range)
        return Harm.CUT

    harm(first_time)
    line.rate = 40e6
    assert remote.get(f"/files/{MRC}").content == CONTENT
    assert len(cut) == 3


def test_an_object_that_is_replaced_meanwhile_is_not_sent_as_a_mix(remote, harm, s3_server):  # noqa: F811
    path = "30001/TS_01/long.bin"
    old, new = b"o" * 9_000_000, b"n" * 9_000_000
    put = partial(s3_server.client().put_object, Bucket="portal", Key=f"data/{path}")
    put(Body=old)

    def replace(request: Request) -> None:
        if request.method == "GET" and 4 << 20 <= first_byte(request) < 8 << 20:
            put(Body=new)

    harm(replace)
    with pytest.raises(httpx.RemoteProtocolError):
        remote.get(f"/files/{path}")
    harm(lambda _: None)
    assert remote.get(f"/files/{path}").content == new


def test_several_ranges(remote):
    answer = remote.get(f"/files/{MRC}", headers={"range": "bytes=0-4,9000000-9500000"})
    assert answer.status_code == 206
    assert answer.headers["content-length"] == str(len(answer.content))
    for part in (CONTENT[:5], CONTENT[9_000_000:9_500_001]):
        assert part in answer.content


@pytest.fixture(scope="module")
def many(remote, s3_server) -> list[str]:  # noqa: F811
    """Keys of a volume with many chunks, and of their neighbours."""
    home = f"{HOME}/Tomograms/100"
    names = [f"{home}/many.zarr/0/{z}/{y}/{x} é+" for z in range(5) for y in range(5) for x in range(5)]
    names += [f"{home}/many.zarr.txt", f"{home}/many.zarr-1/0"]
    with ThreadPoolExecutor(8) as threads:
        put = partial(s3_server.client().put_object, Bucket="portal", Body=b"1")
        list(threads.map(lambda name: put(Key=f"data/{name}"), names))
    return sorted([*names, MRC])


@pytest.fixture(scope="module")
def client(remote: httpx.Client) -> Any:
    config = Config(signature_version=UNSIGNED)
    return boto3.client(
        "s3", endpoint_url=f"{remote.base_url.join('/s3')}", region_name="us-east-1", config=config
    )


@pytest.mark.parametrize("size", [45, 1000])
@pytest.mark.parametrize("prefix", ["", "/", "/many.zarr", "/many.zarr/0/1", "/many.zarr/0/1/", "/many.zarr.txt", "/none"])  # fmt: skip
def test_pages_of_a_remote_listing(client, many, prefix, size):
    prefix, sizes = f"{HOME}/Tomograms/100{prefix}", {"PageSize": size}
    expected = [key for key in many if key.startswith(prefix)]
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="tomoportal", Prefix=prefix, PaginationConfig=sizes
    )
    assert [item["Key"] for page in pages for item in page.get("Contents", [])] == expected
    folded: dict[str, None] = {}
    for key in expected:
        head, slash, _ = key[len(prefix) :].partition("/")
        folded[f"{prefix}{head}{slash}"] = None
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="tomoportal", Prefix=prefix, Delimiter="/", PaginationConfig=sizes
    )
    found = [
        name
        for page in pages
        for name in sorted(
            [item["Key"] for item in page.get("Contents", [])]
            + [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        )
    ]
    assert found == list(folded)


def test_a_page_costs_a_page(client, many, line):
    before = len(line.seen)
    answer = client.list_objects_v2(
        Bucket="tomoportal", Prefix=f"{HOME}/Tomograms/100/many.zarr/", MaxKeys=10, StartAfter=many[-20]
    )
    assert next(item["Key"] for item in answer["Contents"]) > many[-20]
    lists = [request.target for request in line.seen[before:] if "list-type" in request.target]
    assert len(lists) == 1
    assert "start-after" in lists[0]


def test_a_store_in_disorder_is_listed_in_order(settings, many, monkeypatch):
    portal = Portal(settings)
    home = f"{HOME}/Tomograms/100"
    shuffled = [*portal.storage.list(home)]
    random.Random(3).shuffle(shuffled)
    monkeypatch.setattr(type(portal.storage), "list_after", lambda *_: iter(shuffled))
    found = page(portal, f"{home}/", "", many[3], 50)
    assert [entry.path for entry in found.entries] == many[4:54]
    assert found.last == many[53]
    portal.close()
