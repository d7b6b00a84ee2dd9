"""A proxy on loopback that adds latency: what the client sends reaches the server at once, what the server answers is passed on so much
later, in order and at full rate, as over a long line.

    python benchmarks/delaying_proxy.py http://127.0.0.1:8000 --delay 0.02

prints its own address. It copies bytes in threads and looks into none of them.
"""

from __future__ import annotations

import argparse
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from urllib.parse import urlsplit

BLOCK = 256 << 10
AHEAD = 64
"""Blocks on the way of each connection."""


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(BLOCK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _pass_later(source: socket.socket, target: socket.socket, delay: float) -> None:
    waiting: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    room = threading.BoundedSemaphore(AHEAD)

    def send() -> None:
        while True:
            due, data = waiting.get()
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            with suppress(OSError):
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            room.release()

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    data = b"x"
    while data:
        room.acquire()
        try:
            data = source.recv(BLOCK)
        except OSError:
            data = b""
        waiting.put((time.monotonic() + delay, data))
    sender.join()


def _serve(client: socket.socket, server: tuple[str, int], delay: float) -> None:
    try:
        upstream = socket.create_connection(server)
    except OSError:
        client.close()
        return
    for end in (client, upstream):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = threading.Thread(target=_pass_later, args=(upstream, client, delay), daemon=True)
    back.start()
    _pass_on(client, upstream)
    back.join()
    client.close()
    upstream.close()


@contextmanager
def delaying(url: str, delay: float) -> Iterator[str]:
    """The address of a proxy in front of `url`; `delay` in seconds."""
    place = urlsplit(url)
    server = (place.hostname or "127.0.0.1", place.port or 80)
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=_serve, args=(client, server, delay), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("--delay", type=float, default=0.02)
    options = parser.parse_args()
    with delaying(options.url, options.delay) as address:
        print(address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
