"""Lists as comma-separated values: `/browse-data/runs.csv?object=membrane` has all rows of that list, not only those of a page.

Columns are the fields of the model with their units (`voxel_spacing [Å]`), a few of what a row belongs to, and numbers of what is in it.
RFC 4180, UTF-8. Text that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises; numbers stay numbers.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import chain, islice
from typing import Any

from starlette.responses import Response, StreamingResponse

from tomoportal.catalog import View
from tomoportal.catalog.search.terms import terms
from tomoportal.errors import UsageError
from tomoportal.exports.selection import KINDS, Selection
from tomoportal.model import query
from tomoportal.model.fields import Field, Kind
from tomoportal.model.query import Compare, One, RelatedTotal, Select, Value
from tomoportal.model.registry import entity
from tomoportal.web import urls
from tomoportal.web.context import PageError, Visit
from tomoportal.web.entities.tomograms import TOMOGRAM_ORDER
from tomoportal.web.lists.annotation_filters import ANNOTATIONS_OF_RUN
from tomoportal.web.lists.filters import BEST, LONGEST, ListOf
from tomoportal.web.lists.listing import Listing
from tomoportal.web.lists.offered import DATASETS, DEPOSITIONS, RUNS, RUNS_OF_DATASET

BLOCK = 500
"""Rows that are asked for at once."""
_RUN = (("run", "name"), ("run", "dataset_id"))
_BELONGS = {
    "Run": (("dataset", "title"),),
    "Tomogram": _RUN,
    "TiltSeries": _RUN,
    "Annotation": (*_RUN, ("tomogram_voxel_spacing", "voxel_spacing")),
}
"""Fields of what a row belongs to: relation, field."""
_COUNTS = {
    "Dataset": ("runs",),
    "Run": ("tiltseries", "tomograms", "annotations"),
    "Deposition": ("datasets", "tomograms", "annotations"),
}
"""Relations of which rows tell the number."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SEARCHED: dict[str, tuple[str, Callable[[int], str]]] = {
    "Dataset": ("title", urls.dataset),
    "Deposition": ("title", urls.deposition),
    "Run": ("name", urls.run),
    "Annotation": ("object_name", urls.annotation),
}
"""What a search finds: the field of the name, and where the page is."""
MOST_RANKED, STEP = 1000, 100
"""Rows that are put in order by how well words fit, and how many are asked for at once; the others follow in the usual order."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, what to ask for, and the cell of a row."""

    title: str
    asked: query.Selection
    cell: Callable[[dict[str, Any]], str]


def columns(entity_name: str) -> tuple[Column, ...]:
    """The columns of rows of an entity."""
    fields = [field for field in entity(entity_name).public_fields() if field.kind is not Kind.STATE]
    belongs = (_of_relation(entity_name, *path) for path in _BELONGS.get(entity_name, ()))
    return (*map(_of_field, fields), *belongs, *map(_of_count, _COUNTS.get(entity_name, ())))


def _of_field(field: Field) -> Column:
    name = field.name
    return Column(titled(name, field), Value(name, name), lambda row: cell(field, row[name]))


def _of_relation(entity_name: str, relation: str, name: str) -> Column:
    field = entity(entity(entity_name).relations[relation].target).fields[name]
    key = f"{relation}_{name}"
    asked = One(key, relation, (Value(name, name),))
    return Column(
        titled(name if relation.endswith(name) else key, field),
        asked,
        lambda row: cell(field, (row[key] or {}).get(name)),
    )


def _of_count(relation: str) -> Column:
    key = f"{relation}_count"
    return Column(key, RelatedTotal(key, relation), lambda row: str(row[key]))


def titled(name: str, field: Field) -> str:
    """A name with the unit of its field."""
    return f"{name} [{field.unit}]" if field.unit else name


def cell(field: Field, value: Any) -> str:
    """A value as text; empty when it is unknown."""
    if value is None:
        return ""
    match field.kind:
        case Kind.BOOL:
            return "true" if value else "false"
        case Kind.INT | Kind.FLOAT:
            return repr(value)
        case Kind.DATE:
            return str(value).partition("T")[0]
        case Kind.MATRIX:
            return value if isinstance(value, str) else json.dumps(value)
    return harmless(str(value))


