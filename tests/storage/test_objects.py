"""What only an object store can do wrong, and how its troubles are told."""

from __future__ import annotations

import boto3
import pytest

from tomoportal.errors import NotFound, StorageError, UsageError
from tomoportal.storage import access, open_storage
from tomoportal.storage import objects as module


def test_another_client_sees_the_same_objects(s3_environment):
    s3_environment.bucket("shared")
    storage = open_storage("s3://shared/pre/fix/")
    storage.write("d/[x] %25.json", b"content")
    client = boto3.client("s3")
    listed = client.list_objects_v2(Bucket="shared")["Contents"]
    assert [found["Key"] for found in listed] == ["pre/fix/d/[x] %25.json"]
    client.put_object(Bucket="shared", Key="pre/fix/e", Body=b"other")
    assert storage.read("e") == b"other"
    assert open_storage("s3://shared").folders() == ["pre"]
    assert storage.url == "s3://shared/pre/fix"


def test_a_server_that_ignores_the_condition_is_found_out(s3_environment):
    s3_environment.bucket("probe")
    storage = open_storage("s3://probe")
    assert storage.reliable_create() is False
    assert list(storage.list()) == []


def test_a_server_that_keeps_the_condition(s3_environment, monkeypatch):
    s3_environment.bucket("keeps")
    storage = open_storage("s3://keeps")
    put = module.obstore.put

    def conditional(store, key, data, **options):
        if options.get("mode") == "create" and storage.exists(key):
            raise module.AlreadyExistsError(key)
        return put(store, key, data, **options)

    monkeypatch.setattr(module.obstore, "put", conditional)
    assert storage.reliable_create() is True
    assert storage.create("a", b"1") is True
    assert storage.create("a", b"2") is False
    assert storage.read("a") == b"1"


def test_the_marks_that_web_consoles_leave_are_no_files(s3_environment, monkeypatch):
    storage = open_storage("s3://marks")
    entries = [("d", 0), ("d/e", 0), ("d/e/f", 3), ("empty", 0)]
    metas = [
        {"path": path, "size": size, "e_tag": "t", "version": None, "last_modified": _Noon()}
        for path, size in entries
    ]
    monkeypatch.setattr(module.obstore, "list", lambda *_: [metas])
    assert [entry.path for entry in storage.list()] == ["d/e/f", "empty"]


def test_refused_credentials_are_told_without_the_secret(s3_environment, monkeypatch):
    s3_environment.bucket("closed")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "WRONG-and-secret")
    storage = open_storage("s3://closed")
    for action in (
        lambda: storage.write("a", b"1"),
        lambda: storage.exists("a"),
        lambda: list(storage.list()),
    ):
        with pytest.raises(StorageError, match="check the credentials") as caught:
            action()
        assert not isinstance(caught.value, NotFound)
        assert "WRONG" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_missing_bucket_is_told(s3_environment, tmp_path):
    storage = open_storage("s3://no-such-bucket")
    file = tmp_path / "f"
    file.write_bytes(b"1")
    for action in (
        lambda: storage.write("a", b"1"),
        lambda: list(storage.list()),
        lambda: storage.upload("a", file),
    ):
        with pytest.raises(StorageError, match="no such bucket"):
            action()
    assert file.exists()


def test_a_server_that_is_away(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-secret")
    monkeypatch.setitem(access.RETRY, "max_retries", 1)
    with pytest.raises(StorageError, match=r"s3://away/a: .*127\.0\.0\.1:1") as caught:
        open_storage("s3://away").read("a")
    assert "hidden-secret" not in str(caught.value)


def test_public_buckets_are_read_unsigned(s3_environment, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "true")
    s3_environment.bucket("public")
    with pytest.raises(StorageError):
        list(open_storage("s3://public").list())


def test_a_download_leaves_no_scratch_file(s3_environment, monkeypatch, tmp_path):
    s3_environment.bucket("scratch")
    storage = open_storage("s3://scratch")
    storage.write("a.mrc", b"0" * 100)
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    with storage.fetch("a.mrc") as file:
        assert file.parent.parent == tmp_path
        assert file.suffix == ".mrc"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), storage.fetch("a.mrc"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_full_scratch_disk_is_told(s3_environment, monkeypatch):
    s3_environment.bucket("full")
    storage = open_storage("s3://full")
    storage.write("a", b"0" * 100)

    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"s3://full/a: no scratch copy .* No space left"):
        storage._download(storage.stat("a"), Full())


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///prefix", "s3://key:secret@bucket", "s3://bucket?region=x", "ftp://x/y"]
)
def test_addresses_that_make_no_sense(url):
    with pytest.raises(UsageError) as caught:
        open_storage(url)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("url", ["s3://bucket/a/../b", "gs://bucket/a//b"])
def test_prefixes_that_make_no_sense(url):
    with pytest.raises(StorageError):
        open_storage(url)


@pytest.mark.parametrize("size", [1, 1 << 30, 5 << 40])
def test_no_upload_has_too_many_parts(size):
    assert size / module._piece(size) <= module.MOST_PARTS


def test_the_other_clouds_open_without_being_asked(monkeypatch):
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert open_storage("gs://bucket/prefix").url == "gs://bucket/prefix"
    with pytest.raises(StorageError, match="AZURE_STORAGE_ACCOUNT_NAME"):
        open_storage("az://container/prefix")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert open_storage("az://container/prefix").url == "az://container/prefix"


class _Noon:
    def timestamp(self) -> float:
        return 43_200.0
