"""Found items and what is published already → tasks. Decides everything, writes nothing.

The fingerprint of a source file is asked for by a callback, so that this module touches no storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tomoportal.config import Entry, Source
from tomoportal.ingest import identity
from tomoportal.ingest.find import Found, FoundDataset, FoundItem, FoundRun, FoundSpacing
from tomoportal.ingest.identity import FolderIds, Identity
from tomoportal.ingest.notes import Notes
from tomoportal.ingest.references import (
    aligned,
    angles_of,
    first_tomogram,
    lowest,
    one_per_entry,
    paths,
    published_grid,
    spacing_of,
    volume_dimension,
)
from tomoportal.ingest.task import Input, Task
from tomoportal.layout.paths import Key, annotation_stem, picture, sidecar, viewer_state
from tomoportal.layout.private import Ledger, Record
from tomoportal.layout.publish import Standing
from tomoportal.problems import Problem

UNCHANGED = "unchanged"
METADATA_CHANGED = "metadata changed"
Fingerprint = Callable[[str], Input]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to do for one run: `tasks` in any order, then its views. `ledger` is what is published, `unchanged` counts what is
    published as asked for, `orphans` are published entities of this deposition that are no longer found."""

    key: Key
    tasks: tuple[Task, ...]
    spacings: tuple[Key, ...]
    ledger: Ledger
    unchanged: int = 0
    orphans: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What to do for one dataset; `task` is None when the dataset is only referred to."""

    key: Key
    task: Task | None
    runs: tuple[RunPlan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. `problems` are those of finding and deciding."""

    deposition: Task | None
    datasets: tuple[DatasetPlan, ...]
    problems: tuple[Problem, ...] = ()

    def tasks(self) -> Iterable[Task]:
        """Every task, metadata first."""
        if self.deposition:
            yield self.deposition
        for dataset in self.datasets:
            if dataset.task:
                yield dataset.task
            for run in dataset.runs:
                yield from run.tasks


def make_plan(
    found: Found,
    ledgers: Callable[[Key], Ledger],
    standing: Callable[[Record], Standing],
    fingerprint: Fingerprint,
) -> Plan:
    """`ledgers` gives what is published of a deposition, dataset or run; `standing` looks at the files of a record."""
    problems = list(found.problems)
    if found.deposition is None:
        return Plan(None, (), tuple(problems))
    state = _State(found.config.file, int(found.deposition.name), ledgers, standing, fingerprint, problems)
    key = Key("deposition", deposition=found.deposition.name)
    first = state.plain(key, found.deposition.metadata, found.deposition.entry)
    datasets = tuple(_dataset(state, dataset) for dataset in found.deposition.datasets)
    problems += state.notes.problems(found.config.file)
    return Plan(first, datasets, tuple(problems))


@dataclass(slots=True)
class _State:
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
class _Run:
    """Planning one run: what refers to what inside it."""

    state: _State
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


def _dataset(state: _State, dataset: FoundDataset) -> DatasetPlan:
    key = Key("dataset", dataset=dataset.name)
    task = state.plain(key, dataset.metadata if dataset.imported else None, dataset.entry)
    return DatasetPlan(key, task, tuple(_run(state, key, run) for run in dataset.runs))


def _run(state: _State, dataset: Key, found: FoundRun) -> RunPlan:
    key = replace(dataset, kind="run", run=found.name)
    run = _Run(state, found, key, FolderIds(state.ledgers(key)))
    if not found.referenced:
        run.add(Task(key, {"deposition_id": state.deposition, "run_name": found.name}, {}, {}, {}))
    mdocs = [path for item in run.items("collection_metadata") for path in paths(item)]
    mdocs = _frames(run, mdocs)
    tiltseries = {
        path: identity.stem(item.path or "")
        for item in run.items("tiltseries")
        if (path := _tiltseries(run, item, mdocs))
    }
    alignment = _alignments(run, tiltseries)
    for spacing in found.spacings:
        _spacing(run, spacing, alignment)
    _note_homeless(run)
    spacings = tuple(key.of("voxel_spacing", spacing=spacing.name) for spacing in found.spacings)
    orphans = tuple(
        record
        for record in run.ids.ledger.records.values()
        if record.published
        and record.identity.get("deposition_id") == state.deposition
        and record.key.kind in ("tiltseries", "alignment", "tomogram", "annotation", "frames")
        and record.key not in run.keys
    )
    return RunPlan(key, tuple(run.tasks), spacings, run.ids.ledger, run.unchanged, orphans)


