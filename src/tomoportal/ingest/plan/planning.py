"""What planning knows everywhere: what is published, fingerprints of source files, what has been found wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tomoportal.config import Entry, Source
from tomoportal.ingest.find import FoundItem, FoundRun
from tomoportal.ingest.identity import FolderIds, Identity
from tomoportal.ingest.notes import Notes
from tomoportal.ingest.plan.plans import METADATA_CHANGED, UNCHANGED
from tomoportal.ingest.task import Input, Task
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Ledger, Record
from tomoportal.layout.publish import Standing
from tomoportal.problems import Problem

Fingerprint = Callable[[str], Input]


@dataclass(slots=True)
class Planning:
    """What planning one deposition file needs everywhere."""

    file: str
    deposition: int
    ledgers: Callable[[Key], Ledger]
    standing: Callable[[Record], Standing]
    fingerprint: Fingerprint
    problems: list[Problem]
    notes: Notes = field(default_factory=Notes)

    def plain(self, key: Key, metadata: Mapping[str, Any] | None, entry: Entry) -> Task | None:
        """A task for metadata alone; None when the entity is only referred to."""
        if metadata is None:
            return None
        task = Task(key, {"deposition_id": self.deposition}, {}, {}, dict(metadata), where=self.place(entry))
        return self.wanted(task, self.ledgers(key).get(key)) or replace(task, why=UNCHANGED)

    def place(self, at: Entry | Source) -> str:
        """File and line of what the deposition file says there."""
        return f"{self.file}:{at.line}"

    def wanted(self, task: Task, record: Record | None) -> Task | None:
        """`task` with the reason for doing it; None when there is nothing to do."""
        if record is not None and not record.published and record.inputs == task.fingerprint():
            return None
        if record is None or not record.published:
            return replace(task, why="new")
        found = self.standing(record)
        if found is Standing.INCOMPLETE:
            return replace(task, why=found.value)
        if record.inputs != task.fingerprint():
            return replace(task, why="source or parameters changed")
        if found is Standing.SIDECAR_DIFFERS or record.facts.get("sidecar") != task.sidecar_fingerprint():
            return replace(task, why=METADATA_CHANGED)
        return None


@dataclass(slots=True)
class RunPlanning:
    """Planning one run: what refers to what inside it."""

    state: Planning
    found: FoundRun
    key: Key
    ids: FolderIds
    tasks: list[Task] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    unchanged: int = 0

    def add(self, task: Task) -> None:
        """Plan `task` unless it is published as asked for."""
        self.keys.append(task.key)
        wanted = self.state.wanted(task, self.ids.ledger.get(task.key))
        if wanted:
            self.tasks.append(wanted)
        else:
            self.unchanged += 1

    def items(self, section: str) -> list[FoundItem]:
        """The items of a section that this version ingests."""
        return [item for item in self.found.items.get(section, ()) if item.supported]

    def inputs(self, paths: Iterable[str]) -> tuple[Input, ...]:
        """Fingerprints of source files."""
        return tuple(self.state.fingerprint(path) for path in paths)

    def claim(self, place: Key, who: Identity, item: FoundItem | None) -> Key | None:
        """The key for an identity; a problem when two items have the same."""
        key = self.ids.key(place, who)
        if key is None and item is not None:
            words = ", ".join(f"{name} {value!r}" for name, value in who.items())
            self.state.problems.append(
                Problem(
                    "same-identity",
                    f"{item.name or item.path} of run {self.found.name} cannot be told from another {place.kind} ({words}); it is left out",
                    file=self.state.file, line=item.source.line, where=item.source.where,
                    hint="Give them different processing, software or ingest_id.",
                )
            )  # fmt: skip
        return key
