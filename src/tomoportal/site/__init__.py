"""What a site says about itself: name, logo, colours, contact, licence, banners, links. Data without input or output.

`read.read_site(folder)` makes a `Site` of the folder that an operator keeps (`TOMOPORTAL_CONTENT`): `site.toml` beside the logo and the
Markdown pages that replace or join those of the package. Pages, citations and machine-readable descriptions take from here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

__all__ = ["Banner", "Colours", "Contact", "Link", "Site"]


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask: a name with an e-mail address, a web address, or both."""

    name: str
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the footer."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Colours:
    """The accent as `#rrggbb` on light and on dark ground; both are readable there (`contrast.checked`)."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Banner:
    """A notice above the pages, in Markdown, from one day to another (both included, in UTC) on pages whose path fits a pattern such as
    `/datasets/*`. Whoever closes it does not see it for `days`; 0: it cannot be closed."""

    text: str
    start: date | None = None
    end: date | None = None
    paths: tuple[str, ...] = ("*",)
    days: int = 14

    @property
    def key(self) -> str:
        """Tells it apart from others: a changed text is a new banner."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]

    def is_shown(self, path: str, day: date) -> bool:
        """Whether it stands above the page at a path on a day."""
        is_now = (self.start is None or self.start <= day) and (self.end is None or day <= self.end)
        return is_now and any(fnmatchcase(path, pattern) for pattern in self.paths)


@dataclass(frozen=True, slots=True)
class Site:
    """`folder`: where `site.toml` and own pages lie, empty for none; `logo`: name of a picture there; `license`: that of the data,
    empty where the file says none."""

    folder: str = ""
    title: str = ""
    tagline: str = ""
    logo: str = ""
    colours: Colours | None = None
    contact: Contact | None = None
    license: str = ""
    banners: tuple[Banner, ...] = ()
    links: tuple[Link, ...] = ()
