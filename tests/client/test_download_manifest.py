"""Manifests, also those of strangers: nothing leaves the destination, nothing comes from elsewhere, nothing passes for the whole."""

from __future__ import annotations

import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures_answers import answering, ranged
from tomoportal.client.downloads.fetching import download
from tomoportal.client.downloads.lists import told_as
from tomoportal.client.downloads.manifest import Item, Manifest, ManifestWriter
from tomoportal.client.downloads.names import Distinct, checked_path
from tomoportal.client.downloads.options import Options
from tomoportal.errors import PortalError, RemoteError, UsageError

BASE = "https://tomo.example.org/files/"
HEADER = {"tomoportal_manifest": 1, "files": BASE, "portal": "https://tomo.example.org"}
FILE = {"path": "1/a.mrc", "url": f"{BASE}1/a.mrc", "size": 4}


def manifest(*lines: object, header: object = HEADER, end: object = None) -> Manifest:
    files = [line for line in lines if isinstance(line, dict)]
    last = {"end": True, "files": len(files), "bytes": sum(_size(line) for line in files)}
    every = [header, *lines, last if end is None else end]
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in every)
    return Manifest(io.BytesIO(f"{text}\n".encode()))


def _size(line: dict) -> int:
    return line["size"] if isinstance(line.get("size"), int) else 0


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../x", "a/../../x", "a/..", "./a", "a//b", "a/", "..\\x", "a\\..\\b", "C:/x", "c:x", "a\nb", "a\x00b", "a\x7f",
        "x" * 300, "a/" * 3000 + "b", ".tomoportal-downloads", "a/.tomoportal-downloads", "a/.x.mrc.12345678.part", ".x.part.state",
        "\ud800",
    ],
)  # fmt: skip
def test_paths_that_could_leave_the_destination_are_refused(path):
    with pytest.raises(RemoteError, match="is no path to write to"):
        checked_path(path)
    with pytest.raises(PortalError):
        list(manifest({**FILE, "path": path}).items())


@pytest.mark.parametrize("path", ["CON", "a/nul.txt", "com1", "a/LPT9.mrc", "ab:c", "a.", "a ", "x?y", "a<b"])
def test_names_that_windows_keeps_for_itself_are_refused_there(path):
    with pytest.raises(RemoteError, match="Windows"):
        checked_path(path, windows=True)
    if ":" not in path:
        assert checked_path(path, windows=False) == path


@given(st.text())
def test_an_accepted_path_stays_below(tmp_path_factory, path):
    try:
        checked_path(path)
    except RemoteError:
        return
    root = os.path.join(os.sep, "dest")
    assert os.path.normpath(os.path.join(root, path)).startswith(root + os.sep)


def test_paths_of_the_layout_are_accepted():
    for path in (
        "10001/TS_001/Frames/TS_001[0001] ä.tif",
        "1/t.zarr/.zattrs",
        "1/t.zarr/0/.zarray",
        "1/..a/b..c",
    ):
        assert checked_path(path) == path


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://tomo.example.org/files/x", "https://evil.example.org/files/x", "https://tomo.example.org/other",
        "https://user:secret@tomo.example.org/files/x", f"{BASE}../secret", f"{BASE}%2e%2E/secret", f"{BASE}a\r\nHost: evil",
        f"{BASE}a b", "https://tomo.example.org:99999/files/x", "https:///files/x", 7, None, "http://tomo.example.org/files/x",
        "https://[::1/files/", f"{BASE}ä",
    ],
)  # fmt: skip
def test_files_come_from_below_the_named_address_only(url):
    with pytest.raises(RemoteError, match="refused"):
        list(manifest({**FILE, "url": url}).items())


@pytest.mark.parametrize(
    "base",
    [
        "https://tomo.example.org", "file:///", "https://user@tomo.example.org/", "https://tomo.example.org:0/", None, "", "https:///x/",
        "https://tomo.example.org/a/../",
    ],
)  # fmt: skip
def test_where_files_come_from_is_a_host_and_a_path(base):
    """Else https://tomo.example.org would begin https://tomo.example.org.evil.org/."""
    with pytest.raises(RemoteError, match="refused"):
        manifest({**FILE, "url": f"{base}.evil.org/x"}, header={**HEADER, "files": base})


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1}, {"size": 1 << 70}, {"size": "4"}, {"size": True},
        {"size": 1.5}, {"sha256": "zz"}, {"sha256": "A" * 64}, {"sha256": 5},
        {"crc32": "zz"}, {"crc32": "A" * 8}, {"crc32": "0" * 9},
        {"folder": "2"}, {"folder": "1/a"}, {"etag": ["x"]}, {"kind": None}, {"path": 5}, {"kind": "x" * 5000},
    ],
)  # fmt: skip
def test_lines_that_mean_nothing_are_refused(change):
    with pytest.raises(PortalError):
        list(manifest({**FILE, **change}).items())


