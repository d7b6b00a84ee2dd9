"""Answers of a portal → their data, or errors as sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from tomoportal.errors import PortalError, QueryError, RemoteError, TooMuch

if TYPE_CHECKING:
    import httpx

_LIMITS: dict[str, Literal["cost", "depth", "time", "rows", "size", "busy"]] = {
    "QUERY_TOO_COSTLY": "cost", "QUERY_TOO_DEEP": "depth", "QUERY_TIMEOUT": "time", "TOO_MANY_ROWS": "rows", "QUERY_TOO_LARGE": "size",
    "SERVER_BUSY": "busy",
}  # fmt: skip
_TROUBLE = {"INTERNAL_SERVER_ERROR", "CATALOG_UNAVAILABLE", "NO_PUBLIC_URL"}
"""Codes of errors that are not the fault of the question."""
_HINT = {"cost", "time", "rows"}


def data_of(url: str, response: httpx.Response) -> dict[str, Any]:
    """The `data` of an answer to a GraphQL document. Raises `QueryError` (`TooMuch` where a limit was met), `RemoteError`."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    errors = answer.get("errors")
    if errors and isinstance(errors, list) and all(isinstance(error, dict) for error in errors):
        _refuse(url, response.status_code, errors)
    if response.status_code != 200:
        said = f"{url} answered {response.status_code}: {response.text[:200]}"
        raise RemoteError(said, response.status_code)
    if not isinstance(answer.get("data"), dict):
        raise RemoteError(
            f"{url} answers, but not as a portal does: {response.text[:80]!r}. Is the address right?"
        )
    return answer["data"]


def _refuse(url: str, status: int, errors: list[Mapping[str, Any]]) -> NoReturn:
    said = "; ".join(str(error.get("message", error)) for error in errors)
    extensions = errors[0].get("extensions")
    code = str(extensions.get("code", "")) if isinstance(extensions, dict) else ""
    if status != 200:
        raise RemoteError(f"{url} answered {status}: {said}", status)
    raise _error(url, code, said)


def _error(url: str, code: str, said: str) -> PortalError:
    if code in _TROUBLE:
        return RemoteError(f"{url}: {said}")
    if code not in _LIMITS:
        return QueryError(said)
    hint = " Ask for less at a time, for example with iterate()." if _LIMITS[code] in _HINT else ""
    return TooMuch(_LIMITS[code], said.rstrip(".") + "." + hint)