def harmless(text: str) -> str:
    """Text that no spreadsheet calculates with."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def table(view: View, entity_name: str, ids: Sequence[int]) -> Iterator[bytes]:
    """The rows with these ids in this order, under a line of titles; what is not there is left out."""
    found = columns(entity_name)
    yield _lines([[column.title for column in found]])
    fields = (Value("id", "id"), *(column.asked for column in found if column.asked != Value("id", "id")))
    for start in range(0, len(ids), BLOCK):
        some = ids[start : start + BLOCK]
        rows = {
            row["id"]: row for row in view.rows(Select(entity_name, fields, Compare("id", "in", tuple(some))))
        }
        yield _lines([column.cell(rows[id]) for column in found] for id in some if id in rows)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _answer(name: str, blocks: Iterator[bytes]) -> Response:
    """Sent as it is made. What is wrong shows at the titles and first rows, which are made before anything is sent."""
    start = tuple(islice(blocks, 2))
    headers = {
        "content-disposition": f'attachment; filename="{name}.csv"',
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "cache-control": "no-cache",
    }
    return StreamingResponse(
        chain(start, blocks), headers=headers, media_type="text/csv; charset=utf-8; header=present"
    )


def list_table(
    visit: Visit, list_of: ListOf, name: str, within: query.Condition = query.EVERYTHING
) -> Response:
    """All rows of the list that the query string asks for."""
    choice = list_of.read(visit.request.query_params.multi_items())
    members = choice.members(visit.view, within)
    ids = members.places.ids(choice.matching(members)[0])
    usual = choice.sorts[1] if choice.sort is BEST else choice.sort
    wanted = set(ids)
    ordered = [id for id, _ in members.in_order(usual.order) if id in wanted]
    if choice.sort is BEST:
        first = [
            hit["id"] for hit in _ranked(visit.view, list_of.entity, choice.text, Compare("id", "in", ids))
        ]
        ordered = list(dict.fromkeys([*first, *ordered]))
    return _answer(name, table(visit.view, list_of.entity, ordered))


def table_of(listing: Listing) -> str:
    """Where the rows of a list on a page are as a table."""
    below = "/annotations" if listing.choice.of is ANNOTATIONS_OF_RUN else ""
    return urls.table(f"{listing.address}{below}", listing.choice.parameters())


def _runs_of_dataset(visit: Visit) -> Response:
    id = visit.row("Dataset", ("id",))["id"]
    return list_table(visit, RUNS_OF_DATASET, f"dataset_{id}_runs", Compare("dataset_id", "eq", id))


def _annotations_of_run(visit: Visit) -> Response:
    id = visit.row("Run", ("id",))["id"]
    return list_table(visit, ANNOTATIONS_OF_RUN, f"run_{id}_annotations", Compare("run_id", "eq", id))


def _tomograms_of_run(visit: Visit) -> Response:
    id = visit.row("Run", ("id",))["id"]
    rows = visit.view.rows(
        Select("Tomogram", (Value("id", "id"),), Compare("run_id", "eq", id), TOMOGRAM_ORDER)
    )
    return _answer(f"run_{id}_tomograms", table(visit.view, "Tomogram", [row["id"] for row in rows]))


def _of_basket(word: str) -> Callable[[Visit], Response]:
    def respond(visit: Visit) -> Response:
        try:
            ids = Selection.read(visit.request.query_params.multi_items()).of(word)
        except UsageError as error:
            raise PageError(400, str(error)) from None
        return _answer(f"basket_{word}", table(visit.view, KINDS[word], ids))

    return respond


def _search(visit: Visit) -> Response:
    text = visit.request.query_params.get("q", "").replace("\x00", "").strip()[:LONGEST]
    return _answer("search", _hits(visit, text))


def _ranked(
    view: View, entity_name: str, text: str, where: query.Condition = query.EVERYTHING
) -> Iterator[dict[str, Any]]:
    """What fits words best, `MOST_RANKED` at most."""
    for start in range(0, MOST_RANKED, STEP):
        hits = view.search(query.Ranked(text, (entity_name,), where, STEP, start))["hits"]
        yield from hits
        if len(hits) < STEP:
            return


def _hits(visit: Visit, text: str) -> Iterator[bytes]:
    """Everything that fits, kind by kind; the best of each first, with a score, then the others by id."""
    yield _lines([["kind", "id", "name", "score", "address"]])
    for name, (title, address) in _SEARCHED.items() if terms(text).wanted else ():
        hits = {hit["id"]: hit["score"] for hit in _ranked(visit.view, name, text)}
        rows = visit.view.rows(Select(name, (Value("id", "id"), Value("title", title)), query.Search(text)))
        titles = {row["id"]: row["title"] for row in rows}
        yield _lines(
            [
                name,
                str(id),
                harmless(titles[id]),
                repr(hits[id]) if id in hits else "",
                visit.absolute(address(id)),
            ]
            for id in dict.fromkeys([*hits, *sorted(titles)])
            if id in titles
        )


TABLES: tuple[tuple[str, Callable[[Visit], Response]], ...] = (
    (urls.table(urls.DATASETS), lambda visit: list_table(visit, DATASETS, "datasets")),
    (urls.table(urls.RUNS), lambda visit: list_table(visit, RUNS, "runs")),
    (urls.table(urls.DEPOSITIONS), lambda visit: list_table(visit, DEPOSITIONS, "depositions")),
    (urls.table(urls.SEARCH), _search),
    (urls.table("/datasets/{id}"), _runs_of_dataset),
    (urls.table("/runs/{id}/tomograms"), _tomograms_of_run),
    (urls.table("/runs/{id}/annotations"), _annotations_of_run),
    *((urls.table(f"{urls.BASKET}/{word}"), _of_basket(word)) for word in KINDS),
)
"""Where lists are, and what makes them."""
