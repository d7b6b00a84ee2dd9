"""Which part of a plan is done: kinds of entities, names, metadata alone, things that are as they should be. Pure.

    --only annotations --include run=TS_0 --exclude annotation=membrane --metadata-only --force

A regular expression is matched from the start of a name, `exclude` first, as the reference system's filter flags do; what is letter by
letter a whole name matches that, too. A run, dataset or
voxel spacing that is left out is left out with everything in it. What the chosen ones need and is not published yet comes along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tomoportal.config.sections import SECTIONS
from tomoportal.errors import UsageError
from tomoportal.ingest.choices import Choice, Expression
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key, folder

_KINDS: dict[str, tuple[str, ...]] = {
    "deposition": ("deposition",), "deposition_keyphoto": ("deposition",), "dataset": ("dataset",), "dataset_keyphoto": ("dataset",),
    "run": ("run",), "gain": ("gains",), "collection_metadata": ("frames", "tiltseries"), "frame": ("frames",),
    "tiltseries": ("tiltseries",), "rawtilt": ("tiltseries",), "ctf": ("tiltseries",), "alignment": ("alignment",),
    "identified_object": ("identified_objects",), "voxel_spacing": ("voxel_spacing",), "tomogram": ("tomogram",),
    "annotation": ("annotation",), "key_image": ("view",),
}  # fmt: skip
_PLURALS = {name: f"{name}s" for name in _KINDS if name not in ("tiltseries", "collection_metadata")}
WORDS: Mapping[str, tuple[str, ...]] = _KINDS | {plural: _KINDS[name] for name, plural in _PLURALS.items()}
"""What a kind may be called: the sections of deposition files, in singular and plural → kinds of the layout."""
_NEVER_ALONE = ("voxel_spacing",)
_NAMELESS = ("view",)

Patterns = Mapping[str, tuple[Expression, ...]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen. `only`: kinds, all when empty. `include`, `exclude`: kind → expressions for names. `force`: what is published as
    asked for is made anew. `restore`: what was withdrawn is published again. `meshes`: masks
    get, or lose, surfaces for the 3-D view; None leaves them as they are. `choices`: `only`, `include` and `exclude` as given."""

    only: frozenset[str] = frozenset()
    metadata_only: bool = False
    include: Patterns = field(default_factory=dict)
    exclude: Patterns = field(default_factory=dict)
    force: bool = False
    restore: bool = False
    meshes: bool | None = None
    choices: tuple[Choice, ...] = ()

    @staticmethod
    def of(
        only: Iterable[str] = (),
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        *,
        metadata_only: bool = False,
        force: bool = False,
        restore: bool = False,
        meshes: bool | None = None,
    ) -> Selection:
        """From what stands on the command line. Raises `UsageError`."""
        only_these = [Choice("--only", word, _kinds(word, "--only")) for word in only]
        kinds = frozenset(kind for choice in only_these for kind in choice.kinds)
        if alone := [kind for kind in kinds if kind in _NEVER_ALONE]:
            raise UsageError(
                f"--only {alone[0]}: it is made with what lies in it; name tomograms or annotations."
            )
        included = [_choice("--include", text) for text in include]
        excluded = [_choice("--exclude", text) for text in exclude]
        return Selection(
            kinds, metadata_only, _patterns(included), _patterns(excluded), force, restore, meshes,
            (*only_these, *included, *excluded),
        )  # fmt: skip

    def names(self, kind: str, names: Iterable[str]) -> bool:
        """Whether the expressions for this kind let something with these names through."""
        texts = list(names)
        if any(pattern.matches(name) for pattern in self.exclude.get(kind, ()) for name in texts):
            return False
        wanted = self.include.get(kind)
        return wanted is None or any(pattern.matches(name) for pattern in wanted for name in texts)

    def enters(self, key: Key) -> bool:
        """Whether the dataset, run and voxel spacing in which an entity lies are let through."""
        around = (("dataset", key.dataset), ("run", key.run), ("voxel_spacing", key.spacing))
        return all(self.names(kind, (name,)) for kind, name in around if name)

    def takes(self, key: Key, names: Iterable[str]) -> bool:
        """Whether an entity of these names is chosen."""
        is_kind = not self.only or key.kind in self.only
        own = (key.deposition,) if key.kind == "deposition" else tuple(names)
        inside = key.kind in ("dataset", "run", "voxel_spacing")
        return is_kind and self.enters(key) and (inside or self.names(key.kind, own))

    def covers(self, key: Key, names: Iterable[str]) -> bool:
        """Whether something that is published would be chosen if it were still found: by names that are no longer known it is
        never chosen."""
        told = list(names)
        if not told and (key.kind in self.include or key.kind in self.exclude):
            return False
        return self.takes(key, told)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.only or self.include or self.exclude or self.metadata_only)


