"""Routes of what pages of text and the frame need beside HTML: pictures and the style sheet of the site's own."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tomoportal.settings import Settings
from tomoportal.site.read import PICTURES
from tomoportal.web import frame, urls
from tomoportal.web.content import guides

_HEADERS = {
    "cache-control": "public, max-age=300",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
"""A picture of kind SVG can hold scripts; none of them runs, even when it is opened by itself."""


def file_routes(settings: Settings) -> list[Route]:
    """`/site/style.css`, `/site/files/…`, `/docs/images/…`."""

    def style(_: Request) -> Response:
        if settings.site.colours is None:
            raise HTTPException(404)
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "x-content-type-options": "nosniff",
        }
        return Response(frame.style(settings.site.colours), headers=headers, media_type="text/css")

    def own(request: Request) -> Response:
        return _picture(settings.site.folder, request.path_params["name"])

    def guide(request: Request) -> Response:
        return _picture(str(guides.folder() / "images"), request.path_params["name"])

    return [
        Route(urls.SITE_STYLE, style),
        Route("/site/files/{name}", own),
        Route(f"{urls.DOCS}/images/{{name}}", guide),
    ]


def _picture(folder: str, name: str) -> Response:
    """A picture that lies directly in a folder; nothing else of it is served."""
    file = Path(folder) / name
    if not folder or file.name != name or not name.lower().endswith(PICTURES) or not file.is_file():
        raise HTTPException(404)
    return FileResponse(file, headers=_HEADERS)