def _frames(run: _Run, mdocs: list[str]) -> list[str]:
    """Plan the frames; gives the mdoc files that tilt series can rely on: none where the frames they name are left out."""
    items = run.items("frames")
    if not mdocs or not items:
        return []
    metadata = dict(items[0].metadata or {})
    who = {"deposition_id": run.state.deposition}
    key, inputs = run.key.of("frames"), {"mdoc": run.inputs(mdocs)}
    parameters = {name: metadata.get(name) for name in ("dose_rate", "is_gain_corrected")}
    run.add(Task(key, who, inputs, parameters, metadata, where=run.state.place(items[0].source)))
    return mdocs


def _tiltseries(run: _Run, item: FoundItem, mdocs: list[str]) -> str | None:
    """Plan a tilt series; gives the path of its sidecar."""
    if item.referenced or item.path is None:
        return item.path
    metadata = dict(item.metadata or {})
    who = identity.of_tiltseries(run.state.deposition, metadata, item.path)
    key = run.claim(run.key.of("tiltseries"), who, item)
    if key is None:
        return None
    angles = angles_of(item.path, [path for angle in run.items("rawtilts") for path in paths(angle)])
    inputs = {"stack": run.inputs([item.path]), "mdoc": run.inputs(mdocs), "angles": run.inputs(angles)}
    parameters = {"pixel_spacing": metadata.get("pixel_spacing")}
    run.add(Task(key, who, inputs, parameters, metadata, where=run.state.place(item.source)))
    return sidecar(key)


def _alignments(run: _Run, tiltseries: Mapping[str, str]) -> str | None:
    """Plan the alignments; gives the sidecar path of the first, which the volumes of the run refer to."""
    sidecars: dict[str, FoundItem | None] = {}
    tomogram, spacing = first_tomogram(run.found)
    items: list[FoundItem | None] = [*one_per_entry(run.items("alignments"))]
    for item in items or [None]:
        if item is not None and item.referenced:
            sidecars |= dict.fromkeys(paths(item)[:1], item)
            continue
        metadata = dict(item.metadata or {}) if item else {}
        files, configured = paths(item) if item else (), metadata.get("volume_dimension")
        if not files and not configured and tomogram is None:
            continue
        key = run.claim(
            run.key.of("alignment"), identity.of_alignment(run.state.deposition, metadata, files), item
        )
        if key is None:
            continue
        who = identity.of_alignment(run.state.deposition, metadata, files)
        inputs = {
            "files": run.inputs(files),
            "tomogram": run.inputs([tomogram] if tomogram and not configured else []),
        }
        parameters = {
            "volume_dimension": configured,
            "tomogram_spacing": spacing,
            "format": metadata.get("format"),
        }
        links = {"tiltseries_path": aligned(tiltseries, files)}
        where = run.state.place(item.source) if item else ""
        run.add(Task(key, who, inputs, parameters, metadata, links, where))
        sidecars[sidecar(key)] = item
    taken = lowest(sidecars)
    _note_several(run, sidecars, taken)
    return taken


def _note_several(run: _Run, sidecars: Mapping[str, FoundItem | None], taken: str | None) -> None:
    """Volumes say which alignment they were made with; the language has no words for it, so that with several one is chosen."""
    chosen = sidecars[taken] if taken else None
    used = any(spacing.items for spacing in run.found.spacings)
    if chosen is None or len(sidecars) < 2 or not used:
        return
    places = ", ".join(dict.fromkeys(item.source.where for item in sidecars.values() if item))
    what = f"{run.key.dataset}/{run.found.name} ({taken})"
    run.state.notes.several.setdefault((chosen.source.where, chosen.source.line, places), []).append(what)


