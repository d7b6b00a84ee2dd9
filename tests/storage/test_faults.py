"""An object store behind a bad line: the right bytes, or a sentence; never a part taken for the whole."""

from __future__ import annotations

import time
from urllib.parse import unquote

import pytest

from fixtures_proxy import Harm, Proxy, proxy_to
from tomoportal.errors import NotFound, StorageError
from tomoportal.storage import access, open_storage
from tomoportal.storage import objects as module

CONTENT = bytes(range(256)) * 4000
FIRST = 1
"""Attempts that go wrong when a fault passes."""


@pytest.fixture
def line(s3_environment, monkeypatch):
    """A proxy in front of the server, and short patience."""
    s3_environment.bucket("faults")
    monkeypatch.setitem(access.RETRY["backoff"], "init_backoff", access.timedelta(milliseconds=1))
    monkeypatch.setitem(access.CLIENT, "read_timeout", "500ms")
    monkeypatch.setitem(access.PATIENCE, "first_pause", 0.001)
    monkeypatch.setitem(access.PATIENCE, "timeout", 0.5)
    monkeypatch.setitem(access.PATIENCE, "attempts", 3)
    with proxy_to(s3_environment.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def passing(proxy: Proxy, harm: Harm) -> None:
    """The first attempt of every request goes wrong."""
    proxy.harm = lambda request: harm if request.attempt < FIRST else None


BREAKING = [harm for harm in Harm if harm is not Harm.SHORTENED]


@pytest.mark.parametrize("mends", [True, False])
def test_ranges_of_servers_of_both_kinds(line, mends):
    storage = open_storage("s3://faults")
    storage.write("ranges", CONTENT)
    line.mends_ranges = mends
    size = len(CONTENT)
    before = line.sent["GET"]
    for start, length in (
        (10, 5),
        (0, 7),
        (size - 5, 50),
        (size, 1),
        (size + 9, None),
        (size - 10, None),
        (3, 0),
    ):
        end = None if length is None else start + length
        assert storage.read("ranges", start, length) == CONTENT[start:end]
    assert line.sent["GET"] - before < (2000 if mends else size + 2000), (
        "the first answer tells of which kind"
    )
    with pytest.raises(NotFound):
        storage.read("nothing", 3, 5)


@pytest.mark.parametrize("harm", list(Harm))
@pytest.mark.parametrize("mends", [True, False])
def test_what_passes_is_tried_again(line, harm, mends, tmp_path):
    line.mends_ranges = mends
    storage = open_storage("s3://faults")
    passing(line, harm)
    path = f"passing-{harm.name}-{mends}"
    storage.write(path, CONTENT)
    assert storage.read(path) == CONTENT
    assert storage.read(path, 1000, 500_000) == CONTENT[1000:501_000]
    assert storage.stat(path).size == len(CONTENT)
    with storage.fetch(path, tmp_path) as copy:
        assert copy.read_bytes() == CONTENT
    assert path in [entry.path for entry in storage.list()]
    assert line.harmed[harm] >= 3


@pytest.mark.parametrize("harm", list(Harm))
@pytest.mark.parametrize("mends", [True, False])
def test_what_stays_ends_in_a_sentence(line, harm, mends, monkeypatch, tmp_path):
    monkeypatch.setitem(access.RETRY, "max_retries", 2)
    storage = open_storage("s3://faults")
    path = f"staying-{harm.name}"
    storage.write(path, CONTENT)
    line.mends_ranges = mends
    line.harm = lambda request: harm if request.method == "GET" else None
    for read in (
        lambda: storage.read(path, 0, len(CONTENT)),
        lambda: storage.read(path, 1000, 500_000),
        lambda: storage.read(path),
        lambda: storage.fetch(path, tmp_path).__enter__(),
    ):
        with pytest.raises(StorageError, match=path) as caught:
            read()
        assert not isinstance(caught.value, NotFound)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", [harm for harm in BREAKING if harm not in (Harm.CUT, Harm.DROPPED)])
def test_uploads_that_stay_broken_keep_their_file(line, harm, monkeypatch, tmp_path):
    monkeypatch.setitem(access.RETRY, "max_retries", 2)
    storage = open_storage("s3://faults")
    files = {f"up-{harm.name}/{number}": tmp_path / str(number) for number in range(5)}
    for path, file in files.items():
        file.write_bytes(path.encode())
    line.harm = lambda request: harm if request.method == "PUT" and request.target.endswith("/3") else None
    with pytest.raises(StorageError, match=f"up-{harm.name}/3"):
        storage.upload_all(files)
    assert files[f"up-{harm.name}/3"].exists()
    line.harm = lambda _: None
    storage.upload_all({path: file for path, file in files.items() if file.exists()})
    for path in files:
        assert storage.read(path) == path.encode()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_big_uploads_are_tried_again(line, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PIECE", 5 << 20)
    passing(line, Harm.ERROR_503)
    storage = open_storage("s3://faults")
    file = tmp_path / "big"
    file.write_bytes(CONTENT * 12)
    storage.upload("big", file)
    assert storage.stat("big").size == 12 * len(CONTENT)
    assert storage.read("big") == CONTENT * 12
    assert line.methods()["PUT"] >= 3


def test_many_small_files_go_at_the_same_time(line, tmp_path):
    line.delay = 0.05
    storage = open_storage("s3://faults")
    files = {f"many/{number}": tmp_path / str(number) for number in range(64)}
    for path, file in files.items():
        file.write_bytes(path.encode())
    storage.upload_all(files)
    assert line.methods()["PUT"] >= len(files)
    assert line.methods().total() <= 1.1 * len(files) + 4, (
        "one request each, for the answer tells the checksum, and a listing"
    )
    assert storage.read("many/63") == b"many/63"


def test_uploads_to_several_places_list_no_more_than_these(line, tmp_path):
    storage = open_storage("s3://faults")
    files = {
        path: tmp_path / path.replace("/", "-")
        for path in ("20002/R1/a.zarr/.zattrs", "20002/R1/a.zarr/0/0", ".own/slabs/a")
    }
    for path, file in files.items():
        file.write_bytes(path.encode())
    storage.upload_all(files)
    listed = [unquote(request.target) for request in line.seen if "list-type=2" in request.target]
    assert sorted(target.partition("prefix=")[2].partition("&")[0] for target in listed) == [
        ".own/slabs/",
        "20002/R1/a.zarr/",
    ]


def test_a_slow_line_is_no_fault(line):
    storage = open_storage("s3://faults")
    storage.write("slow", CONTENT)
    line.rate = 4e6
    assert storage.read("slow") == CONTENT


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"])
def test_wrong_access_is_told_soon(s3_environment, monkeypatch, variable):
    wrong = "http://no-such-host.invalid:9" if variable == "AWS_ENDPOINT_URL" else "wrong-one"
    monkeypatch.setenv(variable, wrong)
    begun = time.monotonic()
    with pytest.raises(StorageError) as caught:
        list(open_storage("s3://anything").list())
    assert "no-such-host.invalid" in str(caught.value) or "credentials" in str(caught.value)
    assert time.monotonic() - begun < 30
