"""One file, or a piece of one, over HTTP: asked for, checked, tried again from where it broke off."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from tomoportal.client.downloads.manifest import Item
from tomoportal.client.downloads.patience import BUSY, PASSING, Gate, Passing, Patience, Stopped, asked_wait
from tomoportal.client.downloads.wire import Answer, Broken, Wire, said
from tomoportal.errors import RemoteError

BLOCK = 512 << 10
"""Bytes that each thread reads at once."""
_RANGE = re.compile(r"bytes (\d{1,20})-(\d{1,20})/(\d{1,20}|\*)\s*\Z")

Write = Callable[[int, memoryview], None]
"""Takes the place in the file and the bytes; they are gone when it returns."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What all requests of a download share."""

    gate: Gate
    stop: Event
    patience: float


class Fetcher:
    """The requests of one thread."""

    def __init__(self, asking: Asking) -> None:
        self.wire = Wire()
        self._asking = asking
        self._buffer = memoryview(bytearray(BLOCK))

    def fetch(self, item: Item, start: int, end: int | None, write: Write) -> int:
        """Give the bytes from `start` to `end` (None: as many as there are) of a file to `write`, in order; how far it went. Raises
        `RemoteError` for an answer that is not this file, or when nothing has come for long; `Stopped`; whatever `write` raises."""
        patience = Patience(self._asking.patience, self._asking.stop, item.url)
        at = start
        while end is None or at < end or end == 0:
            try:
                with self._asking.gate.passage(self._asking.stop.is_set):
                    before = at
                    at, is_end = self._some(item, at, end, write)
                self._asking.gate.went_well()
                if is_end:
                    break
                if at > before:
                    patience.went_on()
                of_all = "" if end is None else f" of {end - start}"
                raise Broken(f"the connection ended after {at - start}{of_all} bytes")
            except (Broken, OSError, http.client.HTTPException) as error:
                self.wire.drop()
                self._judge(error)
                patience.wait(error)
            except BaseException:
                self.wire.drop()
                raise
        return at

    def _judge(self, error: Exception) -> None:
        if self._asking.stop.is_set():
            raise Stopped from error
        if isinstance(error, WriteFailed):
            raise error
        if getattr(error, "status", None) in BUSY or isinstance(error, ConnectionRefusedError):
            self._asking.gate.was_too_much()

    def _some(self, item: Item, at: int, end: int | None, write: Write) -> tuple[int, bool]:
        """How far one request went, and whether that is all that was asked for."""
        headers = {}
        if at or (end is not None and end != item.size):
            headers["Range"] = f"bytes={at}-{'' if end is None else end - 1}"
            if item.etag:
                headers["If-Range"] = f'"{item.etag}"'
        answer = self.wire.open("GET", item.url, headers)
        if answer.status not in (200, 206):
            raise trouble(item.url, answer)
        skip = check(item, answer, at)
        if not self._skipped(answer, skip):
            return at, False
        at, is_end = self._body(answer, at, end, write)
        if not answer.isclosed():
            self.wire.drop()
        return at, is_end

    def _skipped(self, answer: Answer, skip: int) -> bool:
        """The server has begun at the beginning: pass over what was not asked for."""
        while skip:
            came = answer.readinto(self._buffer[: min(skip, BLOCK)])
            if not came:
                return False
            skip -= came
        return True

    def _body(self, answer: Answer, at: int, end: int | None, write: Write) -> tuple[int, bool]:
        while end is None or at < end:
            most = BLOCK if end is None else min(BLOCK, end - at)
            try:
                came = answer.readinto(self._buffer[:most])
            except (OSError, http.client.HTTPException):
                return at, False
            if not came:
                return at, end is None and not answer.length
            if self._asking.stop.is_set():
                raise Stopped
            write(at, self._buffer[:came])
            at += came
        if end == 0:
            answer.read()
        return at, True


class WriteFailed(OSError):
    """What came could not be written; trying again does not help."""


def trouble(url: str, answer: Answer) -> Exception:
    """What an answer without the file means."""
    message = f"{url} answered {answer.status}{said(answer)}"
    if answer.status in PASSING:
        return Passing(message, answer.status, asked_wait(answer.headers.get("retry-after")))
    return RemoteError(message, answer.status)


def check(item: Item, answer: Answer, at: int) -> int:
    """How many bytes are to be passed over. Raises `RemoteError` when the answer is not this file, or another version of it."""
    tag = bare(answer.headers.get("etag", ""))
    if tag and item.etag and tag != item.etag:
        raise RemoteError(f"{item.url} changed while it was being downloaded; run it again.")
    kind = answer.headers.get_content_type() if answer.headers.get("content-type") else ""
    if kind == "text/html" and not item.path.lower().endswith((".html", ".htm")):
        raise RemoteError(
            f"{item.url} answered with a page (text/html) where a file was expected; nothing of it was kept. "
            "Perhaps a sign-in or a proxy stands between; open the address in a browser."
        )
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise RemoteError(f"{item.url} came compressed, which was not asked for; tell the portal's operator.")
    start, total = _span(item.url, answer)
    if total is not None and item.size is not None and total != item.size:
        raise RemoteError(
            f"{item.url} has {total} bytes where {item.size} were expected; nothing of it was kept. Run it again; "
            "if it says so again, tell the portal's operator."
        )
    if start > at:
        raise RemoteError(
            f"{item.url} answered with another range than was asked for; tell the portal's operator."
        )
    return at - start


def _span(url: str, answer: Answer) -> tuple[int, int | None]:
    """(first byte, size of the whole file) of an answer."""
    if answer.status == 200:
        return 0, answer.length
    match = _RANGE.match(answer.headers.get("content-range", ""))
    if match is None:
        raise RemoteError(f"{url} answered with a part without saying which; tell the portal's operator.")
    return int(match[1]), None if match[3] == "*" else int(match[3])


def bare(etag: str) -> str:
    """An entity tag without its marks."""
    return etag.strip().removeprefix("W/").strip('"')
