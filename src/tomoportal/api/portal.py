"""What every route of the server needs: the settings, the storage, the catalogue as a reader sees it, and public addresses.

Safe to use from several threads. Nothing here knows HTTP beyond the scheme and host of a request.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from tomoportal.api.errors import Refused
from tomoportal.catalog import Addresses, Catalog, Tombstone, View, Visibility, open_catalog
from tomoportal.errors import NotFound
from tomoportal.layout.paths import Key, owner, viewer_folder
from tomoportal.layout.tree import marker_of
from tomoportal.settings import Settings, today
from tomoportal.storage import LocalStorage, Storage, open_storage

FRESH = 0.1
"""Seconds for which the version of the catalogue is believed before it is asked for again."""
MARKER_FRESH = 2.0
"""Seconds for which a remote storage is believed not to be replacing an entity."""
MOST_ANSWERS = 100_000
MOST_PATHS = 20_000

_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class _Known:
    """A view, and what it has said about entities."""

    view: View
    answers: dict[Key, Visibility] = field(default_factory=dict)
    paths: dict[str, tuple[Key | None, Visibility]] = field(default_factory=dict)

    def holds_for(self, view: View) -> bool:
        mine = self.view
        return (mine.version, mine.today) == (view.version, view.today) and mine.database is view.database


class Portal:
    """One portal: `settings`, `storage`, and views of the catalogue, which is opened again when its file was replaced."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage: Storage = open_storage(settings.storage)
        self._lock = Lock()
        self._catalog: Catalog | None = None
        self._file: object = None
        self._looked = 0.0
        self._known: _Known | None = None
        self._markers: dict[Key, tuple[float, bool]] = {}

    def public_url(self, scheme: str, host: str) -> str:
        """The address of the portal without a trailing slash: as set, else as the request of a local user names it."""
        if self.settings.public_url:
            return self.settings.public_url
        if is_loopback(host):
            return f"{scheme}://{host}"
        raise Refused(
            421,
            "no-public-url",
            f"This portal was asked for as {host!r}, but does not know its own public address. "
            "Its operator should start it with the environment variable TOMOPORTAL_URL (or `--url`) set to that address.",
        )

    def addresses(self, scheme: str, host: str) -> Addresses:
        """What stands before stored paths in answers to this request."""
        url = self.public_url(scheme, host)
        return Addresses(files=f"{url}/files/", s3=f"s3://{self.settings.bucket}/")

    def view(self, addresses: Addresses | None = None) -> View:
        """What an anonymous reader may see today. Raises `CatalogError`."""
        return self._opened().view(today=today(), addresses=addresses or Addresses())

    def seen(self, path: str) -> tuple[Key | None, Visibility]:
        """The entity that owns a path, and whether this file of it may be given out; kept until the catalogue or the day changes."""
        paths = self._fresh().paths
        answer = paths.get(path)
        if answer is None:
            answer = self._looked_at(path)
            if len(paths) > MOST_PATHS:
                paths.clear()
            paths[path] = answer
        return answer

    def _looked_at(self, path: str) -> tuple[Key | None, Visibility]:
        """A stored viewer state that may name annotations of the future may not be given out; the catalogue gives it out without
        them."""
        key = owner(path)
        if key is None or key.kind != "tomogram" or not path.startswith(f"{viewer_folder(key)}/"):
            return key, self.visible(key)
        is_whole = self.visible(key.of("view", id=key.id)) is not Visibility.HIDDEN
        return key, self.visible(key) if is_whole else Visibility.HIDDEN

    def visible(self, key: Key | None) -> Visibility:
        """Whether the files of an entity may be given out. Answers are kept until the catalogue or the day changes."""
        if key is None:
            return Visibility.HIDDEN
        known = self._fresh()
        answer = known.answers.get(key)
        if answer is None:
            answer = known.view.visible_entity(key)
            if len(known.answers) > MOST_ANSWERS:
                known.answers.clear()
            known.answers[key] = answer
        return answer

    def replacing(self, key: Key, *, now: bool = False) -> bool:
        """Whether an entity has given way to its marker. Ask after opening a file of it: what was opened before the marker came
        is the old one, and what is opened after it went is the new one. `now`: a remote storage is asked in any case."""
        if isinstance(self.storage, LocalStorage):
            return os.access(f"{self.storage.url}/{marker_of(key)}", os.F_OK)
        known = self._markers.get(key)
        if now or known is None or monotonic() - known[0] > MARKER_FRESH:
            if len(self._markers) > MOST_ANSWERS:
                self._markers = {}
            known = self._markers[key] = (monotonic(), self.storage.exists(marker_of(key)))
        return known[1]

    def check_reach(self, path: str) -> None:
        """Raises `Refused` (503) when a local storage is gone, as when a disk is not mounted: what cannot be reached must not pass for
        absent. It is gone when the folder of a dataset or deposition that readers may see is not there, or the whole of it."""
        if not isinstance(self.storage, LocalStorage):
            return
        top, slash, _ = path.partition("/")
        is_there = os.access(f"{self.storage.url}/{top if slash else ''}", os.F_OK)
        if not is_there and (not slash or self.seen(path)[1] is Visibility.PUBLIC):
            raise Refused(
                503,
                "out-of-reach",
                "The files of this portal cannot be reached just now; try again later.",
                ((b"retry-after", b"60"),),
            )

    def admit(self, path: str) -> Key:
        """The entity that owns a path. Raises `NotFound` for what this reader may not see, `Refused` for what was withdrawn (410) or is
        known to be being replaced (503); `replacing` is still to be asked."""
        key, seen = self.seen(path)
        if key is None or seen is Visibility.HIDDEN:
            stone = self.view().tombstone_at(key) if key else None
            raise withdrawn(path, stone) if stone else NotFound(path)
        if seen is Visibility.REPLACING:
            raise being_replaced(path)
        return key

    def close(self) -> None:
        """Close the catalogue."""
        with self._lock:
            if self._catalog is not None:
                self._catalog.close()
                self._catalog = None

    def _fresh(self) -> _Known:
        """What is known of the catalogue of now. Answers belong to one version: a slow reader cannot put an old one among the new."""
        known = self._known
        if known is not None and monotonic() - self._looked < FRESH:
            return known
        view = self.view()
        with self._lock:
            self._looked = monotonic()
            if self._known is None or not self._known.holds_for(view):
                self._known = _Known(view)
            return self._known

    def _opened(self) -> Catalog:
        """The catalogue. A local one whose file is another than before is opened anew; the old one is closed by its last reader."""
        with self._lock:
            file = self._file_identity(self._catalog)
            if self._catalog is None or file != self._file:
                self._catalog = open_catalog(self.settings.database)
                self._file = self._file_identity(self._catalog)
            return self._catalog

    @staticmethod
    def _file_identity(catalog: Catalog | None) -> object:
        path = catalog.database.path if catalog is not None else None
        if path is None:
            return None
        try:
            found = path.stat()
        except FileNotFoundError:
            return "absent"
        return found.st_dev, found.st_ino


def being_replaced(path: str) -> Refused:
    """The answer to a request for a file whose entity is being replaced."""
    return Refused(
        503,
        "being-replaced",
        f"{path}: a new version of this is being published; try again in a few seconds.",
        ((b"retry-after", b"5"),),
    )


def withdrawn(path: str, stone: Tombstone) -> Refused:
    """The answer to a request for a file whose entity was withdrawn."""
    reason = f" Reason: {stone.reason}" if stone.reason else ""
    return Refused(410, "withdrawn", f"{path}: {stone.folder} was withdrawn on {stone.on}.{reason}")


def is_loopback(host: str) -> bool:
    """Whether a Host header (`localhost:8000`, `127.0.0.1`, `[::1]:80`) names this machine itself."""
    match = _HOST.fullmatch(host.lower())
    if match is None:
        return False
    name = match[1].strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
