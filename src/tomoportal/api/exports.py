"""`/api/annotations/{id}/export`: the points of an annotation in the format of a package, for a tomogram of the same alignment.

GET and HEAD with `format`, and optionally `tomogram` (its id) and `shape`. Answers carry an ETag and are made anew each time; nothing is
stored. Few are made at a time and others wait for their turn, without a thread; lists beyond `LARGEST` are left to the command line.
Errors are told as JSON with a sentence.
"""

from __future__ import annotations

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tomoportal.api.conditions import Version, wanted
from tomoportal.api.errors import Refused
from tomoportal.api.files import CORS
from tomoportal.api.portal import Portal, being_replaced, withdrawn
from tomoportal.catalog import View
from tomoportal.errors import NotFound
from tomoportal.exports import PLAIN, AnnotationExport, annotation_export

_ASKED = ("format", "tomogram", "shape")
_LONGEST = 9
"""Digits of an id."""
LARGEST = 64 << 20
"""Bytes of published points that are converted on request: some 250,000 oriented points, or 900,000 points."""
_LATER = ((b"retry-after", b"5"),)
AT_ONCE, WAITING = 2, 40
"""How many exports are made at the same time, and how many may wait for that."""


def export_routes(portal: Portal) -> list[BaseRoute]:
    """The routes of exports."""

    turns = anyio.CapacityLimiter(AT_ONCE)

    async def export(request: Request) -> Response:
        if turns.statistics().tasks_waiting >= WAITING:
            raise Refused(
                503, "busy", "Many exports are being made just now; try again in a few seconds.", _LATER
            )
        return await anyio.to_thread.run_sync(_answer, portal, request, limiter=turns)

    return [Route("/api/annotations/{id}/export", export, methods=["GET", "HEAD"])]


def _answer(portal: Portal, request: Request) -> Response:
    planned = _planned(portal.view(PLAIN), request)
    key = portal.admit(planned.path)
    entry = portal.storage.stat(planned.path)
    if entry.size > LARGEST:
        raise Refused(413, "too-large", _too_large(planned, entry.size))
    tag = planned.tag(f"{entry.tag} {entry.size}")
    headers = {
        "etag": f'"{tag}"',
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "content-disposition": f'attachment; filename="{planned.file_name}"',
        **{name.decode(): value.decode() for name, value in CORS},
    }
    conditions = {
        name: value for name, value in request.headers.raw if name in (b"if-match", b"if-none-match")
    }
    status = wanted(conditions, Version(tag, entry.modified, entry.size)).status
    if status == 412:
        raise Refused(412, "changed", "This export is another version than the one that the request names.")
    data = portal.storage.read(planned.path) if status == 200 else b""
    if portal.replacing(key):
        raise being_replaced(planned.path)
    if status != 200:
        return Response(b"", status, headers)
    return Response(planned.make(data), 200, headers, media_type=planned.media_type)


def _too_large(planned: AnnotationExport, size: int) -> str:
    return (
        f"{planned.path} has {size / 2**20:,.0f} MiB of points; up to {LARGEST >> 20} MiB are converted on request. Download "
        "that file as it is, or convert it where the portal lies with `tomoportal export annotation`."
    )


def _planned(view: View, request: Request) -> AnnotationExport:
    asked = dict(request.query_params)
    unknown = sorted(set(asked) - set(_ASKED))
    if unknown:
        names = ", ".join(_ASKED)
        raise Refused(400, "usage", f"{unknown[0][:40]} is not understood here; exports take {names}.")
    id = _number(request.path_params["id"], "annotation")
    tomogram = _number(asked["tomogram"], "tomogram") if asked.get("tomogram") else None
    try:
        return annotation_export(
            view, id, format=asked.get("format", ""), tomogram=tomogram, shape=asked.get("shape") or None
        )
    except NotFound:
        stone = view.tombstone("annotation", id)
        if stone is not None:
            raise withdrawn(f"annotation {id}", stone) from None
        raise


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise Refused(400, "usage", f"{text[:40]!r} is no id of {what}s; expected a number.")
    return int(text)
