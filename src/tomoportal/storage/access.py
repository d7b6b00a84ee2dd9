"""Access to object stores: from the environment variables that the store's other tools use, with patience, and without telling secrets."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from obstore.store import AzureStore, GCSStore, S3Store

RETRY: Any = {
    "max_retries": 6,
    "retry_timeout": timedelta(minutes=2),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10), "base": 2},
}
PATIENCE = {"attempts": 5, "first_pause": 0.1, "timeout": 60.0}
"""For what the store's client does not try again by itself; pauses double. Times in seconds."""

CLIENT: Any = {"connect_timeout": "10s", "read_timeout": "60s", "timeout": "30m"}
_SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
)
_SHORTEST_SECRET = 6
_YES = ("1", "true", "yes", "on")


def attempts() -> Iterator[None]:
    """One round for each attempt, with growing pauses between them."""
    for number in range(int(PATIENCE["attempts"])):
        if number:
            time.sleep(PATIENCE["first_pause"] * 2 ** (number - 1))
        yield


def open_store(scheme: str, bucket: str, prefix: str | None) -> Any:
    """The store's own client; asks nothing of the store. Raises obstore's errors and `ValueError`."""
    common: dict[str, Any] = {"prefix": prefix, "retry_config": RETRY}
    if scheme == "gs":
        return GCSStore(bucket, client_options=CLIENT, **common)
    if scheme == "az":
        return AzureStore(bucket, client_options=CLIENT, **common)
    return S3Store(bucket, **common, **_s3_options())


def _s3_options() -> dict[str, Any]:
    """What the S3 client does not take from the environment by itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {"client_options": {**CLIENT}}
    if endpoint:
        options["endpoint"] = endpoint.rstrip("/")
        options["virtual_hosted_style_request"] = False
        options["client_options"]["allow_http"] = endpoint.startswith("http://")
    if not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        options["region"] = "us-east-1"
    unsigned = os.environ.get("AWS_NO_SIGN_REQUEST") or os.environ.get("AWS_SKIP_SIGNATURE") or ""
    if unsigned.lower() in _YES:
        options["skip_signature"] = True
    return options


def sentence(error: Exception) -> str:
    """The first line of the store's message, without secrets, and what to do about the usual causes."""
    text = str(error)
    if "NoSuchBucket" in text:
        return "there is no such bucket; create it first"
    line = re.sub(r"\?\S*", "", text.split("\n", 1)[0]).split(": <?xml")[0].strip().rstrip(":")
    for name in _SECRETS:
        secret = os.environ.get(name)
        if secret and len(secret) >= _SHORTEST_SECRET:
            line = line.replace(secret, "…")
    if "Account must be specified" in line:
        line += " (set AZURE_STORAGE_ACCOUNT_NAME)"
    if re.search(r"\b(401|403)\b|Missing\w*Key|credential|privileges", line):
        line += " (check the credentials; for public data set AWS_NO_SIGN_REQUEST=1)"
    return line
