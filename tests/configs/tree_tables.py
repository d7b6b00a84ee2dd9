"""The tables that give runs their own values: those beside a deposition file as they are, others made up from what the file
asks of them (imports nothing of ours)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from configs.plain_config import PAIRS, PlainConfig, names_of, placeholders

ENDINGS = {"tomograms": ".mrc", "tiltseries": ".mrc", "rawtilts": ".rawtlt", "collection_metadata": ".mdoc", "frames": ".tif",
           "gains": ".mrc", "ctfs": "_CTF.txt", "alignments": ".aln", "runs": ""}  # fmt: skip
WORDS = {"tomo-fiducial_alignment_status": "FIDUCIAL", "tomo-reconstruction_method": "WBP", "ts-camera-acquire_mode": "counting",
         "ts-microscope-manufacturer": "FEI", "copick_id": "", "annotation_micrograph_name": "7"}  # fmt: skip
NUMBERS = (("voxel_spacing", "10.5"), ("pixel_spacing", "2.5"), ("min", "-40"), ("max", "40"), ("quality", "4"), ("axis", "84.7"),
           ("binning", "1"), ("flux", "100"), ("rate", "2"), ("step", "3"))  # fmt: skip


def beside(config: PlainConfig, name: str) -> str | None:
    """A table that lies beside the deposition file."""
    file = config.path.parent / name
    return file.read_bytes().decode() if file.is_file() else None


class TableMaker:
    """`tables`: path below the prefix → text, once `rows` has been asked for."""

    def __init__(self, config: PlainConfig) -> None:
        self.config = config
        self.tables: dict[str, str] = {}
        self.written = config.path.read_text()

    def rows(self, runs: list[str], real: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        """What the tables say about the runs; `real`: what those beside the file say."""
        rows = {run: dict(real.get(run, {})) for run in runs}
        name = self.config.settings.get("run_data_map_file")
        if name and (text := beside(self.config, name)):
            self.tables[name] = text
        elif name:
            columns = self._columns()
            tab = "\t" if name.endswith("tsv") else ","
            for run in runs:
                rows[run] |= {"run_name": run} | {column: self._cell(column, run) for column in columns}
            lines = [["run_name", *columns], *([run, *(rows[run][c] for c in columns)] for run in runs)]
            self.tables[name] = "".join(tab.join(line) + "\n" for line in lines)
        for setting in PAIRS.values():
            if name := self.config.settings.get(setting):
                self.tables[name] = beside(self.config, name) or "".join(f"{run},{run}m\n" for run in runs)
        return {run: {**rows[run], **self.config.run_rows(self.tables.get).get(run, {})} for run in runs}

    def _columns(self) -> list[str]:
        """Placeholders that only the run data map can fill."""
        known = {*PAIRS, *names_of([]), "deposition_name", "dataset_name", "run_name", "voxel_spacing_name"}
        used = {name for text in _texts(self.config.data) for name in placeholders(text)}
        return sorted(name for name in used - known if not re.fullmatch(r"[\d,]+", name))

    def _cell(self, column: str, run: str) -> str:
        if re.search(r"(float|int) *\{" + re.escape(column) + r"\}", self.written):
            return next((value for word, value in NUMBERS if word in column), "4")
        if column in WORDS:
            return WORDS[column] or f"overlay/{run}"
        for section in self.config.inner:
            for source in self.config.sources(section):
                for glob in source.globs:
                    if f"{{{column}}}" in glob:
                        return self._path_cell(section, glob, column, run)
        return f"some {column}"

    def _path_cell(self, section: str, glob: str, column: str, run: str) -> str:
        alone = f"{{{column}}}"
        ending = ENDINGS.get(section, "")
        if section == "gains":
            return f"gain{ending}" if glob.endswith(alone) else "day1"
        if glob == alone:
            return f"{section}/{run}/{run}{'_*' if section == 'frames' else ''}{ending}"
        return f"{run}{ending}" if glob.endswith(f"/{alone}") else f"{run}_c"


def _texts(data: Any) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)
