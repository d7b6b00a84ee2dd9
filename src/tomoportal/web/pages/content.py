"""Pages of text: what the site says of itself, and the guides of the project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from tomoportal.web import urls
from tomoportal.web.content import guides, shelf
from tomoportal.web.content.finding import FoundPassage, find
from tomoportal.web.content.markdown import Document, Heading
from tomoportal.web.context import Crumb, Head, PageError, Visit

FEW = 3
"""Fewer headings need no table of contents."""
LONGEST = 200
"""Letters of a search that are looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation beside the text."""

    text: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class TextPage:
    """`section`: what the navigation is called; `entries`: its pages; `headings`: the places on this one, empty when few."""

    head: Head
    section: str
    entries: tuple[Entry, ...]
    title: str
    html: Markup
    headings: tuple[Heading, ...]
    updated: date | None
    previous: Crumb | None = None
    next: Crumb | None = None


@dataclass(frozen=True, slots=True)
class GuideLine:
    """A guide in the list of all; `lead` is its first paragraph."""

    title: str
    href: str
    lead: str


@dataclass(frozen=True, slots=True)
class GuidesPage:
    """All guides, and what of them holds the words of `text`."""

    head: Head
    text: str
    guides: tuple[GuideLine, ...]
    found: tuple[FoundPassage, ...]


def text_page(visit: Visit) -> TextPage:
    """A page of the site's own or of the package; `/about` without a name is `about`."""
    slug = visit.request.path_params.get("slug", "about")
    page = shelf.find(visit.settings, slug)
    if page is None:
        raise PageError(404, f"There is no page “{slug[:40]}” here.")
    text = shelf.read(page, visit.settings)
    entries = tuple(
        Entry(other.title, other.href, other == page) for other in shelf.navigation(visit.settings)
    )
    head = _head(visit, text, page.href, "about")
    return TextPage(head, "About", entries, text.title, text.html, _contents(text), page.updated)


def guide_page(visit: Visit) -> TextPage:
    """A guide of the project, with the ways to the one before and the one after."""
    slug = visit.request.path_params["slug"]
    every = guides.guides()
    place = next((place for place, guide in enumerate(every) if guide.slug == slug), None)
    if place is None:
        raise PageError(404, f"There is no guide “{slug[:40]}”.")
    texts = [guide.read() for guide in every]
    entries = tuple(
        Entry(text.title, guide.href, guide.slug == slug) for guide, text in zip(every, texts, strict=True)
    )
    steps = [Crumb(entry.text, entry.href) for entry in entries]
    return TextPage(
        head=_head(visit, texts[place], every[place].href, "docs"),
        section="Documentation",
        entries=entries,
        title=texts[place].title,
        html=texts[place].html,
        headings=_contents(texts[place]),
        updated=None,
        previous=steps[place - 1] if place else None,
        next=steps[place + 1] if place + 1 < len(steps) else None,
    )


def guides_page(visit: Visit) -> GuidesPage:
    """The list of all guides, or the passages with the words `q`."""
    asked = visit.request.query_params.get("q", "").replace("\x00", "").strip()[:LONGEST]
    texts = [(guide, guide.read()) for guide in guides.guides()]
    head = Head(
        title=f"Documentation · {visit.settings.title}",
        description="How to describe, ingest, find, download and serve cryo-electron tomography data with Tomoportal.",
        canonical=urls.DOCS,
        section="docs",
    )
    lines = tuple(GuideLine(text.title, guide.href, text.lead) for guide, text in texts)
    return GuidesPage(head, asked, lines, find(asked, texts))


def _contents(text: Document) -> tuple[Heading, ...]:
    return text.headings if len(text.headings) >= FEW else ()


def _head(visit: Visit, text: Document, href: str, section: str) -> Head:
    return Head(f"{text.title} · {visit.settings.title}", text.lead or text.title, href, section=section)
