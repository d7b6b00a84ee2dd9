"""The file service over real HTTP: bytes, ranges, conditions, and what must not be given out."""

from __future__ import annotations

import asyncio
import email
import http.client
import json
import socket
import time
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path

import psutil
import pytest

from tomoportal.api import sending
from tomoportal.api.content import Opened, open_file
from tomoportal.api.content_types import content_type
from tomoportal.api.portal import Portal

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
MRC = f"{HOME}/Tomograms/100/volume.mrc"
CHUNK = f"{HOME}/Tomograms/100/volume.zarr/0/0/0/0"
BIG = 3_000_001


def test_every_public_file_arrives_whole(get, public_files):
    from urllib.parse import quote

    for path, content in public_files.items():
        answer = get(f"/files/{quote(path)}", accept_encoding="gzip, br")
        assert answer.status_code == 200, path
        assert answer.content == content
        assert answer.headers["content-length"] == str(len(content))
        assert "content-encoding" not in answer.headers
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=2999990-", (2999990, BIG)),
        ("bytes=-7", (BIG - 7, BIG)),
        ("bytes=-99999999", (0, BIG)),
        ("bytes=100-99999999", (100, BIG)),
        ("bytes=5-2500000", (5, 2500001)),
    ],
)
def test_one_range(get, public_files, asked, span):
    answer = get(f"/files/{MRC}", range=asked)
    assert answer.status_code == 206
    assert answer.content == public_files[MRC][slice(*span)]
    assert answer.headers["content-range"] == f"bytes {span[0]}-{span[1] - 1}/{BIG}"
    head = get(f"/files/{MRC}", "HEAD", range=asked)
    assert head.status_code == 206
    assert head.content == b""
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize(
    "asked",
    [
        "pages=1-2",
        "bytes=0-1,5-a",
        "bytes=" + ",".join(f"{at}-{at}" for at in range(0, 2_000_000, 20_000)),
        "bytes=-",
        "bytes=9-3",
        "bytes=a-b",
        f"bytes={'9' * 5000}-",
        f"bytes=-{'9' * 5000}",
    ],
)
def test_what_is_not_one_range_gives_the_whole(get, asked):
    answer = get(f"/files/{MRC}", "HEAD", range=asked)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(BIG)


@pytest.mark.parametrize(
    "asked",
    [
        [(0, 2)],
        [(0, 2), (500, 506)],
        [(BIG - 9, BIG), (7, 8), (1_000_000, 2_500_000)],
        [(at, at + 3) for at in range(0, 640_000, 10_000)],
    ],
)
def test_several_ranges_come_as_parts(get, public_files, asked):
    span = "bytes=" + ", ".join(f"{start}-{end - 1}" for start, end in asked)
    answer = get(f"/files/{MRC}", range=span)
    assert answer.status_code == 206
    assert answer.headers["content-length"] == str(len(answer.content))
    head = get(f"/files/{MRC}", "HEAD", range=span)
    assert (head.status_code, head.headers["content-length"]) == (206, answer.headers["content-length"])
    if len(asked) == 1:
        assert answer.content == public_files[MRC][slice(*asked[0])]
        return
    assert "content-range" not in answer.headers
    kind = answer.headers["content-type"].encode()
    message = email.message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + answer.content)
    assert message.get_content_type() == "multipart/byteranges"
    assert not message.defects
    parts = message.get_payload()
    assert [part["Content-Range"] for part in parts] == [f"bytes {a}-{b - 1}/{BIG}" for a, b in asked]
    assert [part.get_payload(decode=True) for part in parts] == [public_files[MRC][a:b] for a, b in asked]


def test_ranges_that_touch_come_as_one(get, public_files):
    answer = get(f"/files/{MRC}", range="bytes=100-199,0-99,200-")
    assert answer.headers["content-range"] == f"bytes 0-{BIG - 1}/{BIG}"
    assert answer.content == public_files[MRC]


