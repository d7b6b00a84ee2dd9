"""Portal-wide identifiers: 32-bit, never changed, never reused, allotted by the coordinating process alone.

A dataset (or deposition) reserves blocks of ids per entity type from one counter of the whole portal, and takes ids from its
blocks. Both files are written before an id is used, so that a killed process loses ids but never gives one twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from tomoportal.errors import StorageError
from tomoportal.layout.lease import hold
from tomoportal.layout.private import IDS, Record, blocks_path, read_json, write_json
from tomoportal.layout.tree import OWN, own_entity, rows

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

BLOCK = 128
FIRST_OF_MIRRORS, LARGEST_OF_MIRRORS = 500_000_000, 999_999_999
"""What a catalogue gives to datasets without a private area; nine digits, so that they can be typed and cited."""
LARGEST = FIRST_OF_MIRRORS - 1


@dataclass(slots=True)
class Allotment:
    """Gives ids to the rows of one owner, to one thread at a time."""

    storage: Storage
    owner: str
    blocks: dict[str, list[list[int]]] = field(default_factory=dict)
    """Per entity class name: [next, last] of every block that is not used up."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    @staticmethod
    def open(storage: Storage, owner: str) -> Allotment:
        """The allotment of a dataset folder name, or of `deposition-…`."""
        return Allotment(storage, owner, read_json(storage, blocks_path(owner)) or {})

    def complete(self, record: Record, sidecar: dict[str, Any]) -> Record:
        """`record` with an id for every row of its sidecar; ids that it has stay."""
        wanted = [(row.entity.__name__, row.row_key) for row in rows(record.key.kind, sidecar)]
        missing = [
            (name, key)
            for name, key in wanted
            if key not in record.ids.get(name, {}) and not (key == OWN and name in ("Dataset", "Deposition"))
        ]
        return record.with_ids(self._allot(missing)) if missing else record

    def introduce(self, records: Sequence[Record]) -> list[Record]:
        """The records with the ids of their own rows, before anything else is known about them."""
        owners = [own_entity(record.key.kind) for record in records]
        missing = [
            (own.__name__, str(number))
            for number, (record, own) in enumerate(zip(records, owners, strict=True))
            if own is not None and OWN not in record.ids.get(own.__name__, {})
        ]
        given = self._allot(missing) if missing else {}
        introduced = list(records)
        for name, ids in given.items():
            for number, given_id in ids.items():
                introduced[int(number)] = records[int(number)].with_ids({name: {OWN: given_id}})
        return introduced

    def _allot(self, missing: list[tuple[str, str]]) -> dict[str, dict[str, int]]:
        given: dict[str, dict[str, int]] = {}
        with self._lock:
            self._reserve(Counter(name for name, _ in missing))
            for name, key in missing:
                given.setdefault(name, {})[key] = self._take(name)
            write_json(self.storage, blocks_path(self.owner), self.blocks)
        return given

    def _take(self, name: str) -> int:
        block = self.blocks[name][0]
        taken = block[0]
        block[0] += 1
        if block[0] > block[1]:
            self.blocks[name].pop(0)
        return taken

    def _reserve(self, counts: dict[str, int]) -> None:
        short = {name: count - self._left(name) for name, count in counts.items() if self._left(name) < count}
        if not short:
            return
        with hold(self.storage, "ids", wait=30.0):
            counters = read_json(self.storage, IDS) or {}
            for name, count in sorted(short.items()):
                size = -(-count // BLOCK) * BLOCK
                first = counters.get(name, 1)
                if first + size > LARGEST:
                    raise StorageError(IDS, f"the identifiers of {name} are used up (there are {LARGEST:,})")
                counters[name] = first + size
                self.blocks.setdefault(name, []).append([first, first + size - 1])
            write_json(self.storage, IDS, counters)
        write_json(self.storage, blocks_path(self.owner), self.blocks)

    def _left(self, name: str) -> int:
        return sum(last - first + 1 for first, last in self.blocks.get(name, ()))
