"""Found items and what is published already → a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tomoportal.ingest.find import Found, FoundDataset, FoundRun
from tomoportal.ingest.identity import FolderIds
from tomoportal.ingest.plan.acquisition import plan_acquisition
from tomoportal.ingest.plan.alignments import plan_alignments
from tomoportal.ingest.plan.identified_objects import plan_identified_objects
from tomoportal.ingest.plan.planning import Fingerprint, Planning, RunPlanning
from tomoportal.ingest.plan.plans import DatasetPlan, Plan, RunPlan
from tomoportal.ingest.plan.volumes import note_homeless, plan_spacing
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Ledger, Record
from tomoportal.layout.publish import Standing


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
    state = Planning(found.config.file, int(found.deposition.name), ledgers, standing, fingerprint, problems)
    key = Key("deposition", deposition=found.deposition.name)
    first = state.plain(key, found.deposition.metadata, found.deposition.entry)
    datasets = tuple(_dataset(state, dataset) for dataset in found.deposition.datasets)
    problems += state.notes.problems(found.config.file)
    return Plan(first, datasets, tuple(problems))


def _dataset(state: Planning, dataset: FoundDataset) -> DatasetPlan:
    key = Key("dataset", dataset=dataset.name)
    task = state.plain(key, dataset.metadata if dataset.imported else None, dataset.entry)
    return DatasetPlan(key, task, tuple(_run(state, key, run) for run in dataset.runs))


def _run(state: Planning, dataset: Key, found: FoundRun) -> RunPlan:
    key = replace(dataset, kind="run", run=found.name)
    run = RunPlanning(state, found, key, FolderIds(state.ledgers(key)))
    if not found.referenced:
        run.add(Task(key, {"deposition_id": state.deposition, "run_name": found.name}, {}, {}, {}))
    alignment = plan_alignments(run, plan_acquisition(run))
    plan_identified_objects(run)
    for spacing in found.spacings:
        plan_spacing(run, spacing, alignment)
    note_homeless(run)
    spacings = tuple(key.of("voxel_spacing", spacing=spacing.name) for spacing in found.spacings)
    orphans = tuple(
        record
        for record in run.ids.ledger.records.values()
        if record.published
        and record.identity.get("deposition_id") == state.deposition
        and record.key.kind in ("tiltseries", "alignment", "tomogram", "annotation", "frames", "gains", "identified_objects")
        and record.key not in run.keys
    )
    return RunPlan(key, tuple(run.tasks), spacings, run.ids.ledger, run.unchanged, orphans)