EVERYTHING = Selection()


def with_needs(
    chosen: Iterable[Task], others: Iterable[Task], sidecars: Mapping[str, Task], missing: Iterable[str]
) -> list[Task]:
    """The chosen tasks and, of the others, those whose entities they need and that are not published yet, which say by whom they
    are needed; prerequisites first. `sidecars`: path → task, `missing`: keys as folders of what is not published."""
    absent = set(missing)
    free = {folder(task.key): task for task in others if folder(task.key) in absent}
    taken: dict[str, Task] = {}
    queue: list[tuple[Task, Task | None]] = [(task, None) for task in chosen]
    while queue:
        task, needer = queue.pop(0)
        place = folder(task.key)
        if place in taken:
            continue
        why = f"{task.why}, needed by {needer.kind} {folder(needer.key)}" if needer else task.why
        taken[place] = replace(task, why=why)
        for need in needs(task, sidecars):
            if need in free and need not in taken:
                queue.append((free[need], task))
    order = {"run": 0, "frames": 1, "gains": 1, "tiltseries": 2, "alignment": 3}
    return sorted(taken.values(), key=lambda task: order.get(task.kind, 4))


def needs(task: Task, sidecars: Mapping[str, Task]) -> list[str]:
    """Folders of the entities without which this one cannot stand: its run, the alignment that it was made with, and for a tilt series
    the frames, to which its sections refer."""
    if not task.key.run or task.kind == "run":
        return []
    found = [folder(task.key.of("run", spacing=""))]
    alignment = task.links.get("alignment_metadata_path") or ""
    if alignment in sidecars:
        found.append(folder(sidecars[alignment].key))
    if task.kind == "tiltseries":
        found.append(folder(task.key.of("frames", spacing="")))
    return found


def without_loose_ends(task: Task, absent: Iterable[str]) -> Task:
    """The task with links only to what is, or will be, published; `absent` are paths of sidecars that will not be."""
    loose = set(absent)
    links = {name: None if _names(value, loose) else value for name, value in task.links.items()}
    return replace(task, links=links) if links != task.links else task


def _names(value: Any, paths: set[str]) -> bool:
    return isinstance(value, str) and value in paths


def _kinds(word: str, option: str) -> tuple[str, ...]:
    kinds = WORDS.get(word.strip().lower().replace("-", "_"))
    if kinds is None:
        raise UsageError(f"{option} {word}: this is no type; expected one of {', '.join(SECTIONS)}.")
    return kinds


def _choice(option: str, text: str) -> Choice:
    word, sign, regex = text.partition("=")
    if not sign:
        raise UsageError(f"{option} {text}: expected TYPE=REGEX, such as {option} run=TS_0.")
    try:
        expression = Expression(regex, re.compile(regex))
    except re.error as error:
        raise UsageError(f"{option} {text}: {regex!r} is no regular expression ({error}).") from error
    kinds = _kinds(word, option)
    if set(kinds) & set(_NAMELESS):
        raise UsageError(f"{option} {text}: pictures have no names of their own; name tomograms.")
    return Choice(option, text, kinds, expression)


def _patterns(choices: Iterable[Choice]) -> Patterns:
    found: dict[str, tuple[Expression, ...]] = {}
    for choice in choices:
        for kind in choice.kinds:
            if choice.expression:
                found[kind] = (*found.get(kind, ()), choice.expression)
    return found
