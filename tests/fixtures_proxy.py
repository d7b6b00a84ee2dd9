"""A proxy for HTTP that stands between a client and a real server, counts what passes, and does harm when asked to.

It runs in a thread of its own. `Proxy.harm` is called for each request and names what is to go wrong with it. Partial content that
the server sends with the status 200 (`rclone serve s3` does) leaves with 206, as Amazon sends it, unless `mends_ranges` is off.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

BLOCK = 64 << 10


class Harm(Enum):
    """What can go wrong with one request."""

    ERROR_500 = 500
    ERROR_503 = 503
    TOO_MANY = 429
    REFUSED = "the connection is closed without an answer"
    DROPPED = "the connection is reset in the middle of the body"
    CUT = "the connection is closed in the middle of the body"
    SHORTENED = "half of the body, and a Content-Length that says so"
    HUNG = "no answer, and the connection stays open"


@dataclass(frozen=True)
class Request:
    """One request as it came: `number` counts from 0, `attempt` counts equal ones from 0."""

    number: int
    attempt: int
    method: str
    target: str
    range: str


@dataclass
class Proxy:
    """`endpoint` is its address; `delay` in seconds precedes each answer; `rate` in bytes/s limits bodies of answers."""

    server: str
    delay: float = 0.0
    rate: float = 0.0
    mends_ranges: bool = True
    harm: Callable[[Request], Harm | None] = lambda _: None
    endpoint: str = ""
    seen: list[Request] = field(default_factory=list)
    harmed: Counter[Harm] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes of the bodies of answers, by method."""
    received: int = 0
    _attempts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def methods(self) -> Counter[str]:
        """How many requests there were of each method."""
        return Counter(request.method for request in self.seen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, with one of its own to the server."""
        place = urlsplit(self.server)
        ends = [writer]
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                upstream = await asyncio.open_connection(place.hostname, place.port)
                ends.append(upstream[1])
                while await self._exchange(reader, writer, *upstream):
                    pass
        finally:
            for end in ends:
                end.close()

    async def _exchange(self, reader, writer, server_reader, server_writer) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(_header(head, b"content-length") or 0))
        request = self._noted(head)
        self.received += len(body)
        if self.delay:
            await asyncio.sleep(self.delay)
        harm = self.harm(request)
        if harm is not None:
            self.harmed[harm] += 1
        if harm is Harm.REFUSED:
            return False
        if harm is Harm.HUNG:
            await reader.read(1)
            return False
        if harm in (Harm.ERROR_500, Harm.ERROR_503, Harm.TOO_MANY):
            writer.write(b"HTTP/1.1 %d Trouble\r\nContent-Length: 0\r\n\r\n" % harm.value)
            await writer.drain()
            return True
        server_writer.write(head + body)
        await server_writer.drain()
        return await self._answer(request, harm, server_reader, writer)

    def _noted(self, head: bytes) -> Request:
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        wanted = (_header(head, b"range") or b"").decode()
        same = (method, target.partition("?X-Amz")[0], wanted)
        request = Request(len(self.seen), self._attempts[same], method, same[1], wanted)
        self._attempts[same] += 1
        self.seen.append(request)
        return request

    async def _answer(self, request: Request, harm: Harm | None, server_reader, writer) -> bool:
        head = await server_reader.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 1"):
            head = await server_reader.readuntil(b"\r\n\r\n")
        if self.mends_ranges and head.startswith(b"HTTP/1.1 200") and _header(head, b"content-range"):
            head = head.replace(b"200 OK", b"206 Partial Content", 1)
        if request.method == "HEAD" or head.split(b" ")[1] in (b"204", b"304"):
            size = 0
        elif _header(head, b"transfer-encoding"):
            body = await _chunked(server_reader)
            writer.write(head + body)
            await writer.drain()
            self.sent[request.method] += len(body)
            return True
        else:
            size = int(_header(head, b"content-length") or 0)
        body = await server_reader.readexactly(size)
        part = body[: size // 2] if harm in (Harm.DROPPED, Harm.CUT, Harm.SHORTENED) and size else body
        if harm is Harm.SHORTENED:
            head = head.replace(b"Content-Length: %d\r\n" % size, b"Content-Length: %d\r\n" % len(part))
        writer.write(head)
        for start in range(0, len(part), BLOCK):
            writer.write(part[start : start + BLOCK])
            await writer.drain()
            if self.rate:
                await asyncio.sleep(BLOCK / self.rate)
        await writer.drain()
        self.sent[request.method] += len(part)
        if harm is Harm.DROPPED:
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        return harm not in (Harm.DROPPED, Harm.CUT)


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return None


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        body += line + await reader.readexactly(int(line.split(b";")[0], 16) + 2)
        if line.startswith(b"0\r\n"):
            return body


@contextmanager
def proxy_to(server: str) -> Iterator[Proxy]:
    """A proxy in front of `server` (`http://host:port`)."""
    proxy = Proxy(server)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20), loop
    ).result(10)
    proxy.endpoint = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_ended(listening), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _ended(listening: asyncio.Server) -> None:
    listening.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