def test_what_is_no_manifest_or_not_the_whole_of_one_is_said():
    for content in (b"", b"\x00\xff", b"<html>", b"[1]\n", b'{"tomoportal_manifest": 2}\n', b"[" * 100_000):
        with pytest.raises(UsageError, match="manifest"):
            Manifest(io.BytesIO(content))
    with pytest.raises(UsageError, match="not whole"):
        list(manifest(FILE, end={"end": True, "files": 2, "bytes": 8}).items())
    cut = io.BytesIO("\n".join(json.dumps(line) for line in (HEADER, FILE)).encode())
    with pytest.raises(UsageError, match="not whole"):
        list(Manifest(cut).items())
    with pytest.raises(UsageError, match="no manifest"):
        list(manifest("nonsense").items())


def test_folders_are_units_and_their_files_follow_each_other():
    def of(folder: str, name: str) -> dict:
        return {**FILE, "path": f"{folder}/{name}", "url": f"{BASE}{folder}/{name}", "folder": folder}

    units = list(manifest(of("x.zarr", "a"), of("x.zarr", "0/b"), FILE, of("y.zarr", "a")).units())
    assert [(unit.path, unit.files, unit.size, unit.is_folder) for unit in units] == [
        ("x.zarr", 2, 8, True), ("1/a.mrc", 1, 4, False), ("y.zarr", 1, 4, True),
    ]  # fmt: skip
    assert units[0].url == f"{BASE}x.zarr"
    with pytest.raises(UsageError, match="do not follow each other"):
        list(manifest(of("x.zarr", "a"), FILE, of("x.zarr", "b")).units())


def test_reading_on_goes_undisturbed_by_other_reading():
    files = [{**FILE, "path": f"f/{number}"} for number in range(50)]
    listed = manifest(*files)
    seen = []
    for unit in listed.units():
        seen.append(unit.path)
        assert next(listed.items(unit.offset)).path == unit.path
        assert list(listed.items(unit.offset))[-1].path == files[-1]["path"]
    assert seen == [file["path"] for file in files]


def test_twins_are_noticed():
    for folds, twin in ((False, "a/B"), (True, "A/b"), (True, "a/ÄB"[:2] + "B")):
        distinct = Distinct(folds)
        distinct.add("a/B")
        with pytest.raises(UsageError, match=r"twice|differs in case"):
            distinct.add(twin)
    exact = Distinct(False)
    exact.add("a/B")
    exact.add("a/b")


def test_a_file_listed_twice_is_refused_before_anything_comes(tmp_path):
    asked = []

    def answer(request):
        asked.append(request)
        return ranged(request, b"data")

    with answering(answer) as url:
        item = Item("a", f"{url}/a", 4, "", "v1")
        file = io.BytesIO()
        writer = ManifestWriter(file, url, f"{url}/")
        for one in (item, item):
            writer.add(one)
        writer.end()
        with pytest.raises(UsageError, match="listed twice"):
            download(Manifest(file), tmp_path, Options(progress=False))
    assert not asked
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_other_notations_cannot_be_broken_out_of():
    listed = manifest({**FILE, "path": '1/a" b.mrc', "sha256": "0" * 64}, {**FILE, "path": "c"})
    assert "".join(told_as(listed, "curl")) == (
        f'fail\ncreate-dirs\nurl = "{BASE}1/a.mrc"\noutput = "1/a\\" b.mrc"\nurl = "{BASE}1/a.mrc"\noutput = "c"\n'
    )
    assert "".join(told_as(listed, "sha256sum")) == f'{"0" * 64}  1/a" b.mrc\n'
    assert "".join(told_as(listed, "aria2")).splitlines()[:3] == [
        f"{BASE}1/a.mrc", '  out=1/a" b.mrc', f"  checksum=sha-256={'0' * 64}",
    ]  # fmt: skip
    assert list(Manifest(io.BytesIO("".join(told_as(listed, "jsonl")).encode())).items()) == list(
        listed.items()
    )
