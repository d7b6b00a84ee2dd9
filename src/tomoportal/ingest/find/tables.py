"""The tables that give each run its own values, read from the source: the run data map and the two-column maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tomoportal.config import Config
from tomoportal.config.sections import PAIR_MAPS
from tomoportal.errors import FormatError, NotFound
from tomoportal.formats.run_map import read_pair_map, read_run_map
from tomoportal.ingest.find.findings import Findings
from tomoportal.ingest.find.globs import composed
from tomoportal.storage import Storage


@dataclass(frozen=True, slots=True)
class Tables:
    """`columns`: placeholders that the tables supply. `rows`: the lines of the run data map by run. `complete`: False when a table
    could not be read, so that what is missing is told by that alone."""

    file: str | None = None
    columns: tuple[str, ...] = ()
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pair_files: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True

    def row(self, run: str) -> Mapping[str, str] | None:
        """The line of a run."""
        return self.rows.get(run)

    def absence(self, name: str, run: str | None) -> str:
        """Why a placeholder has no value in a run."""
        file, rows = (
            (self.pair_files.get(name), self.pairs[name])
            if name in self.pairs
            else (self.file if name in self.columns else None, self.rows)
        )
        if file and run is not None and run not in rows:
            return f"the run has no line in the table {file}, which gives {{{name}}} its value"
        return f"there is no value for {{{name}}}"

    def values(self, run: str) -> dict[str, str | None]:
        """All placeholders of a run that the tables supply; empty cells count as absent."""
        values: dict[str, str | None] = {name: pairs.get(run) or None for name, pairs in self.pairs.items()}
        for column, cell in (self.rows.get(run) or {}).items():
            values[column] = cell or None
        return values


def read_tables(config: Config, source: Storage, findings: Findings) -> Tables:
    """The tables that the file names. One that is absent or unreadable is a problem and counts as empty."""
    settings = config.standardization
    rows: Mapping[str, Mapping[str, str]] = {}
    columns: tuple[str, ...] = ()
    if (
        settings.run_data_map_file
        and (data := _read(config, source, "run_data_map_file", findings)) is not None
    ):
        delimiter = "\t" if settings.run_data_map_file.endswith("tsv") else ","
        try:
            table = read_run_map(data, settings.run_data_map_file, delimiter)
            columns = table.columns
            rows = {composed(run): row for run, row in table.rows.items()}
            findings.extend(table.problems)
        except FormatError as error:
            findings.add("run-map", "standardization_config.run_data_map_file", str(error))
    named = {name: path for name, setting in PAIR_MAPS.items() if (path := getattr(settings, setting))}
    read = {name: _pairs(config, source, PAIR_MAPS[name], findings) for name in named}
    pairs = {name: values for name, values in read.items() if values is not None}
    complete = len(pairs) == len(named) and bool(columns or not settings.run_data_map_file)
    return Tables(settings.run_data_map_file, (*columns, *pairs), rows, pairs, named, complete)


def _pairs(config: Config, source: Storage, setting: str, findings: Findings) -> Mapping[str, str] | None:
    data = _read(config, source, setting, findings)
    if data is None:
        return None
    try:
        table = read_pair_map(data, getattr(config.standardization, setting))
    except FormatError as error:
        findings.add("run-map", f"standardization_config.{setting}", str(error))
        return None
    findings.extend(table.problems)
    return {composed(run): value for run, value in table.values.items()}


def _read(config: Config, source: Storage, setting: str, findings: Findings) -> bytes | None:
    path = getattr(config.standardization, setting)
    full = "/".join(part for part in (config.standardization.source_prefix, path) if part)
    try:
        return source.read(full)
    except NotFound:
        findings.add(
            "run-map", f"standardization_config.{setting}", f"the table '{full}' is not in the source {source.url}",
            hint="Is the path relative to source_prefix, and --source the folder above it?",
        )  # fmt: skip
        return None
