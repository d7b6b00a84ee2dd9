"""HTTP/1.1 for one thread: connections that are kept, straight into a buffer. Many small files need little time each, large ones no
copies; the general client library needs four times as much of both.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

from tomoportal.errors import RemoteError

CONNECT, READ = 30.0, 60.0
"""Seconds to connect, and to wait for the next bytes."""
REDIRECTS = 5
_BODY = 64 << 10
"""Bytes that are read of an answer that is no file."""
_MOVED = (301, 302, 303, 307, 308)
_HEADERS = {"User-Agent": "tomoportal", "Accept-Encoding": "identity", "Accept": "*/*"}


class Broken(Exception):
    """The connection could not be made, or ended too early. Trying again may help."""


class Answer(Protocol):
    """What came: the body can be read into buffers."""

    status: int
    length: int | None
    headers: http.client.HTTPMessage

    def readinto(self, b: memoryview) -> int: ...
    def read(self, amt: int = ...) -> bytes: ...
    def isclosed(self) -> bool: ...


class Wire:
    """The connections of one thread. `cut` may be called by another one: whatever waits then ends with `Broken`."""

    def __init__(self) -> None:
        self._connections: dict[tuple[str, str], http.client.HTTPConnection] = {}
        self._cut = False

    def open(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """The answer, redirections followed. Raises `Broken`, and `RemoteError` for a redirection to where nobody should go. The body
        must be read to its end before the next request, or `drop` be called."""
        for _ in range(REDIRECTS + 1):
            answer = self._asked(method, url, {**_HEADERS, **(headers or {})}, body)
            target = answer.headers.get("location")
            if answer.status not in _MOVED or target is None:
                return answer
            answer.read(_BODY)
            if not answer.isclosed():
                self.drop()
            came_from, url = url, urljoin(url, target)
            if not url.startswith(("http://", "https://")) or (
                came_from.startswith("https://") and url.startswith("http://")
            ):
                raise RemoteError(
                    f"{came_from} leads to {url[:200]}, which is not asked; tell the portal's operator."
                )
        raise RemoteError(f"{url} leads in a circle; tell the portal's operator.")

    def drop(self) -> None:
        """Give up all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections = {}

    def cut(self) -> None:
        """End what this thread waits for."""
        self._cut = True
        for connection in list(self._connections.values()):
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        place = urlsplit(url)
        known = (place.scheme, place.netloc)
        is_kept = known in self._connections
        try:
            return self._once(known, place, method, headers, body)
        except (http.client.RemoteDisconnected, ConnectionError):
            self.drop()
            if not is_kept or self._cut:
                raise
        except http.client.HTTPException as error:
            self.drop()
            raise Broken(f"the answer is no HTTP ({type(error).__name__})") from error
        return self._once(known, place, method, headers, body)

    def _once(
        self,
        known: tuple[str, str],
        place: SplitResult,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> http.client.HTTPResponse:
        if self._cut:
            raise Broken("the download was ended")
        connection = self._connections.get(known)
        proxy = _proxy(place.scheme, place.netloc)
        if connection is None:
            connection = self._connections[known] = _connection(place, proxy)
        path = place._replace(scheme="", netloc="", fragment="").geturl() or "/"
        if proxy and place.scheme == "http":
            path = place._replace(fragment="").geturl()
        connection.request(method, path, body=body, headers=dict(headers))
        if connection.sock is not None:
            connection.sock.settimeout(READ)
        return connection.getresponse()


def _connection(place: SplitResult, proxy: str) -> http.client.HTTPConnection:
    at = urlsplit(proxy) if proxy else place
    host, port = at.hostname or "", at.port
    if place.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=CONNECT)
    connection = http.client.HTTPSConnection(host, port, timeout=CONNECT, context=_trust())
    if proxy:
        connection.set_tunnel(place.hostname or "", place.port or 443)
    return connection


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    import httpx  # knows the certificates of this machine, or brings some

    return httpx.create_ssl_context()


@lru_cache(maxsize=64)
def _proxy(scheme: str, netloc: str) -> str:
    """The proxy for an address, as the environment says (`HTTPS_PROXY`, `NO_PROXY`)."""
    host = netloc.rpartition("@")[2]
    proxy = urllib.request.getproxies().get(scheme, "")
    if not proxy or urllib.request.proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def said(answer: Answer) -> str:
    """What an answer that is an error says for itself, as portals do in JSON; the beginning of a sentence's rest."""
    try:
        data = json.loads(answer.read(_BODY))
        return f": {data['error']['message']}"[:500]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return "."
