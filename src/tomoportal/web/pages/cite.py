"""How to cite a dataset or a deposition: the reference in four notations, and the articles about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.deposition import Dataset, Deposition
from tomoportal.model.entity import Entity
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.facts import UNSTATED
from tomoportal.web.getting.citing import NOTATIONS, Creator, Work
from tomoportal.web.getting.licenses import License
from tomoportal.web.getting.names import Name
from tomoportal.web.identifiers import Link
from tomoportal.web.people import AUTHORS, people

_DOI = "https://doi.org/"


@dataclass(frozen=True, slots=True)
class Cited:
    """A reference in one notation, with the address of the file."""

    label: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class CitePage:
    """Everything on the page; `subject` leads back to what is cited."""

    head: Head
    crumbs: tuple[Crumb, ...]
    subject: Crumb
    text: str
    notations: tuple[Cited, ...]
    publications: tuple[Link, ...]
    license: License


@dataclass(frozen=True, slots=True)
class _Kind:
    entity: type[Entity]
    publications: str
    keywords: tuple[str, ...]
    address: Callable[[int], str]
    overview: Crumb


DATASET = _Kind(
    Dataset,
    "dataset_publications",
    ("organism_name", "tissue_name", "cell_name"),
    urls.dataset,
    Crumb("Datasets", urls.datasets()),
)
DEPOSITION = _Kind(
    Deposition, "deposition_publications", (), urls.deposition, Crumb("Depositions", urls.depositions())
)


def cite_dataset(visit: Visit) -> CitePage:
    """How to cite the dataset whose number stands in the path."""
    return _page(visit, DATASET)


def cite_deposition(visit: Visit) -> CitePage:
    """How to cite the deposition whose number stands in the path."""
    return _page(visit, DEPOSITION)


def dataset_work(visit: Visit) -> Work:
    """The dataset whose number stands in the path, as a reference."""
    return _work(visit, DATASET, _row(visit, DATASET))


def deposition_work(visit: Visit) -> Work:
    """The deposition whose number stands in the path, as a reference."""
    return _work(visit, DEPOSITION, _row(visit, DEPOSITION))


def _page(visit: Visit, kind: _Kind) -> CitePage:
    row = _row(visit, kind)
    work, home = _work(visit, kind, row), kind.address(row["id"])
    text, *others = (
        Cited(notation.label, notation.write(work), urls.cite_file(home, ending))
        for ending, notation in NOTATIONS.items()
    )
    return CitePage(
        head=Head(
            title=f"Cite {row['title']} · {visit.settings.title}",
            description=f"How to cite {work.key}, “{row['title']}”: text, BibTeX, RIS and CITATION.cff.",
            canonical=urls.cite(home),
            section=kind.overview.text.lower(),
        ),
        crumbs=(kind.overview, Crumb(row["title"], home), Crumb("Cite")),
        subject=Crumb(row["title"], home),
        text=text.text,
        notations=(text, *others),
        publications=tuple(
            item for item in identifiers.links(row[kind.publications]) if item.href.startswith(_DOI)
        ),
        license=work.license,
    )


def _row(visit: Visit, kind: _Kind) -> dict[str, Any]:
    fields: tuple[query.Selection | str, ...] = (
        *("id", "title", "description", "release_date"),
        kind.publications,
        *kind.keywords,
        AUTHORS,
    )
    return visit.row(kind.entity.__name__, fields)


def _work(visit: Visit, kind: _Kind, row: dict[str, Any]) -> Work:
    publications = (item.href for item in identifiers.links(row[kind.publications]))
    return Work(
        key=f"{kind.entity.names.prefix}-{row['id']}",
        title=row["title"],
        abstract=row["description"] or "",
        creators=tuple(
            Creator(Name.of(person.name), person.href, person.affiliation) for person in people(row)
        ),
        released=formats.day(row["release_date"]),
        publisher=visit.settings.title,
        url=visit.absolute(kind.address(row["id"])),
        license=License.of(visit.settings.license),
        publications=tuple(href.removeprefix(_DOI) for href in publications if href.startswith(_DOI)),
        keywords=tuple(row[name] for name in kind.keywords if row[name] not in UNSTATED),
    )
