"""An opened file onto the wire: its validators, length and ranges as headers, then its bytes piece by piece.

Nothing is ever compressed and Content-Length is always known, so that what breaks off is noticed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from tomoportal.api.content import (
    PIECE,
    REMOTE_PIECE,
    Headers,
    Opened,
    Receive,
    Scope,
    Send,
    in_thread,
    read_piece,
)
from tomoportal.api.portal import Portal
from tomoportal.errors import StorageError

PATIENCE = 120.0
"""Seconds in which a client must take one piece; then its connection is given up."""

log = logging.getLogger("tomoportal")


@dataclass(frozen=True, slots=True)
class _Parts:
    """The frame of a multipart answer: what stands before each range and at the end."""

    kind: bytes
    heads: tuple[bytes, ...]
    tail: bytes

    @property
    def length(self) -> int:
        return sum(map(len, self.heads)) + len(self.tail)


Step = tuple[bytes, int, int]
"""Bytes that stand before a piece, where the piece begins, its length."""


async def send_opened(
    portal: Portal, opened: Opened, scope: Scope, receive: Receive, send: Send, kind: bytes, headers: Headers
) -> None:
    """Answer with the file (status 200, 206 or 304; the services tell the others as errors). `kind` is its content type; `headers`
    are those of the service; validators, length and range are added."""
    what = opened.wanted
    try:
        parts = _parts(opened, kind) if len(what.spans) > 1 else None
        start = {
            "type": "http.response.start",
            "status": what.status,
            "headers": headers + _headers(opened, kind, parts),
        }
        await send(start)
        if scope["method"] == "HEAD" or not what.length:
            await send({"type": "http.response.body", "body": b""})
        elif opened.send_path:
            await send({"type": "http.response.pathsend", "path": opened.send_path})
        elif len(opened.first) == what.length:
            await send({"type": "http.response.body", "body": opened.first})
        else:
            await _send_pieces(portal, opened, parts, receive, send)
    finally:
        opened.close()


def _headers(opened: Opened, kind: bytes, parts: _Parts | None) -> Headers:
    version, what = opened.version, opened.wanted
    headers = [
        (b"content-type", parts.kind if parts else kind),
        (b"etag", version.etag.encode()),
        (b"last-modified", version.last_modified.encode()),
        (b"accept-ranges", b"bytes"),
    ]
    if what.spans:
        headers.append((b"content-length", b"%d" % (what.length + (parts.length if parts else 0))))
    if what.status == 206 and not parts:
        ((start, end),) = what.spans
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, version.size)))
    return headers


def _parts(opened: Opened, kind: bytes) -> _Parts:
    """RFC 9110 section 14.6."""
    mark = secrets.token_hex(16).encode()
    heads = tuple(
        b"%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %d-%d/%d\r\n\r\n"
        % (b"\r\n" if place else b"", mark, kind, start, end - 1, opened.version.size)
        for place, (start, end) in enumerate(opened.wanted.spans)
    )
    return _Parts(b"multipart/byteranges; boundary=" + mark, heads, b"\r\n--%s--\r\n" % mark)


def _steps(opened: Opened, parts: _Parts | None) -> Iterator[Step]:
    most = PIECE if opened.handle >= 0 else REMOTE_PIECE
    for place, (start, end) in enumerate(opened.wanted.spans):
        before = parts.heads[place] if parts else b""
        for at in range(start, end, most):
            yield before, at, min(most, end - at)
            before = b""
    if parts:
        yield parts.tail, 0, 0


async def _send_pieces(
    portal: Portal, opened: Opened, parts: _Parts | None, receive: Receive, send: Send
) -> None:
    """Each piece is read while the one before it is being sent, unless the client has gone away. Where a file can be
    read no further, or the client takes nothing, the body ends too early, which ends the connection."""
    steps = _steps(opened, parts)
    before, at, length = next(steps)
    data = before + (opened.first or await in_thread(portal, read_piece, portal, opened, at, length))
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        for step in steps:
            if gone.done():
                break
            ahead = asyncio.ensure_future(in_thread(portal, _load, portal, opened, step))
            try:
                await _send_piece(send, data)
            finally:
                data = await ahead
        await send({"type": "http.response.body", "body": data, "more_body": False})
    except StorageError as error:
        log.error("%s", error)
    except TimeoutError:
        log.warning("%s: a client takes nothing; its connection is given up", opened.path)
    finally:
        gone.cancel()


async def _send_piece(send: Send, data: bytes) -> None:
    """In parts no bigger than `PIECE`, each of which must be taken within `PATIENCE`."""
    for start in range(0, len(data), PIECE):
        part = data if len(data) <= PIECE else data[start : start + PIECE]
        await asyncio.wait_for(
            send({"type": "http.response.body", "body": part, "more_body": True}), PATIENCE
        )


def _load(portal: Portal, opened: Opened, step: Step) -> bytes:
    before, at, length = step
    return before + read_piece(portal, opened, at, length) if length else before


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
