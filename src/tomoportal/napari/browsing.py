"""What the tree asks a portal, in portions, and how its rows are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tomoportal.client.classes import Dataset, Run, Tomogram
from tomoportal.client.connection import Client
from tomoportal.napari.parts import Part, parts_of

Row = Dataset | Run | Tomogram | Part

PORTION = 200
"""Rows that are asked for at a time."""
MOST_FOUND = 50

_SEARCH = """query ($text: String!, $limit: Int!) {
  search(text: $text, types: [Dataset, Run], limit: $limit) { hits { type id } }
}"""


def datasets(client: Client) -> Iterator[Sequence[Row]]:
    """All datasets, by title."""
    return _portions(Dataset.iterate(client, order_by="title", page_size=PORTION))


def found(client: Client, text: str) -> Iterator[Sequence[Row]]:
    """Datasets and runs that fit words, best first; see the guide on searching."""
    hits = client.query(_SEARCH, {"text": text, "limit": MOST_FOUND})["search"]["hits"]
    rows: dict[tuple[str, int], Row] = {}
    for kind in (Dataset, Run):
        ids = [hit["id"] for hit in hits if hit["type"] == kind.__name__]
        prefetch = ("dataset",) if kind is Run else ()
        rows |= {
            (kind.__name__, one.id): one for one in kind.find(client, kind.id.is_in(ids), prefetch=prefetch)
        }
    yield [rows[key] for hit in hits if (key := (hit["type"], hit["id"])) in rows]


def below(row: Row) -> Iterator[Sequence[Row]]:
    """The runs of a dataset, the tomograms of a run, what fits a tomogram."""
    match row:
        case Dataset():
            own = Run.dataset_id == row.id
            return _portions(Run.iterate(row.client, own, order_by="name", page_size=PORTION))
        case Run():
            own = Tomogram.run_id == row.id
            order = ("voxel_spacing", "id")
            return iter([Tomogram.find(row.client, own, order_by=order, prefetch="run")])
        case Tomogram():
            return iter([parts_of(row)])
    return iter(())


def named(row: Row) -> tuple[str, str]:
    """Name and a word on it."""
    match row:
        case Dataset():
            return row.title, Dataset.names.number(row.id)
        case Run():
            dataset = row.__dict__.get("dataset")
            return f"{row.name}{f' ({dataset.title})' if dataset else ''}", Run.names.number(row.id)
        case Tomogram():
            return f"{row.processing}, {row.voxel_spacing:g} Å", Tomogram.names.number(row.id)
    return row.name, f"{row.spacing:g} Å"


def _portions(rows: Iterator[Any]) -> Iterator[list[Any]]:
    portion: list[Any] = []
    for row in rows:
        portion.append(row)
        if len(portion) == PORTION:
            yield portion
            portion = []
    yield portion
