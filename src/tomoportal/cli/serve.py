"""`tomoportal serve`: the pages, the GraphQL API and the files over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from tomoportal.cli.options import ContentOption, DatabaseOption, StorageOption

if TYPE_CHECKING:
    from tomoportal.settings import Settings

AT_ONCE = 512
"""Requests that a worker answers at a time; more wait in the queue of the system."""
KILL_AFTER = 3
"""Seconds that a worker gets to finish its answers after Ctrl-C or SIGTERM."""


def serve(
    storage: StorageOption = None,
    database: DatabaseOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where others reach this portal, such as https://tomo.example.org. [env TOMOPORTAL_URL]",
            show_default=False,
        ),
    ] = None,
    deliver: Annotated[
        str | None,
        typer.Option(
            help="Who sends the bytes of /files: `stream` (this server), `presigned` (the object store; readers are redirected), or "
            "`x-accel:/location/` (nginx in front). [env TOMOPORTAL_DELIVER] [default stream]",
            show_default=False,
        ),
    ] = None,
    content: ContentOption = None,
) -> None:
    """Serve the portal until Ctrl-C. Title, logo, colours, licence, banners and pages of your own: see `--content`."""
    from tomoportal.api.delivery import check_way
    from tomoportal.api.portal import is_loopback
    from tomoportal.catalog import open_catalog
    from tomoportal.settings import Settings
    from tomoportal.storage import is_folder
    from tomoportal.web.content.shelf import check as check_pages

    settings = Settings.from_environment(
        storage=storage, database=database, public_url=url, deliver=deliver, content=content
    )
    settings = settings.with_site()
    check_pages(settings)
    check_way(settings.deliver, is_folder=is_folder(settings.storage))
    open_catalog(settings.database).close()
    if not settings.public_url and not is_loopback(host):
        typer.echo(
            "Warning: other machines get files but no pages until --url or TOMOPORTAL_URL says how they reach this portal.",
            err=True,
        )
    run_server(settings, host=host, port=port, workers=workers)


def _announce(address: str) -> None:
    typer.echo(f"Serving at {address}  (Ctrl-C stops it)")


def run_server(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    ready: Callable[[str], None] = _announce,
) -> None:
    """Serve until interrupted. `ready` is called with the address (`http://127.0.0.1:8000/`) when the first answer can be had.

    Raises `UsageError` when the port is taken or the address is not this machine's.
    """
    from functools import partial
    from threading import Thread

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from tomoportal.server import build_app

    port = free_port(host, port)
    _allow_many_files()
    server = Granian(
        "tomoportal.server:build_app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        backpressure=AT_ONCE,
        workers_kill_timeout=KILL_AFTER,
        respawn_failed_workers=True,
        websockets=False,
        log_level=LogLevels.warning,
    )
    Thread(target=_call_when_ready, args=(host, port, ready), daemon=True).start()
    server.serve(target_loader=partial(build_app, settings), wrap_loader=False)


def _allow_many_files() -> None:
    """Each connection and each file being sent is an open file, and many systems start programs with 1,024 at most."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Trying it first gives a sentence where the server would give a traceback."""
    import errno
    import socket

    from tomoportal.errors import UsageError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise UsageError(
                    f"port {port} of {host} is taken by another program. Choose another with `--port`, or `--port 0` for any free one."
                ) from None
            raise UsageError(f"cannot listen on {host} port {port}: {error.strerror}.") from None
        return probe.getsockname()[1]


def _call_when_ready(host: str, port: int, ready: Callable[[str], None]) -> None:
    import http.client
    import time

    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    for _ in range(1200):
        try:
            connection = http.client.HTTPConnection(name, port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
            continue
        finally:
            connection.close()
        shown = f"[{name}]" if ":" in name else name
        ready(f"http://{shown}:{port}/")
        return
