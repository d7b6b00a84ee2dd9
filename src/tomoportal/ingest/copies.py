"""Files that are published byte for byte, such as movies: copied in pieces, hashed on the way, looked at before they are taken.

A file whose source has not changed is not copied again. A new one goes to its place at once, not through the staging folder of
the task, so that thousands of gigabytes need no room twice and a run that was stopped goes on where it was: what has been copied
is noted in the private area until the entity is published. What would replace a published file waits in staging, like everything
else that readers must not see too early.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tomoportal.errors import FormatError, NotFound, SourceError
from tomoportal.formats.image_head import ImageHead, image_head
from tomoportal.formats.tiff_pages import ReadRange
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.ingest.plan.plans import FORCED
from tomoportal.ingest.task import Input, Work
from tomoportal.layout.private import copied_path, read_json, write_json

PIECE = 16 << 20
"""Bytes read at a time."""
NOTED = 2.0
"""Seconds of copying that are lost at most, beside the file in hand, when the process is killed."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A file in its place: `entry` for the record, and what it is."""

    path: str
    entry: dict[str, Any]
    head: ImageHead


@dataclass(slots=True)
class Copies:
    """Copies the image files of one task; what it has copied is noted every `NOTED` seconds and in the end."""

    work: Work
    _noted: dict[str, dict[str, Any]] = field(default_factory=dict)
    _at: float = field(default_factory=time.monotonic)

    @staticmethod
    @contextmanager
    def of(work: Work) -> Iterator[Copies]:
        """With what an earlier attempt has copied."""
        copies = Copies(work, read_json(work.target, copied_path(work.task.key)) or {})
        try:
            yield copies
        finally:
            copies._note()

    def take(self, file: Input, path: str) -> Copied:
        """Copy `file` to `path` of the layout unless it is there. Raises `FormatError` when it is no image or not whole, and
        `SourceError` when it cannot be read; nothing is published then."""
        known = self._known(file, path)
        if known is not None:
            self.work.progress(file.size)
            return known
        staged = self.work.place(path)
        try:
            digest = copy(self.work.source, file, staged, self.work.progress)
            with ranges_of(staged) as read:
                head = image_head(read, file.size, file.path)
        except (FormatError, SourceError):
            staged.unlink(missing_ok=True)
            raise
        entry = {"size": file.size, "sha256": digest, "from": asdict(file), "image": asdict(head)}
        if path not in (self.work.known.files if self.work.known else {}):
            self.work.target.upload(path, staged)
            self._noted[path] = entry
            if time.monotonic() - self._at > NOTED:
                self._note()
        return Copied(path, entry, head)

    def published(self, path: str) -> Copied | None:
        """The image file that is published at `path`; None when there is none."""
        entry = self.work.known.files.get(path) if self.work.known else None
        if entry is None or "image" not in entry or not self._is_there(path, entry["size"]):
            return None
        return Copied(path, entry, ImageHead(**entry["image"]))

    def left(self, wanted: Collection[str]) -> list[Copied]:
        """Published image files at none of the `wanted` paths. They stay: a source may be unmounted, or its files renamed. There are
        none where everything is asked for anew: then what is found is all there is."""
        if self.work.known is None or self.work.task.why == FORCED:
            return []
        others = (path for path in sorted(self.work.known.files) if path not in wanted)
        return [copied for path in others if (copied := self.published(path))]

    def _note(self) -> None:
        if self._noted:
            write_json(self.work.target, copied_path(self.work.task.key), self._noted)
        self._at = time.monotonic()

    def _known(self, file: Input, path: str) -> Copied | None:
        if self.work.task.why == FORCED:
            return None
        for entries in (self.work.known.files if self.work.known else {}, self._noted):
            entry = entries.get(path)
            if entry and entry.get("from") == asdict(file) and self._is_there(path, file.size):
                return Copied(path, entry, ImageHead(**entry["image"]))
        return None

    def _is_there(self, path: str, size: int) -> bool:
        try:
            return self.work.target.stat(path).size == size
        except NotFound:
            return False


def copy(source: DepositorFiles, file: Input, target: Path, advance: Callable[[int], None]) -> str:
    """Copy a source file to a local one; gives its SHA-256. Raises `SourceError` when it is not what was listed."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb", buffering=0) as out:
        for piece, place in pieces(source, file):
            digest.update(piece)
            if place is None or not _shared(place, out, size, len(piece)):
                out.seek(size)
                out.write(piece)
            size += len(piece)
            advance(len(piece))
    if size != file.size or source.stat(file.path).tag != file.tag:
        raise SourceError(
            file.path, f"it changed while it was being copied ({file.size} bytes were listed, {size} came).",
            "Run the same command again.",
        )  # fmt: skip
    return digest.hexdigest()


def pieces(source: DepositorFiles, file: Input) -> Iterator[tuple[bytes, BinaryIO | None]]:
    """The content in order, with the open file where it lies on this machine."""
    local = source.local_path(file.path)
    if local is None:
        for start in range(0, file.size, PIECE):
            yield source.read(file.path, start, PIECE), None
        return
    try:
        with local.open("rb", buffering=0) as opened:
            while piece := opened.read(PIECE):
                yield piece, opened
    except OSError as error:
        raise SourceError(file.path, f"the file cannot be read ({error.strerror or error}).") from error


def _shared(source: BinaryIO, target: BinaryIO, start: int, length: int) -> bool:
    """Let the file system copy a piece, which costs no room where it can share blocks; False where it cannot."""
    try:
        done = os.copy_file_range(source.fileno(), target.fileno(), length, start, start)
    except OSError:
        return False
    return done == length


@contextmanager
def ranges_of(path: Path) -> Iterator[ReadRange]:
    """Byte ranges of a local file."""
    with path.open("rb") as file:
        yield lambda start, length: os.pread(file.fileno(), length, start)


def head_of(source: DepositorFiles, file: Input) -> ImageHead:
    """What a source file is, as far as its beginning tells. Raises `SourceError`."""
    return image_head(
        lambda start, length: source.read(file.path, start, length), file.size, file.path, whole=False
    )
