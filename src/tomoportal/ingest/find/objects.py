"""Tables of identified objects, read once for all runs: which rows belong to a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tomoportal.config import Source
from tomoportal.errors import FormatError, NotFound, StorageError
from tomoportal.formats.identified_objects import MOST_BYTES, IdentifiedObjects, read_identified_objects
from tomoportal.ingest.find.findings import Findings
from tomoportal.ingest.find.globs import composed
from tomoportal.layout.ontologies import read_ontologies
from tomoportal.model.ontology import Ontologies
from tomoportal.problems import Severity
from tomoportal.storage import Storage


@dataclass
class ObjectTables:
    """`read` tables by path; None for one that is absent or unreadable, which has been told. Their identifiers are compared with the
    ontologies that the portal in `target` has loaded."""

    source: Storage
    target: Storage
    findings: Findings
    _known: dict[str, IdentifiedObjects | None] = field(default_factory=dict)

    def of(self, path: str, run: str, source: Source, label: str) -> dict[str, Any]:
        """The rows of a run as `objects`, and the names of their `columns`. That a table has no line for a run is told."""
        table = self._table(path, source)
        if table is None:
            return {}
        rows = table.runs.get(run, ())
        if not rows:
            self.findings.add(
                "no-objects", source.where, f"{path} has no line for these", example=label, severity=Severity.WARNING,
                hint="Its column run_name must hold the names of the runs. If they have none, leave them out with parent_filters.",
            )  # fmt: skip
        return {"objects": list(rows), "columns": list(table.columns)}

    @cached_property
    def _ontologies(self) -> Ontologies:
        """None of them when they cannot be read, which is told where the deposition file is compared with them."""
        try:
            return read_ontologies(self.target)
        except StorageError:
            return Ontologies()

    def _table(self, path: str, source: Source) -> IdentifiedObjects | None:
        if path not in self._known:
            self._known[path] = self._read(path, source)
        return self._known[path]

    def _read(self, path: str, source: Source) -> IdentifiedObjects | None:
        try:
            if self.source.stat(path).size > MOST_BYTES:
                raise FormatError(path, f"the file is larger than {MOST_BYTES >> 20} MiB; expected a table.")
            table = read_identified_objects(self.source.read(path), path, self._ontologies)
        except NotFound:
            self.findings.add("identified-objects", source.where, f"'{path}' is a folder; expected a table")
            return None
        except FormatError as error:
            self.findings.add("identified-objects", source.where, str(error))
            return None
        self.findings.extend(table.problems)
        return IdentifiedObjects(table.columns, {composed(run): rows for run, rows in table.runs.items()})
