"""What planning knows everywhere: what is published, fingerprints of source files, what has been found wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tomoportal.config import Entry, Source
from tomoportal.ingest.find import FoundItem, FoundRun
from tomoportal.ingest.identity import FolderIds, Identity
from tomoportal.ingest.notes import Notes
from tomoportal.ingest.plan.plans import DATA_CHANGED, FORCED, METADATA_CHANGED, NEW, UNCHANGED, sidecar_path
from tomoportal.ingest.selection import EVERYTHING, Selection, with_needs, without_loose_ends
from tomoportal.ingest.task import COMPARED, Input, Task
from tomoportal.ingest.views import GivenPictures
from tomoportal.layout.paths import Key, folder
from tomoportal.layout.private import Ledger, Record
from tomoportal.layout.publish import Standing
from tomoportal.problems import Problem

Fingerprint = Callable[[str], Input]
_INGEST_IDS = ("ingest_id", "annotation_ingest_id")


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
    selection: Selection = EVERYTHING

    def plain(self, key: Key, metadata: Mapping[str, Any] | None, entry: Entry) -> Task | None:
        """A task for metadata alone; None when the entity is only referred to, or withdrawn."""
        record = self.ledgers(key).get(key)
        if metadata is None or self.stays_away(record):
            return None
        task = Task(key, {"deposition_id": self.deposition}, {}, {}, dict(metadata), where=self.place(entry))
        return self.wanted(task, record, (key.dataset,)) or replace(task, why=UNCHANGED)

    def see(self, kind: str, names: Callable[[], Iterable[str]]) -> None:
        """Something to choose from has been found."""
        if self.selection.choices:
            self.notes.choices.see(kind, names())

    def place(self, at: Entry | Source) -> str:
        """File and line of what the deposition file says there."""
        return f"{self.file}:{at.line}"

    def other_owner(self, record: Record | None) -> int | None:
        """The other deposition that has published the entity; None when it is this one's, or nobody's."""
        if record is None or not record.published or record.identity.get("deposition_id") == self.deposition:
            return None
        return int(record.identity["deposition_id"])

    def stays_away(self, record: Record | None) -> bool:
        """Whether the entity was withdrawn and is not to be published again; that is noted."""
        if record is None or record.withdrawal is None or self.selection.restore:
            return False
        self.notes.withdrawn[folder(record.key)] = record.withdrawal
        return True

    def wanted(self, task: Task, record: Record | None, names: Iterable[str]) -> Task | None:
        """`task` with the reason for doing it; None when there is nothing to do."""
        reason = self._reason(task, record)
        is_forced = self.selection.force and self.selection.takes(task.key, names)
        if is_forced and reason in (None, METADATA_CHANGED):
            is_published = record is not None and record.published
            reason = METADATA_CHANGED if self.selection.metadata_only and is_published else FORCED
        elif is_forced and reason == DATA_CHANGED and not self.selection.metadata_only:
            reason = FORCED
        return replace(task, why=reason) if reason else None

    def _reason(self, task: Task, record: Record | None) -> str | None:
        if record is not None and not record.published and record.inputs == task.fingerprint():
            return None
        if record is None or not record.published:
            return NEW
        found = self.standing(record)
        if found is Standing.INCOMPLETE:
            return found.value
        if record.inputs != task.fingerprint():
            return DATA_CHANGED
        if found is Standing.SIDECAR_DIFFERS or record.facts.get("sidecar") != task.sidecar_fingerprint():
            return METADATA_CHANGED
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
    names: dict[Key, list[str]] = field(default_factory=dict)
    sidecars: dict[str, Task] = field(default_factory=dict)
    pictures: dict[Key, GivenPictures] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)
    """Sidecars of withdrawn entities."""
    unchanged: int = 0

    def add(self, task: Task) -> None:
        """Plan `task` unless it is published as asked for."""
        self.keys.append(task.key)
        self.state.see(task.key.kind, lambda: self.names_of(task))
        record = self.ids.ledger.get(task.key)
        path = sidecar_path(task)
        if self.state.stays_away(record) or task.links.get("alignment_metadata_path") in self.away:
            self.away.append(path)
            return
        self.sidecars[path] = task
        wanted = self.state.wanted(task, record, self.names_of(task))
        if wanted:
            self.tasks.append(wanted)
        else:
            self.unchanged += self.state.selection.takes(task.key, self.names_of(task))

    def chosen(self) -> list[Task]:
        """The tasks that the selection takes, and what these need."""
        selection = self.state.selection
        if selection.is_everything:
            return self.tasks
        chosen = [task for task in self.tasks if selection.takes(task.key, self.names_of(task))]
        if selection.metadata_only:
            for task in chosen:
                if task.why != METADATA_CHANGED and task.kind != "run":
                    group = self.state.notes.without_data.setdefault((task.kind, task.why == NEW), {})
                    group[folder(task.key)] = None
            return [task for task in chosen if task.why == METADATA_CHANGED]
        missing = [folder(task.key) for task in self.tasks if not self._is_published(task)]
        done = with_needs(chosen, self.tasks, self.sidecars, missing)
        places = {folder(task.key) for task in done}
        loose = [path for path, task in self.sidecars.items()
                 if folder(task.key) in missing and folder(task.key) not in places]  # fmt: skip
        return [without_loose_ends(task, loose) for task in done]

    def _is_published(self, task: Task) -> bool:
        record = self.ids.ledger.get(task.key)
        return record is not None and record.published and task.why != Standing.INCOMPLETE.value

    def names_of(self, task: Task) -> list[str]:
        """What people may call an entity: the names of its items and source files, and its ingest id."""
        ids = [str(task.identity[name]) for name in _INGEST_IDS if task.identity.get(name)]
        own = (files for role, files in task.inputs.items() if role not in ("mdoc", *COMPARED))
        files = [file.path.rpartition("/")[2] for group in own for file in group]
        return [*self.names.get(task.key, ()), *ids, *files]

    def items(self, section: str) -> list[FoundItem]:
        """The items of a section."""
        return list(self.found.items.get(section, ()))

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
        elif key is not None and item is not None:
            self.names.setdefault(key, []).append(item.name)
        return key


def orphans_in(ledger: Ledger, deposition: int, found: Iterable[Key], selection: Selection) -> list[Record]:
    """Published entities of a deposition that are not among those found. What the selection leaves out is none; neither is a voxel
    spacing, which belongs to nobody, nor a view, which goes with its tomogram."""
    kept = set(found)
    return [
        record
        for record in ledger.records.values()
        if record.published
        and record.withdrawal is None
        and record.identity.get("deposition_id") == deposition
        and record.key.kind not in ("voxel_spacing", "view")
        and record.key not in kept
        and selection.covers(record.key, ids_of(record))
    ]


def ids_of(record: Record) -> list[str]:
    """The names of a published entity that are still known when its source is gone."""
    return [str(record.identity[name]) for name in _INGEST_IDS if record.identity.get(name)]
