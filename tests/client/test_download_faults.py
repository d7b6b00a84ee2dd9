"""What goes wrong between a portal and a disk: every trouble is a sentence, and nothing wrong stands under a final name."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures_answers import Answer, Asked, answering, ranged
from tomoportal.client.downloads import pieces, place
from tomoportal.client.downloads.checksums import is_as_recorded
from tomoportal.client.downloads.engine import Outcome
from tomoportal.client.downloads.fetching import download
from tomoportal.client.downloads.manifest import Item, Manifest, ManifestWriter
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.place import Destination
from tomoportal.errors import Incomplete, PortalError, RemoteError, StorageError, UsageError

DATA = bytes(range(256)) * 40
QUICK = Options(jobs=4, patience=2.0, progress=False)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_of(url: str, *items: Item) -> Manifest:
    file = io.BytesIO()
    writer = ManifestWriter(file, url, f"{url}/")
    for item in items:
        writer.add(item)
    writer.end()
    return Manifest(file)


def one_file(
    url: str, data: bytes = DATA, *, checked: bool = True, path: str = "a/TS.mrc", name: str = "TS.mrc"
) -> Manifest:
    item = Item(path, f"{url}/{name}", len(data), sha256(data) if checked else "", "v1")
    return manifest_of(url, item)


def bring(manifest: Manifest, folder: Path, options: Options = QUICK) -> Outcome:
    return download(manifest, folder, options)


def finals(folder: Path) -> set[str]:
    """Files and folders that stand under a final name."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(b"no such file", 404), "answered 404"),
        (Answer(json.dumps({"error": {"message": "It was withdrawn."}}).encode(), 410), "answered 410: It was withdrawn"),
        (Answer(b"<html>Please sign in</html>", 200, {"Content-Type": "text/html"}), "a page .text/html."),
        (Answer(b"<html>" + DATA[6:], 200, {"Content-Type": "text/html; charset=utf-8"}), "a page .text/html."),
        (Answer(DATA[:100], 200), "has 100 bytes where 10240 were expected"),
        (Answer(DATA + b"x", 200), "has 10241 bytes"),
        (Answer(DATA, 200, {"ETag": '"v2"'}), "changed while it was being downloaded"),
        (Answer(DATA[:-1] + b"x", 200), "does not have the checksum"),
        (Answer(DATA, 200, {"Content-Encoding": "gzip"}), "came compressed"),
        (Answer(b"", 302, {"Location": "file:///etc/passwd"}), "is not asked"),
        (Answer(DATA, 206, {"Content-Range": "bytes 5-10244/10245"}), "10245 bytes where"),
        (Answer(DATA, 206), "a part without saying which"),
    ],
)  # fmt: skip
def test_what_is_not_the_file_is_refused(answer, says, tmp_path):
    with answering(lambda _: answer) as url, pytest.raises(RemoteError, match=says):
        bring(one_file(url), tmp_path)
    assert finals(tmp_path) == set()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_troubles_that_pass_are_waited_for(status, tmp_path):
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer(b"", status, {"Retry-After": "0"}) if len(asked) < 3 else ranged(request, DATA)

    with answering(answer) as url:
        bring(one_file(url), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_an_answer_that_is_cut_off_is_gone_on_with_where_it_ended(tmp_path):
    spans: list[str | None] = []

    def answer(request: Asked) -> Answer:
        spans.append(request.headers.get("Range"))
        whole = ranged(request, DATA)
        return Answer(whole.body, whole.status, whole.headers, cut=3000)

    with answering(answer) as url:
        bring(one_file(url), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA
    assert spans == [None, "bytes=3000-10239", "bytes=6000-10239", "bytes=9000-10239"]


@pytest.mark.parametrize("coding", ["", "chunked"])
def test_a_file_of_unknown_size_that_is_cut_off_is_not_taken_for_whole(coding, tmp_path):
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(DATA), DATA) if coding else DATA
    headers = {"Transfer-Encoding": coding} if coding else {}
    cuts = iter([5000, 7000])

    with answering(lambda _: Answer(body, headers=headers, cut=next(cuts, None))) as url:
        bring(manifest_of(url, Item("TS.mrc", f"{url}/TS.mrc", None)), tmp_path)
    assert (tmp_path / "TS.mrc").read_bytes() == DATA


def test_a_server_that_knows_no_ranges_is_read_from_the_beginning_again(tmp_path):
    count = iter(range(10))

    def answer(_: Asked) -> Answer:
        return Answer(DATA, cut=5000 if next(count) == 0 else None)

    with answering(answer) as url:
        bring(one_file(url), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_patience_ends_with_a_sentence_and_what_came_is_kept(tmp_path):
    with (
        answering(lambda request: Answer(b"", 503)) as url,
        pytest.raises(RemoteError, match=r"answered 503.*after \d+ tries.*run it again"),
    ):
        bring(one_file(url), tmp_path, Options(jobs=2, patience=0.5, progress=False))


def test_a_portal_that_is_gone_ends_everything(tmp_path):
    with answering(lambda _: Answer()) as url:
        pass
    items = [Item(f"f{number}", f"{url}/{number}", 5, "", "v") for number in range(100)]
    with pytest.raises(RemoteError, match="connection failed"):
        bring(manifest_of(url, *items), tmp_path, Options(jobs=8, patience=0.5, progress=False))


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    def answer(request: Asked) -> Answer:
        return (
            Answer(b"", 404) if request.target in ("/3", "/z/1") else ranged(request, request.target.encode())
        )

    with answering(answer) as url:
        items = [Item(f"f/{number}", f"{url}/{number}", 2, "", "v1") for number in range(8)]
        items += [
            Item(f"x.zarr/{number}", f"{url}/z/{number}", 4, "", "v1", folder="x.zarr") for number in range(3)
        ]
        with pytest.raises(Incomplete) as caught:
            bring(manifest_of(url, *items), tmp_path)
    assert len(caught.value.errors) == 2
    assert "2 files or folders could not be had" in str(caught.value)
    assert finals(tmp_path) == {f"f/{number}" for number in range(8) if number != 3}, "no folder in parts"


@pytest.fixture
def small_pieces(monkeypatch):
    """Files of 2000 bytes count as large, with pieces of 1000."""
    monkeypatch.setattr(pieces, "PIECE", 1000)
    monkeypatch.setattr("tomoportal.client.downloads.engine.LARGE", 2000)


def test_a_large_file_is_gone_on_with_after_the_last_whole_piece(tmp_path, small_pieces):
    asked: list[str] = []

    def answer(request: Asked) -> Answer:
        asked.append(request.headers["Range"] or "")
        whole = ranged(request, DATA)
        return (
            Answer(b"", 403) if len(asked) == 2 else Answer(whole.body, whole.status, whole.headers, cut=6500)
        )

    with answering(answer) as url:
        with pytest.raises(RemoteError, match="403"):
            bring(one_file(url), tmp_path, Options(jobs=1, progress=False))
        assert asked == ["", "bytes=6500-10239"]
        assert finals(tmp_path) == set()
        bring(one_file(url), tmp_path)
    assert asked[2:] == ["bytes=6000-10239"]
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"TS.mrc", ".tomoportal-downloads"}


@pytest.mark.parametrize("size", [999, 1000, 1999, 2000, 2001, 3000, 10_240])
@pytest.mark.parametrize("always", [True, False], ids=["many streams", "as many as pay"])
def test_streams_meet_without_gaps(size, always, tmp_path, small_pieces, monkeypatch):
    if always:
        monkeypatch.setattr(pieces, "PAUSE", 0.0)
        monkeypatch.setattr(pieces, "GAIN", 0.0)
        monkeypatch.setattr(pieces, "FAST", 1e18)
    data = os.urandom(size)
    with answering(lambda request: ranged(request, data)) as url:
        bring(one_file(url, data), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == data


def test_a_slow_line_gets_several_streams(tmp_path, small_pieces, monkeypatch):
    monkeypatch.setattr(pieces, "PAUSE", 0.0)
    monkeypatch.setattr(pieces, "GAIN", 0.0)
    first_came, second_came = threading.Event(), threading.Event()
    asked: list[str] = []

    def answer(request: Asked) -> Answer:
        asked.append(request.headers["Range"] or "")
        whole = ranged(request, DATA)
        if len(asked) == 1:
            return Answer(whole.body, whole.status, whole.headers, cut=2500)
        (first_came if len(asked) == 2 else second_came).set()
        assert second_came.wait(30), "nobody else comes while this one waits"
        return whole

    with answering(answer) as url:
        bring(one_file(url), tmp_path)
    assert first_came.is_set()
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_wrong_bytes_in_a_large_file_are_removed(tmp_path, small_pieces):
    wrong = bytearray(DATA)
    wrong[7777] ^= 4
    sent = {"data": bytes(wrong)}
    with answering(lambda request: ranged(request, sent["data"])) as url:
        with pytest.raises(RemoteError, match="checksum"):
            bring(one_file(url), tmp_path)
        assert finals(tmp_path) == set()
        sent["data"] = DATA
        bring(one_file(url), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_a_large_file_that_changed_since_it_broke_off_begins_anew(tmp_path, small_pieces):
    new = DATA[::-1]
    asked: list[str] = []

    def answer(request: Asked) -> Answer:
        asked.append(request.headers["Range"] or "")
        whole = ranged(request, new if len(asked) > 2 else DATA)
        return (
            Answer(b"", 403) if len(asked) == 2 else Answer(whole.body, whole.status, whole.headers, cut=6500)
        )

    with answering(answer) as url:
        with pytest.raises(RemoteError):
            bring(one_file(url), tmp_path, Options(jobs=1, progress=False))
        bring(one_file(url, new), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == new


def zarr(url: str, contents: dict[str, tuple[bytes, str]]) -> Manifest:
    return manifest_of(
        url,
        *(
            Item(f"t.zarr/{name}", f"{url}/{name}", len(data), "", tag, folder="t.zarr")
            for name, (data, tag) in contents.items()
        ),
    )


def test_a_folder_that_broke_off_keeps_what_is_still_the_same(tmp_path):
    served = {"a": (b"aaaa", "1"), "b": (b"bbbb", "1"), "gone": (b"gone", "1"), "c": (b"cccc", "1")}
    asked: list[str] = []
    closed = {"/c"}

    def answer(request: Asked) -> Answer:
        asked.append(request.target)
        data, tag = served[request.target[1:]]
        return Answer(b"", 403) if request.target in closed else ranged(request, data, tag)

    with answering(answer) as url:
        with pytest.raises(RemoteError):
            bring(zarr(url, served), tmp_path, Options(jobs=1, progress=False))
        del served["gone"]
        served["b"] = (b"BBBB", "2")
        closed.clear()
        asked.clear()
        bring(zarr(url, served), tmp_path)
    assert sorted(asked) == ["/b", "/c"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "t.zarr").iterdir()} == {
        "a": b"aaaa", "b": b"BBBB", "c": b"cccc",
    }  # fmt: skip


def test_a_damaged_chunk_is_asked_for_again_and_never_kept(tmp_path):
    """As many bytes as expected, with the right tag: only the checksum tells."""
    data = {"0": b"aaaa", "1": b"bbbb"}
    items = [
        Item(
            f"t.zarr/{name}", "", len(content), etag="1", folder="t.zarr", crc32=f"{zlib.crc32(content):08x}"
        )
        for name, content in data.items()
    ]
    asked: list[str] = []

    def answer(request: Asked) -> Answer:
        asked.append(request.target)
        good = request.target == "/0" or (asked.count("/1") > bad)
        return ranged(request, data[request.target[1:]] if good else b"bbxb", "1")

    with answering(answer) as url:
        at_portal = [replace(item, url=f"{url}/{item.path[-1]}") for item in items]
        bad = 100
        with pytest.raises(RemoteError, match="CRC-32"):
            bring(manifest_of(url, *at_portal), tmp_path)
        assert not (tmp_path / "t.zarr").exists()
        asked, bad = [], 1
        bring(manifest_of(url, *at_portal), tmp_path)
        assert sorted(asked) == ["/1", "/1"]
        assert finals(tmp_path) == {"t.zarr/0", "t.zarr/1"}
        (tmp_path / "t.zarr/0").write_bytes(b"aaxa")
        assert bring(manifest_of(url, *at_portal), tmp_path).kept_files == 2
        with pytest.raises(UsageError, match="is not what the portal has today"):
            bring(manifest_of(url, *at_portal), tmp_path, replace(QUICK, verify=True))


def test_a_portal_may_lead_to_where_its_files_are(tmp_path):
    def answer(request: Asked) -> Answer:
        if request.target == "/TS.mrc":
            return Answer(b"", 302, {"Location": "/elsewhere/TS.mrc?signature=x"})
        assert request.target == "/elsewhere/TS.mrc?signature=x"
        return ranged(request, DATA)

    with answering(answer) as url:
        bring(one_file(url), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_connections_are_kept_through_redirections(tmp_path):
    """As to an object store that the portal sends everybody to."""
    connections: set[int] = set()

    def stored(request: Asked) -> Answer:
        connections.add(request.connection)
        return ranged(request, b"data")

    with answering(stored) as elsewhere:

        def portal(request: Asked) -> Answer:
            connections.add(request.connection)
            return Answer(b"over there", 302, {"Location": f"{elsewhere}{request.target}"})

        with answering(portal) as url:
            items = [Item(f"f{number}", f"{url}/{number}", 4, "", "v1") for number in range(20)]
            bring(manifest_of(url, *items), tmp_path, Options(jobs=1, progress=False))
    assert len(connections) == 2
    assert len(finals(tmp_path)) == 20


def test_a_circle_of_redirections_is_left(tmp_path):
    with (
        answering(lambda request: Answer(b"", 302, {"Location": request.target})) as url,
        pytest.raises(RemoteError, match="leads in a circle"),
    ):
        bring(one_file(url), tmp_path)


def test_proxies_of_the_environment_are_used(tmp_path, monkeypatch):
    asked: list[str] = []

    def answer(request: Asked) -> Answer:
        asked.append(request.target)
        return ranged(request, DATA)

    with answering(answer) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("no_proxy", "")
        bring(one_file("http://portal.test"), tmp_path)
    assert asked == ["http://portal.test/TS.mrc"]
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_two_downloads_of_one_file_do_not_meet(tmp_path):
    reached, go_on = threading.Event(), threading.Event()

    def answer(request: Asked) -> Answer:
        reached.set()
        go_on.wait(30)
        return ranged(request, DATA)

    with answering(answer) as url:
        first = threading.Thread(target=bring, args=(one_file(url), tmp_path))
        first.start()
        try:
            assert reached.wait(30)
            with pytest.raises(UsageError, match="by another process"):
                bring(one_file(url), tmp_path)
        finally:
            go_on.set()
            first.join()
    assert (tmp_path / "a/TS.mrc").read_bytes() == DATA


def test_links_in_the_destination_are_not_followed_out_of_it(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    here = tmp_path / "here"
    here.mkdir()
    (here / "a").symlink_to(tmp_path / "elsewhere")
    with answering(lambda request: ranged(request, DATA)) as url:
        with pytest.raises(StorageError, match="a link leads out of the destination"):
            bring(one_file(url), here)
        (here / "TS.mrc").symlink_to(tmp_path / "elsewhere" / "target")
        with pytest.raises(UsageError, match="exists"):
            bring(one_file(url, path="TS.mrc"), here)
        bring(one_file(url, path="TS.mrc"), here, Options(overwrite=True, progress=False))
    assert (here / "TS.mrc").read_bytes() == DATA
    assert not (here / "TS.mrc").is_symlink()
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full .or your quota."),
        (errno.EACCES, "cannot be written .Permission denied."),
        (errno.EROFS, "Read-only"),
    ],
)
@pytest.mark.parametrize("data", [DATA, DATA * 4000], ids=["small", "large"])
def test_a_disk_that_refuses_ends_everything_with_a_sentence(code, says, data, tmp_path, monkeypatch):
    real = os.open

    def refuse(path, flags, *more, **named):
        if str(path).endswith(".part"):
            raise OSError(code, os.strerror(code))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    with (
        answering(lambda request: ranged(request, data)) as url,
        pytest.raises(place.DiskTrouble, match=says),
    ):
        bring(one_file(url, data), tmp_path)
    assert finals(tmp_path) == set()


LIMITED = """
import resource, sys, json
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
from pathlib import Path
from tomoportal.client.downloads.engine import Engine
from tomoportal.client.downloads.manifest import Manifest
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.place import Destination
from tomoportal.errors import PortalError
try:
    Engine(Manifest(open(sys.argv[1], "rb")), Destination(Path(sys.argv[2])), Options(progress=False)).run()
except PortalError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("size", [2 << 20, 40 << 20], ids=["small", "large"])
def test_a_write_that_fails_in_the_middle_is_told_and_gone_on_with(size, tmp_path):
    """The kernel refuses bytes beyond a limit, as a full disk would."""
    data = os.urandom(size)
    listed = tmp_path / "listed"
    with answering(lambda request: ranged(request, data)) as url:
        listed.write_bytes("".join(one_file(url, data).lines()).encode())
        limited = [sys.executable, "-c", LIMITED, listed, tmp_path / "here", str(size // 2)]
        done = subprocess.run(limited, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert "DiskTrouble" in done.stderr
        assert "not allowed here" in done.stderr
        assert finals(tmp_path / "here") == set()
        bring(one_file(url, data), tmp_path / "here")
    assert (tmp_path / "here/a/TS.mrc").read_bytes() == data
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != size // 2


def test_a_disk_without_room_is_told_before_anything_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(Destination, "free", lambda _: 20 << 20)
    with answering(lambda request: ranged(request, DATA)) as url:
        large = manifest_of(url, Item("big.mrc", f"{url}/big", 3_000_000_000, "", "v1"))
        with pytest.raises(place.DiskTrouble, match=r"needs 3\.000 GB, and 0\.021 GB are free"):
            bring(large, tmp_path)
    assert finals(tmp_path) == set()


def test_a_download_without_room_for_all_of_it_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setattr(Destination, "free", lambda _: 50 << 20)
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return ranged(request, DATA)

    with answering(answer) as url:
        items = [Item(f"{number}", f"{url}/{number}", 10 << 20, "", "v1") for number in range(10)]
        with pytest.raises(place.DiskTrouble, match=r"This download needs 0\.105 GB, and 0\.052 GB are free"):
            bring(manifest_of(url, *items), tmp_path)
    assert not asked


def test_what_has_come_needs_no_room_again(tmp_path, small_pieces, monkeypatch):
    data = os.urandom(30 << 20)
    monkeypatch.setattr(pieces, "PIECE", 1 << 20)
    count = iter(range(1000))

    def answer(request: Asked) -> Answer:
        whole = ranged(request, data)
        number = next(count)
        return (
            Answer(b"", 403)
            if number == 1
            else Answer(whole.body, whole.status, whole.headers, cut=5 << 20 if not number else None)
        )

    with answering(answer) as url:
        with pytest.raises(RemoteError):
            bring(one_file(url, data), tmp_path, Options(jobs=1, progress=False))
        monkeypatch.setattr(Destination, "free", lambda _: 1 << 20)
        bring(one_file(url, data), tmp_path)
    assert (tmp_path / "a/TS.mrc").read_bytes() == data


def test_a_mistake_of_the_program_gives_nothing_a_name(tmp_path, monkeypatch):
    def mistaken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("tomoportal.client.downloads.engine.check_sum", mistaken)
    with answering(lambda request: ranged(request, DATA)) as url, pytest.raises(KeyError, match="a bug"):
        bring(one_file(url), tmp_path)
    assert finals(tmp_path) == set()


def test_ctrl_c_leaves_what_came(tmp_path):
    """The thread that asked for it is interrupted while the others wait for bytes."""
    reached = threading.Event()

    def answer(request: Asked) -> Answer:
        if request.target == "/0":
            return ranged(request, b"0")
        reached.set()
        threading.Event().wait(5)
        return Answer(b"", 403)

    def interrupt() -> None:
        while not (reached.is_set() and (tmp_path / "0").exists()):
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    with answering(answer) as url:
        threading.Thread(target=interrupt, daemon=True).start()
        items = [Item(f"{number}", f"{url}/{number}", 1, "", "v1") for number in range(4)]
        with pytest.raises(KeyboardInterrupt):
            bring(manifest_of(url, *items), tmp_path)
    assert finals(tmp_path) == {"0"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("download-")]


def test_errors_are_of_the_family_of_the_portal():
    assert issubclass(Incomplete, PortalError)


def test_what_was_not_recorded_is_not_read_to_be_compared(tmp_path):
    folder = tmp_path / "no file"
    folder.mkdir()
    assert not is_as_recorded(Item("a", "http://portal/a", 4), folder)
