"""Which file, tomogram, alignment or tilt series another entity of a run refers to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.ingest.find import FoundItem, FoundRun, FoundSpacing
from tomoportal.ingest.identity import stem
from tomoportal.layout.paths import Key, owner, spacing_name
from tomoportal.layout.private import Ledger


@dataclass(frozen=True, slots=True)
class Chosen:
    """The file that goes with a stack, if any, and others that could as well."""

    files: list[str]
    passed_over: list[str]


def chosen(files: Iterable[str], stack: str, stacks: Iterable[str]) -> Chosen:
    """The angle list or CTF estimate of `stack`: one named after it, else one that is named after no other stack of the run;
    `.rawtlt` before other endings, then by name."""
    ordered = sorted(dict.fromkeys(files), key=lambda path: (not path.endswith(".rawtlt"), path))
    owners = {path: stack_of(path, stacks) for path in ordered}
    mine = [path for path in ordered if owners[path] == stack]
    exact = [path for path in mine if stem(path) == stem(stack)]
    free = exact[:1] or mine or [path for path in ordered if owners[path] is None]
    return Chosen(free[:1], free[1:])


def stack_of(path: str, stacks: Iterable[str]) -> str | None:
    """The stack that a file is named after: the same stem, or the longest stem that its own begins with (`TS_1_ctf.txt`)."""
    name = stem(path)
    fitting = [
        stack
        for stack in stacks
        if name == stem(stack) or (name.startswith(stem(stack)) and not name[len(stem(stack))].isalnum())
    ]
    return max(fitting, key=lambda stack: len(stem(stack)), default=None)


def gain_name(path: str) -> str:
    """The name of a gain reference in the layout: `[name]_gain.[ending]`, whatever it is wrapped in."""
    name, ending = re.fullmatch(r"(.+?)((?:\.[^.]+)?(?:\.(?:gz|bz2))?)", path.rpartition("/")[2]).groups()  # type: ignore[union-attr]
    return f"{name}{ending}" if name.lower().endswith("_gain") else f"{name}_gain{ending}"


def lowest(sidecars: Iterable[str]) -> str | None:
    """The sidecar with the lowest folder id: it stays the same when the deposition file is put into another order."""

    def number(path: str) -> tuple[int, str]:
        key = owner(path)
        return (key.id if key and key.id is not None else 0, path)

    return min(sidecars, key=number, default=None)


def one_per_entry(items: Iterable[FoundItem]) -> list[FoundItem]:
    """Alignments: the files of all sources of an entry belong together, references stand for themselves."""
    whole: dict[tuple[int, int], FoundItem] = {}
    for number, item in enumerate(items):
        key = (item.entry.index, number if item.referenced else -1)
        known = whole.get(key)
        whole[key] = replace(known, files=tuple(dict.fromkeys(paths(known) + paths(item)))) if known else item
    return list(whole.values())


def aligned(tiltseries: Mapping[str, str], files: tuple[str, ...]) -> str | None:
    """The tilt series (sidecar → stem of its stack) that an alignment belongs to: one of the same stem, else the first."""
    stems = {stem(path) for path in files}
    return lowest([path for path, name in tiltseries.items() if name in stems] or tiltseries)


def first_tomogram(found: FoundRun) -> tuple[str | None, float | None]:
    """The source file and voxel spacing (Å) of the first tomogram in the deposition file."""
    for spacing in found.spacings:
        for item in spacing.items.get("tomograms", ()):
            if item.path and not item.referenced and spacing_of(item, spacing) == spacing.name:
                return item.path, spacing.value
    return None, None


def spacing_of(item: FoundItem, spacing: FoundSpacing) -> str:
    """The folder name of the voxel spacing that a tomogram states, else of the one under which it was found."""
    value = (item.metadata or {}).get("voxel_spacing")
    return spacing.name if value is None else spacing_name(value)


def published_grid(ledger: Ledger, place: Key, alignment: str | None) -> list[int] | None:
    """The shape (z, y, x) of a tomogram that is published already at this voxel spacing and with this alignment, for annotations
    that are deposited without one."""
    for record in ledger.records.values():
        at_place = record.key.kind == "tomogram" and record.key.spacing == place.spacing
        if at_place and record.published and record.identity.get("alignment_metadata_path") == alignment:
            return list(record.facts["volume"]["shape"])
    return None


def published_alignments(ledger: Ledger, place: Key) -> frozenset[str]:
    """The alignments (sidecars) of the tomograms that are published already at this voxel spacing."""
    found = [
        record.identity.get("alignment_metadata_path")
        for record in ledger.records.values()
        if record.key.kind == "tomogram" and record.key.spacing == place.spacing and record.published
    ]
    return frozenset(path for path in found if path)


def volume_dimension(found: FoundRun) -> Any:
    """The size of the volume in Å (x, y, z) that the first alignment of the deposition file states."""
    items = found.items.get("alignments", ())
    return (items[0].metadata or {}).get("volume_dimension") if items and not items[0].referenced else None


def paths(item: FoundItem) -> tuple[str, ...]:
    """All files of an item."""
    return item.files or ((item.path,) if item.path else ())
