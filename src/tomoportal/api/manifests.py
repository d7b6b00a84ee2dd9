"""`POST /api/manifest`: every public file at or below paths of the layout with its size, version and recorded checksum, in one answer.

The request is `{"paths": ["10901/TS_001", …]}`; the answer JSON lines, one a file in the order of the paths, `of` being the number of
the path that it belongs to:

    {"of": 0, "path": "10901/TS_001/…/TS_001.mrc", "size": 1024, "etag": "18f2-400", "sha256": "…"}
    {"end": true, "files": 1, "bytes": 1024}

`sha256` is what was recorded at ingestion; files inside an OME-Zarr have a `crc32` instead (eight hexadecimal digits). A path that may
not be seen, or is being replaced, ends the answer with a line `{"error": {"code", "message", "status"}, "of": 0}` in place of the last
one: nobody takes a part for the whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tomoportal.api.errors import Refused, status_of, told
from tomoportal.api.listing import page
from tomoportal.api.portal import Portal, being_replaced
from tomoportal.errors import NotFound, PortalError, StorageError
from tomoportal.layout.paths import is_private, owner
from tomoportal.layout.private import ledger_path, read_ledger
from tomoportal.layout.sums import read_sums
from tomoportal.storage import Entry, Storage, clean_path

MOST_PATHS = 10_000
MOST_BYTES = 4 << 20
"""Of a request."""
_PAGE = 20_000
_ZARR = ".zarr/"
_BLOCK = 64 << 10
"""Bytes of an answer that are sent at once."""


def manifest_routes(portal: Portal) -> list[BaseRoute]:
    """The route of manifests."""

    async def manifest(request: Request) -> Response:
        paths = _asked(await _body(request))
        lines = _blocks(_lines(portal, paths))
        return StreamingResponse(
            lines, headers={"cache-control": "no-store"}, media_type="application/x-ndjson"
        )

    return [Route("/api/manifest", manifest, methods=["POST"])]


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MOST_BYTES:
            raise Refused(
                413,
                "too-large",
                f"A manifest is asked for with at most {MOST_BYTES} bytes; ask several times.",
            )
    return bytes(body)


def _asked(body: bytes) -> list[str]:
    try:
        paths = json.loads(body)["paths"]
    except (ValueError, KeyError, TypeError, RecursionError):
        paths = None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise Refused(400, "usage", 'Expected {"paths": […]}: paths of the layout, such as "10901/TS_001".')
    if len(paths) > MOST_PATHS:
        raise Refused(
            413, "too-large", f"A manifest is made of at most {MOST_PATHS} paths; ask several times."
        )
    return [path.strip("/") for path in paths]


def _blocks(lines: Iterator[str]) -> Iterator[bytes]:
    block = ""
    for line in lines:
        block += line + "\n"
        if len(block) > _BLOCK:
            yield block.encode()
            block = ""
    yield block.encode()


def _lines(portal: Portal, paths: list[str]) -> Iterator[str]:
    sums = Checksums(portal.storage)
    files = size = number = 0
    try:
        for number, path in enumerate(paths):
            for entry in entries(portal, path):
                files, size = files + 1, size + entry.size
                line: dict[str, Any] = {
                    "of": number,
                    "path": entry.path,
                    "size": entry.size,
                    "etag": entry.tag,
                }
                yield json.dumps({**line, **sums.of(entry.path)}, separators=(",", ":"))
        yield json.dumps({"end": True, "files": files, "bytes": size})
    except PortalError as error:
        status, code = status_of(error)
        message = (
            f"{paths[number]}: there is no such public file or folder." if status == 404 else told(error)
        )
        yield json.dumps({"error": {"code": code, "message": message, "status": status}, "of": number})


def entries(portal: Portal, path: str) -> Iterator[Entry]:
    """The public files at or below a path. Raises `NotFound` when there are none, `Refused` for what is withdrawn or being replaced."""
    try:
        clean_path(path)
    except StorageError:
        raise NotFound(path) from None
    if is_private(path):
        raise NotFound(path)
    entry = _file(portal, path) if path else None
    if entry is not None:
        yield entry
        return
    found = False
    for below in _below(portal, f"{path}/" if path else ""):
        found = True
        yield below
    if not found:
        raise NotFound(path)


def _file(portal: Portal, path: str) -> Entry | None:
    """The public file at a path, None where there is a folder or nothing."""
    key = portal.admit(path)
    try:
        entry = portal.storage.stat(path)
    except NotFound:
        entry = None
    if portal.replacing(key):
        raise being_replaced(path)
    return entry


def _below(portal: Portal, prefix: str) -> Iterator[Entry]:
    after = ""
    while True:
        part = page(portal, prefix, "", after, _PAGE)
        yield from part.entries
        if not part.last:
            return
        after = part.last


class Checksums:
    """The recorded checksums of files, by the ledgers of the runs that they lie in and by the folders that they are part of; a
    listing goes from one to the next."""

    def __init__(self, storage: Storage) -> None:
        self._recorded = lru_cache(maxsize=4)(lambda home: _recorded(storage, home))
        self._inside = lru_cache(maxsize=4)(lambda home: read_sums(storage, home))

    def of(self, path: str) -> dict[str, str]:
        """`{"sha256": …}`, `{"crc32": …}` or nothing."""
        before, is_inside, below = path.partition(_ZARR)
        if is_inside:
            known = self._inside(before + _ZARR[:-1]).get(below)
            return {"crc32": known} if known else {}
        key = owner(path)
        known = None if key is None else self._recorded(ledger_path(key)).get(path)
        return {"sha256": known} if known else {}


def _recorded(storage: Storage, home: str) -> dict[str, str]:
    sums: dict[str, str] = {}
    for record in read_ledger(storage, home).records.values():
        sums |= {path: str(file["sha256"]) for path, file in record.files.items() if file.get("sha256")}
        if record.sidecar and record.sidecar_sha256:
            sums[record.sidecar] = record.sidecar_sha256
    return sums
