"""The pages as routes: requests in, HTML with its headers out. The only part of `web` that knows HTTP.

Pages are made in worker threads. Every answer has a tag of its content, so that an unchanged page is not sent again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from tomoportal.catalog import Tombstone, View
from tomoportal.errors import CatalogError, QueryError
from tomoportal.settings import Settings
from tomoportal.web import render, urls
from tomoportal.web.basket.changing import changed, form
from tomoportal.web.context import PageError, Visit
from tomoportal.web.entities.withdrawn import Gone
from tomoportal.web.getting.documents import DOCUMENTS, Document
from tomoportal.web.getting.table_csv import TABLES
from tomoportal.web.getting.twin import twin
from tomoportal.web.pages.alignment import alignment_page
from tomoportal.web.pages.annotation import annotation_page
from tomoportal.web.pages.authors import author_page, authors_page
from tomoportal.web.pages.basket import basket_page
from tomoportal.web.pages.browse import browse_datasets, browse_depositions, browse_runs
from tomoportal.web.pages.cite import cite_dataset, cite_deposition
from tomoportal.web.pages.content import guide_page, guides_page, text_page
from tomoportal.web.pages.dataset import dataset_page
from tomoportal.web.pages.deposition import deposition_page
from tomoportal.web.pages.download import download_page
from tomoportal.web.pages.files import files_page
from tomoportal.web.pages.findings import findings_page
from tomoportal.web.pages.home import home
from tomoportal.web.pages.objects import object_page, objects_page
from tomoportal.web.pages.organisms import organism_page, organisms_page
from tomoportal.web.pages.run import run_page
from tomoportal.web.pages.search import search_page, suggestions
from tomoportal.web.pages.tiltseries import tiltseries_page
from tomoportal.web.pages.tomogram import tomogram_page
from tomoportal.web.pages.viewer import viewer_page
from tomoportal.web.site_files import file_routes

GetView = Callable[[Request], View]
Handler = Callable[[Request, Exception], Awaitable[Response]]

PAGES: tuple[tuple[str, Callable[[Visit], Any], str], ...] = (
    (urls.HOME, home, "home.html"),
    (urls.DATASETS, browse_datasets, "datasets.html"),
    (urls.RUNS, browse_runs, "runs.html"),
    (urls.DEPOSITIONS, browse_depositions, "depositions.html"),
    (urls.SEARCH, search_page, "search.html"),
    (urls.SUGGESTIONS, suggestions, "suggestions.html"),
    ("/datasets/{id}", dataset_page, "dataset.html"),
    ("/datasets/{id}/cite", cite_dataset, "cite.html"),
    ("/datasets/{id}/findings", findings_page, "findings.html"),
    ("/download", download_page, "download.html"),
    (urls.BASKET, basket_page, "basket.html"),
    ("/runs/{id}", run_page, "run.html"),
    ("/depositions/{id}", deposition_page, "deposition.html"),
    ("/depositions/{id}/cite", cite_deposition, "cite.html"),
    ("/tomograms/{id}", tomogram_page, "tomogram.html"),
    ("/tiltseries/{id}", tiltseries_page, "tiltseries.html"),
    ("/runs/{id}/files", files_page, "files.html"),
    ("/annotations/{id}", annotation_page, "annotation.html"),
    ("/alignments/{id}", alignment_page, "alignment.html"),
    (urls.OBJECTS, objects_page, "table.html"),
    (urls.OBJECTS + "/{object:path}", object_page, "object.html"),
    (urls.ORGANISMS, organisms_page, "table.html"),
    (urls.ORGANISMS + "/{id}", organism_page, "organism.html"),
    (urls.AUTHORS, authors_page, "table.html"),
    (urls.AUTHORS + "/{author:path}", author_page, "author.html"),
    ("/view/runs/{id}", viewer_page, "viewer.html"),
    (urls.ABOUT, text_page, "text.html"),
    (f"{urls.ABOUT}/{{slug}}", text_page, "text.html"),
    (urls.DOCS, guides_page, "guides.html"),
    (f"{urls.DOCS}/{{slug}}", guide_page, "text.html"),
)

HEADINGS = {
    400: "This address makes no sense",
    404: "There is nothing here",
    405: "That cannot be done here",
    500: "Something went wrong on our side",
    503: "The catalogue cannot be read just now",
}

CODES = {400: "query", 404: "not-found", 410: "withdrawn", 500: "unexpected", 503: "catalog"}
"""What programs are told, beside the sentence."""

WITHDRAWABLE = {
    "datasets": "dataset",
    "depositions": "deposition",
    "runs": "run",
    "tomograms": "tomogram",
    "annotations": "annotation",
    "tiltseries": "tiltseries",
}
"""The first step of addresses, and what a tombstone may stand for there."""

SHORTER = {"/datasets": urls.DATASETS, "/runs": urls.RUNS, "/depositions": urls.DEPOSITIONS}
"""Addresses that people type, and the lists that they mean."""

_log = logging.getLogger(__name__)


def routes(get_view: GetView, settings: Settings) -> list[BaseRoute]:
    """All pages and the static files under `/static`."""
    pages: list[BaseRoute] = [
        Route(path, _endpoint(get_view, settings, build, template)) for path, build, template in PAGES
    ]
    twins = [
        Route(urls.twin(path), _document(get_view, settings, partial(_twin, build)))
        for path, build, _ in PAGES
        if path != urls.SUGGESTIONS
    ]
    documents = [Route(path, _document(get_view, settings, make)) for path, make in DOCUMENTS]
    tables = [Route(path, _answering(get_view, settings, make)) for path, make in TABLES]
    return [
        *documents,
        *twins,
        *tables,
        *file_routes(settings),
        *pages,
        *(Route(path, _leading_to(target)) for path, target in SHORTER.items()),
        _changing_basket(get_view, settings),
        Mount("/static", _Static(directory=urls.STATIC)),
    ]


def _leading_to(target: str) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        return RedirectResponse(urls.with_query(target, request.query_params.multi_items()), 308)

    return answered


def error_handlers(settings: Settings) -> dict[Any, Handler]:
    """What a browser gets for addresses that no route answers, and for what nobody has foreseen."""

    async def answered(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict(getattr(error, "headers", None) or {})
        return _error(settings, request, status, "", headers)

    return {HTTPException: answered, 500: answered}


def security_headers(files: str = "") -> dict[str, str]:
    """What browsers may do on a page: scripts and styles of ours only, pictures also from where the files are."""
    split = urlsplit(files)
    pictures = f" {split.scheme}://{split.netloc}" if split.netloc else ""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data:{pictures}",
        "connect-src": "'self'",
        "frame-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "referrer-policy": "strict-origin-when-cross-origin",
        "x-content-type-options": "nosniff",
    }


def _endpoint(
    get_view: GetView, settings: Settings, build: Callable[[Visit], Any], template: str
) -> Callable[[Request], Response]:
    def respond(visit: Visit) -> Response:
        html = render.page(template, visit, build(visit))
        headers = security_headers(visit.view.addresses.files)
        headers["link"] = f'<{urls.twin_of(visit.request)}>; rel="alternate"; type="application/json"'
        headers["vary"] = "accept-language, cookie"
        return _tagged(visit.request, html, "text/html", headers)

    return _answering(get_view, settings, respond)


def _twin(build: Callable[[Visit], Any], visit: Visit) -> Document:
    headers = {
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "vary": "cookie",
    }
    return Document(twin(visit, build(visit)), "application/json", headers)


def _document(
    get_view: GetView, settings: Settings, make: Callable[[Visit], Document]
) -> Callable[[Request], Response]:
    def respond(visit: Visit) -> Response:
        made = make(visit)
        return _tagged(visit.request, made.text, made.media_type, made.headers)

    return _answering(get_view, settings, respond)


def _changing_basket(get_view: GetView, settings: Settings) -> Route:
    answer = _answering(get_view, settings, lambda visit: changed(visit, visit.request.state.fields))

    async def change(request: Request) -> Response:
        try:
            request.state.fields = await form(request, settings.public_url)
        except PageError as error:
            return _error(settings, request, error.status, error.message)
        return await run_in_threadpool(answer, request)

    return Route(urls.BASKET, change, methods=["POST"])


def _answering(
    get_view: GetView, settings: Settings, respond: Callable[[Visit], Response]
) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        try:
            visit = Visit(request, get_view(request), settings)
        except CatalogError as error:
            return _unreadable(settings, request, error)
        try:
            return respond(visit)
        except Gone as gone:
            return _gone(settings, request, gone)
        except PageError as error:
            stone = _tombstone(visit) if error.status == 404 else None
            if stone:
                return _gone(settings, request, Gone(stone))
            return _error(settings, request, error.status, error.message)
        except QueryError as error:
            return _error(settings, request, 400, f"{error}.")
        except CatalogError as error:
            return _unreadable(settings, request, error)

    return endpoint


def _tombstone(visit: Visit) -> Tombstone | None:
    """What was withdrawn, where a page about it is asked for."""
    if "id" not in visit.request.path_params:
        return None
    first = visit.request.url.path.removeprefix("/view").split("/")[1]
    kind = WITHDRAWABLE.get(first)
    return visit.view.tombstone(kind, visit.id()) if kind else None


def _gone(settings: Settings, request: Request, gone: Gone) -> Response:
    headers = {**security_headers(), "cache-control": "no-cache"}
    if is_twin(request):
        return json_error(request, 410, gone.message, headers)
    return HTMLResponse(render.tombstone(gone, settings), 410, headers)


def _unreadable(settings: Settings, request: Request, error: CatalogError) -> Response:
    _log.error("%s: %s", request.url.path, error)
    return _error(settings, request, 503, "Try again in a minute.", {"retry-after": "60"})


def _tagged(request: Request, text: str, media_type: str, headers: dict[str, str]) -> Response:
    tag = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
    headers = {**headers, "etag": tag, "cache-control": "no-cache"}
    known = [item.strip() for item in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type=media_type)


def _error(
    settings: Settings, request: Request, status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    heading = HEADINGS.get(status, "This did not work")
    headers = {**security_headers(), "cache-control": "no-store", **(headers or {})}
    if is_twin(request):
        return json_error(request, status, message or f"{heading}.", headers)
    if request.url.path.endswith(".csv"):
        return PlainTextResponse(f"{message or heading}\n", status, headers)
    return HTMLResponse(render.error(status, heading, message, settings), status, headers)


def is_twin(request: Request) -> bool:
    """Whether a JSON twin is asked for, or a script changes the basket: what goes wrong there is told as JSON too."""
    by_script = request.method == "POST" and "application/json" in request.headers.get("accept", "")
    return by_script or request.url.path.endswith(".json")


def json_error(request: Request, status: int, message: str, headers: dict[str, str]) -> Response:
    """An error for programs: `{"error": {"status", "code", "message", "where"}}`."""
    told = {
        "status": status,
        "code": CODES.get(status, "http"),
        "message": message,
        "where": request.url.path,
    }
    allowed = {**headers, "access-control-allow-origin": "*", "cache-control": "no-store"}
    return JSONResponse({"error": told}, status, allowed)


class _Static(StaticFiles):
    """Files whose address carries a mark of their content may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_marked = scope.get("query_string", b"").startswith(b"v=")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if is_marked else "no-cache"
        response.headers["x-content-type-options"] = "nosniff"
        return response
