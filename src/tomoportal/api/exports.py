"""`/api/annotations/{id}/export`: the points of an annotation in the format of a package, for a tomogram of the same alignment.

GET and HEAD with `format`, and optionally `tomogram` (its id) and `shape`. Answers carry an ETag and are made anew each time;
nothing is stored. Errors are told as JSON with a sentence.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
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


def export_routes(portal: Portal) -> list[BaseRoute]:
    """The routes of exports."""

    async def export(request: Request) -> Response:
        return await run_in_threadpool(_answer, portal, request)

    return [Route("/api/annotations/{id}/export", export, methods=["GET", "HEAD"])]


def _answer(portal: Portal, request: Request) -> Response:
    planned = _planned(portal.view(PLAIN), request)
    key = portal.admit(planned.path)
    entry = portal.storage.stat(planned.path)
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
