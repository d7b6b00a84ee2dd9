"""`/graphql` over HTTP: POST with JSON, GET with the query in the URL, a small page for browsers.

Every answer to a well-formed request is HTTP 200, errors included; 400 is for requests that are none, 413 for bodies too large.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import Any

import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response

from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import View
from tomoportal.errors import UsageError

LARGEST_BODY = 4_000_000
"""Bytes of a request."""

GetView = Callable[[HttpRequest], View]


def graphql_endpoint(get_view: GetView) -> Callable[[HttpRequest], Awaitable[Response]]:
    """A Starlette handler for GET and POST; `get_view` says what the caller may see. Database work runs in worker threads."""
    service = Service()

    def answer(http: HttpRequest, request: Request) -> str:
        return service.answer(get_view(http), request)

    async def handle(http: HttpRequest) -> Response:
        if http.method == "GET" and "query" not in http.query_params and _is_browser(http):
            return HTMLResponse(_page())
        try:
            request = _from_url(http) if http.method == "GET" else _from_body(http, await _body(http))
        except UsageError as error:
            return JSONResponse({"errors": [{"message": str(error)}]}, 400)
        except _TooLarge:
            message = f"the request is larger than {LARGEST_BODY} bytes"
            return JSONResponse({"errors": [{"message": message}]}, 413)
        text = await anyio.to_thread.run_sync(answer, http, request)
        return Response(text, media_type="application/json", headers={"Vary": "Accept"})

    return handle


class _TooLarge(Exception):
    pass


def _is_browser(http: HttpRequest) -> bool:
    return "text/html" in http.headers.get("accept", "")


async def _body(http: HttpRequest) -> bytes:
    body = bytearray()
    async for part in http.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise _TooLarge
    return bytes(body)


def _from_url(http: HttpRequest) -> Request:
    given = http.query_params
    variables = given.get("variables")
    return _request(
        given.get("query"), _json(variables, "variables") if variables else None, given.get("operationName")
    )


def _from_body(http: HttpRequest, body: bytes) -> Request:
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UsageError(
            f"a GraphQL request is sent as application/json, not as {kind or 'nothing in particular'}"
        )
    data = _json(body, "the body")
    if isinstance(data, list):
        raise UsageError("several requests in one list are not answered; send them one by one")
    if not isinstance(data, dict):
        raise UsageError('the body must be a JSON object such as {"query": "{ datasets { id } }"}')
    return _request(data.get("query"), data.get("variables"), data.get("operationName"))


def _request(query: Any, variables: Any, operation: Any) -> Request:
    if not isinstance(query, str) or not query.strip():
        raise UsageError('there is no query; send {"query": "{ datasets { id } }"}')
    if variables is not None and not isinstance(variables, dict):
        raise UsageError("variables must be a JSON object")
    if operation is not None and not isinstance(operation, str):
        raise UsageError("operationName must be text")
    return Request(query, variables, operation or None)


def _json(text: str | bytes, what: str) -> Any:
    """The data. Halves of surrogate pairs, which JSON can spell and nothing behind it takes, are refused."""
    try:
        read = text if isinstance(text, str) else text.decode("utf-8-sig")
        data = json.loads(read)
        if "\\u" in read:
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{what} cannot be read as JSON: {error}") from None


@cache
def _page() -> str:
    return (files("tomoportal.api.graphql") / "console.html").read_text(encoding="utf-8")
