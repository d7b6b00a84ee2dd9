"""Taking published entities out of the tree, and what depends on what. Ids and identities stay in the ledger.

    1. the sidecar goes            (the entity does not exist any more)
    2. its files go
    3. the ledger keeps who it was (`Record.cleared`)

Stopping anywhere and doing it all again ends in the same tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tomoportal.layout.paths import folder, sidecar
from tomoportal.layout.private import Ledger, Record, copied_path, slabs_of
from tomoportal.layout.sums import sums_path
from tomoportal.layout.tree import marker

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

HOLDERS = ("deposition", "dataset", "run", "voxel_spacing")
"""Kinds in whose folder other entities lie."""


def take_sidecar(storage: Storage, record: Record) -> None:
    """Remove the sidecar, and what stands for it while it is replaced."""
    if record.sidecar:
        storage.delete(record.sidecar)
    if record.key.kind in HOLDERS:
        storage.delete(marker(record))


def take_files(storage: Storage, record: Record) -> None:
    """Remove the data files, also those that are kept in private for pictures or while copying."""
    for path, file in record.files.items():
        if "probe" in file:
            storage.delete_tree(path)
            storage.delete(sums_path(path))
        else:
            storage.delete(path)
    if record.key.kind not in HOLDERS:
        storage.delete_tree(folder(record.key))
    for slab in slabs_of(record.facts):
        storage.delete(slab)
    storage.delete(copied_path(record.key))


def withdraw(storage: Storage, record: Record) -> None:
    """Take a published entity's sidecar and files out of the tree, the sidecar first. Its ids stay in the ledger."""
    take_sidecar(storage, record)
    take_files(storage, record)


def with_dependents(ledger: Ledger, records: Iterable[Record]) -> list[Record]:
    """Records of a run together with what cannot stand without them: everything in the run or a voxel spacing, the volumes made with
    an alignment, the pictures of a tomogram."""
    taken = {folder(record.key): record for record in records}
    for _ in range(3):
        for place, record in ledger.records.items():
            if place not in taken and any(stands_on(record, other) for other in list(taken.values())):
                taken[place] = record
    return list(taken.values())


def stands_on(record: Record, other: Record) -> bool:
    """Whether a record of the same run cannot be without another."""
    mine, key = record.key, other.key
    match key.kind:
        case "run":
            return mine.run == key.run
        case "voxel_spacing":
            return mine.spacing == key.spacing
        case "alignment":
            return record.identity.get("alignment_metadata_path") == sidecar(key)
        case "tomogram":
            return mine == key.of("view", id=key.id)
        case _:
            return False
