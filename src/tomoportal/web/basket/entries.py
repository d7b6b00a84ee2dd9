"""What is in a basket, as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.exports.selection import KINDS, Selection, kind_of
from tomoportal.model import query
from tomoportal.model.query import Compare, One, RelatedTotal, Select, Value
from tomoportal.web import formats, urls
from tomoportal.web.identifiers import Link


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the basket: `word` is that of addresses, `number` as people write it (`RN-12`), `within` what it lies in, `about` a
    line about it."""

    word: str
    id: int
    kind: str
    number: str
    name: Link
    within: tuple[Link, ...]
    about: str

    @property
    def key(self) -> str:
        """How forms name it."""
        return f"{self.word}.{self.id}"


_DATASET = One("dataset", "dataset", (Value("id", "id"), Value("title", "title")))
_RUN = One("run", "run", (Value("id", "id"), Value("name", "name"), _DATASET))


@dataclass(frozen=True, slots=True)
class _Row:
    """How rows of a kind are asked for and told."""

    fields: tuple[query.Selection | str, ...]
    name: Callable[[dict[str, Any]], str]
    about: Callable[[dict[str, Any]], str]
    page: Callable[[int], str]


def _counted(row: dict[str, Any], *words: str) -> str:
    found = ((row[word], word[:-1]) for word in words)
    return ", ".join(formats.plural(count, one) for count, one in found if count) or "nothing in it yet"


def _told_tomogram(row: dict[str, Any]) -> str:
    size = formats.sides(row)
    return f"{formats.quantity(row['voxel_spacing'], 'Å')}, {size} px, {formats.words(row['processing'])}"


def _told_annotation(row: dict[str, Any]) -> str:
    count = row["object_count"]
    told = [formats.words(row["method_type"])]
    told += [formats.plural(count, "object")] if count is not None else []
    told += ["ground truth"] if row["ground_truth_status"] else []
    return ", ".join(told)


def _told_series(row: dict[str, Any]) -> str:
    bounds = " to ".join(formats.quantity(row[name], "°") for name in ("tilt_min", "tilt_max"))
    return f"{bounds}, {formats.quantity(row['pixel_spacing'], 'Å')} a pixel"


def _title(row: dict[str, Any]) -> str:
    return str(row["run"]["name"])


_ROWS = {
    "datasets": _Row(
        ("title", "organism_name", RelatedTotal("runs", "runs")),
        lambda row: row["title"],
        lambda row: ", ".join(filter(None, (row["organism_name"], _counted(row, "runs")))),
        urls.dataset,
    ),
    "runs": _Row(
        ("name", _DATASET, RelatedTotal("tomograms", "tomograms"), RelatedTotal("annotations", "annotations")),
        lambda row: row["name"],
        lambda row: _counted(row, "tomograms", "annotations"),
        urls.run,
    ),
    "tomograms": _Row(
        ("name", "voxel_spacing", "processing", "size_x", "size_y", "size_z", _RUN),
        lambda row: row["name"] or _title(row),
        _told_tomogram,
        urls.tomogram,
    ),
    "annotations": _Row(
        ("object_name", "method_type", "object_count", "ground_truth_status", _RUN),
        lambda row: row["object_name"],
        _told_annotation,
        urls.annotation,
    ),
    "tiltseries": _Row(("tilt_min", "tilt_max", "pixel_spacing", _RUN), _title, _told_series, urls.tiltseries),
}  # fmt: skip


def entries(view: View, selection: Selection, first: int, count: int) -> tuple[Entry, ...]:
    """So many rows from one on (from 0), kind by kind in the order of ids; what is not there for this reader is left out."""
    keys = [(word, id) for word in KINDS for id in selection.of(word)][first : first + count]
    found = {
        entry.key: entry
        for word in KINDS
        for entry in _of_kind(view, word, [id for of, id in keys if of == word])
    }
    return tuple(found[key] for word, id in keys if (key := f"{word}.{id}") in found)


def _of_kind(view: View, word: str, ids: list[int]) -> Iterator[Entry]:
    if not ids:
        return
    of, names = _ROWS[word], kind_of(word).names
    fields = tuple(Value(field, field) if isinstance(field, str) else field for field in ("id", *of.fields))
    for row in view.rows(Select(KINDS[word], fields, Compare("id", "in", tuple(ids)))):
        number = names.number(row["id"])
        yield Entry(
            word, row["id"], names.one, number, Link(of.name(row), of.page(row["id"])), tuple(_within(row)), of.about(row)
        )  # fmt: skip


def _within(row: dict[str, Any]) -> Iterator[Link]:
    run = row.get("run")
    if run:
        yield Link(run["name"], urls.run(run["id"]))
    if dataset := (run or row).get("dataset"):
        yield Link(dataset["title"], urls.dataset(dataset["id"]))
