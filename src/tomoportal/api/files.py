"""`/files/<path>`: every public file of the layout, for browsers, viewers and download tools.

GET, HEAD and OPTIONS; byte ranges; conditional requests; open to scripts of any origin (the data is public). What must not
be seen is not told apart from what is not there. Addresses that end in a slash list the folder.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from tomoportal.api.content import Headers, Opened, Receive, Scope, Send, in_thread, open_file
from tomoportal.api.content_types import content_type
from tomoportal.api.delivery import Delivery, delivery
from tomoportal.api.errors import Refused, error_body, headers_of, status_of, told
from tomoportal.api.folders import Folder, as_json, as_links, read_folder
from tomoportal.api.portal import Portal
from tomoportal.api.sending import send_opened
from tomoportal.errors import NotFound, PortalError

FolderPage = Callable[[Folder], tuple[bytes, Headers]]
"""The HTML of a folder, and headers that go with it."""

METHODS = b"GET, HEAD, OPTIONS"

CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Content-Range, Content-Length, ETag, Accept-Ranges, Last-Modified, Retry-After",
    ),
]
_PREFLIGHT: Headers = [
    *CORS,
    (b"access-control-allow-methods", METHODS),
    (
        b"access-control-allow-headers",
        b"Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, Content-Type",
    ),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]

_NO_HEADERS: Headers = []
_HEADERS: Headers = [(b"cache-control", b"no-cache"), (b"x-content-type-options", b"nosniff"), *CORS]

_HTML = b"text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Service:
    """`browse` shows folders to browsers, `way` tells who sends the bytes."""

    portal: Portal
    browse: FolderPage | None
    way: Delivery


def file_service(
    portal: Portal, browse: FolderPage | None = None
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application for paths below `/files/`; `browse` shows folders to browsers. Raises `UsageError` for a way of delivery
    that does not fit the storage."""
    service = _Service(portal, browse, delivery(portal.settings.deliver, portal.storage))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"][len("/files/") :]
        try:
            opened = await _opened(service, path, scope, send)
        except PortalError as error:
            await _send_error(error, path, scope, send)
            return
        if opened:
            await send_opened(portal, opened, scope, receive, send, content_type(path), _headers(path, scope))

    return serve


async def _opened(service: _Service, path: str, scope: Scope, send: Send) -> Opened | None:
    """The file to be sent; None when what is asked for is none, or is sent by another, and was answered."""
    portal, way, method = service.portal, service.way, scope["method"]
    if method == "OPTIONS":
        await _send(scope, send, 204, b"", _PREFLIGHT)
        return None
    _check_method(method)
    if not path or path.endswith("/"):
        await _send(scope, send, 200, *await in_thread(portal, _folder, service, path, scope))
        return None
    opened = await open_file(portal, path, scope if way.is_own(method) else way.question(scope))
    _check_conditions(opened)
    if way.is_own(method) or not opened.wanted.spans:
        return opened
    status, headers = await in_thread(portal, way.answer, opened)
    kind = (b"content-type", content_type(path))
    await _send(scope, send, status, b"", [kind, *_headers(path, scope), *headers])
    return None


def _headers(path: str, scope: Scope) -> Headers:
    return [*_HEADERS, _to_be_saved(path)] if scope["query_string"] == b"download" else _HEADERS


def _to_be_saved(path: str) -> tuple[bytes, bytes]:
    name = quote(path.rpartition("/")[2], safe="")
    return b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()


def _folder(service: _Service, path: str, scope: Scope) -> tuple[bytes, Headers]:
    """A folder as the client likes it: a page for browsers, JSON, or plain links; with its headers."""
    folder = read_folder(service.portal, path, scope["query_string"])
    accepted = dict(scope["headers"]).get(b"accept", b"")
    kind, shown = _HTML, _NO_HEADERS
    if service.browse and b"text/html" in accepted:
        body, shown = service.browse(folder)
    elif b"application/json" in accepted:
        body, kind = as_json(folder), b"application/json"
    else:
        body = as_links(folder)
    start = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"vary", b"accept")]
    return body, [*start, *_HEADERS, *shown]


def _check_method(method: str) -> None:
    if method not in ("GET", "HEAD"):
        message = f"Files can be read (GET, HEAD) but not changed by HTTP; {method} is not possible here."
        raise Refused(405, "method", message, ((b"allow", METHODS),))


def _check_conditions(opened: Opened) -> None:
    status, size = opened.wanted.status, opened.version.size
    if status not in (412, 416):
        return
    opened.close()
    if status == 412:
        raise Refused(412, "changed", "This file is another version than the one that the request names.")
    message = f"This file has {size} bytes; the range asked for begins after its end."
    raise Refused(416, "range", message, ((b"content-range", b"bytes */%d" % size),))


async def _send_error(error: PortalError, path: str, scope: Scope, send: Send) -> None:
    status, code = status_of(error)
    message = "There is no such file here." if isinstance(error, NotFound) else told(error)
    body = error_body(code, message, path)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *CORS,
        *headers_of(error),
    ]
    await _send(scope, send, status, body, headers)


async def _send(scope: Scope, send: Send, status: int, body: bytes, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
