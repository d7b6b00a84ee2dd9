"""Entities that are metadata only."""

from __future__ import annotations

from tomoportal.ingest.task import Outcome, Work


def make_plain(work: Work) -> Outcome:
    """A deposition, dataset or run: its sidecar says it all."""
    return Outcome(extra={"run_name": work.task.key.run} if work.task.kind == "run" else {})
