"""The same deposition from and to an S3 server gives the same files as on a disk."""

from __future__ import annotations

import hashlib

import pytest

from fixtures_demo import settings_in
from fixtures_s3 import s3_server  # noqa: F401 - a fixture
from tomoportal.cli.ingest import ingest_config
from tomoportal.settings import Settings
from tomoportal.storage import open_storage


@pytest.fixture
def bucket(s3_server, monkeypatch):  # noqa: F811
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    return s3_server.bucket("flow")


def _digests(url: str) -> dict[str, str]:
    storage = open_storage(url)
    entries = [entry for entry in storage.list() if not entry.path.startswith(".tomoportal/")]
    return {entry.path: hashlib.sha256(storage.read(entry.path)).hexdigest() for entry in entries}


def test_ingesting_from_and_to_s3_gives_the_same_layout(tiny, bucket, tmp_path):
    on_disk = settings_in(tmp_path / "disk")
    assert not ingest_config(tiny.file, str(tiny.source), on_disk, quiet=True).failed
    upload = open_storage(f"{bucket}/sources")
    for path in sorted(tiny.source.rglob("*")):
        if path.is_file():
            upload.write(path.relative_to(tiny.source).as_posix(), path.read_bytes())
    remote = Settings(storage=f"{bucket}/portal", database=f"sqlite:///{tmp_path / 'remote.sqlite'}")
    report = ingest_config(tiny.file, f"{bucket}/sources", remote, quiet=True)
    assert not report.failed, report.sorted_problems()
    assert _digests(remote.storage) == _digests(on_disk.storage)
    again = ingest_config(tiny.file, f"{bucket}/sources", remote, quiet=True)
    assert (again.done.total(), again.failed) == (0, [])


def test_replacing_on_s3_leaves_no_stale_file(tiny, bucket, tmp_path):
    remote = Settings(storage=f"{bucket}/replaced", database=f"sqlite:///{tmp_path / 'remote.sqlite'}")
    ingest_config(tiny.file, str(tiny.source), remote, quiet=True)
    tiny.run("R1", seed=5, shape=(8, 12, 16))
    ingest_config(tiny.file, str(tiny.source), remote, quiet=True)
    fresh = settings_in(tmp_path / "fresh")
    ingest_config(tiny.file, str(tiny.source), fresh, quiet=True)
    assert _digests(remote.storage) == _digests(fresh.storage)
