"""What ingestion noticed about a dataset and all its runs, for curators: each kind of finding once, with the places of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from tomoportal.catalog import View
from tomoportal.errors import StorageError
from tomoportal.model.query import Compare, Select, Value
from tomoportal.problems import Severity
from tomoportal.web import urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.records import Finding, dataset_findings
from tomoportal.web.storages import storage_of

MOST_PLACES = 100
"""Findings of one kind that are listed."""
_ORDER = [severity.value for severity in Severity]


@dataclass(frozen=True, slots=True)
class Place:
    """One finding. `run` leads to the files of the run it lies in; without one it is about the dataset itself."""

    run: Crumb | None
    finding: Finding


@dataclass(frozen=True, slots=True)
class Kind:
    """All findings of one kind: how many there are (`count`), the first of them, in how many runs."""

    code: str
    severity: str
    hint: str
    count: int
    runs: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class FindingsPage:
    """Everything on the page. `is_recorded`: this portal has ingested the dataset; `is_unreadable`: its records cannot be read."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    title: str
    count: int
    kinds: tuple[Kind, ...]
    is_recorded: bool
    is_unreadable: bool


def findings_page(visit: Visit) -> FindingsPage:
    """What was noticed about the dataset whose number stands in the path."""
    id = visit.id()
    row = visit.row("Dataset", ("title",))
    found, is_unreadable = _found(visit, id)
    title = row["title"]
    return FindingsPage(
        head=Head(
            title=f"What ingestion noticed · {title} · {visit.settings.title}",
            description=f"Findings of the ingestion of “{title}”, with what to do about them.",
            canonical=urls.findings(id),
            section="datasets",
        ),
        crumbs=(Crumb("Datasets", urls.datasets()), Crumb(title, urls.dataset(id)), Crumb("Findings")),
        id=id,
        title=title,
        count=len(found or ()),
        kinds=tuple(_kinds(visit.view, id, found or ())),
        is_recorded=found is not None,
        is_unreadable=is_unreadable,
    )


def _found(visit: Visit, id: int) -> tuple[tuple[Finding, ...] | None, bool]:
    """The findings, and whether there are some that cannot be read."""
    try:
        return dataset_findings(visit.view, storage_of(visit.settings), str(id)), False
    except StorageError:
        return None, True


def _kinds(view: View, dataset: int, found: tuple[Finding, ...]) -> Iterator[Kind]:
    """The worst first, then the most frequent."""

    def kind(finding: Finding) -> tuple[int, str]:
        return _ORDER.index(finding.severity), finding.code

    runs = _runs(view, dataset, {finding.run for finding in found if finding.run})
    groups = [list(group) for _, group in groupby(sorted(found, key=kind), kind)]
    for group in sorted(groups, key=lambda group: (_ORDER.index(group[0].severity), -len(group))):
        first = group[0]
        hint = first.hint if all(finding.hint == first.hint for finding in group) else ""
        yield Kind(
            code=first.code,
            severity=first.severity,
            hint=hint,
            count=len(group),
            runs=len({finding.run for finding in group if finding.run}),
            places=tuple(Place(runs.get(finding.run), finding) for finding in group[:MOST_PLACES]),
        )


def _runs(view: View, dataset: int, names: set[str]) -> dict[str, Crumb]:
    if not names:
        return {}
    where = Compare("dataset_id", "eq", dataset) & Compare("name", "in", tuple(sorted(names)))
    rows = view.rows(Select("Run", (Value("id", "id"), Value("name", "name")), where))
    return {row["name"]: Crumb(row["name"], urls.run_files(row["id"])) for row in rows}
