"""One storage of each kind, empty."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from fixtures_s3 import S3Server, s3_server  # noqa: F401
from tomoportal.storage import LocalStorage, Storage, open_storage


@pytest.fixture
def s3_environment(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:  # noqa: F811
    for name in ("AWS_SESSION_TOKEN", "AWS_NO_SIGN_REQUEST", "AWS_SKIP_SIGNATURE", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "root")
    server = request.getfixturevalue("s3_environment")
    server.bucket("contract")
    return open_storage(f"s3://contract/{uuid.uuid4().hex}")
