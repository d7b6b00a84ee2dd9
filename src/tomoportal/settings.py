"""The few settings of the program: flag before environment before default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date

DEFAULT_STORAGE = "portal/files"
DEFAULT_DATABASE = "sqlite:///portal/catalog.sqlite"
DEFAULT_BUCKET = "tomoportal"


@dataclass(frozen=True, slots=True)
class Settings:
    """`storage`: URL or folder of the standard layout; `database`: SQLAlchemy URL of the catalogue;
    `public_url`: where browsers and clients reach this portal, without a trailing slash, empty when unknown;
    `bucket`: the bucket name in s3:// addresses; `title`: the name shown on the pages."""

    storage: str = DEFAULT_STORAGE
    database: str = DEFAULT_DATABASE
    public_url: str = ""
    bucket: str = DEFAULT_BUCKET
    title: str = "Tomoportal"

    @staticmethod
    def from_environment(**flags: str | None) -> Settings:
        """`flags` that are not None win over `TOMOPORTAL_*` variables, which win over the defaults."""
        named = {
            "storage": os.environ.get("TOMOPORTAL_STORAGE"),
            "database": os.environ.get("TOMOPORTAL_DATABASE"),
            "public_url": os.environ.get("TOMOPORTAL_URL"),
            "bucket": os.environ.get("TOMOPORTAL_BUCKET"),
            "title": os.environ.get("TOMOPORTAL_TITLE"),
        }
        chosen = {key: value for key, value in named.items() if value}
        chosen |= {key: value for key, value in flags.items() if value is not None}
        if "public_url" in chosen:
            chosen["public_url"] = chosen["public_url"].rstrip("/")
        return Settings(**chosen)


def today() -> date:
    """The day that decides what has been released, in UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date()
