"""What is annotated: one object with everything the portal has of it, and the list of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Many, One, Order, Value
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, PageError, Paging, Visit
from tomoportal.web.entities.object_numbers import ObjectNumbers, Share, numbers_of, numbers_of_all
from tomoportal.web.entities.terms import term
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept
from tomoportal.web.lists.offered import PAGE
from tomoportal.web.lists.ordered import ids_of_page
from tomoportal.web.lists.tables import Row, TablePage, asked_page, table_page

Tally = tuple[tuple[str, int], ...]
"""Words with how often they occur, most often first."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A dataset with annotations of the object; `runs_href` leads to its runs with them. `seen`: runs in which the object was seen."""

    id: int
    title: str
    organism: str
    runs: int
    annotations: int
    truths: int
    seen: int
    runs_href: str


@dataclass(frozen=True, slots=True)
class Found:
    """An annotation of the object."""

    id: int
    run: Crumb
    dataset: Crumb
    shapes: str
    method: str
    is_ground_truth: bool
    count: int | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """Everything on the page of an object. `term_label`, `synonyms` and `replaced_by` come from an ontology that the site has loaded."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: str
    link: Link
    name: str
    names: Tally
    term_label: str
    synonyms: tuple[str, ...]
    replaced_by: tuple[Link, ...]
    descriptions: tuple[str, ...]
    states: tuple[str, ...]
    contents: tuple[tuple[int, str], ...]
    shapes: Tally
    methods: Tally
    truths: int
    holders: tuple[Holder, ...]
    paging: Paging
    annotations: tuple[Found, ...]
    annotations_paging: Paging


def object_page(visit: Visit) -> ObjectPage:
    """The page of the object whose ontology identifier stands in the path."""
    id = visit.request.path_params["object"]
    numbers = numbers_of(visit.view, id)
    if not numbers.shares:
        raise PageError(404, f"Nothing here is annotated as {id[:80]}.")
    names = _names(id, numbers)
    known = term(visit.settings, id)
    paging = Paging.of(len(numbers.shares), asked_page(visit), PAGE, _steps(id, "page", "datasets"))
    listed = Paging.of(
        numbers.annotations,
        asked_page(visit, "annotations-page"),
        PAGE,
        _steps(id, "annotations-page", "annotations"),
    )
    name = names[0][0]
    return ObjectPage(
        head=_head(visit, id, name, numbers),
        crumbs=(Crumb("Objects", urls.OBJECTS), Crumb(id)),
        id=id,
        link=identifiers.link(id),
        name=name,
        names=names,
        term_label=known.label if known else "",
        synonyms=known.synonyms if known else (),
        replaced_by=tuple(Link(other, urls.object(other)) for other in known.replaced_by) if known else (),
        descriptions=tuple(text for text, _ in _tally(numbers.descriptions)),
        states=tuple(text for text, _ in _tally(numbers.states)),
        contents=(
            (len(numbers.shares), formats.noun(len(numbers.shares), "dataset")),
            (numbers.runs, formats.noun(numbers.runs, "run")),
            (numbers.annotations, formats.noun(numbers.annotations, "annotation")),
            (numbers.objects, "marked objects"),
        ),
        shapes=_tally(numbers.shapes, formats.words),
        methods=_tally(numbers.methods, formats.words),
        truths=numbers.truths,
        holders=_holders(visit.view, names, numbers, paging),
        paging=paging,
        annotations=_annotations(visit.view, id, listed),
        annotations_paging=listed,
    )  # fmt: skip


def _steps(id: str, parameter: str, place: str) -> Callable[[int], str]:
    return lambda page: urls.object(id, [(parameter, str(page))]) + f"#{place}"


def _names(id: str, numbers: ObjectNumbers) -> Tally:
    """What it is called in annotations, or else where it was seen; its identifier when it has no name."""
    return _tally(numbers.names) or _tally(numbers.seen_names) or ((id, 0),)


def _tally(counts: Counter[str], wording: Callable[[str], str] = str) -> Tally:
    found = [(wording(value), count) for value, count in counts.items() if value]
    return tuple(sorted(found, key=lambda item: (-item[1], item[0].casefold())))


def _holders(view: View, names: Tally, numbers: ObjectNumbers, paging: Paging) -> tuple[Holder, ...]:
    """The datasets of a page of the list, those of most annotations first."""
    ordered = sorted(numbers.shares.items(), key=lambda item: (-item[1].annotations, item[0]))
    shown = dict(ordered[paging.first - 1 : paging.last])
    fields = tuple(Value(name, name) for name in ("id", "title", "organism_name"))
    rows = view.rows(query.Select("Dataset", fields, Compare("id", "in", tuple(shown))))
    told = {row["id"]: row for row in rows}
    narrowed = [("object", name) for name, _ in names]
    return tuple(_holder(told[id], share, narrowed) for id, share in shown.items() if id in told)


def _holder(row: dict[str, Any], share: Share, narrowed: list[tuple[str, str]]) -> Holder:
    id = row["id"]
    return Holder(
        id=id,
        title=row["title"],
        organism=row["organism_name"] or formats.NOTHING,
        runs=share.runs,
        annotations=share.annotations,
        truths=share.truths,
        seen=share.seen,
        runs_href=urls.dataset(id, narrowed) + "#runs" if share.annotations else urls.dataset(id),
    )


_ANNOTATION: tuple[query.Selection, ...] = (
    *(
        Value(name, name)
        for name in (
            "id", "method_type", "ground_truth_status", "object_count", "confidence_precision", "confidence_recall",
        )
    ),
    Many("shapes", "annotation_shapes", (Value("shape_type", "shape_type"),)),
    One("run", "run", (
        Value("id", "id"), Value("name", "name"), One("dataset", "dataset", (Value("id", "id"), Value("title", "title"))),
    )),
)  # fmt: skip


_ORDER = (
    Order(("ground_truth_status",), "desc", "last"),
    Order(("deposition_date",), "desc"),
    Order(("id",)),
)


def _annotations(view: View, id: str, paging: Paging) -> tuple[Found, ...]:
    mine = Compare("object_id", "eq", id)
    ids = ids_of_page(view, "Annotation", mine, _ORDER, PAGE, max(0, paging.first - 1))
    select = query.Select("Annotation", _ANNOTATION, Compare("id", "in", ids), _ORDER)
    return tuple(
        Found(
            id=row["id"],
            run=Crumb(row["run"]["name"], urls.run(row["run"]["id"])),
            dataset=Crumb(row["run"]["dataset"]["title"], urls.dataset(row["run"]["dataset"]["id"])),
            shapes=", ".join(formats.words(shape["shape_type"]) for shape in row["shapes"]),
            method=formats.words(row["method_type"]),
            is_ground_truth=bool(row["ground_truth_status"]),
            count=row["object_count"],
            precision=row["confidence_precision"],
            recall=row["confidence_recall"],
        )
        for row in view.rows(select)
    )


def _head(visit: Visit, id: str, name: str, numbers: ObjectNumbers) -> Head:
    return Head(
        title=f"{name} ({id}) · {visit.settings.title}",
        description=f"{name} ({id}): {formats.plural(numbers.annotations, 'annotation')} in {formats.plural(numbers.runs, 'run')} of "
        f"{formats.plural(len(numbers.shares), 'dataset')}.",
        canonical=urls.object(id),
        section="objects",
    )


def objects_page(visit: Visit) -> TablePage:
    """The list of all objects that are annotated or were seen."""
    lead = "What is annotated in the tomograms of this portal, or was seen in them."
    columns = ("Datasets", "Runs", "Annotations")
    return table_page(visit, urls.OBJECTS, "Objects", lead, "object", columns, all_objects(visit.view))


@kept
def all_objects(view: View) -> tuple[Row, ...]:
    """One row for each object."""
    rows = (_row(id, numbers) for id, numbers in numbers_of_all(view).items() if numbers.shares)
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.note)))


def _row(id: str, numbers: ObjectNumbers) -> Row:
    (name, _), *_ = _names(id, numbers)
    cells = (len(numbers.shares), numbers.runs, numbers.annotations)
    return Row(name, urls.object(id), id, tuple(map(formats.number, cells)), numbers.truths > 0)
