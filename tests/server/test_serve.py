"""`tomoportal serve` as an operator meets it: addresses, errors, stopping, a catalogue that is made anew under it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures_catalog import fill, portal_rows, row, small_portal
from fixtures_server import make_file, serving
from tomoportal.api.portal import is_loopback
from tomoportal.catalog import open_catalog
from tomoportal.settings import Settings

PROGRAM = str(Path(sys.executable).with_name("tomoportal"))
FILE = "30001/dataset_metadata.json"


def settings_in(folder: Path, **rest: str) -> Settings:
    return Settings(storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}", **rest)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    small_portal(folder).close()
    make_file(folder / "files", FILE, b"{}")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    with serving(settings_in(folder)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "serve", *arguments], capture_output=True, text=True, timeout=60)


def test_health(client: httpx.Client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_pages_and_their_styles_are_compressed_but_no_parts_of_files(client: httpx.Client):
    style = re.search(r'/static/portal\.css[^"]*', client.get("/").text)[0]
    answers = {path: client.get(path) for path in ("/", style)}
    assert {
        path: answer.headers.get("content-encoding") for path, answer in answers.items()
    } == dict.fromkeys(answers, "gzip")
    plain = client.get(style, headers={"accept-encoding": "identity"})
    assert plain.text == answers[style].text
    part = client.get(style, headers={"range": "bytes=0-2000"})
    assert (part.status_code, part.headers.get("content-encoding")) == (206, None)
    assert part.content == plain.content[:2001]


def test_graphql_addresses_name_the_host_of_the_request(client: httpx.Client):
    query = "{ datasets(where: {id: {_eq: 30001}}) { httpsPrefix s3Prefix } }"
    for host in ("127.0.0.1:81", "localhost"):
        answer = client.post("/graphql", json={"query": query}, headers={"host": host}).json()
        (dataset,) = answer["data"]["datasets"]
        assert dataset == {"httpsPrefix": f"http://{host}/files/30001/", "s3Prefix": "s3://tomoportal/30001/"}


def test_a_foreign_host_gets_files_but_no_addresses(client: httpx.Client):
    headers = {"host": "tomo.example.org"}
    assert client.get(f"/files/{FILE}", headers=headers).status_code == 200
    for path in ("/", "/browse-data/datasets"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 421
        assert "TOMOPORTAL_URL" in answer.text
        assert answer.headers["content-type"].startswith("text/html")
    answer = client.post("/graphql", json={"query": "{ datasets { httpsPrefix } }"}, headers=headers)
    assert answer.status_code == 421
    assert "TOMOPORTAL_URL" in answer.text


@pytest.mark.parametrize("path", ["/datasets/30001/", "/datasets/30001/?page=2", "/static"])
def test_redirections_stay_here(client: httpx.Client, path: str):
    answer = client.get(path, headers={"host": "tomo.example.org"})
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(("/datasets/30001", "/static/"))
    assert answer.headers["location"].endswith("?page=2") == path.endswith("?page=2")


def test_public_address_wins_over_the_host(folder: Path):
    with serving(settings_in(folder, public_url="https://tomo.example.org")) as url:
        query = "{ datasets(where: {id: {_eq: 30001}}) { httpsPrefix } }"
        answer = httpx.post(f"{url}/graphql", json={"query": query}, headers={"host": "other"}).json()
        assert answer["data"]["datasets"][0]["httpsPrefix"] == "https://tomo.example.org/files/30001/"


LOCAL = ("localhost", "localhost:8000", "127.0.0.1", "127.1.2.3:9", "[::1]", "[::1]:80", "a.localhost")
FOREIGN = (
    "", "example.org", "10.0.0.1:80", "localhost.example.org", "127.0.0.1.nip.io", "[::2]", "example.org/x.localhost",
    "a; script-src * x.localhost", '"><script>.localhost', "localhost:80@example.org", "localhost:99999999", "[::1",
)  # fmt: skip


@pytest.mark.parametrize("host", [*LOCAL, *FOREIGN])
def test_loopback(host: str):
    assert is_loopback(host) is (host in LOCAL)


def test_errors_are_json_for_machines_and_pages_for_people(client: httpx.Client):
    answer = client.get("/viewer/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["where"] == "/viewer/nothing"
    page = client.get("/no/such/page")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")


def test_pages_travel_compressed(client: httpx.Client):
    answer = client.get("/browse-data/datasets")
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/browse-data/datasets", headers={"accept-encoding": "identity"})
    assert plain.text == answer.text
    assert "content-encoding" not in plain.headers


def test_viewer_is_here_with_a_policy(client: httpx.Client):
    page = client.get("/viewer/v/p/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    script = client.get("/viewer/v/p/no-python-server.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert client.get("/viewer/v/p/../../../server.py").status_code == 404


def test_catalogue_that_is_made_anew_is_seen(tmp_path: Path):
    small_portal(tmp_path).close()
    make_file(tmp_path / "files", "31000/dataset_metadata.json", b"{}")
    with serving(settings_in(tmp_path)) as url:
        assert httpx.get(f"{url}/files/31000/dataset_metadata.json").status_code == 404
        for name in ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True) as catalog:
            released = "2024-01-01T00:00:00+00:00"
            dataset = row("Dataset", id=31000, deposition_id=20001, folder="31000", release_date=released)
            fill(catalog, {"Deposition": portal_rows()["Deposition"], "Dataset": [dataset]})
        time.sleep(0.3)
        assert httpx.get(f"{url}/files/31000/dataset_metadata.json").status_code == 200
        answer = httpx.post(f"{url}/graphql", json={"query": "{ datasets { id } }"}).json()
        assert answer["data"]["datasets"] == [{"id": 31000}]


def test_strangers_are_not_told_where_the_catalogue_lies(tmp_path: Path):
    small_portal(tmp_path).close()
    with serving(settings_in(tmp_path)) as url:
        for name in ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        time.sleep(0.3)
        for path in (
            "healthz",
            f"files/{FILE}",
            f"s3/tomoportal/{FILE}",
            "graphql?query={runs{id}}",
            "runs/300011",
        ):
            answer = httpx.get(f"{url}/{path}")
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
            assert str(tmp_path) not in answer.text


def test_a_storage_that_is_not_mounted_is_not_an_empty_one(tmp_path: Path):
    small_portal(tmp_path).close()
    root = make_file(tmp_path / "files", FILE, b"{}").parents[1]
    with serving(settings_in(tmp_path)) as url:
        paths = (f"files/{FILE}", f"s3/tomoportal/{FILE}", "s3/tomoportal?list-type=2&prefix=30001/")
        assert [httpx.get(f"{url}/{path}").status_code for path in paths] == [200, 200, 200]
        root.rename(tmp_path / "elsewhere")
        for path in (*paths, "s3/tomoportal"):
            answer = httpx.get(f"{url}/{path}")
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
        root.mkdir()
        assert [httpx.get(f"{url}/{path}").status_code for path in paths] == [503, 503, 503]
        assert httpx.get(f"{url}/files/99999/x").status_code == 404


def test_no_catalogue_is_a_sentence(tmp_path: Path):
    done = run("--database", f"sqlite:///{tmp_path / 'absent.sqlite'}", "--port", "0")
    assert done.returncode == 3
    assert "tomoportal load" in done.stderr
    assert "Traceback" not in done.stderr


def test_port_that_is_taken_is_a_sentence(folder: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port), "--database", settings_in(folder).database)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_soon_and_cleanly(folder: Path, how: signal.Signals):
    settings = settings_in(folder)
    command = [
        PROGRAM,
        "serve",
        "--port",
        "0",
        "--database",
        settings.database,
        "--storage",
        settings.storage,
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Serving at http://127.0.0.1:")
        address = line.split()[2]
        with socket.create_connection(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2]))):
            httpx.get(address + "healthz")
            process.send_signal(how)
            assert process.wait(timeout=15) == 0
        assert "Traceback" not in process.stdout.read()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()
