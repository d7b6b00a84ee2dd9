"""Which pages of text there are, where each comes from, and how they are read.

A page is a Markdown file, maybe with front matter: lines `key: value` between two lines `---` at its beginning. `title` is what the
navigation says (else the heading), `order` its place there, `updated` a day (2026-03-01), `nav: no` leaves it out of the navigation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

from tomoportal.errors import UsageError
from tomoportal.settings import Settings
from tomoportal.web import urls
from tomoportal.web.content.fields import TABLES
from tomoportal.web.content.markdown import Document, document
from tomoportal.web.content.pictures import measured
from tomoportal.web.getting.licenses import License

DEFAULTS = Path(__file__).parent / "pages"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_KEYS = ("title", "order", "updated", "nav")
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_LAST = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be opened. `slug` is the end of its address; `file` where it stands; `order` its place in the navigation."""

    slug: str
    file: Path
    title: str
    order: int
    updated: date | None
    in_navigation: bool
    body: str

    @property
    def href(self) -> str:
        return urls.page(self.slug)


def pages(settings: Settings) -> tuple[Page, ...]:
    """All of a site in the order of the navigation; a file of the site's folder replaces the one of the package with the same name.
    Raises `UsageError` for front matter that makes no sense."""
    return _pages(settings.site.folder)


def find(settings: Settings, slug: str) -> Page | None:
    """The page with this end of its address."""
    return next((page for page in pages(settings) if page.slug == slug), None)


def check(settings: Settings) -> None:
    """Reads every page once. Raises `UsageError` for the first that is wrong."""
    for page in pages(settings):
        read(page, settings)


def navigation(settings: Settings) -> tuple[Page, ...]:
    """The pages that the navigation shows."""
    return tuple(page for page in pages(settings) if page.in_navigation)


def read(page: Page, settings: Settings) -> Document:
    """The page as HTML. Raises `UsageError` for a placeholder that does not exist."""
    return _document(page, _values(settings), settings.site.folder)


def _values(settings: Settings) -> tuple[tuple[str, str], ...]:
    license, contact = License.of(settings.license), settings.site.contact
    address = "" if contact is None else (f"mailto:{contact.email}" if contact.email else contact.url)
    return (
        ("title", settings.title),
        ("license", f"[{license.name}]({license.href})" if license.href else license.name),
        ("contact", f"[{contact.name}]({address})" if contact else "the people who run this portal"),
    )


@lru_cache(maxsize=64)
def _document(page: Page, values: tuple[tuple[str, str], ...], folder: str) -> Document:
    known = dict(values)

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in TABLES:
            return TABLES[name]()
        if name not in known:
            choices = ", ".join([*known, *TABLES])
            raise UsageError(f"{page.file}: there is no placeholder {name!r}; expected one of {choices}.")
        return known[name]

    return document(_PLACEHOLDER.sub(value, page.body), _readdressed, partial(_measured, folder))


def _measured(folder: str, href: str) -> tuple[int, int] | None:
    """The size of a picture where `_readdressed` says that it is served; of none without a folder of the site."""
    return (
        measured(Path(folder), Path(href).name)
        if folder and "/" not in href[:1] and ":" not in href
        else None
    )


def _readdressed(href: str) -> str:
    """`faq.md#how` → the page's address; pictures beside the page → where they are served."""
    path, mark, anchor = href.partition("#")
    if not path or ":" in path or path.startswith("/"):
        return href
    if path.endswith(".md"):
        return urls.page(Path(path).stem) + mark + anchor
    return urls.site_file(Path(path).name)


@lru_cache(maxsize=8)
def _pages(folder: str) -> tuple[Page, ...]:
    """Read once: what changes in the folder shows after a restart, which refuses what is wrong."""
    folders = [DEFAULTS, *([Path(folder)] if folder else [])]
    files = {
        file.stem: file
        for place in folders
        for file in sorted(place.glob("*.md"))
        if _NAME.fullmatch(file.stem)
    }
    return tuple(sorted(map(_page, files.values()), key=lambda page: (page.order, page.title)))


def _page(file: Path) -> Page:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}.") from None
    front, body = _front_matter(file, text)
    heading = re.search(r"^# (.+)$", body, re.MULTILINE)
    if heading is None:
        raise UsageError(f"{file}: a page needs a heading, a line that begins with `# `.")
    order, nav = front.get("order", str(_LAST)), front.get("nav", "yes")
    if not order.isdigit() or nav not in ("yes", "no"):
        raise UsageError(f"{file}: `order` is a whole number and `nav` yes or no, not {order!r} and {nav!r}.")
    return Page(
        file.stem,
        file,
        front.get("title", heading[1].strip()),
        int(order),
        _day(file, front),
        nav == "yes",
        body,
    )


def _day(file: Path, front: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(front["updated"]) if "updated" in front else None
    except ValueError:
        raise UsageError(
            f"{file}: `updated` is a day such as 2026-03-01, not {front['updated']!r}."
        ) from None


def _front_matter(file: Path, text: str) -> tuple[dict[str, str], str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return {}, text
    if "---" not in (marks := [line.strip() for line in lines[1:]]):
        raise UsageError(f"{file}: the front matter has no end; a second line `---` is missing.")
    end = marks.index("---") + 1
    return dict(_pairs(file, lines[1:end])), "\n".join(lines[end + 1 :])


def _pairs(file: Path, lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in filter(str.strip, lines):
        key, mark, value = (part.strip() for part in line.partition(":"))
        if not mark or key not in _KEYS:
            raise UsageError(
                f"{file}: front matter has lines such as `order: 3` with {', '.join(_KEYS)}; {line.strip()!r} is none."
            )
        yield key, value.strip("\"'")
