"""The table run × section of what a deposition file finds: numbers of files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from tomoportal.ingest.find import Found, FoundItem, FoundRun

SHOWN = 20
"""Runs that are shown one by one."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: `files` are the paths that it consumes, by section; those of `referenced` sections lie in the portal."""

    dataset: str
    run: str
    spacings: tuple[str, ...]
    files: dict[str, list[str]]

    def as_json(self) -> str:
        """One line."""
        found = {
            "dataset": self.dataset,
            "run": self.run,
            "voxel_spacings": list(self.spacings),
            "files": self.files,
        }
        return json.dumps(found, ensure_ascii=False)


def taken(run: FoundRun) -> Iterator[tuple[str, list[FoundItem]]]:
    """The items of a run by section, without what is left out; tomograms under the voxel spacing that is theirs."""
    from tomoportal.ingest.references import spacing_of

    for section, items in run.items.items():
        yield section, list(items)
    for spacing in run.spacings:
        for section, items in spacing.items.items():
            own = list(items)
            if section == "tomograms":
                own = [item for item in own if item.referenced or spacing_of(item, spacing) == spacing.name]
            yield section, own


def rows(found: Found) -> Iterator[RunRow]:
    """Every run, in the order of the deposition file."""
    for dataset, run in found.runs():
        files: dict[str, dict[str, None]] = {}
        for section, items in taken(run):
            paths = files.setdefault(section, {})
            for item in items:
                paths.update(dict.fromkeys(item.files or ((item.path,) if item.path else ())))
        yield RunRow(
            dataset.name,
            run.name,
            tuple(spacing.name for spacing in run.spacings),
            {section: list(paths) for section, paths in files.items()},
        )


def table(found: Found) -> Table:
    """The first runs and the totals. A section that the deposition file has and of which a run has no file shows a dash."""
    from rich.box import SIMPLE
    from rich.table import Table

    from tomoportal.config.sections import SECTIONS

    per_run = [
        name for name, section in SECTIONS.items() if "run" in section.parents and name != "voxel_spacings"
    ]
    sections = [name for name in per_run if found.config.entries(name)]
    made = Table(box=SIMPLE, show_footer=True, pad_edge=False)
    total: Counter[str] = Counter()
    shown: list[list[str]] = []
    count = 0
    for row in rows(found):
        count += 1
        total.update({section: len(paths) for section, paths in row.files.items()})
        if count <= SHOWN:
            numbers = [str(len(row.files.get(section, ())) or "–") for section in sections]
            shown.append([f"{row.dataset}/{row.run}", ", ".join(row.spacings) or "–", *numbers])
    made.add_column("files of", f"{count} run{'s' * (count != 1)}", no_wrap=True)
    made.add_column("voxel spacing")
    for section in sections:
        made.add_column(section.replace("_", " "), str(total[section]), justify="right")
    for cells in shown:
        made.add_row(*cells)
    if count > SHOWN:
        made.add_row(f"… and {count - SHOWN} more")
    return made
