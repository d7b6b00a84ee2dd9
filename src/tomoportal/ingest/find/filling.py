"""Filling in the placeholders of an entry's metadata and of an annotation's parameters, for one run; what cannot be is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.config import Entry, Source
from tomoportal.config.placeholders import Unknown, expand_value
from tomoportal.config.sections import EXPANDED
from tomoportal.ingest.find.context import Context, known_placeholders
from tomoportal.ingest.find.findings import Findings
from tomoportal.ingest.find.metadata import Slot, filled, slots
from tomoportal.ingest.find.sources import unknown_names
from tomoportal.ingest.find.tables import Tables


@dataclass
class Filling:
    """Texts with placeholders are looked for once for each entry."""

    tables: Tables
    findings: Findings
    _slots: dict[str, list[Slot] | None] = field(default_factory=dict)

    def metadata(self, entry: Entry, context: Context) -> tuple[Mapping[str, Any] | None, bool]:
        """The entry's metadata with placeholders filled in, and whether all of them could be."""
        if entry.section not in EXPANDED or entry.metadata is None:
            return entry.metadata, True
        if entry.where not in self._slots:
            self._slots[entry.where] = self._known_slots(entry)
        places = self._slots[entry.where]
        if not places:
            return entry.metadata, places is not None
        metadata, faults = filled(
            entry.metadata,
            places,
            context.values,
            lambda name: self.tables.absence(name, context.names.get("run")),
        )
        for slot, fault in faults:
            self.findings.add(
                "bad-value",
                f"{entry.where}.metadata.{slot.place}",
                fault,
                example=context.label,
                hint=self._table_hint(context),
            )
        return metadata, not faults

    def _known_slots(self, entry: Entry) -> list[Slot] | None:
        """The metadata's texts with placeholders; None when one of them has no meaning here, which is said."""
        places = slots(entry.section, entry.metadata)
        known = known_placeholders(entry.section, self.tables.columns)
        good = True
        for slot in places:
            for name in unknown_names((slot.template,), known):
                good = False
                if self.tables.complete:
                    self.findings.add(
                    "unknown-placeholder", f"{entry.where}.metadata.{slot.place}", f"nothing gives {{{name}}} a value",
                    hint=f"Known here: {', '.join(known)}.",
                )  # fmt: skip
        return places if good else None

    def _table_hint(self, context: Context) -> str:
        run = context.names.get("run")
        if not self.tables.file:
            return "Name a run_data_map_file in standardization_config, or double literal braces."
        if run and self.tables.row(run) is None:
            return f"The run has no line in {self.tables.file}; add one, or leave the run out with parent_filters."
        return f"Correct its line in {self.tables.file}."

    def parameters(self, source: Source, context: Context) -> dict[str, Any] | None:
        """The shape's parameters, texts with placeholders filled in; None when one cannot be."""
        filled_in = dict(source.shape_parameters)
        for name in ("filter_value", "mesh_source_path"):
            if isinstance(filled_in.get(name), str):
                try:
                    filled_in[name] = str(expand_value(filled_in[name], context.values))
                except (Unknown, ValueError) as error:
                    fault = str(error)
                    if isinstance(error, Unknown):
                        fault = self.tables.absence(fault, context.names.get("run"))
                    self.findings.add(
                        "bad-value", f"{source.where}.{source.shape}.{name}", fault, example=context.label
                    )
                    return None
        return filled_in
