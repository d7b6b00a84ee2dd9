"""The connection to a portal: one HTTP session, errors as sentences."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tomoportal.errors import QueryError, RemoteError

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT, READ_TIMEOUT = 30.0, 120.0
"""Seconds to connect, and to wait for the next bytes of an answer."""


class Client:
    """A portal, by its address (with or without `/graphql`); `TOMOPORTAL_URL` when none is given.

    Safe to use from several threads. Use it as a context manager, or `close()` it.
    """

    def __init__(self, url: str | None = None) -> None:
        given = url or os.environ.get("TOMOPORTAL_URL") or DEFAULT_URL
        self.url = given.rstrip("/").removesuffix("/graphql") + "/graphql"
        self._http = _session()

    def query(self, document: str) -> dict[str, Any]:
        """The `data` of a GraphQL document. Raises `RemoteError` or, for what the portal does not understand, `QueryError`."""
        import httpx

        try:
            response = self._http.post(self.url, json={"query": document})
        except httpx.HTTPError as error:
            raise RemoteError(
                f"{self.url} cannot be reached ({error}). Is the portal running there?"
            ) from error
        if response.status_code != 200:
            raise RemoteError(
                f"{self.url} answered {response.status_code}: {response.text[:200]}", response.status_code
            )
        answer = response.json()
        if answer.get("errors"):
            raise QueryError("; ".join(error["message"] for error in answer["errors"]))
        return answer["data"]

    def stream(self, url: str) -> Any:
        """A streamed GET as a context manager, never compressed; the caller checks the status."""
        return self._http.stream("GET", url, headers={"Accept-Encoding": "identity"})

    def close(self) -> None:
        """End the session."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"


def _session() -> httpx.Client:
    """httpx is loaded by the first client, not by the package."""
    import httpx

    timeout = httpx.Timeout(TIMEOUT, read=READ_TIMEOUT)
    return httpx.Client(timeout=timeout, headers={"User-Agent": "tomoportal"}, follow_redirects=True)
