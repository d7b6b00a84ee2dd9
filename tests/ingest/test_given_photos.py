"""Pictures of datasets and depositions from the source, from addresses and from the portal: real servers, no pretence."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from fixtures_s3 import S3Server, s3_server  # noqa: F401 - a fixture
from tomoportal.errors import SourceError
from tomoportal.ingest.addresses import fetch
from tomoportal.ingest.given_photos import FACT, GivenPhotos, given_photos
from tomoportal.ingest.plan.keyphotos import WantedPhoto
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Record
from tomoportal.storage import LocalStorage, open_storage

KEY = Key("dataset", dataset="10")
SNAPSHOT, THUMBNAIL = "10/Images/snapshot.png", "10/Images/thumbnail.png"


def png(colour: str = "red", size: tuple[int, int] = (1200, 900), kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, kind)
    return stream.getvalue()


@dataclass
class Site:
    """A web server on this machine: `pages` path → (status, headers, body); `asked` counts answers by path and status."""

    url: str = ""
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)

    def answer(self, path: str, sent: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = self.pages.get(path, (404, {}, b"no"))
        same = "ETag" in headers and sent.get("If-None-Match") == headers["ETag"]
        same = same or (
            "Last-Modified" in headers and sent.get("If-Modified-Since") == headers["Last-Modified"]
        )
        status, body = (304, b"") if same else (status, body)
        self.asked[path, status] += 1
        return status, headers, body


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = made.answer(self.path, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers and status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients may hang up
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Portal:
    """A source folder and a portal that remembers what was published."""

    source: LocalStorage
    target: LocalStorage
    record: Record = field(default_factory=lambda: Record(KEY, {}))

    def take(self, **wanted: WantedPhoto) -> GivenPhotos:
        made = given_photos(self.source, self.target, KEY, wanted, self.record)
        self.record = replace(self.record, files=made.files, facts={FACT: made.facts})
        return made

    def size(self, path: str) -> tuple[int, int]:
        with Image.open(io.BytesIO(self.target.read(path))) as picture:
            assert picture.format == "PNG"
            return picture.size


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    (tmp_path / "source").mkdir()
    return Portal(LocalStorage(tmp_path / "source"), LocalStorage(tmp_path / "portal"))


def at(address: str) -> WantedPhoto:
    return WantedPhoto(address, address, file="d.yaml", line=7, where="dataset_keyphotos[0].sources[0]")


def in_source(*paths: str) -> WantedPhoto:
    return WantedPhoto(paths[0], paths=paths)


def test_a_picture_from_an_address_becomes_pngs_of_sane_sizes(portal: Portal, site: Site) -> None:
    site.pages["/a.gif"] = (200, {"Content-Type": "text/plain"}, png(kind="GIF"))
    made = portal.take(snapshot=at(f"{site.url}/a.gif"), thumbnail=at(f"{site.url}/a.gif"))

    assert made.photos == {"snapshot": SNAPSHOT, "thumbnail": THUMBNAIL}
    assert (portal.size(SNAPSHOT), portal.size(THUMBNAIL)) == ((1024, 768), (400, 300))
    assert made.files[SNAPSHOT]["sha256"] == hashlib.sha256(portal.target.read(SNAPSHOT)).hexdigest()
    assert made.problems == []
    assert site.asked == {("/a.gif", 200): 1}


@pytest.mark.parametrize("headers", [{"ETag": '"one"'}, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}])
def test_what_has_not_changed_is_not_sent_again(portal: Portal, site: Site, headers: dict[str, str]) -> None:
    site.pages["/a.png"] = (200, headers, png())
    first = portal.take(snapshot=at(f"{site.url}/a.png"))
    again = portal.take(snapshot=at(f"{site.url}/a.png"))

    assert again == first
    assert site.asked == {("/a.png", 200): 1, ("/a.png", 304): 1}

    site.pages["/a.png"] = (200, dict.fromkeys(headers, "other"), png("blue"))
    changed = portal.take(snapshot=at(f"{site.url}/a.png"))
    assert changed.files != first.files


def test_a_picture_that_was_lost_is_fetched_again(portal: Portal, site: Site) -> None:
    site.pages["/a.png"] = (200, {"ETag": '"one"'}, png())
    first = portal.take(snapshot=at(f"{site.url}/a.png"), thumbnail=at(f"{site.url}/a.png"))
    portal.target.delete(THUMBNAIL)

    assert portal.take(snapshot=at(f"{site.url}/a.png"), thumbnail=at(f"{site.url}/a.png")) == first
    assert portal.size(THUMBNAIL) == (400, 300)


def test_without_the_network_the_published_picture_stays(portal: Portal, site: Site) -> None:
    site.pages["/a.png"] = (200, {}, png())
    first = portal.take(snapshot=at(f"{site.url}/a.png"))
    site.pages.clear()
    offline = portal.take(snapshot=at(f"{site.url}/a.png"))

    assert (offline.photos, offline.files, offline.facts) == (first.photos, first.files, first.facts)
    (problem,) = offline.problems
    assert "answered 404" in problem.message
    assert "stays" in problem.message
    assert (problem.severity, problem.line) == ("warning", 7)


def test_the_picture_of_another_address_does_not_stay(portal: Portal, site: Site) -> None:
    site.pages["/a.png"] = (200, {}, png())
    portal.take(snapshot=at(f"{site.url}/a.png"))
    other = portal.take(snapshot=at(f"{site.url}/b.png"))

    assert other.photos == {}
    assert "first tomogram" in other.problems[0].message


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        (500, {}, b"", "answered 500"),
        (404, {}, png(), "answered 404"),
        (204, {}, b"", "answered 204"),
        (304, {}, b"", "answered 304"),
        (200, {}, b"<html>sign in</html>", "no picture"),
        (200, {"Content-Type": "image/png"}, b"", "begins with nothing"),
        (200, {}, png()[:500], "damaged"),
        (200, {"Content-Length": "99999"}, png(), "cannot be fetched"),
        (302, {"Location": "/a"}, b"", "redirect"),
        (302, {"Location": "file:///etc/passwd"}, b"", "cannot be fetched"),
        (302, {"Location": "ftp://127.0.0.1/x"}, b"", "cannot be fetched"),
    ],
)
def test_what_is_no_picture_is_told(
    portal: Portal, site: Site, status: int, headers: dict[str, str], body: bytes, message: str
) -> None:
    site.pages["/a"] = (status, headers, body)
    made = portal.take(snapshot=at(f"{site.url}/a"))

    assert made.photos == {}
    (problem,) = made.problems
    assert message in problem.message
    assert site.url in problem.message
    assert sum(site.asked.values()) <= 6


def test_a_redirection_is_followed(portal: Portal, site: Site) -> None:
    site.pages["/a"] = (301, {"Location": "/b.png"}, b"")
    site.pages["/b.png"] = (200, {}, png())

    assert portal.take(snapshot=at(f"{site.url}/a")).problems == []


def test_more_than_the_bound_is_not_read(site: Site) -> None:
    site.pages["/a"] = (200, {}, bytes(5 << 20))

    with pytest.raises(SourceError, match="more than 1 MiB"):
        fetch(f"{site.url}/a", 1 << 20)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/a.png", "http://no.such.host.invalid/a.png", "http://[::bad/a.png", "ftp://x/a.png"],
)
def test_addresses_that_nobody_answers(portal: Portal, address: str) -> None:
    (problem,) = portal.take(snapshot=at(address)).problems

    assert address in problem.message


def test_a_file_of_the_source_is_found_where_it_lies(portal: Portal) -> None:
    portal.source.write("photos/a.jpg", png("blue", (300, 200), "JPEG"))
    wanted = in_source("lab/bucket/photos/a.jpg", "bucket/photos/a.jpg", "photos/a.jpg")
    made = portal.take(snapshot=wanted, thumbnail=wanted)

    assert made.problems == []
    assert (portal.size(SNAPSHOT), portal.size(THUMBNAIL)) == ((300, 200), (300, 200))
    (portal.target.root / SNAPSHOT).write_bytes((portal.target.root / SNAPSHOT).read_bytes())
    assert portal.take(snapshot=wanted, thumbnail=wanted) == made


@pytest.mark.parametrize("path", ["gone.png", "../secret.png", "folder", "a\x00b"])
def test_files_that_are_none(portal: Portal, path: str) -> None:
    portal.source.write("folder/a.png", png())
    made = portal.take(snapshot=in_source(path))

    assert made.photos == {}
    assert "no such file" in made.problems[0].message


def test_a_picture_of_the_portal_itself(portal: Portal) -> None:
    portal.target.write("DepositionMetadata/1/Images/snapshot.png", png(size=(200, 100)))
    path = "DepositionMetadata/1/Images/snapshot.png"
    made = portal.take(snapshot=WantedPhoto(path, paths=(path,), in_portal=True))

    assert made.problems == []
    assert portal.size(SNAPSHOT) == (200, 100)


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: F811
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server.bucket("photos")


def test_pictures_of_object_stores(portal: Portal, bucket: str) -> None:
    store = open_storage(bucket)
    store.write("keys/ü a.png", png())
    first = portal.take(snapshot=at(f"{bucket}/keys/ü a.png"))
    again = portal.take(snapshot=at(f"{bucket}/keys/ü a.png"))
    gone = portal.take(thumbnail=at(f"{bucket}/keys/gone.png"))
    no_bucket = portal.take(thumbnail=at("s3://nowhere/gone.png"))

    assert first.problems == []
    assert again == first
    assert portal.size(SNAPSHOT) == (1024, 768)
    assert f"{bucket}/keys/gone.png" in gone.problems[0].message
    assert "s3://nowhere/gone.png" in no_bucket.problems[0].message


def test_a_bucket_path_is_looked_up_in_its_own_bucket_when_the_source_is_one(
    portal: Portal, bucket: str
) -> None:
    open_storage(bucket).write("keys/a.png", png())
    made = given_photos(
        open_storage(f"{bucket}/elsewhere"),
        portal.target,
        KEY,
        {"snapshot": in_source("photos/keys/a.png")},
        None,
    )

    assert made.problems == []
    assert made.photos == {"snapshot": SNAPSHOT}
