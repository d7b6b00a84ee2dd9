"""Alignments of a run, and which of them a volume was made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tomoportal.ingest import identity
from tomoportal.ingest.find import FoundItem
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.references import (
    aligned,
    chosen,
    first_tomogram,
    lowest,
    one_per_entry,
    paths,
    stack_of,
)
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key, owner, sidecar
from tomoportal.problems import Problem

NAMED = "alignment_ingest_id"
UNKNOWN = ""
"""In place of a path: the metadata names an alignment that the run does not have, which is told; the volume is left out."""


@dataclass(slots=True)
class Alignments:
    """The alignments of one run by the paths of their sidecars; `names` are their ingest_ids. `taken` is the one of volumes that
    do not say which, None in a run without any."""

    run: RunPlanning
    items: dict[str, FoundItem | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    told: bool = False

    @property
    def taken(self) -> str | None:
        """The lowest folder id: it stays the same when the deposition file is put into another order."""
        return lowest(self.items)

    def of_tomogram(self, item: FoundItem) -> str | None:
        """The one that the metadata names, else the one after which the file is named, unless that is just the name of the run,
        else `taken`."""
        if (named := self._named(item)) is not None:
            return named
        by_name = {f"{name}.xf": path for path, name in self.names.items() if name != self.run.found.name}
        if len(self.items) > 1 and item.path and (found := stack_of(item.path, by_name)):
            return by_name[found]
        return self._default()

    def of_annotation(
        self, item: FoundItem, tomograms: frozenset[str | None], published: frozenset[str]
    ) -> str | None:
        """The one that the metadata names, else that of the tomograms at its voxel spacing if they have one in common, else
        `taken`; where the deposition file brings neither, the first of the published tomograms at that voxel spacing."""
        if (named := self._named(item)) is not None:
            return named
        if tomograms or self.items:
            return next(iter(tomograms)) if len(tomograms) == 1 else self._default()
        first = lowest(published)
        if first and len(published) > 1:
            self._tell(first, item, "the portal")
        return first

    def _default(self) -> str | None:
        """The one that is taken where nothing says which; with several that is told, once for the run."""
        item = self.items[self.taken] if self.taken else None
        if item is not None and len(self.items) > 1:
            self._tell(
                self.taken,
                item,
                ", ".join(dict.fromkeys(one.source.where for one in self.items.values() if one)),
            )
        return self.taken

    def _tell(self, taken: str | None, item: FoundItem, places: str) -> None:
        """That one of several was taken, unless that was told of this run."""
        if not self.told:
            self.told = True
            group = (item.source.where, item.source.line, places)
            what = f"{self.run.key.dataset}/{self.run.found.name} ({taken})"
            self.run.state.notes.several.setdefault(group, []).append(what)

    def _named(self, item: FoundItem) -> str | None:
        name = (item.metadata or {}).get(NAMED)
        if name is None:
            return None
        found = next((path for path, known in self.names.items() if known == name), None)
        if found is None:
            self._unknown(item, str(name))
        return found or UNKNOWN

    def _unknown(self, item: FoundItem, name: str) -> None:
        known = ", ".join(f"'{one}'" for one in sorted(self.names.values()))
        self.run.state.problems.append(
            Problem(
                "unknown-alignment",
                f"run {self.run.found.name} has no alignment '{name}' for {item.name or item.path}; "
                f"it has {known or 'none'}; it is left out",
                file=self.run.state.file, line=item.source.line, where=f"{item.entry.where}.metadata.{NAMED}",
                hint="It is the `ingest_id` of an alignment, or the name of its file without ending.",
            )
        )  # fmt: skip


def plan_alignments(run: RunPlanning, tiltseries: Mapping[str, str]) -> Alignments:
    """Plan the alignments. `tiltseries` are those of the run (sidecar → stem of the stack)."""
    alignments = Alignments(run)
    series = tiltseries or _published(run)
    items: list[FoundItem | None] = [*one_per_entry(run.items("alignments"))]
    for item in items or [None]:
        if item is not None and item.referenced:
            for path in paths(item)[:1]:
                alignments.items[path], alignments.names[path] = item, _name_of(run, path)
            continue
        key = _alignment(run, item, series)
        if key is not None:
            path = sidecar(key)
            alignments.items[path], alignments.names[path] = item, _name_of(run, path)
    return alignments


def _alignment(run: RunPlanning, item: FoundItem | None, series: Mapping[str, str]) -> Key | None:
    """Plan one; without an item the one that stands for all in a run without any. None where there is nothing to align."""
    metadata = dict(item.metadata or {}) if item else {}
    tomogram, spacing = first_tomogram(run.found)
    files, configured = paths(item) if item else (), metadata.get("volume_dimension")
    if not files and not configured and tomogram is None:
        return None
    who = identity.of_alignment(run.state.deposition, metadata, files)
    key = run.claim(run.key.of("alignment"), who, item)
    if key is None:
        return None
    tilts = aligned(series, files)
    stack = _stack(run, series.get(tilts or "")) if files else None
    inputs = {
        "files": run.inputs(files),
        "tomogram": run.inputs([tomogram] if tomogram and not configured else []),
        "tiltseries": run.inputs([stack.path] if stack and stack.path else []),
        "angles": run.inputs(_angles(run, stack)),
    }
    stated = dict(stack.metadata or {}) if stack else {}
    parameters = {
        "volume_dimension": configured,
        "tomogram_spacing": spacing,
        "format": metadata.get("format"),
        "tiltseries": {name: stated.get(name) for name in ("pixel_spacing", "tilt_axis")},
    }
    where = run.state.place(item.source) if item else ""
    run.add(Task(key, who, inputs, parameters, metadata, {"tiltseries_path": tilts}, where))
    return key


def _stack(run: RunPlanning, name: str | None) -> FoundItem | None:
    """The tilt series of this stem among those of the source."""
    for item in run.items("tiltseries"):
        if not item.referenced and item.path and identity.stem(item.path) == name:
            return item
    return None


def _angles(run: RunPlanning, stack: FoundItem | None) -> list[str]:
    if stack is None or stack.path is None:
        return []
    stacks = [item.path for item in run.items("tiltseries") if item.path and not item.referenced]
    return chosen([path for item in run.items("rawtilts") for path in paths(item)], stack.path, stacks).files


def _published(run: RunPlanning) -> dict[str, str]:
    """Tilt series that the run has in the portal, for alignments that are deposited without one."""
    return {
        record.sidecar: str(record.identity.get("ingest_id"))
        for record in run.ids.ledger.records.values()
        if record.key.kind == "tiltseries" and record.published
    }


def _name_of(run: RunPlanning, path: str) -> str:
    """The ingest_id of an alignment; the number of its folder where that is not known."""
    key = owner(path)
    given = [*run.ids.given, *((record.key, record.identity) for record in run.ids.ledger.records.values())]
    who = next((who for known, who in given if known == key), {})
    return str(who.get("ingest_id") or (key.id if key else ""))
