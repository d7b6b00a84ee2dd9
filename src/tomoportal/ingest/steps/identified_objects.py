"""The list of objects seen in a run, as JSON."""

from __future__ import annotations

import json

from tomoportal.ingest.task import Outcome, Work
from tomoportal.layout.paths import folder


def make_identified_objects(work: Work) -> Outcome:
    """Write the rows as a JSON array; the sidecar repeats them and tells their number, columns and where they come from."""
    parameters = work.task.parameters
    rows = parameters["objects"]
    data = (json.dumps(rows, indent=4, ensure_ascii=False) + "\n").encode()
    path = f"{folder(work.task.key)}/identified_objects.json"
    extra = {
        "run_name": work.task.key.run,
        "object_count": len(rows),
        "columns": parameters["columns"],
        "file_format": "json",
        "file": path,
        "source_files": parameters["source_files"],
        "objects": rows,
    }
    return Outcome(extra, work.put(path, data))
