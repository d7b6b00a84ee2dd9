"""What search engines ask for: robots.txt, and the site's pages as sitemaps of at most `MOST` addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tomoportal.model.query import Order, Select, Value
from tomoportal.web import formats, urls
from tomoportal.web.context import PageError, Visit

MOST = 50_000
"""Addresses in one document, as sitemaps.org has it."""
_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FIXED = (urls.HOME, urls.DATASETS, urls.DEPOSITIONS)


@dataclass(frozen=True, slots=True)
class _Pages:
    """One page for each row of an entity; `changed` is the field that tells when."""

    entity: str
    address: Callable[[int], str]
    changed: str = ""


_PAGES = (
    _Pages("Dataset", urls.dataset, "last_modified_date"),
    _Pages("Deposition", urls.deposition, "last_modified_date"),
    _Pages("Run", urls.run),
    _Pages("Tomogram", urls.tomogram),
    _Pages("Annotation", urls.annotation),
)


def robots(visit: Visit) -> str:
    """Pages may be crawled; searches, downloads and services need not be."""
    closed = (
        urls.SEARCH,
        urls.BASKET,
        "/download",
        urls.GRAPHQL,
        "/files/",
        "/s3/",
        "/api/",
        "/viewer/",
        "/view/",
    )
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "Allow: /"]
    return "\n".join([*lines, "", f"Sitemap: {visit.absolute('/sitemap.xml')}", ""])


def sitemap(visit: Visit) -> str:
    """All pages, or with more than `MOST` of them an index of sitemaps."""
    total = len(_FIXED) + sum(visit.view.count(pages.entity) for pages in _PAGES)
    if total <= MOST:
        return _document(visit, 0)
    parts = (visit.absolute(f"/sitemap-{number + 1}.xml") for number in range(-(-total // MOST)))
    body = "".join(f"<sitemap><loc>{escape(part)}</loc></sitemap>\n" for part in parts)
    return f"{_HEAD}<sitemapindex {_SPACE}>\n{body}</sitemapindex>\n"


def sitemap_part(visit: Visit) -> str:
    """One of the sitemaps of the index, numbered from 1."""
    text = visit.request.path_params["number"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    total = len(_FIXED) + sum(visit.view.count(pages.entity) for pages in _PAGES)
    if not 1 <= number <= -(-total // MOST):
        raise PageError(404, f"There is no sitemap “{text[:20]}”.")
    return _document(visit, (number - 1) * MOST)


def _document(visit: Visit, start: int) -> str:
    body = "".join(_entries(visit, start, MOST))
    return f"{_HEAD}<urlset {_SPACE}>\n{body}</urlset>\n"


def _entries(visit: Visit, start: int, most: int) -> Iterator[str]:
    fixed = _FIXED[start : start + most]
    yield from (_entry(visit, address) for address in fixed)
    start, most = max(0, start - len(_FIXED)), most - len(fixed)
    for pages in _PAGES:
        count = visit.view.count(pages.entity)
        if start < count and most > 0:
            taken = min(most, count - start)
            yield from _of(visit, pages, taken, start)
            most -= taken
        start = max(0, start - count)


def _of(visit: Visit, pages: _Pages, limit: int, offset: int) -> Iterator[str]:
    changed = (Value("changed", pages.changed),) if pages.changed else ()
    select = Select(
        pages.entity, (Value("id", "id"), *changed), order_by=(Order(("id",)),), limit=limit, offset=offset
    )
    for row in visit.view.rows(select):
        yield _entry(visit, pages.address(row["id"]), row.get("changed"))


def _entry(visit: Visit, address: str, changed: str | None = None) -> str:
    when = f"<lastmod>{formats.day(changed)}</lastmod>" if changed else ""
    return f"<url><loc>{escape(visit.absolute(address))}</loc>{when}</url>\n"
