"""Found items and what is published already → a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from tomoportal.ingest.choices import Choices
from tomoportal.ingest.find import Found, FoundDataset, FoundRun
from tomoportal.ingest.identity import FolderIds
from tomoportal.ingest.notes import Notes
from tomoportal.ingest.plan.acquisition import plan_acquisition
from tomoportal.ingest.plan.alignments import plan_alignments
from tomoportal.ingest.plan.identified_objects import plan_identified_objects
from tomoportal.ingest.plan.keyphotos import plan_keyphotos
from tomoportal.ingest.plan.planning import Fingerprint, Planning, RunPlanning, orphans_in
from tomoportal.ingest.plan.plans import DatasetPlan, Lazy, Plan, RunPlan
from tomoportal.ingest.plan.volumes import note_homeless, plan_spacing
from tomoportal.ingest.references import paths
from tomoportal.ingest.selection import EVERYTHING, Selection
from tomoportal.ingest.task import Task
from tomoportal.layout.deposited import Deposited
from tomoportal.layout.paths import Key, folder, owner
from tomoportal.layout.private import Ledger, Record
from tomoportal.layout.publish import Standing
from tomoportal.problems import Problem


def make_plan(
    found: Found,
    ledgers: Callable[[Key], Ledger],
    standing: Callable[[Record], Standing],
    fingerprint: Fingerprint,
    *,
    selection: Selection = EVERYTHING,
    deposited: Deposited | None = None,
) -> Plan:
    """`ledgers` gives what is published of a deposition, dataset or run; `standing` looks at the files of a record; `deposited` tells
    what this deposition file has led to before."""
    problems = list(found.problems)
    if found.deposition is None:
        return Plan(None, (), problems)
    name, known = found.deposition.name, deposited or Deposited()
    state = Planning(
        found.config.file, int(name), ledgers, standing, fingerprint, problems, _notes(selection), selection
    )
    state.see("deposition", lambda: (name,))
    key = Key("deposition", deposition=name)
    if state.stays_away(ledgers(key).get(key)):
        return Plan(None, (), problems, state.notes, found.config.file, name)
    first = state.plain(key, found.deposition.metadata, found.deposition.entry)
    entered = [one for one in found.deposition.datasets if selection.names("dataset", (one.name,))]
    _see_places(state, found.deposition.datasets, entered)
    datasets = tuple(_dataset(state, known, dataset) for dataset in entered)
    names = {dataset.name for dataset in found.deposition.datasets}
    gone = Lazy(lambda: _gone(state, known, [one for one in known.mine if one not in names], {}))
    return Plan(
        first, datasets, problems, state.notes, found.config.file, name, selection.takes(key, ()), gone,
        selection.force and not selection.metadata_only and (not selection.only or "view" in selection.only),
        plan_keyphotos(found, problems),
    )  # fmt: skip


def _notes(selection: Selection) -> Notes:
    return Notes(choices=Choices(list(selection.choices)))


def _see_places(state: Planning, datasets: Iterable[FoundDataset], entered: Iterable[FoundDataset]) -> None:
    """What `--include` and `--exclude` choose datasets, runs and voxel spacings from."""
    for dataset in datasets:
        state.see("dataset", partial(tuple, [dataset.name]))
    for run in (run for dataset in entered for run in dataset.runs):
        state.see("run", partial(tuple, [run.name]))
        if state.selection.names("run", (run.name,)):
            for spacing in run.spacings:
                state.see("voxel_spacing", partial(tuple, [spacing.name]))


def _dataset(state: Planning, known: Deposited, dataset: FoundDataset) -> DatasetPlan:
    key = Key("dataset", dataset=dataset.name)
    if state.stays_away(state.ledgers(key).get(key)):
        return DatasetPlan(key, None, Lazy(tuple))
    metadata = dataset.metadata if dataset.imported and not _told_of_another(state, key, dataset) else None
    task = state.plain(key, metadata, dataset.entry)
    entered = [run for run in dataset.runs if state.selection.names("run", (run.name,))]
    runs = Lazy(lambda: (_run(state, known, key, run) for run in entered), len(entered))
    names = {dataset.name: {run.name for run in dataset.runs}}
    gone = Lazy(partial(_gone, state, known, [dataset.name], names))
    chosen = state.selection.takes(key, ())
    return DatasetPlan(key, task, runs, [run.name for run in dataset.runs], chosen, gone)


def _told_of_another(state: Planning, key: Key, dataset: FoundDataset) -> bool:
    """Whether the metadata of a dataset are given that another deposition has published; they stay as they are, which is told."""
    other = state.other_owner(state.ledgers(key).get(key))
    if other is None or dataset.metadata is None:
        return False
    message = f"{key.dataset} was published by deposition {other}; its metadata stay as they are, and what is given here is left out"
    hint = "Correct them in that deposition, and name the dataset here without `metadata`."
    at = dataset.entry
    state.problems.append(
        Problem("published-by-another", message, file=state.file, line=at.line, where=at.where, hint=hint)
    )
    return True


def _run(state: Planning, known: Deposited, dataset: Key, found: FoundRun) -> RunPlan:
    key = replace(dataset, kind="run", run=found.name)
    ledger = state.ledgers(key)
    run = RunPlanning(state, found, key, FolderIds(ledger))
    if state.stays_away(ledger.get(key)):
        return RunPlan(key, ledger=ledger)
    if not found.referenced and state.other_owner(ledger.get(key)) is None:
        run.add(Task(key, {"deposition_id": state.deposition, "run_name": found.name}, {}, {}, {}))
    alignment = plan_alignments(run, plan_acquisition(run))
    plan_identified_objects(run)
    for spacing in found.spacings:
        plan_spacing(run, spacing, alignment)
    note_homeless(run)
    tasks = tuple(run.chosen())
    used = {spacing.name for spacing in found.spacings}
    if not state.selection.is_everything:
        used = {task.key.spacing for task in tasks if task.key.spacing}
    spacings = tuple(
        key.of("voxel_spacing", spacing=spacing.name) for spacing in found.spacings if spacing.name in used
    )
    orphans = orphans_in(ledger, state.deposition, [key, *run.keys, *_references(found)], state.selection)
    if orphans and (file := known.other(dataset.dataset, found.name)):
        places = (folder(record.key) for record in orphans)
        state.notes.shared.setdefault((dataset.dataset, file), {}).update(dict.fromkeys(places))
        orphans = []
    for record in orphans:
        state.notes.orphan(record)
    return RunPlan(key, tasks, spacings, ledger, run.unchanged, tuple(orphans), run.pictures)


def _references(found: FoundRun) -> Iterator[Key]:
    """Entities of the portal to which the deposition file refers."""
    for items in (found.items, *(spacing.items for spacing in found.spacings)):
        for section in items.values():
            for item in section:
                if item.referenced:
                    yield from filter(None, map(owner, paths(item)))


def _gone(
    state: Planning, known: Deposited, datasets: list[str], found: dict[str, set[str]]
) -> Iterator[Record]:
    """What this deposition has published in runs to which its file has led before, and no longer does."""
    for record in _lost(state, known, datasets, found):
        state.notes.orphan(record)
        yield record


def _lost(
    state: Planning, known: Deposited, datasets: list[str], found: dict[str, set[str]]
) -> Iterator[Record]:
    for dataset in datasets:
        gone = sorted(known.mine.get(dataset, set()) - found.get(dataset, set()))
        alone = [run for run in gone if known.other(dataset, run) is None]
        for run in alone:
            ledger = state.ledgers(Key("run", dataset=dataset, run=run))
            yield from orphans_in(ledger, state.deposition, (), state.selection)
        if dataset not in found:
            ledger = state.ledgers(Key("dataset", dataset=dataset))
            is_shared = any(dataset in runs for runs in known.others.values())
            yield from () if is_shared else orphans_in(ledger, state.deposition, (), state.selection)