@pytest.mark.parametrize("asked", [f"bytes={BIG}-", "bytes=-0", f"bytes={BIG}-,-0"])
def test_range_beyond_the_end(get, asked):
    answer = get(f"/files/{MRC}", range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{BIG}"
    assert str(BIG) in answer.json()["error"]["message"]


def test_head_tells_what_get_tells(get):
    there, head = get(f"/files/{MRC}"), get(f"/files/{MRC}", "HEAD")
    for name in ("content-length", "etag", "last-modified", "content-type", "accept-ranges"):
        assert head.headers[name] == there.headers[name]
    assert head.content == b""


def test_what_the_client_has_is_not_sent_again(get):
    first = get(f"/files/{CHUNK}")
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"if_none_match": tag},
        {"if_none_match": f'"x", W/{tag}'},
        {"if_none_match": "*"},
        {"if_modified_since": date},
    ):
        answer = get(f"/files/{CHUNK}", **headers)
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == tag
    assert get(f"/files/{CHUNK}", if_none_match='"x"', if_modified_since=date).status_code == 200
    assert get(f"/files/{CHUNK}", if_modified_since=formatdate(0, usegmt=True)).status_code == 200


def test_a_range_of_another_version_gives_the_whole(get):
    tag = get(f"/files/{MRC}", "HEAD").headers["etag"]
    date = get(f"/files/{MRC}", "HEAD").headers["last-modified"]
    assert get(f"/files/{MRC}", "HEAD", range="bytes=0-4", if_range=tag).status_code == 206
    assert get(f"/files/{MRC}", "HEAD", range="bytes=0-4", if_range=date).status_code == 206
    assert get(f"/files/{MRC}", "HEAD", range="bytes=0-4", if_range='"other"').status_code == 200
    assert get(f"/files/{MRC}", "HEAD", if_match='"other"').status_code == 412
    assert get(f"/files/{MRC}", "HEAD", if_match=tag).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "30003/TS_01/Reconstructions/VoxelSpacing10.000/Tomograms/100/volume.mrc",
        "30003/dataset_metadata.json",
        f"{HOME}/Annotations/102/thylakoid.glb",
        f"{HOME}/NeuroglancerPrecompute/102-mesh_precompute/info",
        "30001/TS_01/private.txt",
        "30001/TS_01/early.txt",
        "30001/TS_01/later/dataset_metadata.json",
        f"{HOME}/NeuroglancerPrecompute/100-neuroglancer-config.json",
        "99999/unknown.txt",
        ".tomoportal/datasets/30001/index.json",
        "30001/../.tomoportal/datasets/30001/index.json",
        "30001/%2e%2e/.tomoportal/datasets/30001/index.json",
        "30001/%2E%2E%2f.tomoportal/datasets/30001/index.json",
        "30001/.tmp-123",
        "30001/TS_01/.hidden/x",
        "30001/TS_01/leak.txt",
        "30001/TS_01/absent.txt",
        "30001/TS_01",
        "30001/TS_01/Gains/VoxelSpacing10.000/Annotations/102/thylakoid.glb",
        "30001/TS_01/out/outside.txt",
        "30001//TS_01/run_metadata.json",
        "/etc/passwd",
        "%2fetc/passwd",
        "../outside.txt",
        "%2e%2e/outside.txt",
        "..%2foutside.txt",
        "%252e%252e/outside.txt",
        "30001/TS_01/run_metadata.json%00.png",
        "30001/TS_01/run_metadata.json/x",
        "30001\\TS_01\\run_metadata.json",
        "30001/" + "x" * 5000,
        "30001/" + "x/" * 3000 + "x",
        "30001/%ff%fe",
        "30001/%c3",
        "30001/%",
        "30001/%zz",
        "30001/TS_01/..%5c..%5c.tomoportal",
        "30001/./dataset_metadata.json",
        "%2e/30001/dataset_metadata.json",
        "30001/TS_01/%2e%2e/%2e%2e/30003/dataset_metadata.json",
        "30003%2fdataset_metadata.json",
        "30001/TS_01/run_metadata.json%0d%0aX-Evil:%201",
        "~root/.ssh/id_rsa",
        "/",
        "//",
        "../",
        "30001//",
        "30001/TS_01/../",
        "30003/",
        "30003/TS_01/",
        "30001/TS_01/later/",
        "30001/TS_01/out/",
        ".tomoportal/",
        "30001/TS_01/.hidden/",
        "99999/",
        f"{HOME}/Annotations/102/",
        f"{HOME}/NeuroglancerPrecompute/102-mesh_precompute/",
        "30001/TS_01/Gains/VoxelSpacing10.000/Annotations/102/",
        "30001/dataset_metadata.json/",
        "30001/" + "x" * 5000 + "/",
        "30001/%ff/",
        "30001/%00/",
    ],
)
def test_what_must_not_be_seen_is_not_there(served, path):
    connection = http.client.HTTPConnection(served.removeprefix("http://"), timeout=20)
    connection.request("GET", f"/files/{path}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 404
    assert json.loads(body)["error"]["code"] == "not-found"
    assert b"secret" not in body
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_link_inside_the_tree_is_followed(get):
    assert get("/files/30001/TS_01/inside.txt").content == b"{}"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_files_cannot_be_changed(get, method):
    answer = get(f"/files/{CHUNK}", method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert method in answer.json()["error"]["message"]


def test_a_script_of_another_site_may_ask_for_ranges(get):
    headers = {"origin": "https://other.example", "access_control_request_method": "GET"}
    answer = get(f"/files/{CHUNK}", "OPTIONS", access_control_request_headers="range", **headers)
    assert answer.status_code == 204
    assert "Range" in answer.headers["access-control-allow-headers"]
    exposed = get(f"/files/{CHUNK}", **headers).headers["access-control-expose-headers"]
    assert {"Content-Range", "Content-Length", "ETag", "Accept-Ranges"} <= set(exposed.split(", "))


def test_no_stored_file_can_run_in_the_browser(get, root):
    (root / "30001/TS_01/page.html").write_text("<script>alert(1)</script>")
    answer = get("/files/30001/TS_01/page.html")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_being_replaced_answers_later(get, root: Path):
    marker = root / f"{HOME}/Tomograms/100/.replacing"
    marker.write_text("{}")
    try:
        for path in (MRC, CHUNK, f"{HOME}/Images/100/key-photo-snapshot.png"):
            answer = get(f"/files/{path}")
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "again" in answer.json()["error"]["message"]
        assert get(f"/files/{HOME}/Tomograms/101/volume.mrc").status_code == 200
        assert get(f"/files/{HOME}/Tomograms/100/.replacing").status_code == 404
    finally:
        marker.unlink()
    assert get(f"/files/{MRC}").status_code == 200


def test_a_new_version_has_another_tag(get, root: Path):
    file = root / "30001/TS_02/run_metadata.json"
    before = get("/files/30001/TS_02/run_metadata.json").headers["etag"]
    other = file.with_name("new")
    other.write_bytes(b"{  }")
    other.replace(file)
    after = get("/files/30001/TS_02/run_metadata.json", if_none_match=before)
    assert after.status_code == 200
    assert after.content == b"{  }"


def test_a_client_that_goes_away_does_no_harm(get, served):
    host, port = served.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as connection:
            request = f"GET /files/{MRC} HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n"
            connection.sendall(request.encode())
            connection.recv(100)
    assert get(f"/files/{CHUNK}").status_code == 200


def test_an_abandoned_download_is_not_read_to_its_end(served, root: Path):
    huge = root / f"{HOME}/Tomograms/100/huge.mrc"
    with huge.open("wb") as file:
        file.truncate(3 << 30)

    def read_so_far() -> int:
        return sum(child.io_counters().read_chars for child in psutil.Process().children(recursive=True))

    host, port = served.removeprefix("http://").split(":")
    before = read_so_far()
    path = huge.relative_to(root).as_posix()
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET /files/{path} HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n".encode())
        connection.recv(100)
    time.sleep(2)
    huge.unlink()
    assert read_so_far() - before < 100e6


def test_errors_are_sentences(get):
    error = json.loads(get("/files/30001/nothing").text)["error"]
    assert error == {"code": "not-found", "message": "There is no such file here.", "where": "30001/nothing"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mrc", "application/octet-stream"),
        ("a.eer", "application/octet-stream"),
        ("a.dm4", "application/octet-stream"),
        ("a.zarr/0/0/0", "application/octet-stream"),
        ("a.zarr/.zattrs", "application/json"),
        ("a.zarr/.zarray", "application/json"),
        ("a.zarr/zarr.json", "application/json"),
        ("a/info", "application/json"),
        ("a.json", "application/json"),
        ("a.ndjson", "application/x-ndjson"),
        ("a.png", "image/png"),
        ("a.JPEG", "image/jpeg"),
        ("a.tif", "image/tiff"),
        ("a.glb", "model/gltf-binary"),
        ("a.star", "text/plain; charset=utf-8"),
        ("a.mdoc", "text/plain; charset=utf-8"),
        ("a.rawtlt", "text/plain; charset=utf-8"),
        ("a_ctf.txt", "text/plain; charset=utf-8"),
        ("a.xml", "text/plain; charset=utf-8"),
        ("a.svg", "application/octet-stream"),
        ("a.html", "application/octet-stream"),
        ("a.js", "application/octet-stream"),
    ],
)
def test_content_types(name, kind):
    assert content_type(f"30001/TS_01/{name}") == kind.encode()


def test_every_header_of_get_is_one_of_head(get, public_files):
    for path in (MRC, CHUNK, "30001/dataset_metadata.json"):
        there, head = get(f"/files/{path}"), get(f"/files/{path}", "HEAD")
        assert {**head.headers, "date": ""} == {**there.headers, "date": ""}
        assert not there.headers["etag"].startswith("W/")


def test_unmodified_since(get):
    date = get(f"/files/{CHUNK}").headers["last-modified"]
    assert get(f"/files/{CHUNK}", if_unmodified_since=date).status_code == 200
    answer = get(f"/files/{CHUNK}", if_unmodified_since=formatdate(0, usegmt=True))
    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "changed"
    assert get(f"/files/{CHUNK}", if_unmodified_since="yesterday", if_modified_since="now").status_code == 200


def test_words_of_ctf_and_pictures_are_served(get, root: Path):
    for path in (
        "30001/TS_01/TiltSeries/100/TS_01_ctf.txt",
        "30001/Images/snapshot.png",
        "DepositionMetadata/20001/Images/thumbnail.png",
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"words")
        assert get(f"/files/{path}").content == b"words"
        file.unlink()


def test_readers_that_take_nothing_keep_nobody_waiting(get, served, root: Path):
    huge = root / f"{HOME}/Tomograms/100/huge.mrc"
    with huge.open("wb") as file:
        file.truncate(64 << 20)
    host, port = served.removeprefix("http://").split(":")
    path = huge.relative_to(root).as_posix()
    with ExitStack() as lazy:
        for number in range(200):
            connection = lazy.enter_context(socket.create_connection((host, int(port)), timeout=20))
            span = "Range: bytes=1-\r\n" if number % 2 else ""
            connection.sendall(f"GET /files/{path} HTTP/1.1\r\nHost: x\r\n{span}\r\n".encode())
            assert connection.recv(12) == (b"HTTP/1.1 206" if number % 2 else b"HTTP/1.1 200")
        assert get(f"/files/{CHUNK}").status_code == 200
        assert get(f"/files/{path}", range="bytes=9-3000000").status_code == 206
        assert get("/browse-data/datasets").status_code == 200
        assert get("/s3/tomoportal?list-type=2&delimiter=/").status_code == 200
    huge.unlink()


def test_a_reader_that_takes_nothing_is_given_up(monkeypatch, portal_settings, caplog):
    monkeypatch.setattr(sending, "PATIENCE", 0.01)
    portal = Portal(portal_settings)
    scope = {"method": "GET", "headers": [(b"range", b"bytes=1-")]}
    sent = []

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def receive():
        await asyncio.Event().wait()

    async def serve() -> Opened:
        opened = await open_file(portal, MRC, scope)
        await sending.send_opened(portal, opened, scope, receive, send, b"x/y", [])
        return opened

    opened = asyncio.run(serve())
    portal.close()
    assert opened.handle == -1
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert "given up" in caplog.text
