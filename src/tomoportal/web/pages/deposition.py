"""A deposition: what was submitted together."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.model.deposition import Deposition
from tomoportal.model.query import Compare, Order
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, Paging, Visit
from tomoportal.web.entities.cards import DatasetCard, Picture, dataset_cards
from tomoportal.web.entities.contents import brought_by_deposition, counted, with_ctf
from tomoportal.web.entities.contributions import Annotated, annotated_by, datasets_with
from tomoportal.web.entities.facts import Facts, facts, selected
from tomoportal.web.entities.methods import Methods, methods_of_deposition
from tomoportal.web.entities.people import AUTHORS, Person, people
from tomoportal.web.identifiers import Link
from tomoportal.web.lists.deposited import Deposited, deposited
from tomoportal.web.lists.offered import PAGE
from tomoportal.web.lists.tables import asked_page
from tomoportal.web.ways import came_from

DATASETS_PAGE = "datasets-page"
TOLD_ELSEWHERE = ("title", "description", "deposition_publications", "related_database_entries")


@dataclass(frozen=True, slots=True)
class DepositionPage:
    """Everything on the page of a deposition. `datasets` are those with anything of it inside."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    title: str
    description: str
    picture: Picture | None
    authors: tuple[Person, ...]
    publications: tuple[Link, ...]
    databases: tuple[Link, ...]
    facts: Facts
    annotated: Annotated
    contents: tuple[tuple[int, str], ...]
    datasets: tuple[DatasetCard, ...]
    paging: Paging
    methods: tuple[Methods, ...]
    deposited: Deposited


def deposition_page(visit: Visit) -> DepositionPage:
    """The page of the deposition whose number stands in the path."""
    id = visit.id()
    row = visit.row("Deposition", (*selected(Deposition), AUTHORS))
    brought = brought_by_deposition(visit.view, id)
    where = Compare("id", "in", datasets_with(visit.view, id))
    total = visit.view.count("Dataset", where)
    page = asked_page(visit, DATASETS_PAGE)
    paging = Paging.of(
        total, page, PAGE, lambda n: urls.deposition(id, [(DATASETS_PAGE, str(n))]) + "#datasets"
    )
    mine = Compare("deposition_id", "eq", id)
    order = (Order(("release_date",), "desc"), Order(("title",)))
    return DepositionPage(
        head=Head(
            title=f"{row['title']} · {visit.settings.title}",
            description=row["description"],
            canonical=urls.deposition(id),
            image=row["key_photo_url"] or "",
            section="depositions",
        ),
        crumbs=(Crumb("Depositions", urls.depositions(came_from(visit).query)), Crumb(row["title"])),
        id=id,
        title=row["title"],
        description=row["description"],
        picture=Picture.of(row),
        authors=people(row),
        publications=identifiers.links(row["deposition_publications"]),
        databases=identifiers.links(row["related_database_entries"]),
        facts=facts(Deposition, row, TOLD_ELSEWHERE),
        annotated=annotated_by(visit.view, id),
        contents=(
            (total, formats.noun(total, "dataset")),
            *counted([brought]),
            with_ctf(visit.view, "TiltSeries", mine),
        ),
        datasets=dataset_cards(visit.view, where, order, limit=PAGE, offset=(paging.page - 1) * PAGE),
        paging=paging,
        methods=methods_of_deposition(visit.view, id),
        deposited=deposited(
            visit, id, {name: brought[f"count_{name}"] for name in ("annotations", "tomograms")}
        ),
    )
