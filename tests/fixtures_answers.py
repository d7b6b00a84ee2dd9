"""A web server that answers as a test says: `with answering(answer) as url:`, where `answer(request)` gives an `Answer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    target: str
    headers: Message
    body: bytes
    connection: int = 0
    """The same for all requests of one connection."""


@dataclass(frozen=True)
class Answer:
    """An answer; `cut`: bytes after which the connection is closed. Content-Length is that of the body unless `headers` say otherwise."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


def ranged(request: Asked, content: bytes, etag: str = "v1") -> Answer:
    """The answer of a server of files that knows ranges."""
    headers = {"ETag": f'"{etag}"', "Content-Type": "application/octet-stream"}
    span = request.headers.get("Range")
    if span is None or request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return Answer(content, 200, headers)
    first, _, last = span.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(content)) + 1, len(content))
    return Answer(
        content[start:end], 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(content)}"}
    )


@contextmanager
def answering(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = answer(Asked(self.command, self.path, self.headers, body, self.client_address[1]))
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):
                if self.command != "HEAD":
                    self.wfile.write(said.body if said.cut is None else said.body[: said.cut])
            self.close_connection = said.cut is not None

        do_GET = do_HEAD = do_POST = _answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
