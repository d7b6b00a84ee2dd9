"""What planning notices in run after run, told once: tomograms without a voxel spacing, choices among alignments. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tomoportal.problems import Problem, Severity

_SHOWN = 3


@dataclass(slots=True)
class Notes:
    """`homeless`: tomograms whose voxel spacing their run does not have: (place of the source, its line, stated, had) → files.
    `several`: runs with several alignments: (place of the source of the one that volumes refer to, its line, all places) → runs.
    """

    homeless: dict[tuple[str, int, str, str], dict[str, None]] = field(default_factory=dict)
    several: dict[tuple[str, int, str], list[str]] = field(default_factory=dict)

    def problems(self, file: str) -> Iterator[Problem]:
        """All of them; `file` is the deposition file."""
        yield from self._homeless(file)
        yield from self._several(file)

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
        for (where, line, places), runs in self.several.items():
            more = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
            yield Problem(
                "several-alignments",
                f"several alignments ({places}) belong to one run; its tomograms and annotations are taken as made with "
                f"that of {where}: {', '.join(runs[:_SHOWN])}{more}",
                Severity.WARNING, file, line, where,
                "If they were made with another, limit the alignments with parent_filters.",
            )  # fmt: skip
