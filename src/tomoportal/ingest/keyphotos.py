"""The picture that stands for a dataset or deposition: that of its first tomogram that is shown by default."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tomoportal.ingest.views import is_released
from tomoportal.layout.paths import Key, folder, picture
from tomoportal.layout.private import Ledger
from tomoportal.storage.protocol import Storage

SIZES = ("snapshot", "thumbnail")


def key_photos(
    target: Storage, key: Key, children: list[Key], ledgers: Mapping[Key, Ledger], today: date
) -> tuple[dict[str, str | None], dict[str, dict[str, Any]]]:
    """Copy the pictures of the first child that has them; gives the sidecar's `key_photos` and the record's files.

    Children are runs for a dataset and datasets for a deposition. Without any picture both photos are None.
    """
    origin = next(_candidates(children, ledgers, today), None)
    photos: dict[str, str | None] = dict.fromkeys(SIZES)
    files: dict[str, dict[str, Any]] = {}
    for size in SIZES if origin else ():
        original = picture(origin, size) if origin else ""
        if target.exists(original):
            path, data = picture(key, size), target.read(original)
            photos[size] = path
            files[path] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            if not target.exists(path) or target.read(path) != data:
                target.write(path, data)
    return photos, files


def _candidates(children: list[Key], ledgers: Mapping[Key, Ledger], today: date) -> Iterator[Key]:
    """Released tomograms with a view, those shown by default first; or datasets with pictures."""
    later: list[Key] = []
    for child in children:
        ledger = ledgers.get(child, Ledger())
        for record in ledger.records.values():
            if child.kind == "dataset" and record.files:
                yield record.key
            elif record.key.kind == "view" and any(folder(record.key) in path for path in record.files):
                tomogram = ledger.get(record.key.of("tomogram", id=record.key.id))
                if tomogram is None or not is_released(tomogram, today):
                    continue
                if tomogram.facts.get("default"):
                    yield tomogram.key
                else:
                    later.append(tomogram.key)
    yield from later
