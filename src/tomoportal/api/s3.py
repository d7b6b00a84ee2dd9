"""`/s3/<bucket>/<key>`: the public files through the part of the S3 protocol that download tools use, without signatures.

ListObjects (both versions), HeadObject, GetObject, HeadBucket, GetBucketLocation, ListBuckets; path style. Signatures are not
looked at: what is public is public. Protocol: the Amazon S3 API reference; errors are its XML.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from urllib.parse import parse_qsl, quote
from xml.sax import saxutils

from tomoportal.api.content import Headers, Receive, Scope, Send, in_thread, open_file
from tomoportal.api.content_types import content_type
from tomoportal.api.errors import headers_of, status_of, told
from tomoportal.api.files import CORS
from tomoportal.api.listing import Page, page
from tomoportal.api.portal import Portal
from tomoportal.api.sending import send_opened
from tomoportal.errors import NotFound, PortalError

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MOST_KEYS = 1000
GONE = 410
"""What was withdrawn: the protocol knows no such answer, and a key that is not there is what tools expect."""
_XML = b"application/xml"
_REGION: Headers = [(b"x-amz-bucket-region", b"us-east-1")]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSUPPORTED = (
    "acl", "attributes", "cors", "encryption", "lifecycle", "logging", "notification", "object-lock", "policy", "replication",
    "retention", "tagging", "torrent", "uploadId", "uploads", "versionId", "versions", "website",
)  # fmt: skip


class _S3Error(PortalError):
    """An error of the protocol: its code, HTTP status and a sentence."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass(frozen=True, slots=True)
class _Call:
    """A request taken apart; `key` is empty for the bucket itself, `bucket` for the service."""

    bucket: str
    key: str
    query: Mapping[str, str]


def s3_service(portal: Portal) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application for paths below `/s3/`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        bucket, _, key = scope["path"].removeprefix("/s3").removeprefix("/").partition("/")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        call = _Call(bucket, key, query)
        try:
            await _answer(portal, call, scope, receive, send)
        except PortalError as error:
            await _send_error(error, scope, send)

    return serve