def _note_homeless(run: _Run) -> None:
    """Every tomogram is looked at under every voxel spacing of its run, and taken under its own; here those that have none."""
    had = [spacing.name for spacing in run.found.spacings]
    for spacing in run.found.spacings:
        for item in spacing.items.get("tomograms", ()):
            stated = spacing_of(item, spacing)
            if stated not in had and item.path and item.supported and not item.referenced:
                group = (item.source.where, item.source.line, stated, ", ".join(had))
                run.state.notes.homeless.setdefault(group, {})[item.path] = None


def _spacing(run: _Run, spacing: FoundSpacing, alignment: str | None) -> None:
    place = run.key.of("voxel_spacing", spacing=spacing.name)
    volume: str | None = None
    for item in spacing.items.get("tomograms", ()):
        if (
            item.path is None
            or item.referenced
            or not item.supported
            or spacing_of(item, spacing) != spacing.name
        ):
            continue
        volume = volume or item.path
        _tomogram(run, place, item, spacing, alignment)
    by_entry: dict[int, list[FoundItem]] = {}
    for item in spacing.items.get("annotations", ()):
        if item.supported and item.path is not None:
            by_entry.setdefault(item.entry.index, []).append(item)
    for items in by_entry.values():
        _annotation(run, place, items, spacing, alignment, volume)


def _tomogram(run: _Run, place: Key, item: FoundItem, spacing: FoundSpacing, alignment: str | None) -> None:
    metadata = dict(item.metadata or {})
    who = identity.of_tomogram(run.state.deposition, metadata, spacing.name, alignment)
    key = run.claim(place.of("tomogram"), who, item)
    if key is None or item.path is None:
        return
    links = {
        "alignment_metadata_path": alignment,
        "neuroglancer_config_path": viewer_state(key),
        "key_photo": {"snapshot": picture(key, "snapshot"), "thumbnail": picture(key, "thumbnail")},
    }
    parameters = {
        "voxel_spacing": spacing.value,
        "fiducial_alignment_status": metadata.get("fiducial_alignment_status"),
    }
    inputs = {"volume": run.inputs([item.path])}
    run.add(Task(key, who, inputs, parameters, metadata, links, run.state.place(item.source)))


def _annotation(
    run: _Run,
    place: Key,
    items: list[FoundItem],
    spacing: FoundSpacing,
    alignment: str | None,
    volume: str | None,
) -> None:
    metadata = dict(items[0].metadata or {})
    who = identity.of_annotation(run.state.deposition, metadata, spacing.name, alignment)
    key = run.claim(place.of("annotation"), who, items[0])
    if key is None:
        return
    described = metadata["annotation_object"]
    stem = annotation_stem(described["name"], metadata.get("version", "1.0"), described.get("description"))
    sources = [
        {
            "shape": item.source.shape,
            "format": item.parameters.get("file_format"),
            "parameters": {
                name: value for name, value in item.parameters.items() if name != "is_visualization_default"
            },
            "visible": item.parameters.get("is_visualization_default"),
        }
        for item in items
    ]
    grid = None if volume else published_grid(run.ids.ledger, place, alignment)
    tomogram, tomogram_spacing = (volume, spacing.value) if volume or grid else first_tomogram(run.found)
    compares = volume or any(item.parameters.get("rescale") for item in items)
    inputs = {f"source{number}": run.inputs([item.path or ""]) for number, item in enumerate(items)}
    inputs["tomogram"] = run.inputs([tomogram] if tomogram and compares else [])
    parameters = {
        "sources": sources,
        "stem": stem,
        "voxel_spacing": spacing.value,
        "tomogram_spacing": tomogram_spacing,
        "tomogram_shape": grid,
        "volume_dimension": volume_dimension(run.found),
        "object": {name: described.get(name) for name in ("name", "diameter")},
    }
    links = {"alignment_metadata_path": alignment}
    run.add(Task(key, who, inputs, parameters, metadata, links, run.state.place(items[0].source)))


def sidecar_path(task: Task) -> str:
    """Where the sidecar of a task's entity lies; empty for what has none."""
    if task.kind == "view":
        return ""
    return sidecar(task.key, task.parameters.get("stem", ""))
