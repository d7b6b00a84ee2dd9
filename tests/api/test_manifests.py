"""`/api/manifest`: what is told of which paths, to whom."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
import zlib

import pytest

from fixtures_command import FlowPortal
from fixtures_demo import DemoPortal
from fixtures_server import serving
from tomoportal.layout.paths import Key, folder
from tomoportal.layout.tree import marker_of


@pytest.fixture(scope="module")
def url(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


def ask(url: str, body: object) -> list[dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/manifest", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Type"].startswith("application/x-ndjson")
        return [json.loads(line) for line in answer.read().splitlines()]


def refused(url: str, body: object) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(url, body)
    with caught.value as error:
        return error.code, json.loads(error.read())["error"]["message"]


def test_files_and_folders_are_told_in_order_with_recorded_checksums(url, demo_portal: DemoPortal):
    root = demo_portal.layout
    mrc = next(path for path in root.rglob("*.mrc") if "Tomograms" in path.parts).relative_to(root).as_posix()
    *lines, end = ask(url, {"paths": [mrc, "10901/TS_001/Frames/", "10901/dataset_metadata.json"]})
    assert [line["of"] for line in lines] == sorted(line["of"] for line in lines)
    assert {line["path"] for line in lines if line["of"] == 1} == {
        path.relative_to(root).as_posix() for path in (root / "10901/TS_001/Frames").iterdir()
    }
    for line in lines:
        data = (root / line["path"]).read_bytes()
        assert (line["size"], line["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        with urllib.request.urlopen(
            urllib.request.Request(f"{url}/files/{line['path']}", method="HEAD")
        ) as head:
            assert head.headers["ETag"] == f'"{line["etag"]}"'
    assert end == {"end": True, "files": len(lines), "bytes": sum(line["size"] for line in lines)}


def test_every_file_of_an_image_has_its_recorded_checksum(url, demo_portal: DemoPortal):
    root = demo_portal.layout
    images = [path.relative_to(root).as_posix() for path in root.rglob("*.zarr")]
    assert {kind for kind in ("Tomograms", "TiltSeries", "Annotations") if any(kind in path for path in images)} == {
        "Tomograms", "TiltSeries", "Annotations",
    }  # fmt: skip
    *lines, _ = ask(url, {"paths": images})
    assert len(lines) == sum(path.is_file() for image in images for path in (root / image).rglob("*"))
    for line in lines:
        assert line["crc32"] == f"{zlib.crc32((root / line['path']).read_bytes()):08x}"
        assert "sha256" not in line


@pytest.mark.parametrize(
    "path",
    [
        ".tomoportal",
        ".tomoportal/ids.json",
        "../x",
        "10901/../10901",
        "10901/nothing",
        "nowhere",
        "10901//TS_001",
        "a\x00b",
    ],
)
def test_what_may_not_be_seen_is_not_there(path, url):
    (line,) = ask(url, {"paths": [path]})
    assert (line["error"]["status"], line["error"]["code"], line["of"]) == (404, "not-found", 0)


def test_a_list_with_a_gap_does_not_end_well(url):
    lines = ask(url, {"paths": ["10901/dataset_metadata.json", "10901/nothing"]})
    assert lines[0]["path"] == "10901/dataset_metadata.json"
    assert lines[-1]["of"] == 1
    assert not any("end" in line for line in lines)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 400), (b"nonsense", 400), ([], 400), ({"paths": "10901"}, 400), ({"paths": [1]}, 400), (b"[" * 100_000, 400),
        ({"paths": ["a"] * 10_001}, 413), (b"x" * (5 << 20), 413),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(body, code, url):
    assert refused(url, body)[0] == code


def test_nothing_asked_nothing_told(url):
    assert ask(url, {"paths": []}) == [{"end": True, "files": 0, "bytes": 0}]


def test_what_is_being_replaced_is_told_as_busy(demo_copy):
    run = Key("run", dataset="10901", run="TS_001").of("tiltseries", id=100)
    sidecar = demo_copy.layout / folder(run) / "tiltseries_metadata.json"
    with serving(demo_copy.settings) as url:
        sidecar.rename(demo_copy.layout / marker_of(run))
        (line,) = ask(url, {"paths": [folder(run)]})
        assert (line["error"]["status"], line["error"]["code"]) == (503, "being-replaced")


def test_what_is_not_released_is_not_told(demo_copy):
    with serving(demo_copy.settings) as url:
        assert ask(url, {"paths": ["10901"]})[-1].get("end")
    sidecar = demo_copy.layout / "10901/dataset_metadata.json"
    data = json.loads(sidecar.read_text())
    data["dates"]["release_date"] = "2099-01-01"
    sidecar.write_text(json.dumps(data))
    assert FlowPortal(demo_copy.folder).load("10901").code == 0
    with serving(demo_copy.settings) as url:
        (line,) = ask(url, {"paths": ["10901"]})
        assert line["error"]["status"] == 404
