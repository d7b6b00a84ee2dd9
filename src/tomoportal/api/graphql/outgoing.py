"""What goes out over HTTP with an answer: its tag, compression, and whose pages may read it."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping

from starlette.datastructures import Headers

from tomoportal import __version__
from tomoportal.api.graphql.execute import Request

SMALLEST_COMPRESSED = 4_000
"""Bytes; below it compression saves less than it costs."""
LEVEL = 1
"""Of zlib: the JSON of rows shrinks to a ninth with it, at 130 MB/s and more; level 6 takes six times as long for a tenth less."""
METHODS = "GET, POST, OPTIONS"
REMEMBERED = 600
"""Seconds for which a browser may remember what it is allowed."""

_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")


def tag(seen: tuple[object, ...], request: Request) -> str:
    """The ETag of the answer to a request by a view (its key and addresses): the same question to the same rows of the same day has the
    same answer."""
    asked = json.dumps([__version__, repr(seen), request.query, request.variables, request.operation])
    return f'W/"{hashlib.sha256(asked.encode()).hexdigest()[:24]}"'


def is_known(headers: Headers, tag: str) -> bool:
    """Whether the client has this answer already."""
    return tag in (item.strip() for item in headers.get("if-none-match", "").split(","))


def caching(tag: str) -> dict[str, str]:
    """Anyone may keep the answer, but has to ask whether it still holds."""
    return {"etag": tag, "cache-control": "public, no-cache"}


def packed(text: str, headers: Headers) -> tuple[bytes, dict[str, str]]:
    """The bytes of an answer, compressed where that is asked for and worth it, and the headers that tell."""
    content = text.encode()
    varies = {"vary": "accept, accept-encoding, origin"}
    if len(content) < SMALLEST_COMPRESSED or not _takes_gzip(headers.get("accept-encoding", "")):
        return content, varies
    engine = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return engine.compress(content) + engine.flush(), {**varies, "content-encoding": "gzip"}


def _takes_gzip(accepted: str) -> bool:
    for item in accepted.lower().split(","):
        name, _, parameters = item.partition(";")
        if name.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", parameters)
    return False


def sharing(origins: tuple[str, ...], headers: Mapping[str, str]) -> dict[str, str]:
    """What lets pages of other sites read the answer; nothing for those that may not."""
    origin = headers.get("origin", "")
    if "*" in origins:
        allowed = "*"
    elif origin in origins:
        allowed = origin
    else:
        return {}
    return {"access-control-allow-origin": allowed, "access-control-expose-headers": "ETag, Retry-After"}


def permission(origins: tuple[str, ...], headers: Mapping[str, str]) -> dict[str, str] | None:
    """The answer to a browser that asks beforehand; None when a page of this origin may not ask."""
    shared = sharing(origins, headers)
    if not shared:
        return None
    wanted = headers.get("access-control-request-headers", "")
    return {
        **shared,
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": wanted if _NAMES.fullmatch(wanted) else "Content-Type",
        "access-control-max-age": str(REMEMBERED),
        "vary": "origin, access-control-request-headers",
    }
