"""Who contributed: one author with everything that carries their name, and the list of all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query, terms
from tomoportal.model.query import Compare, Figure, GroupKey, Groups, Order, Value
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, PageError, Paging, Visit
from tomoportal.web.entities.contributions import DEPOSITION
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept
from tomoportal.web.lists.offered import PAGE
from tomoportal.web.lists.tables import Row, TablePage, asked_page, table_page


@dataclass(frozen=True, slots=True)
class Contribution:
    """What an author has in a dataset: `role` as one of its authors (empty when not), and how many tomograms and annotations."""

    dataset: Crumb
    id: int
    role: str
    tomograms: int
    annotations: int


@dataclass(frozen=True, slots=True)
class AuthorPage:
    """Everything on the page of an author. `names`: as they are written; `orcids`: records of people of this name."""

    head: Head
    crumbs: tuple[Crumb, ...]
    name: str
    names: tuple[str, ...]
    orcid: Link | None
    orcids: tuple[Link, ...]
    affiliations: tuple[str, ...]
    contents: tuple[tuple[int, str], ...]
    datasets: tuple[Contribution, ...]
    paging: Paging
    depositions: tuple[Crumb, ...]


_COUNT = Figure("count", "count")
_PERSON = ("name", "orcid", "affiliation_name")
_WAYS = {
    "DatasetAuthor": ("dataset_id",),
    "TomogramAuthor": ("tomogram", "run", "dataset_id"),
    "AnnotationAuthor": ("annotation", "run", "dataset_id"),
}
"""Rows of authors, and the way to the dataset."""


def author_page(visit: Visit) -> AuthorPage:
    """The page of the author whose ORCID iD or name stands in the path."""
    key = visit.request.path_params["author"]
    has_orcid = re.fullmatch(terms.ORCID.removesuffix("$"), key) is not None
    mine = Compare("orcid" if has_orcid else "name", "eq", key)
    found = {entity: _groups(visit.view, entity, way, mine) for entity, way in _WAYS.items()}
    depositions = _depositions(visit.view, mine)
    people = [*(item for groups in found.values() for item in groups["people"]), *depositions]
    if not people:
        raise PageError(404, f"Nobody here has the {'ORCID iD' if has_orcid else 'name'} {key[:80]}.")
    names = _often(people, "name")
    orcids = _often(people, "orcid")
    counts = {entity: _by_dataset(groups) for entity, groups in found.items()}
    datasets = sorted({id for by in counts.values() for id in by}, reverse=True)
    paging = Paging.of(len(datasets), asked_page(visit), PAGE, lambda n: urls.author(key, [("page", str(n))]))
    name = names[0]
    total = {entity: sum(by.values()) for entity, by in counts.items()}
    deposited = len({row["deposition"]["id"] for row in depositions})
    contents = (
        (len(counts["DatasetAuthor"]), formats.noun(len(counts["DatasetAuthor"]), "dataset")),
        (deposited, formats.noun(deposited, "deposition")),
        (total["TomogramAuthor"], formats.noun(total["TomogramAuthor"], "tomogram")),
        (total["AnnotationAuthor"], formats.noun(total["AnnotationAuthor"], "annotation")),
    )
    return AuthorPage(
        head=_head(visit, key, name, contents),
        crumbs=(Crumb("Authors", urls.AUTHORS), Crumb(name)),
        name=name,
        names=names,
        orcid=identifiers.orcid(key) if has_orcid else None,
        orcids=() if has_orcid else tuple(Link(item, urls.author(item)) for item in orcids),
        affiliations=_often(people, "affiliation_name"),
        contents=contents,
        datasets=_contributions(visit.view, mine, counts, datasets[max(0, paging.first - 1) : paging.last]),
        paging=paging,
        depositions=_crumbs(depositions),
    )


@kept
def _groups(view: View, entity: str, way: tuple[str, ...], mine: query.Condition) -> dict[str, Any]:
    person = tuple(GroupKey(name, (name,)) for name in _PERSON)
    asked = (Groups("people", (*person, _COUNT)), Groups("datasets", (GroupKey("dataset", way), _COUNT)))
    return json.loads(view.json(query.Aggregate(entity, asked, mine)))


def _by_dataset(groups: dict[str, Any]) -> dict[int, int]:
    return {item["dataset"]: item["count"] for item in groups["datasets"]}


def _often(people: Iterable[dict[str, Any]], field: str) -> tuple[str, ...]:
    """The values of a field, the most frequent first."""
    counts: dict[str, int] = {}
    for person in people:
        if person[field]:
            counts[person[field]] = counts.get(person[field], 0) + person.get("count", 1)
    return tuple(sorted(counts, key=lambda value: (-counts[value], value)))


def _depositions(view: View, mine: query.Condition) -> list[dict[str, Any]]:
    fields: tuple[query.Selection, ...] = (*(Value(name, name) for name in _PERSON), DEPOSITION)
    return view.rows(query.Select("DepositionAuthor", fields, mine, (Order(("deposition_id",), "desc"),)))


def _crumbs(rows: list[dict[str, Any]]) -> tuple[Crumb, ...]:
    found = {row["deposition"]["id"]: row["deposition"]["title"] for row in rows}
    return tuple(Crumb(title, urls.deposition(id)) for id, title in found.items())


def _contributions(
    view: View, mine: query.Condition, counts: dict[str, dict[int, int]], ids: list[int]
) -> tuple[Contribution, ...]:
    """What there is in the datasets of a page of the list."""
    names = ("name", "primary_author_status", "corresponding_author_status")
    authors = query.Many("authors", "authors", tuple(Value(name, name) for name in names), mine)
    fields = (Value("id", "id"), Value("title", "title"), authors)
    select = query.Select("Dataset", fields, Compare("id", "in", tuple(ids)))
    return tuple(
        Contribution(
            dataset=Crumb(row["title"], urls.dataset(row["id"])),
            id=row["id"],
            role=_role(row["authors"]),
            tomograms=counts["TomogramAuthor"].get(row["id"], 0),
            annotations=counts["AnnotationAuthor"].get(row["id"], 0),
        )
        for row in sorted(view.rows(select), key=lambda row: ids.index(row["id"]))
    )


def _role(authors: list[dict[str, Any]]) -> str:
    words = {
        "primary": any(author["primary_author_status"] for author in authors),
        "corresponding": any(author["corresponding_author_status"] for author in authors),
    }
    return ", ".join(word for word, holds in words.items() if holds) or ("author" if authors else "")


def _head(visit: Visit, key: str, name: str, contents: tuple[tuple[int, str], ...]) -> Head:
    told = ", ".join(f"{formats.number(count)} {word}" for count, word in contents if count)
    return Head(
        title=f"{name} ({key}) · {visit.settings.title}"
        if name != key
        else f"{name} · {visit.settings.title}",
        description=f"What {name} contributed: {told}.",
        canonical=urls.author(key),
        section="authors",
    )


def authors_page(visit: Visit) -> TablePage:
    """The list of all authors."""
    lead = "Who collected, reconstructed and annotated the data of this portal."
    columns = ("Datasets", "Depositions", "Tomograms", "Annotations")
    return table_page(visit, urls.AUTHORS, "Authors", lead, "author", columns, all_authors(visit.view))


_COUNTED = ("DatasetAuthor", "DepositionAuthor", "TomogramAuthor", "AnnotationAuthor")


@kept
def all_authors(view: View) -> tuple[Row, ...]:
    """One row for each ORCID iD, and for each name without one."""
    keys = (GroupKey("name", ("name",)), GroupKey("orcid", ("orcid",)), _COUNT)
    counts: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for place, entity in enumerate(_COUNTED):
        asked = query.Aggregate(entity, (Groups("groups", keys),))
        for item in json.loads(view.json(asked))["groups"]:
            key = item["orcid"] or item["name"]
            names.setdefault(key, item["name"])
            counts.setdefault(key, [0] * len(_COUNTED))[place] += item["count"]
    rows = [
        Row(
            names[key],
            urls.author(key),
            key if key != names[key] else "",
            tuple(map(formats.number, numbers)),
        )
        for key, numbers in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.note)))
