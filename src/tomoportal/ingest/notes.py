"""What planning notices in run after run, told once: tomograms without a voxel spacing, choices among alignments, what is left out,
what is no longer found. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.ingest.choices import Choices
from tomoportal.layout.paths import folder
from tomoportal.layout.private import Record
from tomoportal.problems import Problem, Severity

_SHOWN = 3


@dataclass(slots=True)
class Notes:
    """`homeless`: tomograms whose voxel spacing their run does not have: (place of the source, its line, stated, had) → files.
    `several`: runs with several alignments: (place of the source of the one that volumes refer to, its line, all places) → runs.
    """

    homeless: dict[tuple[str, int, str, str], dict[str, None]] = field(default_factory=dict)
    several: dict[tuple[str, int, str], list[str]] = field(default_factory=dict)
    withdrawn: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Folder → withdrawal, of what the deposition file leads to and stays away."""
    without_data: dict[tuple[str, bool], dict[str, None]] = field(default_factory=dict)
    """(kind, whether it is new) → folders, of what has no data, or old data, where metadata alone are asked for."""
    shared: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    """(dataset, other deposition file) → folders of what this file does not lead to, in runs to which another one has led."""
    orphans: dict[str, dict[str, None]] = field(default_factory=dict)
    """Dataset (or deposition) → folders of published entities that are no longer found."""
    choices: Choices = field(default_factory=Choices)

    def orphan(self, record: Record) -> None:
        """Note a published entity that is no longer found."""
        self.orphans.setdefault(record.key.dataset, {})[folder(record.key)] = None

    def left(self) -> str:
        """What metadata alone do not bring up to date, in one sentence; empty when that is nothing."""
        counts = [sum(len(places) for (_, is_new), places in self.without_data.items() if is_new is new)
                  for new in (False, True)]  # fmt: skip
        told = [f"{count} {'entity has' if count == 1 else 'entities have'} {what}"
                for count, what in zip(counts, ("changed or incomplete data", "no data yet"), strict=True) if count]  # fmt: skip
        return f"{' and '.join(told)}: run without --metadata-only." if told else ""

    def problems(self, file: str) -> Iterator[Problem]:
        """All of them; `file` is the deposition file."""
        yield from self._homeless(file)
        yield from self._several(file)
        yield from self._left_out(file)
        yield from self._shared(file)
        yield from self._orphans()
        yield from self.choices.problems()

    def _homeless(self, file: str) -> Iterator[Problem]:
        for (where, line, stated, had), files in self.homeless.items():
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            yield Problem(
                "spacing-not-listed",
                f"the voxel spacing of {next(iter(files))}{more} is stated as {stated} Å; the voxel spacings of the run are {had} Å; "
                "it is left out",
                file=file, line=line, where=where,
                hint="Add the spacing to `voxel_spacings`, or correct `voxel_spacing` in the metadata.",
            )  # fmt: skip

    def _several(self, file: str) -> Iterator[Problem]:
        for (where, line, places), noted in self.several.items():
            runs = sorted(set(noted))
            more = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
            yield Problem(
                "several-alignments",
                f"several alignments ({places}) belong to one run; its tomograms and annotations are taken as made with "
                f"that of {where}: {', '.join(runs[:_SHOWN])}{more}",
                Severity.WARNING, file, line, where,
                "If they were made with another, limit the alignments with parent_filters.",
            )  # fmt: skip

    def _left_out(self, file: str) -> Iterator[Problem]:
        for place, why in sorted(self.withdrawn.items()):
            reason = f" ({why['reason']})" if why.get("reason") else ""
            yield Problem(
                "withdrawn", f"{place} was withdrawn on {why['on'][:10]}{reason} and stays away, with everything in it",
                Severity.WARNING, file, where=place, hint="To publish it again, with the same ids, call `ingest --restore`.",
            )  # fmt: skip
        for (kind, is_new), places in sorted(self.without_data.items()):
            what = "no data yet" if is_new else "data of other sources or parameters, or incomplete ones"
            yield Problem(
                "without-data", f"{len(places)} {kind} with {what}, left out: {_some(places)}", Severity.WARNING, file,
                hint="Ingest without --metadata-only.",
            )  # fmt: skip

    def _shared(self, file: str) -> Iterator[Problem]:
        for (dataset, other), places in sorted(self.shared.items()):
            yield Problem(
                "of-another-file", f"{_some(places)}: published, and not found by this file; since {other} has led to these runs as well, "
                "nothing of that counts as no longer found", Severity.WARNING, file, where=dataset,
            )  # fmt: skip

    def _orphans(self) -> Iterator[Problem]:
        for dataset, places in sorted(self.orphans.items()):
            yield Problem(
                "orphan", f"{_some(places)} published but no longer found; as it is, everybody still sees it",
                Severity.WARNING, where=dataset, hint="`tomoportal ingest --prune` takes down what is no longer found.",
            )  # fmt: skip


def _some(places: Collection[str]) -> str:
    first = sorted(places)[:_SHOWN]
    return ", ".join(first) + (f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")
