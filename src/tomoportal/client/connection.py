"""The connection to a portal: one HTTP session for all threads, repeated requests, errors as sentences."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from tomoportal import __version__
from tomoportal.client.answers import data_of
from tomoportal.client.retrying import Retrying
from tomoportal.errors import RemoteError, UsageError

if TYPE_CHECKING:
    import httpx

    from tomoportal.client.entities import ClientEntity
    from tomoportal.client.filters import Filters
    from tomoportal.client.results import Results

    E = TypeVar("E", bound=ClientEntity)

DEFAULT_URL = "http://127.0.0.1:8000"
CONNECT_TIMEOUT, READ_TIMEOUT = 30.0, 120.0
"""Seconds to connect, and to wait for the next bytes of an answer."""
RETRIES = 3


class Client:
    """A portal, by its address (with or without `/graphql`); `TOMOPORTAL_URL` when none is given.

    `timeout`: seconds to wait for the next bytes of an answer. `retries`: how often a question is asked again when the connection
    breaks or the portal is busy (429, 502, 503, 504), with growing pauses or the one that the portal asks for.

    Safe to use from several threads, which share its connections. Use it as a context manager, or `close()` it. Nothing is sent
    before the first question.
    """

    def __init__(
        self, url: str | None = None, *, timeout: float = READ_TIMEOUT, retries: int = RETRIES
    ) -> None:
        self.url = _address(url or os.environ.get("TOMOPORTAL_URL") or DEFAULT_URL)
        self.words: Mapping[str, frozenset[str]] | None = None
        """GraphQL type → names that this portal knows, if it knows less than this client; see `learn_words`."""
        self._timeout, self._retrying = timeout, Retrying(retries)
        self._lock = RLock()
        self._has_looked = False

    @property
    def base_url(self) -> str:
        """The address of the portal, without a trailing slash."""
        return self.url.removesuffix("/graphql")

    def query(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of a GraphQL document. Raises `RemoteError` or, for what the portal does not understand or is too much for
        it, `QueryError`."""
        body = {"query": document, **({"variables": dict(variables)} if variables else {})}
        return data_of(self.url, self._asked(self.url, lambda: self._http.post(self.url, json=body)))

    def find(
        self,
        cls: type[E],
        query_filters: Filters = None,
        **options: Any,
    ) -> Results[E]:
        """`cls.find` of this portal."""
        return cls.find(self, query_filters, **options)

    def find_one(self, cls: type[E], query_filters: Filters = None) -> E | None:
        """The first row, by id, that fulfils all filters; None when there is none."""
        found = cls.find(self, query_filters, limit=1)
        return found[0] if found else None

    def build_query(
        self,
        cls: type[ClientEntity],
        root_field: str | None = None,
        gql_class_name: str | None = None,
        query_filters: Filters = None,
    ) -> str:
        """The GraphQL document that `cls.find` sends; the two names follow from the class and are not needed."""
        return cls.document(query_filters).text

    def learn_words(self) -> bool:
        """Ask, once, which fields the portal has. True when it lacks some of ours: from then on `words` holds what it has."""
        from tomoportal.client.document import known_words

        with self._lock:
            if not self._has_looked:
                self.words = known_words(self.query)
                self._has_looked = True
                return self.words is not None
        return False

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """The whole answer to a GET, never compressed, asked for again as questions are; the caller checks the status. Raises
        `RemoteError` when none comes."""
        plain = {"Accept-Encoding": "identity", **(headers or {})}
        return self._asked(url, lambda: self._http.get(url, headers=plain))

    def stream(self, url: str) -> Any:
        """A streamed GET as a context manager, never compressed; the caller checks the status."""
        return self._http.stream("GET", url, headers={"Accept-Encoding": "identity"})

    def close(self) -> None:
        """End the session."""
        if "_http" in self.__dict__:
            self._http.close()

    @cached_property
    def _http(self) -> httpx.Client:
        """httpx is loaded for the first question, not by the package."""
        with self._lock:
            if "_http" not in self.__dict__:
                session = _session(self._timeout)
                _end_in_time(self, session)
                self.__dict__["_http"] = session
            return self.__dict__["_http"]

    def _asked(self, url: str, send: Callable[[], httpx.Response]) -> httpx.Response:
        import httpx

        try:
            return self._retrying.ask(send)
        except httpx.HTTPError as error:
            raise RemoteError(
                f"{url} cannot be reached ({error or type(error).__name__}). Is the portal running there?"
            ) from error

    def _forget_session(self) -> None:
        """In a process that was forked: the connections belong to the other one."""
        self.__dict__.pop("_http", None)
        self._lock = RLock()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, also in another process, has connections of its own."""
        return partial(Client, timeout=self._timeout, retries=self._retrying.retries), (self.url,)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"


def _address(given: str) -> str:
    if not given.startswith(("http://", "https://")):
        raise UsageError(
            f"{given!r} is no address of a portal; expected one that starts with http:// or https://."
        )
    return given.rstrip("/").removesuffix("/graphql") + "/graphql"


def _end_in_time(client: Client, session: httpx.Client) -> None:
    """End the session with the client that nobody uses any more; leave it alone in processes that are forked meanwhile."""
    ended = weakref.finalize(client, session.close)
    known = weakref.ref(client)

    def leave() -> None:
        ended.detach()
        if still := known():
            still._forget_session()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=leave)


def _session(timeout: float) -> httpx.Client:
    import httpx

    limits = httpx.Timeout(CONNECT_TIMEOUT, read=timeout)
    agent = f"tomoportal/{__version__} python/{sys.version_info.major}.{sys.version_info.minor}"
    return httpx.Client(timeout=limits, headers={"User-Agent": agent}, follow_redirects=True)
