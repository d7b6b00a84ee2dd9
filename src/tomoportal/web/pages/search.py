"""Everything that fits some words, by kind; and what a search box suggests while somebody types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tomoportal.catalog import View
from tomoportal.catalog.search.terms import terms
from tomoportal.model import query
from tomoportal.model.query import Compare, One, Select, Value
from tomoportal.model.registry import entity
from tomoportal.web import formats, urls
from tomoportal.web.context import Head, Visit
from tomoportal.web.found import Hit, hit_of
from tomoportal.web.kept import kept
from tomoportal.web.lists.filters import LONGEST

SHOWN = 5
"""Results of each kind on the page."""
NAMES = 12
"""Objects, organisms and authors on the page."""


class Told(NamedTuple):
    """What is said about a row besides what matches: the address of its page, what it belongs to, and a day."""

    href: str
    about: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A row that fits: its identifier as people write it, and a line about what it belongs to, which may end in a day."""

    hit: Hit
    href: str
    number: str
    about: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind; `more` leads to all of them."""

    id: str
    title: str
    total: int
    results: tuple[Result, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """An object, organism or author, and in how many datasets."""

    kind: str
    name: str
    datasets: int
    href: str


@dataclass(frozen=True, slots=True)
class Search:
    """The page of a search; `names` by kind."""

    head: Head
    text: str
    groups: tuple[Group, ...]
    names: tuple[tuple[str, tuple[Name, ...]], ...]

    @property
    def total(self) -> int:
        """Rows that fit."""
        return sum(group.total for group in self.groups)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What a search box offers."""

    head: Head
    text: str
    names: tuple[Name, ...]


def search_page(visit: Visit) -> Search:
    """Everything that fits."""
    text = _asked(visit)
    title = f"{text} · Search" if text else "Search"
    head = Head(
        f"{title} · {visit.settings.title}",
        "Datasets, runs, objects and people of this portal.",
        urls.SEARCH,
        section="search",
    )
    if not terms(text).wanted:
        return Search(head, text, (), ())
    groups = tuple(make(visit.view, text) for make in (_datasets, _depositions, _runs, _annotations))
    names = _names(visit.view, text, ("object", "organism", "author"), 3 * NAMES)
    kinds = (("Objects", "object"), ("Organisms", "organism"), ("Authors", "author"))
    by_kind = tuple(
        (words, tuple(name for name in names if name.kind == kind)[:NAMES]) for words, kind in kinds
    )
    return Search(head, text, tuple(g for g in groups if g.total), tuple(pair for pair in by_kind if pair[1]))


def suggestions(visit: Visit) -> Suggestions:
    """A few names that begin so."""
    text = _asked(visit)
    names = _names(visit.view, text, ("title", "object", "organism", "author"), 8)
    return Suggestions(Head("Suggestions", ""), text, names)


def _asked(visit: Visit) -> str:
    return visit.request.query_params.get("q", "").replace("\x00", "").strip()[:LONGEST]


@kept
def _names(view: View, text: str, labels: tuple[str, ...], most: int) -> tuple[Name, ...]:
    found = view.names(query.Named(text, "Dataset", labels, most))
    return tuple(Name(item["label"], item["name"], item["count"], _of_name(item)) for item in found)


def _of_name(item: dict[str, Any]) -> str:
    match item["label"]:
        case "title":
            return urls.dataset(item["id"])
        case "organism":
            return urls.datasets([("organism", item["name"])])
    return urls.datasets([("search", f'"{item["name"]}"')])


def _datasets(view: View, text: str) -> Group:
    def about(ids: tuple[int, ...]) -> dict[int, Told]:
        fields = (Value("id", "id"), Value("organism", "organism_name"), query.RelatedTotal("runs", "runs"))
        return {
            row["id"]: Told(
                urls.dataset(row["id"]),
                f"{row['organism'] or 'no organism'} · {formats.plural(row['runs'], 'run')}",
            )
            for row in view.rows(Select("Dataset", fields, Compare("id", "in", ids)))
        }

    return _group(view, text, "Dataset", "Datasets", about, urls.datasets([("search", text)]))


def _depositions(view: View, text: str) -> Group:
    def about(ids: tuple[int, ...]) -> dict[int, Told]:
        fields = (Value("id", "id"), Value("date", "deposition_date"))
        return {
            row["id"]: Told(urls.deposition(row["id"]), "deposited", formats.day(row["date"]))
            for row in view.rows(Select("Deposition", fields, Compare("id", "in", ids)))
        }

    return _group(view, text, "Deposition", "Depositions", about, urls.depositions([("search", text)]))


def _runs(view: View, text: str) -> Group:
    def about(ids: tuple[int, ...]) -> dict[int, Told]:
        fields = (Value("id", "id"), One("dataset", "dataset", (Value("title", "title"),)))
        return {
            row["id"]: Told(urls.run(row["id"]), row["dataset"]["title"])
            for row in view.rows(Select("Run", fields, Compare("id", "in", ids)))
        }

    return _group(view, text, "Run", "Runs", about)


def _annotations(view: View, text: str) -> Group:
    def about(ids: tuple[int, ...]) -> dict[int, Told]:
        inside = One(
            "run",
            "run",
            (Value("id", "id"), Value("name", "name"), One("dataset", "dataset", (Value("title", "title"),))),
        )
        return {
            row["id"]: Told(
                urls.annotation(row["id"]),
                f"{row['run']['name']} · {row['run']['dataset']['title']}",
            )
            for row in view.rows(Select("Annotation", (Value("id", "id"), inside), Compare("id", "in", ids)))
        }

    return _group(view, text, "Annotation", "Annotations", about)


def _group(
    view: View, text: str, kind: str, title: str, about: Callable[[tuple[int, ...]], dict[int, Told]], more: str = ""
) -> Group:  # fmt: skip
    total, hits = _best(view, text, kind)
    told = about(tuple(hit.id for hit in hits))
    results = tuple(_result(hit, told[hit.id]) for hit in hits)
    return Group(title.lower(), title, total, results, more if total > len(hits) else "")


@kept
def _best(view: View, text: str, kind: str) -> tuple[int, tuple[Hit, ...]]:
    """How many rows fit, and the best of them."""
    found = view.search(query.Ranked(text, (kind,), limit=SHOWN))
    return found["total"], tuple(hit_of(hit) for hit in found["hits"])


def _result(hit: Hit, told: Told) -> Result:
    return Result(hit, told.href, entity(hit.entity).names.number(hit.id), told.about, told.day)
