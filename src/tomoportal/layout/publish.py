"""Putting an entity into the tree so that readers see the old one or the new one, never a mix.

    1. the ledger gets the ids                      (nothing visible yet)
    2. a published sidecar gives way to the marker  (its files answer "being replaced" from now on)
    3. the new files take their places, files that are no longer wanted go
    4. the ledger gets the record, then the sidecar is written: the entity exists
    5. after the catalogue has read it, the marker goes

Stopping anywhere and doing it all again ends in the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomoportal.errors import NotFound
from tomoportal.layout import private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.paths import folder
from tomoportal.layout.private import Ledger, Record, read_json
from tomoportal.layout.sums import sums_path
from tomoportal.layout.tree import implied, marker

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

UPDATED = "last_updated_at"


def sidecar_bytes(content: dict[str, Any]) -> bytes:
    """A sidecar as it is stored: readable, keys in the order given."""
    return (json.dumps(content, indent=4, ensure_ascii=False) + "\n").encode()


def stamped(storage: Storage, record: Record, content: dict[str, Any]) -> dict[str, Any]:
    """`content` with `last_updated_at`: that of the published sidecar if nothing else has changed, else now.

    Now is the clock, or `SOURCE_DATE_EPOCH` where builds must be reproducible.
    """
    for path in (record.sidecar, marker(record)):
        old = read_json(storage, path) if path else None
        if old is not None and {**old, UPDATED: None} == {**json.loads(json.dumps(content)), UPDATED: None}:
            return {**content, UPDATED: old.get(UPDATED)}
    now = int(environ.get("SOURCE_DATE_EPOCH") or datetime.now(UTC).timestamp())
    return {**content, UPDATED: now}


def publish(
    storage: Storage,
    ledger_path: str,
    ledger: Ledger,
    allotment: Allotment,
    record: Record,
    content: dict[str, Any],
    staged: Path | None,
) -> Ledger:
    """Publish one entity and return the new ledger.

    `record` tells its identity, files and facts; `content` is the sidecar without `last_updated_at`; `staged` a folder whose files
    lie as they will in the layout (None when only the sidecar changes). Files of the record that are not staged stay as they lie
    there already.
    """
    old = ledger.get(record.key)
    if old is not None:
        record = replace(record, ids=old.ids)
    content = stamped(storage, record, content)
    record = allotment.complete(record, content)
    ledger = ledger.put(
        replace(old, ids=record.ids) if old else replace(record, files={}, inputs="", sidecar_sha256="")
    )
    private.write_ledger(storage, ledger_path, ledger)
    if staged is not None:
        _hide(storage, old)
        _place(storage, record, staged, old)
    data = sidecar_bytes(content)
    record = replace(record, sidecar_sha256=hashlib.sha256(data).hexdigest())
    ledger = ledger.put(record)
    private.write_ledger(storage, ledger_path, ledger)
    if old is not None and old.sidecar and old.sidecar != record.sidecar:
        storage.delete(old.sidecar)
    storage.write(record.sidecar, data)
    return ledger


def publish_files(
    storage: Storage, ledger_path: str, ledger: Ledger, allotment: Allotment, record: Record, staged: Path
) -> Ledger:
    """Publish files that have no sidecar of their own, such as pictures and gain references; each replaces its forerunner at
    once."""
    old = ledger.get(record.key)
    record = allotment.complete(replace(record, ids=old.ids if old else {}), implied(record))
    _place(storage, record, staged, old)
    ledger = ledger.put(record)
    private.write_ledger(storage, ledger_path, ledger)
    return ledger


class Standing(StrEnum):
    """How what is published compares with its record."""

    WHOLE = "whole"
    SIDECAR_DIFFERS = "the sidecar is not the recorded one"
    INCOMPLETE = "files are missing or being replaced"


def standing(storage: Storage, record: Record) -> Standing:
    """Looks at the sidecar's content, at the files' sizes (folders are not looked into), and for the kept slabs."""
    if not all(storage.exists(slab) for slab in private.slabs_of(record.facts)):
        return Standing.INCOMPLETE
    if not are_there(storage, record.files):
        return Standing.INCOMPLETE
    if not record.sidecar:
        return Standing.WHOLE
    try:
        data = storage.read(record.sidecar)
        if hashlib.sha256(data).hexdigest() == record.sidecar_sha256:
            return Standing.WHOLE
        return Standing.SIDECAR_DIFFERS if isinstance(json.loads(data), dict) else Standing.INCOMPLETE
    except (NotFound, ValueError):
        return Standing.INCOMPLETE


def are_there(storage: Storage, files: dict[str, dict[str, Any]]) -> bool:
    """Whether files of a record are there, each with its size; folders are not looked into."""
    return all(_is_there(storage, path, file) for path, file in files.items())


def _is_there(storage: Storage, path: str, file: dict[str, Any]) -> bool:
    if "probe" in file:
        return storage.exists(f"{path}/{file['probe']}")
    try:
        return storage.stat(path).size == file["size"]
    except NotFound:
        return False


def unfinished(storage: Storage, records: Iterable[Record]) -> list[Record]:
    """The records whose marker is still there: readers have not been told yet."""
    return [record for record in records if storage.exists(marker(record))]


def reveal(storage: Storage, records: Iterable[Record]) -> None:
    """Remove the markers of entities that exist anew and that the catalogue has read."""
    for record in records:
        if storage.exists(record.sidecar):
            storage.delete(marker(record))


def _hide(storage: Storage, old: Record | None) -> None:
    if old is None or not old.sidecar or not storage.exists(old.sidecar):
        return
    storage.write(marker(old), storage.read(old.sidecar))
    storage.delete(old.sidecar)


def _place(storage: Storage, record: Record, staged: Path, old: Record | None) -> None:
    new = {path.relative_to(staged).as_posix(): path for path in sorted(staged.rglob("*")) if path.is_file()}
    storage.upload_all(new)
    staying, folders = _staying(record, new)
    keep = {*new, *staying, record.sidecar, marker(record)}
    for home in sorted(_homes(record, old)):
        for entry in list(storage.list(home)):
            if entry.path not in keep and not entry.path.startswith(folders):
                storage.delete(entry.path)
    for path, known in (old.files if old else {}).items():
        if "probe" not in known and path not in keep:
            storage.delete(path)
        elif "probe" in known and not any(kept.startswith(f"{path}/") for kept in (*keep, *folders)):
            storage.delete_tree(path)
            storage.delete(sums_path(path))


def _staying(record: Record, new: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Files and folders (with a slash) of the record of which nothing is staged."""
    staged = set(new)
    above = {parent for path in staged for parent in _parents(path)}
    paths = [path for path in record.files if path not in staged and path not in above]
    return paths, tuple(f"{path}/" for path in paths if "probe" in record.files[path])


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _homes(record: Record, old: Record | None) -> set[str]:
    """The folders in which an entity owns every file: its own, and folders elsewhere such as viewer layers."""
    if record.key.kind in ("deposition", "dataset", "run", "voxel_spacing"):
        raise ValueError(f"the folder of a {record.key.kind} holds other entities")
    home = folder(record.key)
    recorded = {**(old.files if old else {}), **record.files}
    return {
        home,
        *(path for path, file in recorded.items() if "probe" in file and not path.startswith(home + "/")),
    }
