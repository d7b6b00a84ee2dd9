"""Exports of a selection: `runs=1-20_25&tomograms=7&…`, as `exports.selection` reads it.

    GET /api/selection/particles   one STAR file of its points; `as` relion5_star, relion4_star or warp_star, `object`, `truth=yes`
    GET /api/selection/copick      a configuration for copick
    GET /api/selection/manifest    its files as a manifest; `get` such as tomograms.zarr (several), `as` jsonl, curl, aria2 or sha256sum

Whoever names something that is not there is told so. Few exports are made at a time and others wait for their turn, without a thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import chain

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tomoportal.api.errors import Refused
from tomoportal.api.files import CORS
from tomoportal.api.manifests import MOST_PATHS, Checksums, entries
from tomoportal.api.portal import Portal, being_replaced
from tomoportal.catalog import View
from tomoportal.client.downloads.listing import Source
from tomoportal.client.downloads.lists import JSONL, NOTATIONS
from tomoportal.client.downloads.manifest import Item, ManifestWriter
from tomoportal.errors import UsageError
from tomoportal.exports import PLAIN
from tomoportal.exports.copick.portal import portal_project
from tomoportal.exports.particles import LARGEST, file_name, particles, point_lists
from tomoportal.exports.selection import KINDS, Selection

Wanted = Callable[[View, Selection, list[str]], Iterable[tuple[str, str, bool]]]
"""Files of a selection by what is asked for: (kind, path in the layout, whether it is a folder). Raises `UsageError`."""

AT_ONCE, WAITING = 2, 40
_BLOCK = 64 << 10
_LATER = ((b"retry-after", b"5"),)


def selection_routes(portal: Portal, wanted: Wanted) -> list[BaseRoute]:
    """The routes; `wanted` knows the files."""
    turns = anyio.CapacityLimiter(AT_ONCE)

    def route(name: str, answer: Callable[[Portal, Request], Response]) -> Route:
        async def export(request: Request) -> Response:
            if turns.statistics().tasks_waiting >= WAITING:
                raise Refused(
                    503, "busy", "Many exports are being made just now; try again in a few seconds.", _LATER
                )
            return await anyio.to_thread.run_sync(answer, portal, request, limiter=turns)

        return Route(f"/api/selection/{name}", export, methods=["GET", "HEAD"])

    return [
        route("particles", _particles),
        route("copick", _copick),
        route("manifest", lambda portal, request: _manifest(portal, request, wanted)),
    ]


def _particles(portal: Portal, request: Request) -> Response:
    view = portal.view(PLAIN)
    selection = _selection(view, request, "as", "object", "truth")
    asked = request.query_params
    format = asked.get("as", "")
    lists = point_lists(view, selection, asked.getlist("object"), truth=asked.get("truth") == "yes")
    data = particles(lists, format, lambda path: _read(portal, path))
    return Response(data, headers=_headers(file_name(format)), media_type="text/plain")


def _copick(portal: Portal, request: Request) -> Response:
    view = portal.view(PLAIN)
    selection = _selection(view, request)
    project = portal_project(view, selection, portal.settings.title, lambda path: _read(portal, path))
    text = json.dumps(project, indent=2, ensure_ascii=False) + "\n"
    return Response(text, headers=_headers("copick.json"), media_type="application/json")


def _manifest(portal: Portal, request: Request, wanted: Wanted) -> Response:
    view = portal.view(PLAIN)
    selection = _selection(view, request, "get", "as")
    notation = request.query_params.get("as", JSONL)
    if notation not in (JSONL, *NOTATIONS):
        raise UsageError(f"as={notation[:40]} is not known; expected {JSONL}, {', '.join(NOTATIONS)}.")
    files = tuple(wanted(view, selection, request.query_params.getlist("get")))
    if len(files) > MOST_PATHS:
        raise UsageError(
            f"These are {len(files):,} files and folders; a manifest takes {MOST_PATHS:,}. Choose fewer."
        )
    base = portal.public_url(request.url.scheme, request.headers.get("host", ""))
    items = _items(portal, f"{base}/files/", files)
    blocks = _jsonl(items, base) if notation == JSONL else _told(items, notation)
    first = next(blocks)
    name = "basket.jsonl" if notation == JSONL else f"basket.{notation}"
    media = "application/x-ndjson" if notation == JSONL else "text/plain"
    return StreamingResponse(chain([first], blocks), headers=_headers(name), media_type=media)


def _selection(view: View, request: Request, *others: str) -> Selection:
    """What the address names. Raises `UsageError` for what it cannot name, and for what is not there."""
    asked = request.query_params.multi_items()
    unknown = next((name for name, _ in asked if name not in (*KINDS, *others)), None)
    if unknown is not None:
        raise UsageError(f"{unknown[:40]} is not understood here; expected {', '.join((*KINDS, *others))}.")
    return Selection.read(asked).checked(view)


def _headers(name: str) -> dict[str, str]:
    return {
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "content-disposition": f'attachment; filename="{name}"',
        **{name.decode(): value.decode() for name, value in CORS},
    }


def _read(portal: Portal, path: str) -> bytes:
    """A published file, as long as it is not being replaced."""
    key = portal.admit(path)
    size = portal.storage.stat(path).size
    if size > LARGEST:
        raise Refused(
            413,
            "too-large",
            f"{path} has {size / 2**20:,.0f} MiB; up to {LARGEST >> 20} MiB are converted on request.",
        )
    data = portal.storage.read(path)
    if portal.replacing(key):
        raise being_replaced(path)
    return data


def _items(portal: Portal, base: str, files: Iterable[tuple[str, str, bool]]) -> Iterator[Item]:
    sums = Checksums(portal.storage)
    for kind, path, is_folder in files:
        source = Source(path, base, kind, is_folder, path)
        for entry in entries(portal, path):
            yield source.item(entry.path, entry.size, etag=entry.tag, **sums.of(entry.path))


def _jsonl(items: Iterable[Item], portal: str) -> Iterator[bytes]:
    buffer = BytesIO()
    writer = ManifestWriter(buffer, portal, f"{portal}/files/")
    for item in items:
        writer.add(item)
        if buffer.tell() > _BLOCK:
            yield _taken(buffer)
    writer.end()
    yield _taken(buffer)


def _told(items: Iterable[Item], notation: str) -> Iterator[bytes]:
    first, line = NOTATIONS[notation]
    buffer = BytesIO()
    buffer.write(first.encode())
    for item in items:
        buffer.write(line(item).encode())
        if buffer.tell() > _BLOCK:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: BytesIO) -> bytes:
    data = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return data
