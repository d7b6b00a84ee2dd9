"""`/graphql` over HTTP: POST with JSON, GET with the query in the URL, a page for browsers.

Every answer to a well-formed request is HTTP 200, errors included; 400 is for requests that are none, 413 for bodies too large,
503 for a catalogue that cannot be read.
An answer has a tag made of the question and the version of the catalogue, so that who has it already is told so (304) before
anything is asked of the database.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from tomoportal.api.errors import (
    BAD_REQUEST,
    BUSY,
    NO_ADDRESS,
    RETRY_AFTER,
    TOO_LARGE,
    UNAVAILABLE,
    Refused,
    graphql_body,
    graphql_code,
    told,
)
from tomoportal.api.graphql import incoming, outgoing
from tomoportal.api.graphql.execute import CHEAP, FINE, Prepared, Request, Service
from tomoportal.api.graphql.lanes import Lanes
from tomoportal.catalog import View
from tomoportal.errors import CatalogError, TooMuch, UsageError
from tomoportal.settings import Settings

GetView = Callable[[HttpRequest], View]
Handler = Callable[[HttpRequest], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor without scripts has sent, and the text of the answer."""

    query: str = ""
    variables: str = ""
    answer: str = ""


MakePage = Callable[[HttpRequest, Form], Response]
"""The page for browsers, with what was sent from it."""


def graphql_endpoint(get_view: GetView, make_page: MakePage, settings: Settings | None = None) -> Handler:
    """A Starlette handler for GET, POST and OPTIONS; `get_view` says what the caller may see. Database work runs in worker threads."""
    return _Endpoint(get_view, make_page, settings or Settings()).handle


@dataclass(frozen=True, slots=True)
class _Ready:
    """A request that is understood; `answer` is there where nothing has to be asked."""

    view: View
    tag: str
    answer: Prepared | str | None


class _Endpoint:
    def __init__(self, get_view: GetView, make_page: MakePage, settings: Settings) -> None:
        self.get_view, self.make_page = get_view, make_page
        self.limits, self.origins = settings.limits, settings.origins
        self.service, self.lanes = Service(self.limits), Lanes(self.limits)

    async def handle(self, http: HttpRequest) -> Response:
        if http.method == "OPTIONS":
            return self._permit(http)
        if incoming.wants_page(http):
            return await self._page(http)
        response = await self._respond(http)
        response.headers.update(outgoing.sharing(self.origins, http.headers))
        return response

    def _permit(self, http: HttpRequest) -> Response:
        headers = outgoing.permission(self.origins, http.headers)
        if headers is None:
            return _refusal(
                400, BAD_REQUEST, "pages of this origin may not ask this portal; its operator can allow them"
            )
        return Response(status_code=204, headers=headers)

    async def _page(self, http: HttpRequest) -> Response:
        if http.method != "POST":
            return self.make_page(http, Form())
        try:
            request = incoming.from_form(await incoming.body(http, self.limits.body))
        except UsageError as error:
            return self.make_page(http, Form(answer=str(error)))
        except incoming.BodyTooLarge:
            return self.make_page(http, Form(answer=f"This form is larger than {self.limits.body:,} bytes."))
        answered = await self._answered(http, Headers(), request)
        variables = "" if request.variables is None else _readable(request.variables)
        return self.make_page(
            http, Form(request.query, variables, _readable(json.loads(bytes(answered.body))))
        )

    async def _respond(self, http: HttpRequest) -> Response:
        try:
            if http.method == "POST":
                request = incoming.from_body(http, await incoming.body(http, self.limits.body))
            else:
                request = incoming.from_url(http)
        except UsageError as error:
            return _refusal(400, BAD_REQUEST, str(error))
        except incoming.BodyTooLarge:
            return _refusal(413, TOO_LARGE, f"the request is larger than {self.limits.body:,} bytes")
        return await self._answered(http, http.headers, request)

    async def _answered(self, http: HttpRequest, wishes: Headers, request: Request) -> Response:
        """`wishes`: the headers that say how the answer may look."""
        try:
            return await self._worked_out(http, wishes, request)
        except Refused as refused:
            return _refusal(refused.status, NO_ADDRESS, str(refused))
        except TooMuch as error:
            return _refusal(200, graphql_code(error), str(error))
        except CatalogError as error:
            return _refusal(503, UNAVAILABLE, told(error))

    async def _worked_out(self, http: HttpRequest, wishes: Headers, request: Request) -> Response:
        lane = self.lanes.quick if self.service.is_soon_understood(request) else self.lanes.slow
        ready = await lane(partial(self._ready, http, wishes, request))
        if ready.answer is None:
            return Response(status_code=304, headers=outgoing.caching(ready.tag))
        is_cheap = isinstance(ready.answer, str) or ready.answer.cost <= CHEAP
        return await (self.lanes.quick if is_cheap else self.lanes.slow)(partial(self._finish, wishes, ready))

    def _ready(self, http: HttpRequest, wishes: Headers, request: Request) -> _Ready:
        view = self.get_view(http)
        tag = outgoing.tag((view.key, view.addresses), request)
        if outgoing.is_known(wishes, tag):
            return _Ready(view, tag, None)
        return _Ready(view, tag, self.service.prepare(view, request))

    def _finish(self, wishes: Headers, ready: _Ready) -> Response:
        assert ready.answer is not None
        text = ready.answer if isinstance(ready.answer, str) else self.service.run(ready.view, ready.answer)
        content, headers = outgoing.packed(text, wishes)
        headers |= outgoing.caching(ready.tag) if text.startswith(FINE) else {"cache-control": "no-store"}
        return Response(content, media_type="application/json", headers=headers)


def _readable(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _refusal(status: int, code: str, message: str) -> Response:
    headers = {"cache-control": "no-store"}
    if code in (BUSY, UNAVAILABLE):
        headers["retry-after"] = RETRY_AFTER.decode()
    return Response(graphql_body(code, message), status, headers, media_type="application/json")
