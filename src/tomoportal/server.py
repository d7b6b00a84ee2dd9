"""The web server's application: every route in one place.

`/files/`, `/s3/` data · `/api/` exports, manifests · `/graphql` queries · `/viewer/` Neuroglancer · `/static/` and all else pages ·
`/healthz` for operators.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tomoportal.api.content import Headers
from tomoportal.api.errors import BAD_REQUEST, INTERNAL, error_body, graphql_body, headers_of, status_of, told
from tomoportal.api.exports import export_routes
from tomoportal.api.files import FolderPage, file_service
from tomoportal.api.folders import Folder, moment
from tomoportal.api.manifests import manifest_routes
from tomoportal.api.portal import Portal
from tomoportal.api.s3 import s3_service
from tomoportal.api.selections import selection_routes
from tomoportal.api.slices import is_picture, slice_routes
from tomoportal.api.viewer import viewer_routes
from tomoportal.catalog import View
from tomoportal.errors import PortalError
from tomoportal.settings import Settings
from tomoportal.web import render
from tomoportal.web.basket.files import wanted_files
from tomoportal.web.pages.explorer import explorer_page
from tomoportal.web.pages.folder import folder_page
from tomoportal.web.site import HEADINGS, is_twin, json_error, security_headers
from tomoportal.web.site import routes as page_routes
from tomoportal.web.warming import Warming

log = logging.getLogger("tomoportal")

MACHINE_PATHS = ("/files", "/s3", "/graphql", "/healthz", "/viewer", "/static", "/api/")
"""Below these errors are told as JSON (or as the service's own XML); elsewhere by a page."""

Application = Callable[[Any, Any, Any], Awaitable[None]]


def build_app(settings: Settings) -> Application:
    """The ASGI application of one portal. The catalogue is opened by the first request that needs it.

    Only pages with their styles and scripts are compressed here; files must not be, and `/graphql` compresses its answers itself.
    """
    portal = Portal(settings)
    files, s3 = file_service(portal, _browse(settings)), s3_service(portal)
    rest = _staying(_starlette(portal))
    pages = GZipMiddleware(rest, minimum_size=1000, compresslevel=5)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith("/files/"):
                return await files(scope, receive, send)
            if path.startswith("/s3/") or path == "/s3":
                return await s3(scope, receive, send)
            if _is_compressed(path, scope["headers"]):
                # What the web server would send by itself cannot be compressed.
                return await pages({**scope, "extensions": {}}, receive, send)
        return await rest(scope, receive, send)

    return application


def _is_compressed(path: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether an answer may be compressed; a part of a file is sent as it is."""
    if path.startswith("/static/"):
        return path.endswith((".css", ".js", ".svg")) and all(name != b"range" for name, _ in headers)
    return not path.startswith(MACHINE_PATHS) and not is_picture(path)


def _browse(settings: Settings) -> FolderPage:
    """How browsers are shown a folder of the files."""
    policies = security_headers().items()
    headers = [
        (name.encode(), value.encode()) for name, value in policies if name != "x-content-type-options"
    ]

    def browse(folder: Folder) -> tuple[bytes, Headers]:
        files = [(folder.name(entry), entry.size, moment(entry)) for entry in folder.files]
        return folder_page(folder.path, folder.folders, files, folder.next, settings).encode(), headers

    return browse


def _staying(inner: Application) -> Application:
    """The same application with redirections as paths: whatever host a request names, nobody is sent to another one."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def send_staying(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [(n, _path_of(v) if n == b"location" else v) for n, v in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        await inner(scope, receive, send_staying)

    return application


def _path_of(address: bytes) -> bytes:
    """Path and query; a path never begins with two slashes, which would name a host."""
    parts = urlsplit(address.decode("latin-1"))
    path = "/" + parts.path.lstrip("/")
    return (f"{path}?{parts.query}" if parts.query else path).encode("latin-1")


def view_of(portal: Portal) -> Callable[[Request], View]:
    """What pages and GraphQL ask the catalogue through: addresses are those of the request."""

    def get_view(request: Request) -> View:
        return portal.view(portal.addresses(request.url.scheme, request.headers.get("host", "")))

    return get_view


def _starlette(portal: Portal) -> Starlette:
    get_view = view_of(portal)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        warming = Warming(portal.view)
        warming.start()
        yield
        await run_in_threadpool(warming.stop)
        portal.close()

    async def health(_: Request) -> Response:
        await run_in_threadpool(lambda: portal.view().version)
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    routes: list[BaseRoute] = [
        Route("/healthz", health),
        *viewer_routes(),
        *_graphql(get_view, portal.settings),
        *export_routes(portal),
        *manifest_routes(portal),
        *selection_routes(portal, wanted_files),
        *slice_routes(portal),
    ]
    tell = _teller(portal.settings)
    return Starlette(
        routes=[*routes, *page_routes(get_view, portal.settings)],
        lifespan=lifespan,
        exception_handlers={PortalError: tell, HTTPException: tell, 500: tell},
    )


def _graphql(get_view: Callable[[Request], View], settings: Settings) -> list[BaseRoute]:
    if importlib.util.find_spec("graphql") is None:
        return []
    from tomoportal.api.graphql.endpoint import Form, graphql_endpoint

    def page(_: Request, form: Form) -> Response:
        html = explorer_page(form.query, form.variables, form.answer, settings)
        return HTMLResponse(
            html, headers={**security_headers(), "cache-control": "no-cache", "vary": "accept"}
        )

    return [Route("/graphql", graphql_endpoint(get_view, page, settings), methods=["GET", "POST", "OPTIONS"])]


def _sentence(error: Exception) -> tuple[int, str, str, dict[str, str]]:
    """(status, code, message, headers)"""
    if isinstance(error, PortalError):
        status, code = status_of(error)
        headers = {name.decode(): value.decode() for name, value in headers_of(error)}
        return status, code, told(error), headers
    if isinstance(error, HTTPException):
        words = {
            404: "Nothing of this portal has this address. Was it mistyped, or cut off when it was copied?",
            405: "This address does not take such a request.",
        }
        message = words.get(error.status_code, error.detail)
        return error.status_code, "http", message, dict(error.headers or {})
    return 500, "unexpected", "Something went wrong in the server; its log has the details.", {}


def _teller(settings: Settings) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Errors of every route but the data services: JSON for machines, a page for people."""

    async def tell(request: Request, error: Exception) -> Response:
        status, code, message, headers = _sentence(error)
        if not isinstance(error, (PortalError, HTTPException)):
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        elif status >= 500:
            log.warning("%s %s: %s", request.method, request.url.path, message)
        if request.url.path == "/graphql":
            body = graphql_body(INTERNAL if status >= 500 else BAD_REQUEST, message)
            return Response(body, status, headers, media_type="application/json")
        if request.url.path.startswith(MACHINE_PATHS):
            body = error_body(code, message, request.url.path)
            return Response(body, status, headers, media_type="application/json")
        if is_twin(request):
            return json_error(request, status, message, headers)
        return _error_page(settings, status, message, headers)

    return tell


def _error_page(settings: Settings, status: int, message: str, headers: dict[str, str]) -> Response:
    html = render.error(status, HEADINGS.get(status, "This did not work"), message, settings)
    return HTMLResponse(html, status, {**security_headers(), "cache-control": "no-store", **headers})