async def _answer(portal: Portal, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
    method = scope["method"]
    if method == "OPTIONS":
        preflight = [(b"access-control-allow-methods", b"GET, HEAD"), (b"access-control-allow-headers", b"*")]
        return await _send(scope, send, 200, b"", preflight)
    if method in ("PUT", "POST", "DELETE"):
        raise _S3Error("AccessDenied", 403, "This store can be read, not written.")
    if method not in ("GET", "HEAD"):
        raise _S3Error("MethodNotAllowed", 405, f"The S3 protocol has no method {method}.")
    if not call.bucket:
        return await _send(scope, send, 200, _buckets(portal))
    if call.bucket != portal.settings.bucket:
        raise _S3Error(
            "NoSuchBucket",
            404,
            f"There is no bucket {call.bucket!r}; the only one is {portal.settings.bucket!r}.",
        )
    for name in _UNSUPPORTED:
        if name in call.query:
            raise _S3Error("NotImplemented", 501, f"This store does not know ?{name}.")
    if call.key:
        _check_object_query(call.query)
        return await _send_object(portal, call.key, scope, receive, send)
    return await _send(scope, send, 200, await _about_bucket(portal, call, method), _REGION)


def _check_object_query(query: Mapping[str, str]) -> None:
    """Headers are not taken from addresses: a stored text could become a page of this site. Amazon refuses that to anonymous
    readers, too."""
    if name := next((name for name in query if name.startswith("response-")), None):
        raise _S3Error("InvalidRequest", 400, f"{name} cannot be used by anonymous readers.")
    if query.get("partNumber", "1") != "1":
        raise _S3Error("InvalidPartNumber", 416, "Objects of this store have one part, number 1.")


async def _send_object(portal: Portal, key: str, scope: Scope, receive: Receive, send: Send) -> None:
    opened = await open_file(portal, key, scope, several=False)
    status = opened.wanted.status
    if status in (412, 416):
        opened.close()
        code = "PreconditionFailed" if status == 412 else "InvalidRange"
        raise _S3Error(code, status, f"{key}: the condition or the range of this request cannot be met.")
    headers = [*_request_headers(), (b"x-content-type-options", b"nosniff"), *CORS]
    await send_opened(portal, opened, scope, receive, send, content_type(key), headers)


async def _about_bucket(portal: Portal, call: _Call, method: str) -> bytes:
    if method == "HEAD":
        return b""
    if "location" in call.query:
        return _document(f'<LocationConstraint xmlns="{NAMESPACE}"></LocationConstraint>')
    if "versioning" in call.query:
        return _document(f'<VersioningConfiguration xmlns="{NAMESPACE}"></VersioningConfiguration>')
    return await _list(portal, call.query)


async def _list(portal: Portal, query: Mapping[str, str]) -> bytes:
    """ListObjectsV2, or ListObjects without `list-type=2`."""
    second = _is_second(query)
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    most = _max_keys(query.get("max-keys"))
    if second:
        token = query.get("continuation-token")
        after = _from_token(token) if token else query.get("start-after", "")
    else:
        after = query.get("marker", "")
    found = Page((), (), "")
    if most:
        found = await in_thread(portal, page, portal, prefix, delimiter, after, most)
    return _list_document(portal.settings.bucket, query, found, most, second)


def _list_document(bucket: str, query: Mapping[str, str], found: Page, most: int, second: bool) -> bytes:
    encoded = query.get("encoding-type") == "url"

    def text(value: str) -> str:
        return quote(value, safe="/-_.~") if encoded else _escaped(value)

    parts = [f'<ListBucketResult xmlns="{NAMESPACE}">', f"<Name>{_escaped(bucket)}</Name>"]
    parts += [_tag(name, text(query.get(key, ""))) for name, key in (("Prefix", "prefix"),)]
    if query.get("delimiter"):
        parts.append(_tag("Delimiter", text(query["delimiter"])))
    if encoded:
        parts.append("<EncodingType>url</EncodingType>")
    parts += [_tag("MaxKeys", str(most)), _tag("IsTruncated", "true" if found.last else "false")]
    parts += _paging(query, found, text) if second else _marker(query, found, text)
    owner = "<Owner><ID>tomoportal</ID><DisplayName>tomoportal</DisplayName></Owner>"
    with_owner = not second or query.get("fetch-owner") == "true"
    for entry in found.entries:
        parts.append(
            f"<Contents><Key>{text(entry.path)}</Key><LastModified>{_iso(entry.modified)}</LastModified>"
            f"<ETag>&quot;{_escaped(entry.tag)}&quot;</ETag><Size>{entry.size}</Size>"
            f"<StorageClass>STANDARD</StorageClass>{owner if with_owner else ''}</Contents>"
        )
    parts += [
        f"<CommonPrefixes><Prefix>{text(prefix)}</Prefix></CommonPrefixes>" for prefix in found.prefixes
    ]
    return _document("".join(parts) + "</ListBucketResult>")


def _paging(query: Mapping[str, str], found: Page, text: Callable[[str], str]) -> list[str]:
    parts = [_tag("KeyCount", str(len(found.entries) + len(found.prefixes)))]
    if query.get("start-after"):
        parts.append(_tag("StartAfter", text(query["start-after"])))
    if query.get("continuation-token"):
        parts.append(_tag("ContinuationToken", _escaped(query["continuation-token"])))
    if found.last:
        parts.append(_tag("NextContinuationToken", _to_token(found.last)))
    return parts


def _marker(query: Mapping[str, str], found: Page, text: Callable[[str], str]) -> list[str]:
    parts = [_tag("Marker", text(query.get("marker", "")))]
    if found.last:
        parts.append(_tag("NextMarker", text(found.last)))
    return parts


def _is_second(query: Mapping[str, str]) -> bool:
    """Whether the second version of the list is asked for."""
    if query.get("list-type", "2") != "2":
        raise _S3Error("InvalidArgument", 400, "list-type must be 2, or absent for the first version.")
    if query.get("encoding-type", "url") != "url":
        raise _S3Error("InvalidArgument", 400, "encoding-type must be url, or absent.")
    return "list-type" in query


def _max_keys(value: str | None) -> int:
    if value is None:
        return MOST_KEYS
    if not value.isdecimal():
        raise _S3Error("InvalidArgument", 400, f"max-keys must be a number, not {value!r}.")
    return MOST_KEYS if len(value) > len(str(MOST_KEYS)) else min(int(value), MOST_KEYS)


def _to_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _S3Error("InvalidArgument", 400, "This continuation-token is not one of ours.") from None


def _buckets(portal: Portal) -> bytes:
    name = _escaped(portal.settings.bucket)
    bucket = f"<Bucket><Name>{name}</Name><CreationDate>2020-01-01T00:00:00.000Z</CreationDate></Bucket>"
    owner = "<Owner><ID>tomoportal</ID><DisplayName>tomoportal</DisplayName></Owner>"
    return _document(
        f'<ListAllMyBucketsResult xmlns="{NAMESPACE}">{owner}<Buckets>{bucket}</Buckets></ListAllMyBucketsResult>'
    )


def _escaped(text: str) -> str:
    """Text of a request or key inside XML; signs that XML cannot carry are replaced."""
    return saxutils.escape(_NOT_XML.sub("\ufffd", text))


def _tag(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>"


def _document(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _iso(modified: float) -> str:
    return datetime.fromtimestamp(modified, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _request_headers() -> Headers:
    return [(b"x-amz-request-id", token_hex(8).upper().encode())]


async def _send(scope: Scope, send: Send, status: int, body: bytes, headers: Headers | None = None) -> None:
    start: Headers = [
        (b"content-type", _XML),
        (b"content-length", b"%d" % len(body)),
        *_request_headers(),
        *CORS,
        *(headers or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _send_error(error: PortalError, scope: Scope, send: Send) -> None:
    headers: Headers = []
    if isinstance(error, _S3Error):
        status, code = error.status, error.code
        headers = [(b"allow", b"GET, HEAD, OPTIONS")] if status == 405 else []
    elif isinstance(error, NotFound) or status_of(error)[0] == GONE:
        status, code = 404, "NoSuchKey"
    else:
        status, code = (503, "SlowDown") if status_of(error)[0] == 503 else (500, "InternalError")
        headers = headers_of(error)
    message = "There is no such key." if code == "NoSuchKey" else told(error)
    resource = _escaped(scope["path"].removeprefix("/s3"))
    body = _document(
        f"<Error><Code>{code}</Code><Message>{_escaped(message)}</Message><Resource>{resource}</Resource></Error>"
    )
    await _send(scope, send, status, body, headers)
