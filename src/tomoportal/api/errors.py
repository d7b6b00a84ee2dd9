"""Which HTTP status an exception means, and how machines are told: one table for every route.

The body is `{"error": {"code", "message", "where"}}`; that of `/graphql` is GraphQL's, `{"errors": [{"message", "extensions": {"code"}}]}`.
"""

from __future__ import annotations

import json
import logging

from tomoportal import errors

log = logging.getLogger("tomoportal")

STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.NotFound, 404, "not-found"),
    (errors.Busy, 503, "busy"),
    (errors.StorageError, 502, "storage"),
    (errors.CatalogError, 503, "catalog"),
    (errors.QueryError, 400, "query"),
    (errors.UsageError, 400, "usage"),
    (errors.PortalError, 500, "portal"),
)
"""The first row that fits counts."""

SYNTAX, INVALID, OPERATION = (
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE",
)
BAD_INPUT, BAD_REQUEST, INTERNAL = "BAD_USER_INPUT", "BAD_REQUEST", "INTERNAL_SERVER_ERROR"
UNAVAILABLE, TOO_LARGE, NO_ADDRESS = "CATALOG_UNAVAILABLE", "REQUEST_TOO_LARGE", "NO_PUBLIC_URL"
BUSY = "SERVER_BUSY"
"""Codes of GraphQL errors (`extensions.code`), beside those of `LIMITS`."""

LIMITS = {
    "cost": "QUERY_TOO_COSTLY",
    "depth": "QUERY_TOO_DEEP",
    "time": "QUERY_TIMEOUT",
    "rows": "TOO_MANY_ROWS",
    "size": "QUERY_TOO_LARGE",
    "busy": BUSY,
}
"""The code of a GraphQL error by the limit that a query has met."""

RETRY_AFTER = b"5"
"""Seconds after which a client should come back to what is being replaced or repaired."""


class Refused(errors.PortalError):
    """A request that is answered with a status and a sentence. Never leaves the server."""

    def __init__(
        self, status: int, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def status_of(error: errors.PortalError) -> tuple[int, str]:
    """(HTTP status, code) of an exception."""
    if isinstance(error, Refused):
        return error.status, error.code
    return next((status, code) for kind, status, code in STATUS if isinstance(error, kind))


def told(error: errors.PortalError) -> str:
    """What strangers are told. Where the catalogue lies, perhaps with a password, is for the log alone."""
    if isinstance(error, errors.CatalogError):
        log.error("%s", error)
        return "The catalogue of this portal cannot be read just now; try again in a minute."
    return str(error)


def graphql_code(error: errors.PortalError) -> str:
    """The code of a GraphQL error."""
    if isinstance(error, errors.TooMuch):
        return LIMITS[error.limit]
    return UNAVAILABLE if isinstance(error, errors.CatalogError) else BAD_INPUT


def graphql_body(code: str, message: str) -> bytes:
    """The JSON text of an answer that holds nothing but an error."""
    told = {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}
    return json.dumps(told, ensure_ascii=False).encode()


def headers_of(error: errors.PortalError) -> list[tuple[bytes, bytes]]:
    """What goes along with the status."""
    if isinstance(error, Refused):
        return list(error.headers)
    status, _ = status_of(error)
    return [(b"retry-after", RETRY_AFTER)] if status == 503 else []


def error_body(code: str, message: str, where: str = "") -> bytes:
    """The JSON text of an error."""
    return json.dumps(
        {"error": {"code": code, "message": message, "where": where}}, ensure_ascii=False
    ).encode()
