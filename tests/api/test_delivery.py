"""Files that this server decides about and others send: nginx with the documented configuration, and the object store."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fixtures_catalog import small_portal
from fixtures_proxy import proxy_to
from fixtures_s3 import S3Server, s3_server  # noqa: F401
from fixtures_server import serving
from tomoportal.api.delivery import delivery
from tomoportal.errors import UsageError
from tomoportal.settings import Settings
from tomoportal.storage import LocalStorage, open_storage

OPERATE = Path(__file__).parents[2] / "docs" / "operate.md"
HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
MRC = f"{HOME}/Tomograms/100/volume.mrc"
SECRET = "30003/dataset_metadata.json"
NGINX = shutil.which("nginx") or ""
MAIN = """
daemon off; error_log {folder}/error.log; pid {folder}/nginx.pid; events {{}}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
{server} }}
"""


@contextmanager
def nginx(portal: str, root: Path, folder: Path) -> Iterator[str]:
    """nginx as the manual for operators has it, on a free port."""
    found = re.search("```nginx\n(.*?)```", OPERATE.read_text(), re.DOTALL)
    assert found is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = found[1].replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("http://127.0.0.1:8000", portal).replace("/srv/portal/files/", f"{root}/")
    config = folder / "nginx.conf"
    config.write_text(MAIN.format(folder=folder, server=server))
    user = f"user {os.environ.get('USER', 'root')};"
    process = subprocess.Popen([NGINX, "-c", str(config), "-g", user], stderr=subprocess.PIPE)
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert process.poll() is None, process.communicate()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not listen")


@pytest.fixture(scope="module")
def behind(portal_settings, root, tmp_path_factory) -> Iterator[httpx.Client]:
    """A client of nginx, which sends the files."""
    if not NGINX:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    with (
        serving(portal_settings, "--deliver", "x-accel:/stored/") as portal,
        nginx(portal, root, tmp_path_factory.mktemp("nginx")) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        yield client


def test_nginx_sends_what_may_be_seen(behind, public_files):
    for path, content in public_files.items():
        answer = behind.get(f"/files/{httpx.URL(path=f'/{path}').raw_path.decode()[1:]}")
        assert answer.status_code == 200, path
        assert answer.content == content
        assert answer.headers["server"].startswith("nginx")
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"


def test_nginx_does_ranges_and_conditions(behind, public_files):
    part = behind.get(f"/files/{MRC}", headers={"range": "bytes=-7"})
    assert (part.status_code, part.content) == (206, public_files[MRC][-7:])
    tag = part.headers["etag"]
    assert behind.get(f"/files/{MRC}", headers={"if-none-match": tag}).status_code == 304
    assert behind.get(f"/files/{MRC}", headers={"if-match": tag}).status_code == 200
    head = behind.head(f"/files/{MRC}?download")
    assert head.headers["content-length"] == str(len(public_files[MRC]))
    assert head.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path",
    [f"files/{SECRET}", f"stored/{MRC}", f"stored/{SECRET}", "files/.tomoportal/datasets/30001/index.json"],
)
def test_nginx_sends_nothing_else(behind, path):
    answer = behind.get(f"/{path}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def test_s3_through_nginx_is_streamed_by_the_portal(behind, public_files):
    answer = behind.get(f"/s3/tomoportal/{MRC}")
    assert answer.content == public_files[MRC]
    assert "x-accel-redirect" not in answer.headers


@pytest.fixture(scope="module")
def redirecting(
    s3_server: S3Server,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    """A client of a portal whose object store sends the files."""
    folder = tmp_path_factory.mktemp("redirecting")
    small_portal(folder).close()
    s3_server.bucket("presigned")
    for path in (MRC, SECRET, "30001/TS_01/ein Bild & mehr+é.txt"):
        s3_server.client().put_object(Bucket="presigned", Key=path, Body=path.encode())
    settings = Settings(storage="s3://presigned", database=f"sqlite:///{folder / 'catalog.sqlite'}")
    with pytest.MonkeyPatch.context() as patch, proxy_to(s3_server.endpoint) as proxy:
        for name, value in {**s3_server.environment, "AWS_ENDPOINT_URL": proxy.endpoint}.items():
            patch.setenv(name, value)
        with (
            serving(settings, "--deliver", "presigned") as url,
            httpx.Client(base_url=url, timeout=30) as client,
        ):
            yield client


@pytest.mark.parametrize("path", [MRC, "30001/TS_01/ein Bild & mehr+é.txt"])
def test_readers_are_sent_to_the_store(redirecting, path):
    answer = redirecting.get(f"/files/{path}")
    assert answer.status_code == 307
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Amz-Signature" in answer.headers["location"]
    assert httpx.get(answer.headers["location"]).content == path.encode()
    part = redirecting.get(f"/files/{path}", headers={"range": "bytes=2-5"}, follow_redirects=True)
    assert (part.status_code, part.content) == (206, path.encode()[2:6])


def test_what_needs_no_bytes_is_answered_here(redirecting):
    head = redirecting.head(f"/files/{MRC}")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(MRC)))
    tag = head.headers["etag"]
    assert redirecting.get(f"/files/{MRC}", headers={"if-none-match": tag}).status_code == 304
    assert redirecting.get(f"/files/{MRC}", headers={"range": "bytes=9999-"}).status_code == 416
    for path in (SECRET, "30001/TS_01/absent"):
        assert redirecting.get(f"/files/{path}").status_code == 404
    assert redirecting.get(f"/s3/tomoportal/{MRC}").content == MRC.encode()


@pytest.mark.parametrize(
    ("way", "storage"),
    [("stored", "."), ("x-accel:stored", "."), ("presigned", "."), ("x-accel:/stored/", "s3://bucket")],
)
def test_ways_that_there_are_not(way, storage):
    with pytest.raises(UsageError, match="--deliver"):
        delivery(way, LocalStorage(storage) if storage == "." else open_storage(storage))
