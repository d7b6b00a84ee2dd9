"""Objects seen in a run without being annotated: the rows of all tables that the deposition file names."""

from __future__ import annotations

from typing import Any

from tomoportal.ingest.find import FoundItem
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.task import Task
from tomoportal.problems import Problem, Severity

_ID = "object_id"


def plan_identified_objects(run: RunPlanning) -> None:
    """One list a run. The rows are part of the task, so that a change of another run's rows changes nothing here."""
    items = [item for item in run.items("identified_objects") if item.parameters.get("objects")]
    if not items or _claimed(run, items[0]):
        return
    rows: dict[str, dict[str, str]] = {}
    columns: dict[str, None] = {}
    for item in items:
        columns.update(dict.fromkeys(item.parameters["columns"]))
        for row in item.parameters["objects"]:
            if rows.setdefault(row[_ID], row) != row:
                _tell(
                    run, item, f"{row[_ID]} is described by two tables, in different words; the first counts"
                )
    metadata = dict(items[0].metadata or {})
    if metadata.get("filter_value", run.found.name) != run.found.name:
        _tell(
            run,
            items[0],
            f"filter_value is '{metadata['filter_value']}', but rows are chosen by the name of the run",
        )
    parameters: dict[str, Any] = {"objects": list(rows.values()), "columns": list(columns),
                                  "source_files": [item.path for item in items]}  # fmt: skip
    key = run.key.of("identified_objects")
    who = {"deposition_id": run.state.deposition, "run_name": run.found.name}
    run.add(Task(key, who, {}, parameters, metadata, where=run.state.place(items[0].source)))


def _claimed(run: RunPlanning, item: FoundItem) -> bool:
    """Whether another deposition has published the objects of this run, which is told: a run has one list."""
    record = run.ids.ledger.get(run.key.of("identified_objects"))
    owner = record.identity.get("deposition_id") if record and record.published else None
    if owner in (None, run.state.deposition):
        return False
    _tell(
        run,
        item,
        f"the identified objects are those of deposition {owner} already and stay as they are",
        Severity.ERROR,
    )
    return True


def _tell(run: RunPlanning, item: FoundItem, message: str, severity: Severity = Severity.WARNING) -> None:
    run.state.problems.append(
        Problem("identified-objects", f"{run.key.dataset}/{run.found.name}: {message}", severity, run.state.file, item.source.line,
                item.source.where)
    )  # fmt: skip
