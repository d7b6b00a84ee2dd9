"""The picture that stands for a dataset or deposition: that of its first tomogram that is shown by default."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tomoportal.ingest.views import is_released
from tomoportal.layout.paths import Key, folder, picture
from tomoportal.layout.private import Ledger
from tomoportal.storage.protocol import Storage

SIZES = ("snapshot", "thumbnail")


def key_photos(
    target: Storage, key: Key, origin: Key | None, sizes: Sequence[str] = SIZES
) -> tuple[dict[str, str | None], dict[str, dict[str, Any]]]:
    """Copy the pictures of `origin` (a tomogram or dataset); gives the sidecar's `key_photos` and the record's files. Without an
    origin, or without its pictures, both photos are None. `sizes`: those that nobody gives."""
    photos: dict[str, str | None] = dict.fromkeys(SIZES)
    files: dict[str, dict[str, Any]] = {}
    for size in sizes if origin else ():
        original = picture(origin, size) if origin else ""
        if target.exists(original):
            path, data = picture(key, size), target.read(original)
            photos[size] = path
            files[path] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            if not target.exists(path) or target.read(path) != data:
                target.write(path, data)
    return photos, files


@dataclass(slots=True)
class PhotoChoice:
    """The tomogram whose pictures stand for a dataset: in the order of its `runs`, the first that is shown by default, else the
    first of all. Runs are seen in any order, and their ledgers forgotten."""

    runs: Sequence[str]
    today: date
    _found: dict[bool, tuple[int, Key]] = field(default_factory=dict)
    """Shown by default or not → (place of the run, tomogram)."""
    _places: dict[str, int] = field(init=False)
    _seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._places = {run: place for place, run in enumerate(self.runs)}

    def see(self, run: str, ledger: Ledger) -> None:
        """Look at what is published of a run."""
        place = self._places.get(run)
        if place is None:
            return
        self._seen.add(place)
        for is_default, tomogram in _pictured(ledger, self.today):
            if is_default not in self._found or place < self._found[is_default][0]:
                self._found[is_default] = place, tomogram

    def tomogram(self, ledger_of: Callable[[str], Ledger]) -> Key | None:
        """The choice; `ledger_of` gives what is published of runs that nobody has seen."""
        for place, run in enumerate(self.runs):
            if True in self._found and place > self._found[True][0]:
                break
            if place not in self._seen:
                self.see(run, ledger_of(run))
        found = self._found.get(True) or self._found.get(False)
        return found[1] if found else None


def _pictured(ledger: Ledger, today: date) -> Iterator[tuple[bool, Key]]:
    """Released tomograms with a view, and whether they are shown by default."""
    for record in ledger.records.values():
        if record.key.kind == "view" and any(folder(record.key) in path for path in record.files):
            tomogram = ledger.get(record.key.of("tomogram", id=record.key.id))
            if tomogram is not None and tomogram.published and is_released(tomogram, today):
                yield bool(tomogram.facts.get("default")), tomogram.key
