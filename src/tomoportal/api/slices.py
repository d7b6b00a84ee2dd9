"""Pictures for looking without WebGL: cuts of tomograms, what annotations draw over them, sections of tilt series.

    GET /tomograms/{id}/slice.{jpg|png|webp}    axis=z|y|x  index  slab  level  w  lo  hi
    GET /annotations/{id}/points.json           tomogram  axis  from  to  budget  shape
    GET /annotations/{id}/points.svg            tomogram  axis  index  slab  shape
    GET /annotations/{id}/mask.png              tomogram  axis  index  w  shape
    GET /tiltseries/{id}/section.{jpg|png|webp} index  w

What the parameters mean stands in docs/looking.md. Answers carry an ETag that changes with the published file and with what is asked for;
those asked for with `v` (any word for the state of the portal that a page was made from) may be kept for an hour. A few are made at a time,
others wait for their turn without a thread. Errors are told as JSON with a sentence.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tomoportal import __version__
from tomoportal.api.conditions import Version, wanted
from tomoportal.api.errors import Refused, error_body, headers_of, status_of, told
from tomoportal.api.files import CORS
from tomoportal.api.portal import Portal, being_replaced
from tomoportal.catalog import View
from tomoportal.errors import PortalError
from tomoportal.exports import PLAIN

if TYPE_CHECKING:
    from tomoportal.api.slice_plans import Planned

AT_ONCE, WAITING = 3, 300
"""How many pictures are made at the same time, and how many may wait for that."""
KEPT = 32 << 20
"""Bytes of answers that are remembered."""
_LATER = ((b"retry-after", b"5"),)
_HEADERS = {"x-content-type-options": "nosniff", **{name.decode(): value.decode() for name, value in CORS}}
_PICTURES = (".jpg", ".png", ".webp")

Plan = Callable[[View, Request], "Planned"]


def is_picture(path: str) -> bool:
    """Whether an address is that of a picture, which is compressed as it is."""
    return path.endswith(_PICTURES) and path.startswith(("/tomograms/", "/annotations/", "/tiltseries/"))


def slice_routes(portal: Portal) -> list[BaseRoute]:
    """The routes of pictures and points; none where the packages that make pictures are not installed."""
    if not all(map(importlib.util.find_spec, ("PIL", "numcodecs"))):
        return []
    from tomoportal.api.slice_plans import Plans

    plans = Plans(portal)
    answers = _Answers(portal)
    paths: dict[str, Plan] = {
        "/tomograms/{id}/slice.{kind}": plans.slice,
        "/tiltseries/{id}/section.{kind}": plans.section,
        "/annotations/{id}/points.json": plans.points,
        "/annotations/{id}/points.svg": plans.circles,
        "/annotations/{id}/mask.png": plans.mask,
    }
    return [Route(path, answers.endpoint(plan), methods=["GET", "HEAD"]) for path, plan in paths.items()]


class _Answers:
    """Makes what is planned, a few at a time, and remembers what it has made lately."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._turns = anyio.CapacityLimiter(AT_ONCE)
        self._kept = _Kept(KEPT)

    def endpoint(self, plan: Plan) -> Callable[[Request], object]:
        """The endpoint of a route."""

        async def answer(request: Request) -> Response:
            try:
                if self._turns.statistics().tasks_waiting >= WAITING:
                    raise Refused(
                        503,
                        "busy",
                        "Many pictures are being made just now; try again in a few seconds.",
                        _LATER,
                    )
                return await anyio.to_thread.run_sync(self._answer, plan, request, limiter=self._turns)
            except PortalError as error:
                return _error(error, request)

        return answer

    def _answer(self, plan: Plan, request: Request) -> Response:
        portal, planned = self._portal, plan(self._portal.view(PLAIN), request)
        key = portal.admit(planned.path)
        portal.check_reach(planned.path)
        entry = portal.storage.stat(planned.path)
        stamp = f"{entry.tag} {entry.size}"
        tag = hashlib.sha256(
            repr((stamp, planned.path, planned.parameters, __version__)).encode()
        ).hexdigest()[:32]
        lasting = "public, max-age=3600" if "v" in request.query_params else "no-cache"
        headers = {**_HEADERS, "etag": f'"{tag}"', "cache-control": lasting}
        asked = {name: value for name, value in request.headers.raw if name == b"if-none-match"}
        if wanted(asked, Version(tag, entry.modified, entry.size)).status == 304:
            return Response(b"", 304, headers)
        body = self._kept.get(tag)
        if body is None:
            body = planned.make(stamp)
            if portal.replacing(key):
                raise being_replaced(planned.path)
            self._kept.put(tag, body)
        return Response(body, 200, headers, media_type=planned.media_type)


def _error(error: PortalError, request: Request) -> Response:
    status, code = status_of(error)
    body = error_body(code, told(error), request.url.path)
    headers = {name.decode(): value.decode() for name, value in headers_of(error)}
    headers = {**_HEADERS, "cache-control": "no-store", **headers}
    return Response(body, status, headers, media_type="application/json")


class _Kept:
    """Answers by tag, the least recently used of them forgotten. Safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size, self._lock = limit, 0, Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def get(self, tag: str) -> bytes | None:
        with self._lock:
            if tag in self._bodies:
                self._bodies.move_to_end(tag)
            return self._bodies.get(tag)

    def put(self, tag: str, body: bytes) -> None:
        with self._lock:
            if tag not in self._bodies:
                self._bodies[tag] = body
                self._size += len(body)
            while self._size > self._limit:
                self._size -= len(self._bodies.popitem(last=False)[1])
