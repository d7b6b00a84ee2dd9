"""What is annotated: one object with everything the portal has of it, and the list of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Many, One, Order, Value
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, PageError, Paging, Visit
from tomoportal.web.entities.terms import term
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept
from tomoportal.web.lists.offered import PAGE
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


_COUNT = Figure("count", "count")
_RUNS = Figure("runs", "count", "run_id", distinct=True)
_IN_DATASET = GroupKey("dataset", ("run", "dataset_id"))


def _by(name: str, *path: str) -> Groups:
    """How many annotations have each value at the end of a path."""
    return Groups(name, (GroupKey("value", path), _COUNT))


_ABOUT = (
    Groups("all", (_COUNT, _RUNS, Figure("objects", "sum", "object_count"))),
    Groups("datasets", (_IN_DATASET, _COUNT, _RUNS)),
    Groups("truths", (GroupKey("is_truth", ("ground_truth_status",)), _IN_DATASET, _COUNT)),
    _by("names", "object_name"),
    _by("methods", "method_type"),
    _by("shapes", "annotation_shapes", "shape_type"),
    _by("states", "object_state"),
    _by("descriptions", "object_description"),
)


def object_page(visit: Visit) -> ObjectPage:
    """The page of the object whose ontology identifier stands in the path."""
    id = visit.request.path_params["object"]
    mine = Compare("object_id", "eq", id)
    about = _about(visit.view, mine)
    seen = _seen(visit.view, mine)
    if not about["datasets"] and not seen["datasets"]:
        raise PageError(404, f"Nothing here is annotated as {id[:80]}.")
    names = _tally(about["names"]) or _tally(seen["names"])
    known = term(visit.settings, id)
    total = _only(about["all"])
    datasets = {item["dataset"] for item in (*about["datasets"], *seen["datasets"])}
    paging = Paging.of(len(datasets), asked_page(visit), PAGE, _steps(id, "page", "datasets"))
    listed = Paging.of(
        total["count"],
        asked_page(visit, "annotations-page"),
        PAGE,
        _steps(id, "annotations-page", "annotations"),
    )
    name = names[0][0]
    return ObjectPage(
        head=_head(visit, id, name, total, len(datasets)),
        crumbs=(Crumb("Objects", urls.OBJECTS), Crumb(id)),
        id=id,
        link=identifiers.link(id),
        name=name,
        names=names,
        term_label=known.label if known else "",
        synonyms=known.synonyms if known else (),
        replaced_by=tuple(Link(other, urls.object(other)) for other in known.replaced_by) if known else (),
        descriptions=tuple(text for text, _ in _tally(about["descriptions"])),
        states=tuple(text for text, _ in _tally(about["states"])),
        contents=(
            (len(datasets), formats.noun(len(datasets), "dataset")), (total["runs"], formats.noun(total["runs"], "run")),
            (total["count"], formats.noun(total["count"], "annotation")),
            (int(total["objects"] or 0), "marked objects"),
        ),
        shapes=_tally(about["shapes"], formats.words),
        methods=_tally(about["methods"], formats.words),
        truths=sum(item["count"] for item in about["truths"] if item["is_truth"]),
        holders=_holders(visit.view, names, about, seen, paging),
        paging=paging,
        annotations=_annotations(visit.view, mine, listed),
        annotations_paging=listed,
    )  # fmt: skip


def _steps(id: str, parameter: str, place: str) -> Callable[[int], str]:
    return lambda page: urls.object(id, [(parameter, str(page))]) + f"#{place}"


def _only(groups: list[dict[str, Any]]) -> dict[str, Any]:
    return groups[0] if groups else {"count": 0, "runs": 0, "objects": 0}


def _tally(groups: list[dict[str, Any]], wording: Callable[[str], str] = str) -> Tally:
    found = [(wording(item["value"]), item["count"]) for item in groups if item["value"]]
    return tuple(sorted(found, key=lambda item: (-item[1], item[0].casefold())))


@kept
def _about(view: View, mine: query.Condition) -> dict[str, list[dict[str, Any]]]:
    """The numbers of the annotations of the object."""
    return json.loads(view.json(query.Aggregate("Annotation", _ABOUT, mine)))


@kept
def _seen(view: View, mine: query.Condition) -> dict[str, list[dict[str, Any]]]:
    """Where the object was seen, whether or not it is annotated."""
    asked = (Groups("datasets", (_IN_DATASET, _RUNS)), _by("names", "object_name"))
    return json.loads(view.json(query.Aggregate("IdentifiedObject", asked, mine)))


def _holders(
    view: View, names: Tally, about: dict[str, Any], seen: dict[str, Any], paging: Paging
) -> tuple[Holder, ...]:
    """The datasets of a page of the list, those of most annotations first."""
    annotated = {item["dataset"]: item for item in about["datasets"]}
    runs_seen = {item["dataset"]: item["runs"] for item in seen["datasets"]}
    truths = {item["dataset"]: item["count"] for item in about["truths"] if item["is_truth"]}
    nothing = {"count": 0, "runs": 0}
    ordered = sorted({*annotated, *runs_seen}, key=lambda id: (-annotated.get(id, nothing)["count"], id))
    shown = ordered[paging.first - 1 : paging.last]
    fields = tuple(Value(name, name) for name in ("id", "title", "organism_name"))
    rows = view.rows(query.Select("Dataset", fields, Compare("id", "in", tuple(shown))))
    told = {row["id"]: row for row in rows}
    narrowed = [("object", name) for name, _ in names]
    return tuple(
        Holder(
            id=id,
            title=told[id]["title"],
            organism=told[id]["organism_name"] or formats.NOTHING,
            runs=annotated.get(id, nothing)["runs"],
            annotations=annotated.get(id, nothing)["count"],
            truths=truths.get(id, 0),
            seen=runs_seen.get(id, 0),
            runs_href=urls.dataset(id, narrowed) + "#runs" if id in annotated else urls.dataset(id),
        )
        for id in shown
        if id in told
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


def _annotations(view: View, mine: query.Condition, paging: Paging) -> tuple[Found, ...]:
    order = (
        Order(("ground_truth_status",), "desc", "last"),
        Order(("deposition_date",), "desc"),
        Order(("id",)),
    )
    select = query.Select("Annotation", _ANNOTATION, mine, order, PAGE, max(0, paging.first - 1))
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


def _head(visit: Visit, id: str, name: str, total: dict[str, Any], datasets: int) -> Head:
    return Head(
        title=f"{name} ({id}) · {visit.settings.title}",
        description=f"{name} ({id}): {formats.plural(total['count'], 'annotation')} in {formats.plural(total['runs'], 'run')} of "
        f"{formats.plural(datasets, 'dataset')}.",
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
    id, name = GroupKey("id", ("object_id",)), GroupKey("name", ("object_name",))
    truth = GroupKey("is_truth", ("ground_truth_status",))
    annotated = json.loads(
        view.json(
            query.Aggregate(
                "Annotation",
                (
                    Groups("datasets", (id, _IN_DATASET, _COUNT, _RUNS)),
                    Groups("names", (id, name, truth, _COUNT)),
                ),
            )
        )
    )
    asked = (Groups("datasets", (id, _IN_DATASET)), Groups("names", (id, name, _COUNT)))
    seen = json.loads(view.json(query.Aggregate("IdentifiedObject", asked)))
    numbers: dict[str, list[dict[str, Any]]] = {}
    for item in (*annotated["datasets"], *seen["datasets"]):
        numbers.setdefault(item["id"], []).append(item)
    names: dict[str, str] = {}
    for item in sorted((*annotated["names"], *seen["names"]), key=lambda item: -item["count"]):
        names.setdefault(item["id"], item["name"])
    truths = {item["id"] for item in annotated["names"] if item["is_truth"]}
    rows = [_row(id, names[id], items, id in truths) for id, items in numbers.items() if id]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.note)))


def _row(id: str, name: str, items: list[dict[str, Any]], is_truth: bool) -> Row:
    cells = (
        len({item["dataset"] for item in items}),
        sum(item.get("runs", 0) for item in items),
        sum(item.get("count", 0) for item in items),
    )
    return Row(name, urls.object(id), id, tuple(map(formats.number, cells)), is_truth)
