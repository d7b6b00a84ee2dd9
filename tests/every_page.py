"""Every page of a portal, found by following its links from the front page: a new route is looked at without being named here."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from starlette.routing import compile_path

from tomoportal.web import urls
from tomoportal.web.site import PAGES

FRAGMENTS = {urls.SUGGESTIONS}
"""Parts of pages, not pages."""
ROUTES = frozenset(path for path, _, _ in PAGES) - FRAGMENTS
BESIDES = (
    urls.GRAPHQL,
    "/files/",
    "/nothing-is-here",
    "/browse-data/datasets?search=zzzzzz",
    "/search?q=membrane",
)
"""Pages of other parts, the page of an error, a list without results, results."""
MOST = 150


@dataclass(frozen=True)
class Found:
    """A page as it came: `route` is the pattern of its address."""

    route: str
    path: str
    html: str
    policy: str


class Links(HTMLParser):
    """The addresses of a page's links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "iframe"):
            self.found += [value for name, value in attrs if name in ("href", "src") and value]


def fetched(url: str, path: str, route: str) -> Found:
    """A page, whatever its status."""
    request = urllib.request.Request(url + path, headers={"accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Found(route, path, answer.read().decode(), answer.headers["content-security-policy"])
    except urllib.error.HTTPError as error:
        return Found(route, path, error.read().decode(), error.headers["content-security-policy"])


def every_page(url: str) -> list[Found]:
    """One page of each route that links lead to, and those beside them."""
    routes = {path: compile_path(path)[0] for path in ROUTES}
    found: dict[str, Found] = {}
    waiting, seen = ["/"], {"/"}
    for _ in range(MOST):
        if not waiting or len(found) == len(routes):
            break
        path = _next(waiting, routes, found)
        page = fetched(url, path, _route(path, routes))
        found.setdefault(page.route, page)
        fresh = [link for link in _inner_links(url, page) if link not in seen and _route(link, routes)]
        seen.update(fresh)
        waiting += fresh
    return [*found.values(), *(fetched(url, path, path) for path in BESIDES)]


def _next(waiting: list[str], routes: dict[str, re.Pattern[str]], found: dict[str, Found]) -> str:
    """A page of a route that has not been seen, if any waits."""
    fresh = next((path for path in waiting if _route(path, routes) not in found), waiting[0])
    waiting.remove(fresh)
    return fresh


def _route(path: str, routes: dict[str, re.Pattern[str]]) -> str:
    plain = urlsplit(path).path
    return next((name for name, pattern in routes.items() if pattern.fullmatch(plain)), "")


def _inner_links(url: str, page: Found) -> Iterator[str]:
    for link in Links(page.html).found:
        address = urldefrag(urljoin(url + page.path, link)).url
        if address.startswith(url + "/"):
            yield address.removeprefix(url)
