"""Questions asked again, and errors as sentences. The troubles are real ones, of a proxy or of answers made here."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tomoportal import Annotation, Client, Run
from tomoportal.client import retrying
from tomoportal.client.document import camel
from tomoportal.errors import QueryError, RemoteError, TooMuch, UsageError

ANSWER = {"data": {"runsAggregate": {"aggregate": [{"count": 3}]}}}


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(retrying.time, "sleep", waited.append)
    return waited


def _client(*answers, **options) -> Client:
    """A client to which these answers come, one after the other; exceptions are raised."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = Client("http://portal.test", **options)
    client._http = httpx.Client(transport=httpx.MockTransport(handle))
    return client


def test_a_busy_portal_is_asked_again(pauses):
    broken = (
        httpx.ConnectError("refused"),
        httpx.Response(502),
        httpx.Response(503, headers={"Retry-After": "7"}),
    )
    with _client(*broken, httpx.Response(200, json=ANSWER)) as client:
        assert Run.count(client) == 3
    assert pauses[2] == 7
    assert 0 < pauses[0] < pauses[1] < 1


def test_a_date_to_come_back_is_honoured(pauses):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    late = httpx.Response(504, headers={"Retry-After": until})
    with _client(late, httpx.Response(200, json=ANSWER)) as client:
        assert Run.count(client) == 3
    assert 20 < pauses[0] <= 30


def test_it_ends(pauses):
    with (
        _client(*[httpx.Response(503, text="later")] * 3, retries=2) as client,
        pytest.raises(RemoteError, match="answered 503: later") as caught,
    ):
        Run.count(client)
    assert caught.value.status == 503
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(429, headers={"Retry-After": "3600"}, text="slow down"), "answered 429: slow down"),
        (httpx.Response(500, text="oh"), "answered 500: oh"),
        (httpx.ReadTimeout("silence"), "cannot be reached"),
        (
            httpx.Response(200, text="<html>hello"),
            "not as a portal does: '<html>hello'. Is the address right",
        ),
        (httpx.Response(200, json=[1]), "not as a portal does"),
        (httpx.Response(200, json={"errors": "many"}), "not as a portal does"),
        (httpx.Response(200, text="[" * 100_000), "not as a portal does"),
        (httpx.Response(413, json={"errors": [{"message": "too large"}]}), "answered 413: too large"),
    ],
)
def test_what_would_not_help_is_not_asked_again(answer, said, pauses):
    with _client(answer) as client, pytest.raises(RemoteError, match=said):
        Run.count(client)
    assert pauses == []


def test_what_the_portal_does_not_understand_is_a_query_error():
    answers = [httpx.Response(200, json={"data": None, "errors": [{"message": "no such field"}]})]
    with _client(*answers) as client, pytest.raises(QueryError, match="no such field"):
        Run.count(client)


def _error(code: str) -> httpx.Response:
    body = {"data": None, "errors": [{"message": "said so.", "extensions": {"code": code}}]}
    headers = {"retry-after": "5"} if code == "SERVER_BUSY" else {}
    return httpx.Response(200, json=body, headers=headers)


def test_limits_are_told_with_what_to_do():
    with (
        _client(_error("QUERY_TOO_COSTLY")) as client,
        pytest.raises(TooMuch, match="with iterate") as caught,
    ):
        Run.find(client)
    assert caught.value.limit == "cost"
    with _client(_error("CATALOG_UNAVAILABLE")) as client, pytest.raises(RemoteError, match="said so"):
        Run.count(client)


def test_a_full_queue_is_waited_for(pauses):
    with _client(_error("SERVER_BUSY"), httpx.Response(200, json=ANSWER)) as client:
        assert Run.count(client) == 3
    assert pauses == [5]
    with _client(*[_error("SERVER_BUSY")] * 2, retries=1) as client, pytest.raises(TooMuch, match="said so"):
        Run.count(client)


@pytest.mark.parametrize("address", ["localhost:8000", "portal", "ftp://a"])
def test_what_is_no_address_is_said_at_once(address):
    with pytest.raises(UsageError, match="starts with http"):
        Client(address)


def test_addresses(monkeypatch):
    assert Client("http://a/graphql").url == Client("http://a/").url == "http://a/graphql"
    assert Client("http://a/portal").base_url == "http://a/portal"
    monkeypatch.setenv("TOMOPORTAL_URL", "https://tomo.example.org")
    assert Client().url == "https://tomo.example.org/graphql"


def _older_portal(asked: list[str]) -> Client:
    """One that does not know which alignment an annotation belongs to, and masks its errors."""
    row = {camel(name): None for name in Annotation.fields} | {"id": 4, "objectName": "ribosome"}
    del row["alignmentId"]
    names = [{"name": name} for name in row]

    def handle(request: httpx.Request) -> httpx.Response:
        document = request.read().decode()
        asked.append(document)
        if "__schema" in document:
            types = [{"name": "Annotation", "fields": names}, {"name": "Int", "fields": None}]
            return httpx.Response(200, json={"data": {"__schema": {"types": types}}})
        if "alignmentId" in document:
            return httpx.Response(200, json={"data": None, "errors": [{"message": "Unexpected error."}]})
        return httpx.Response(200, json={"data": {"annotations": [row]}})

    client = Client("http://portal.test")
    client._http = httpx.Client(transport=httpx.MockTransport(handle))
    return client


def test_a_portal_that_lacks_a_field_is_asked_for_the_others():
    asked: list[str] = []
    with _older_portal(asked) as client:
        (found,) = Annotation.find(client)
        assert found.object_name == "ribosome"
        with pytest.raises(AttributeError, match="alignment_id"):
            _ = found.alignment_id
        Annotation.find(client)
        assert len(asked) == 4, "it learns once what the portal knows"
        with pytest.raises(QueryError, match="Unexpected error"):
            Annotation.find(client, Annotation.alignment_id == 3)
        assert len(asked) == 5


def test_threads_share_one_session():
    """Many first questions at once make one session, whose connections all of them use."""
    together = threading.Barrier(8)
    client = Client("http://127.0.0.1:1")

    def session(_: int) -> httpx.Client:
        together.wait(10)
        return client._http

    with client, ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(session, range(8))}) == 1
