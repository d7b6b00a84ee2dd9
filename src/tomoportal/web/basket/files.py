"""The files of a selection, by kind of data and format: `tomograms.zarr`, `annotations.ndjson`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tomoportal.catalog import View
from tomoportal.errors import UsageError
from tomoportal.exports.selection import Selection
from tomoportal.model import query
from tomoportal.web.getting import choosing
from tomoportal.web.getting.choosing import KINDS, LABELS, Amount, Files, Item, Kind

MOST_FILES = 20_000
"""Rows of one sort of file that are looked up for a list."""
USUAL = ("tomograms", "annotations")
"""Kinds that are chosen when nobody chooses, if they are there."""
_OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "Tomogram": {"tomograms": ("id",)},
    "TiltSeries": {"tiltseries": ("id",)},
    "Annotation": {"annotations": ("id",)},
    "AnnotationFile": {"annotations": ("annotation_shape", "annotation_id")},
}
"""From files of an entity to what they belong to, apart from run and dataset."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection, as `getting.choosing` asks for its files."""

    selection: Selection

    def holds(self, files: Files) -> query.Condition:
        """The rows of files that belong to it."""
        own = _OWN.get(files.entity, {})
        return self.selection.where(datasets=(*files.run, "dataset_id"), runs=(*files.run, "id"), **own)


@dataclass(frozen=True, slots=True)
class Sort:
    """A kind of data in one format, and how much there is of it. `word` names it in addresses."""

    kind: Kind
    format: str
    amount: Amount

    @property
    def word(self) -> str:
        return _word(self.kind, self.format)

    @property
    def label(self) -> str:
        """The format as people read it."""
        return LABELS[self.format]


def sorts(view: View, selection: Selection) -> tuple[Sort, ...]:
    """Everything that there is of a selection."""
    return tuple(
        Sort(kind, format, amount)
        for kind in KINDS
        for format, amount in choosing.amounts(view, Chosen(selection), kind).items()
    )


def usual(found: Iterable[Sort]) -> tuple[Sort, ...]:
    """What most people want: tomograms and annotations, each volume once; without any, all."""
    found = tuple(found)
    kept = tuple(sort for sort in found if sort.kind.word in USUAL) or found
    formats = {
        kind.word: choosing.usual({one.format: one.amount for one in kept if one.kind == kind})
        for kind in KINDS
    }
    return tuple(sort for sort in kept if sort.format in formats[sort.kind.word])


def items(view: View, selection: Selection, words: Iterable[str], most: int) -> tuple[tuple[str, Item], ...]:
    """The files of these sorts with their kinds, `most` of each sort. Raises `UsageError` for a word that names none."""
    return tuple(
        (kind.word, item)
        for kind, formats in _by_kind(words)
        for item in choosing.items(view, Chosen(selection), kind, formats, most)
    )


def wanted_files(view: View, selection: Selection, words: list[str]) -> Iterator[tuple[str, str, bool]]:
    """The same for manifests: (kind, path, whether it is a folder); without words, what most people want. `view` has no addresses
    before its paths."""
    chosen = words or [sort.word for sort in usual(sorts(view, selection))]
    found = items(view, selection, chosen, MOST_FILES)
    if not found:
        raise UsageError("This selection has no files of what was asked for.")
    return ((kind, item.https.rstrip("/"), item.is_folder) for kind, item in found)


def _by_kind(words: Iterable[str]) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    words = tuple(words)
    known = {_word(kind, files.format) for kind in KINDS for files in kind.files}
    strange = next((word for word in words if word not in known), None)
    if strange is not None:
        raise UsageError(
            f"“{strange[:40]}” is nothing that can be got; expected some of {', '.join(sorted(known))}."
        )
    for kind in KINDS:
        formats = dict.fromkeys(files.format for files in kind.files if _word(kind, files.format) in words)
        if formats:
            yield kind, tuple(formats)


def _word(kind: Kind, format: str) -> str:
    return f"{kind.word}.{format}" if format else kind.word
