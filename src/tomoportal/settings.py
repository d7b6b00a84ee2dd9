"""The few settings of the program: flag before environment before default."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from datetime import date

from tomoportal.errors import UsageError
from tomoportal.site import Site

DEFAULT_STORAGE = "portal/files"
DEFAULT_DATABASE = "sqlite:///portal/catalog.sqlite"
DEFAULT_BUCKET = "tomoportal"
DEFAULT_TITLE = "Tomoportal"
DEFAULT_LICENSE = "CC0-1.0"


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What GraphQL requests may ask for; each is set by `TOMOPORTAL_QUERY_…`, such as `TOMOPORTAL_QUERY_COST`.

    `cost`: points that a request may be estimated at (`api.graphql.cost`); `depth`: relations that may follow each other;
    `seconds`: how long a request may keep the database busy; `rows`: rows that one list may hold, 0 for any number; `body`: bytes of a
    request; `at_once`: costly requests that a process answers at a time; `waiting`: how many more may wait for that."""

    cost: int = 20_000_000
    depth: int = 12
    seconds: int = 30
    rows: int = 0
    body: int = 4_000_000
    at_once: int = 2
    waiting: int = 100

    @staticmethod
    def from_environment() -> QueryLimits:
        """As the environment says. Raises `UsageError` for what is no whole number."""
        chosen = {}
        for limit in fields(QueryLimits):
            name = f"TOMOPORTAL_QUERY_{limit.name.upper()}"
            text = os.environ.get(name, "")
            least = 0 if limit.name in ("rows", "waiting") else 1
            if text and not (text.isascii() and text.isdigit() and int(text) >= least):
                raise UsageError(f"{name} must be a whole number from {least}, not {text!r}.")
            if text:
                chosen[limit.name] = int(text)
        return QueryLimits(**chosen)


@dataclass(frozen=True, slots=True)
class Settings:
    """`storage`: URL or folder of the standard layout; `database`: SQLAlchemy URL of the catalogue;
    `public_url`: where browsers and clients reach this portal, without a trailing slash, empty when unknown;
    `bucket`: the bucket name in s3:// addresses; `title`: the name shown on the pages; `origins`: whose pages may ask `/graphql` from
    browsers (`*`: all); `limits`: what such a question may ask for; `deliver`: who sends the bytes of `/files` (`api.delivery`);
    `license`: under which the data are given away, as an SPDX identifier or the address of its text; `content`: the folder with
    `site.toml` and the site's own pages, empty for none; `site`: what stands there, once it is read (`with_site`)."""

    storage: str = DEFAULT_STORAGE
    database: str = DEFAULT_DATABASE
    public_url: str = ""
    bucket: str = DEFAULT_BUCKET
    title: str = DEFAULT_TITLE
    origins: tuple[str, ...] = ("*",)
    limits: QueryLimits = QueryLimits()
    deliver: str = "stream"
    license: str = DEFAULT_LICENSE
    content: str = ""
    site: Site = field(default_factory=Site)

    @staticmethod
    def from_environment(**flags: str | None) -> Settings:
        """`flags` that are not None win over `TOMOPORTAL_*` variables, which win over the defaults."""
        named = {
            "storage": os.environ.get("TOMOPORTAL_STORAGE"),
            "database": os.environ.get("TOMOPORTAL_DATABASE"),
            "public_url": os.environ.get("TOMOPORTAL_URL"),
            "bucket": os.environ.get("TOMOPORTAL_BUCKET"),
            "title": os.environ.get("TOMOPORTAL_TITLE"),
            "deliver": os.environ.get("TOMOPORTAL_DELIVER"),
            "license": os.environ.get("TOMOPORTAL_LICENSE"),
            "content": os.environ.get("TOMOPORTAL_CONTENT"),
        }
        chosen = {key: value for key, value in named.items() if value}
        chosen |= {key: value for key, value in flags.items() if value is not None}
        if "public_url" in chosen:
            chosen["public_url"] = chosen["public_url"].rstrip("/")
        origins = tuple(os.environ.get("TOMOPORTAL_ORIGINS", "").replace(",", " ").split()) or ("*",)
        return Settings(**chosen, site=Site(), origins=origins, limits=QueryLimits.from_environment())

    def with_site(self) -> Settings:
        """These with what `site.toml` says; title and licence of the environment win. Raises `UsageError`."""
        from tomoportal.site.read import read_site

        site = read_site(self.content)
        title = site.title if site.title and self.title == DEFAULT_TITLE else self.title
        license = site.license if site.license and self.license == DEFAULT_LICENSE else self.license
        return replace(self, site=site, title=title, license=license)


def today() -> date:
    """The day that decides what has been released, in UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date()
