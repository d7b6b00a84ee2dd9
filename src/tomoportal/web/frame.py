"""What stands around every page: the site's colours and logo, its banners, the pages of text in navigation and footer.

Templates know this module as `frame`; `site` there are the `Settings`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from markupsafe import Markup

from tomoportal.settings import Settings, today
from tomoportal.site import Colours
from tomoportal.site.contrast import ink_on, wash_of
from tomoportal.web import urls
from tomoportal.web.content import markdown, shelf
from tomoportal.web.context import Visit
from tomoportal.web.getting.licenses import License


@dataclass(frozen=True, slots=True)
class Notice:
    """A banner: closing it is remembered as the cookie `cookie` for `seconds`, 0: it cannot be closed."""

    html: Markup
    cookie: str
    seconds: int


def pages(site: Settings) -> tuple[shelf.Page, ...]:
    """The pages of text that the navigation names."""
    return shelf.navigation(site)


def license_of(site: Settings) -> License:
    """Under which the data are given away."""
    return License.of(site.license)


def logo(site: Settings) -> str:
    """The address of the site's logo, empty for ours."""
    return urls.site_file(site.site.logo) if site.site.logo else ""


def style_address(site: Settings) -> str:
    """Where the site's colours are, empty when it has none of its own."""
    if site.site.colours is None:
        return ""
    mark = hashlib.sha256(style(site.site.colours).encode()).hexdigest()[:10]
    return urls.with_query(urls.SITE_STYLE, [("v", mark)])


def style(colours: Colours) -> str:
    """The style sheet of the site's colours; it overrides values of `portal.css`."""
    light, dark = (
        _values(accent, dark=dark) for accent, dark in ((colours.light, False), (colours.dark, True))
    )
    return (
        f":root {{ {light} --plate-accent: {colours.dark}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def _values(accent: str, *, dark: bool) -> str:
    return f"--accent: {accent}; --accent-ink: {ink_on(accent)}; --accent-wash: {wash_of(accent, dark=dark)};"


def notices(visit: Visit) -> tuple[Notice, ...]:
    """The banners above this page that the visitor has not closed."""
    shown = (
        banner for banner in visit.settings.site.banners if banner.is_shown(visit.request.url.path, today())
    )
    found = (Notice(markdown.inline(item.text), f"closed-{item.key}", item.days * 86_400) for item in shown)
    return tuple(
        notice for notice in found if not (notice.seconds and notice.cookie in visit.request.cookies)
    )
