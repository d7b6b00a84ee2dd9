"""Downloads into an object store, on a real server: whole objects, checked, gone on with file by file."""

from __future__ import annotations

import hashlib
import io
import os

import pytest

from fixtures_answers import Answer, answering, ranged
from fixtures_s3 import S3Server
from tomoportal.client.downloads.fetching import settled
from tomoportal.client.downloads.manifest import Item, Manifest, ManifestWriter
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.upload import upload
from tomoportal.errors import RemoteError, StorageError, UsageError

QUICK = Options(jobs=4, patience=1.0, progress=False)


@pytest.fixture
def store(s3_server: S3Server, monkeypatch):
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def bucket(store, request) -> str:
    name = f"to-{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    return store.bucket(name)


def manifest(url: str, contents: dict[str, bytes], checked: bool = True) -> Manifest:
    file = io.BytesIO()
    writer = ManifestWriter(file, url, f"{url}/")
    for path, data in contents.items():
        writer.add(
            Item(path, f"{url}/{path}", len(data), hashlib.sha256(data).hexdigest() if checked else "", "v1")
        )
    writer.end()
    return Manifest(file)


def stored(store: S3Server, bucket: str) -> dict[str, bytes]:
    client, name = store.client(), bucket.removeprefix("s3://")
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=name).get("Contents", ())]
    return {key: client.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}


CONTENTS = {
    "1/small.json": b"{}",
    "1/t.zarr/0/0": b"chunk",
    "1/empty": b"",
    "1/large.mrc": os.urandom(21_000_000),
}


def serve(contents: dict[str, bytes], asked: list[str]):
    def answer(request):
        asked.append(request.target[1:])
        return ranged(request, contents[request.target[1:]])

    return answering(answer)


def test_everything_arrives_once(store, bucket):
    asked: list[str] = []
    with serve(CONTENTS, asked) as url:
        outcome = settled(upload(manifest(url, CONTENTS), f"{bucket}/below/", QUICK))
        assert outcome.kept_files == 0
        assert stored(store, bucket) == {f"below/{path}": data for path, data in CONTENTS.items()}
        asked.clear()
        again = settled(upload(manifest(url, CONTENTS), f"{bucket}/below", QUICK))
    assert not asked
    assert again.kept_files == len(CONTENTS)


def test_what_is_something_else_is_kept_unless_told(store, bucket):
    with serve(CONTENTS, []) as url:
        store.client().put_object(Bucket=bucket.removeprefix("s3://"), Key="1/small.json", Body=b"mine")
        with pytest.raises(UsageError, match="something else than what the portal has"):
            settled(upload(manifest(url, CONTENTS), bucket, QUICK))
        found = stored(store, bucket)
        assert found.pop("1/small.json") == b"mine"
        assert found == {path: data for path, data in CONTENTS.items() if path != "1/small.json"}
        settled(upload(manifest(url, CONTENTS), bucket, Options(jobs=4, overwrite=True, progress=False)))
    assert stored(store, bucket) == CONTENTS


def test_wrong_bytes_never_become_an_object(store, bucket):
    wrong = {path: data[:-1] + b"x" if data else data for path, data in CONTENTS.items()}
    with serve(wrong, []) as url:
        listed = manifest(url, {path: CONTENTS[path] for path in ("1/small.json", "1/large.mrc")})
        outcome = upload(listed, bucket, QUICK)
    assert outcome.failed_units == 2
    assert all(isinstance(error, RemoteError) and "checksum" in str(error) for error in outcome.failed)
    assert stored(store, bucket) == {}


def test_a_file_that_is_gone_does_not_stop_the_others(store, bucket):
    def answer(request):
        path = request.target[1:]
        return Answer(b"", 404) if path == "1/large.mrc" else ranged(request, CONTENTS[path])

    with answering(answer) as url, pytest.raises(RemoteError, match="404"):
        settled(upload(manifest(url, CONTENTS), bucket, QUICK))
    assert set(stored(store, bucket)) == set(CONTENTS) - {"1/large.mrc"}


def test_a_connection_that_breaks_is_gone_on_with(store, bucket):
    count = iter(range(1000))

    def answer(request):
        whole = ranged(request, CONTENTS[request.target[1:]])
        return Answer(whole.body, whole.status, whole.headers, cut=3_000_000 if next(count) % 2 else None)

    with answering(answer) as url:
        settled(upload(manifest(url, CONTENTS), bucket, QUICK))
    assert stored(store, bucket) == CONTENTS


def test_stores_that_cannot_be_used_are_told(store):
    with serve(CONTENTS, []) as url:
        with pytest.raises(StorageError, match=r"no such bucket|cannot be written"):
            upload(manifest(url, {"1/small.json": b"{}"}), "s3://nowhere-at-all", QUICK)
        for wrong in ("http://host/x", "s3://"):
            with pytest.raises(UsageError, match="no object store"):
                upload(manifest(url, {"1/small.json": b"{}"}), wrong, QUICK)
