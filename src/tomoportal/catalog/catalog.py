"""A catalogue that fits this version of the program, opened for reading and loading."""

from __future__ import annotations

from datetime import date

from tomoportal.catalog.backends import database_at
from tomoportal.catalog.compile.writer import Addresses
from tomoportal.catalog.database import REPAIR, Database
from tomoportal.catalog.tombstones import folder_of
from tomoportal.catalog.view import View
from tomoportal.errors import CatalogError


class Catalog:
    """Safe to use from several threads. `fresh`: the tables have just been made and are empty."""

    def __init__(self, database: Database, *, fresh: bool) -> None:
        self.database, self.fresh = database, fresh

    def view(self, *, today: date | None = None, addresses: Addresses | None = None) -> View:
        """What may be seen on a day; without `today`, now."""
        from tomoportal.settings import today as this_day

        return View(self.database, today or this_day(), addresses or Addresses(), self.version)

    @property
    def version(self) -> str:
        """Changes whenever something was loaded, and when the tables were made anew: what is remembered of others does not hold."""
        state = self.database.state()
        if state.get("model") != self.database.model:
            raise CatalogError(f"{self.database.url} was made by another version of Tomoportal. {REPAIR}")
        return f"{state['model']}-{state.get('made')}-{state['version']}"

    def folder_of(self, kind: str, number: int) -> str | None:
        """Where the entity of a kind of the layout (`run`, `tomogram`, …) with a portal-wide id lies, or lay before it was withdrawn."""
        with self.database.connect() as connection:
            return folder_of(connection, self.database, kind, number)

    def close(self) -> None:
        """Close its connections."""
        self.database.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_catalog(database_url: str, *, create: bool = False) -> Catalog:
    """The catalogue at a database URL (`sqlite:///path`, `postgresql://…`). With `create`, tables that are absent or do not fit
    this version are made anew, empty. Raises `CatalogError`, `UsageError`."""
    database = database_at(database_url)
    try:
        state = database.state() if database.exists() else {}
    except CatalogError:
        database.close()
        raise
    fits = state.get("model") == database.model
    if not fits and not create:
        database.close()
        reason = "was made by another version of Tomoportal" if state else "holds no catalogue"
        raise CatalogError(f"{database.url} {reason}. {REPAIR}")
    if not fits:
        try:
            database.create()
        except CatalogError:
            database.close()
            raise
    return Catalog(database, fresh=not fits)
