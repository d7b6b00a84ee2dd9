"""An HTTP request → a GraphQL request. Nothing here answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request as HttpRequest

from tomoportal.api.graphql.execute import Request
from tomoportal.errors import UsageError

FORM = "application/x-www-form-urlencoded"


class BodyTooLarge(Exception):
    """The body has more bytes than are taken."""


def wants_page(http: HttpRequest) -> bool:
    """Whether a browser asks for something to look at: the empty page, or an answer to the form on it."""
    if "text/html" not in http.headers.get("accept", ""):
        return False
    return content_type(http) == FORM if http.method == "POST" else "query" not in http.query_params


def content_type(http: HttpRequest) -> str:
    """Without its parameters."""
    return http.headers.get("content-type", "").partition(";")[0].strip().lower()


async def body(http: HttpRequest, largest: int) -> bytes:
    """The body. Raises `BodyTooLarge`."""
    received = bytearray()
    async for part in http.stream():
        received += part
        if len(received) > largest:
            raise BodyTooLarge
    return bytes(received)


def from_url(http: HttpRequest) -> Request:
    """The request in the query of a URL. Raises `UsageError`."""
    return _from_texts(http.query_params)


def from_form(body: bytes) -> Request:
    """The request of the page's form. Raises `UsageError`."""
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=False, max_num_fields=10)
    except ValueError as error:
        raise UsageError(f"this form cannot be read: {error}") from None
    return _from_texts({name: values[0] for name, values in found.items()})


def from_body(http: HttpRequest, body: bytes) -> Request:
    """The request in a JSON body. Raises `UsageError`."""
    kind = content_type(http)
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


def _from_texts(given: Mapping[str, str]) -> Request:
    variables = given.get("variables", "").strip()
    return _request(
        given.get("query"),
        _json(variables, "variables") if variables else None,
        given.get("operationName") or None,
    )


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
