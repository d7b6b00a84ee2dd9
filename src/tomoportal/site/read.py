"""`site.toml` → `Site`. Whatever is wrong is one sentence with the place, what was expected, and a near name for a misspelt one."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from tomoportal.errors import UsageError
from tomoportal.site import Banner, Colours, Contact, Link, Site
from tomoportal.site.contrast import LEAST, is_colour, lightened, lowest

NAME = "site.toml"
PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif")
_SPDX = re.compile(r"[A-Za-z][A-Za-z0-9+]*(-[A-Za-z0-9.+]+)*-[0-9.]+(-[A-Za-z-]+)?")
_SCHEMES = ("https://", "http://", "mailto:", "/")


def read_site(folder: str) -> Site:
    """The site whose folder this is; without `site.toml` there, all defaults. Raises `UsageError`."""
    if not folder:
        return Site()
    if not Path(folder).is_dir():
        raise UsageError(
            f"{folder}: there is no such folder; --content names the folder with {NAME} and the site's own pages."
        )
    file = Path(folder) / NAME
    if not file.exists():
        return Site(folder=folder)
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: this is no TOML: {error}.") from None
    return _site(_Table(str(file), "", told), Path(folder))


class _Table:
    """A table of the file; takes its values out one by one with their types checked."""

    def __init__(self, file: str, place: str, told: Any) -> None:
        self.file, self.place = file, place
        if not isinstance(told, dict):
            self.fail("", "is a table with names and values")
        self.told: dict[str, Any] = told

    def fail(self, name: str, expected: str) -> NoReturn:
        place = ".".join(part for part in (self.place, name) if part)
        raise UsageError(f"{self.file}, `{place}`: {expected}.")

    def allow(self, names: Collection[str]) -> None:
        for name in self.told:
            if name not in names:
                near = difflib.get_close_matches(name, names, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"expected one of {', '.join(sorted(names))}"
                self.fail(name, f"there is no such setting; {hint.rstrip('?')}" + ("?" if near else ""))

    def text(self, name: str, default: str | None = "") -> str:
        value = self.told.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.fail(name, "must be a text" + (" that is not empty" if default is None else ""))
        return value.strip()

    def day(self, name: str) -> date | None:
        value = self.told.get(name)
        if value is not None and (not isinstance(value, date) or hasattr(value, "hour")):
            self.fail(name, "must be a day without quotation marks, such as 2026-03-31")
        return value

    def address(self, name: str, default: str | None = "") -> str:
        value = self.text(name, default)
        if value and not value.startswith(_SCHEMES):
            self.fail(name, f"{value!r} is no address; it begins with {', '.join(_SCHEMES[:3])} or /")
        return value

    def table(self, name: str) -> _Table | None:
        return _Table(self.file, name, self.told[name]) if name in self.told else None

    def tables(self, name: str) -> list[_Table]:
        found = self.told.get(name, [])
        if not isinstance(found, list):
            self.fail(name, f"is a list; each item begins with a line [[{name}]]")
        return [_Table(self.file, f"{name}[{place}]", item) for place, item in enumerate(found)]


def _site(root: _Table, folder: Path) -> Site:
    root.allow(("title", "tagline", "logo", "colours", "contact", "license", "banners", "links"))
    return Site(
        folder=str(folder),
        title=root.text("title"),
        tagline=root.text("tagline"),
        logo=_logo(root, folder),
        colours=_colours(root.table("colours")),
        contact=_contact(root.table("contact")),
        license=_license(root),
        banners=tuple(_banner(item) for item in root.tables("banners")),
        links=tuple(_link(item) for item in root.tables("links")),
    )


def _logo(root: _Table, folder: Path) -> str:
    name = root.text("logo")
    if not name:
        return ""
    if Path(name).name != name or not name.lower().endswith(PICTURES):
        root.fail("logo", f"{name!r} must be the name of a picture beside {NAME}: {', '.join(PICTURES)}")
    if not (folder / name).is_file():
        root.fail("logo", f"there is no file {name!r} beside {NAME}")
    return name


def _colours(table: _Table | None) -> Colours | None:
    if table is None:
        return None
    table.allow(("accent", "accent_dark"))
    light = _colour(table, "accent", dark=False)
    dark = _colour(table, "accent_dark", dark=True) if "accent_dark" in table.told else lightened(light)
    return Colours(light, dark)


def _colour(table: _Table, name: str, *, dark: bool) -> str:
    value = table.text(name, None).lower()
    if not is_colour(value):
        table.fail(name, f"{value!r} is no colour; write six digits, such as #0a6f69")
    found, where = lowest(value, dark=dark)
    if found < LEAST:
        change = "lighter" if dark else "darker"
        table.fail(
            name,
            f"{value} has a contrast of {found:.1f} with {where} of {'dark' if dark else 'light'} pages, and text needs {LEAST} (WCAG AA); "
            f"choose a {change} one",
        )
    return value


def _contact(table: _Table | None) -> Contact | None:
    if table is None:
        return None
    table.allow(("name", "email", "url"))
    contact = Contact(table.text("name", None), table.text("email"), table.address("url"))
    if contact.email and ("@" not in contact.email or " " in contact.email):
        table.fail("email", f"{contact.email!r} is no e-mail address")
    if not contact.email and not contact.url:
        table.fail("email", "a contact needs an `email` or a `url`")
    return contact


def _license(root: _Table) -> str:
    told = root.text("license")
    if told and not (_SPDX.fullmatch(told) or told.startswith("https://")):
        root.fail(
            "license",
            f"{told!r} is neither an SPDX identifier such as CC-BY-4.0 nor an address that begins with https://",
        )
    return told


def _banner(table: _Table) -> Banner:
    table.allow(("text", "from", "until", "paths", "days"))
    paths, days = table.told.get("paths", ["*"]), table.told.get("days", 14)
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths) or not paths:
        table.fail("paths", 'is a list of patterns, such as ["/", "/datasets/*"]')
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        table.fail(
            "days", "is the number of days for which a closed banner stays away; 0: it cannot be closed"
        )
    start, end = table.day("from"), table.day("until")
    if start and end and end < start:
        table.fail("until", f"{end} lies before `from`, {start}")
    return Banner(table.text("text", None), start, end, tuple(paths), days)


def _link(table: _Table) -> Link:
    table.allow(("text", "href"))
    return Link(table.text("text", None), table.address("href", None))
