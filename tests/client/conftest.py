"""Fixtures of the client's tests."""

from fixtures_s3 import s3_server  # noqa: F401
