"""Pictures that the depositor gives for a dataset or deposition: from the source, from an address, or from the portal itself.

They are checked, made PNGs of sane sizes, and not fetched again while they have not changed. One that cannot be had is told; what is
published under the same name then stays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tomoportal.errors import NotFound, SourceError
from tomoportal.formats.picture_files import MOST_BYTES, fitted, read_picture
from tomoportal.formats.pictures import encode_png
from tomoportal.ingest.addresses import Fetched, exists, fetch, fetch_stored
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.ingest.keyphotos import SIZES, key_photos
from tomoportal.ingest.plan.keyphotos import WantedPhoto, WantedPhotos
from tomoportal.layout.paths import Key, picture
from tomoportal.layout.private import Record
from tomoportal.problems import Problem, Severity
from tomoportal.storage import OBJECT_SCHEMES
from tomoportal.storage.protocol import Storage

BOXES = {"snapshot": (1024, 1024), "thumbnail": (400, 400)}
"""Given pictures are made to fit into these, in pixels."""

FACT = "key_photos"


@dataclass(slots=True)
class GivenPhotos:
    """`photos`: size → path of those that could be had; `files`: the record's; `facts`: size → where a picture came from, for the next
    time."""

    photos: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def given_photos(
    source: Storage, target: Storage, key: Key, wanted: WantedPhotos, old: Record | None
) -> GivenPhotos:
    """Put the given pictures of a dataset or deposition in their places. `old`: its record, if it is published.

    Raises `StorageError` when the portal's own storage fails.
    """
    work = _Work(source, target, key, wanted, old, GivenPhotos())
    for size, photo in wanted.items():
        work.take(size, photo)
    return work.made


def still_given(record: Record) -> GivenPhotos:
    """The given pictures as they are published, where nobody looks whether they have changed."""
    facts = record.facts.get(FACT) or {}
    photos = {size: path for size in facts if (path := picture(record.key, size)) in record.files}
    return GivenPhotos(photos, {path: record.files[path] for path in photos.values()}, dict(facts))


def with_given(
    target: Storage, key: Key, origin: Key | None, given: GivenPhotos
) -> tuple[dict[str, str | None], dict[str, dict[str, Any]]]:
    """The sidecar's `key_photos` and the record's files: what is given, and the pictures of `origin` for the rest."""
    photos, files = key_photos(target, key, origin, [size for size in SIZES if size not in given.photos])
    return {**photos, **given.photos}, {**files, **given.files}


@dataclass(slots=True)
class _Work:
    source: Storage
    target: Storage
    key: Key
    wanted: WantedPhotos
    old: Record | None
    made: GivenPhotos
    _fetched: dict[str, Fetched | SourceError] = field(default_factory=dict)

    def take(self, size: str, wanted: WantedPhoto) -> None:
        """Publish the picture of one size, or keep the published one."""
        path = picture(self.key, size)
        try:
            got = self._fetch(wanted)
            if got.data is None:
                self._keep(size)
            else:
                small = encode_png(fitted(read_picture(got.data, wanted.name), BOXES[size]))
                self._put(path, small)
                self.made.facts[size] = {"name": wanted.name, "tag": got.tag}
        except SourceError as error:
            kept = self._is_published(size, wanted)
            self._tell(wanted, error, kept)
            if not kept:
                return
            self._keep(size)
        self.made.photos[size] = path

    def _fetch(self, wanted: WantedPhoto) -> Fetched:
        """Each picture once, though it may stand for both sizes."""
        if wanted.name not in self._fetched:
            try:
                self._fetched[wanted.name] = self._fetch_now(wanted, self._known(wanted))
            except SourceError as error:
                self._fetched[wanted.name] = error
        result = self._fetched[wanted.name]
        if isinstance(result, SourceError):
            raise result
        return result

    def _fetch_now(self, wanted: WantedPhoto, known: str) -> Fetched:
        if wanted.address:
            return fetch(wanted.address, MOST_BYTES, known)
        place = DepositorFiles(self.target if wanted.in_portal else self.source)
        for path in wanted.paths:
            if exists(place, path):
                return fetch_stored(place, path, MOST_BYTES, known)
        scheme = self.source.url.partition("://")[0]
        if scheme in OBJECT_SCHEMES and not wanted.in_portal:
            return fetch(f"{scheme}://{wanted.name}", MOST_BYTES, known)
        looked = ", ".join(wanted.paths)
        raise SourceError(wanted.name, f"there is no such file; looked for {looked} in {place.storage.url}.")

    def _known(self, wanted: WantedPhoto) -> str:
        """The tag under which the picture was fetched, if everything that was made of it is still there."""
        sizes = [size for size, photo in self.wanted.items() if photo.name == wanted.name]
        tags = {
            self._facts(size).get("tag", "") if self._is_published(size, wanted) else "" for size in sizes
        }
        return tags.pop() if len(tags) == 1 else ""

    def _facts(self, size: str) -> dict[str, str]:
        return (self.old.facts.get(FACT) or {}).get(size) or {} if self.old else {}

    def _is_published(self, size: str, wanted: WantedPhoto) -> bool:
        path = picture(self.key, size)
        if self.old is None or self._facts(size).get("name") != wanted.name or path not in self.old.files:
            return False
        try:
            return self.target.stat(path).size == self.old.files[path]["size"]
        except NotFound:
            return False

    def _keep(self, size: str) -> None:
        path = picture(self.key, size)
        if self.old is not None:
            self.made.files[path] = self.old.files[path]
            self.made.facts[size] = self._facts(size)

    def _put(self, path: str, data: bytes) -> None:
        self.made.files[path] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if not self.target.exists(path) or self.target.read(path) != data:
            self.target.write(path, data)

    def _tell(self, wanted: WantedPhoto, error: SourceError, kept: bool) -> None:
        then = (
            "The published picture stays." if kept else "The picture of the first tomogram takes its place."
        )
        problem = Problem(
            "key-photo", f"{error} {then}", Severity.WARNING, wanted.file, wanted.line, wanted.where
        )
        if problem not in self.made.problems:
            self.made.problems.append(problem)
