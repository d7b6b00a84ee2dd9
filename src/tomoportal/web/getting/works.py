"""Datasets and depositions as references, out of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.deposition import Dataset, Deposition
from tomoportal.model.entity import Entity
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Visit
from tomoportal.web.entities.facts import UNSTATED
from tomoportal.web.entities.people import AUTHORS, people
from tomoportal.web.getting.citing import Creator, Work
from tomoportal.web.getting.licenses import License
from tomoportal.web.getting.names import Name
from tomoportal.web.identifiers import Link

_DOI = "https://doi.org/"


@dataclass(frozen=True, slots=True)
class Citable:
    """What can be cited: fields with its publications and keywords, the address of its page, and the list that it stands in."""

    entity: type[Entity]
    publications: str
    keywords: tuple[str, ...]
    address: Callable[[int], str]
    overview: Crumb

    def row(self, visit: Visit) -> dict[str, Any]:
        """The one whose number stands in the path. Raises `PageError` when there is none."""
        fields: tuple[query.Selection | str, ...] = (
            *("id", "title", "description", "release_date"),
            self.publications,
            *self.keywords,
            AUTHORS,
        )
        return visit.row(self.entity.__name__, fields)

    def articles(self, row: dict[str, Any]) -> tuple[Link, ...]:
        """The publications that have a DOI."""
        return tuple(item for item in identifiers.links(row[self.publications]) if item.href.startswith(_DOI))

    def work(self, visit: Visit, row: dict[str, Any]) -> Work:
        """A row as a reference."""
        return Work(
            key=self.entity.names.number(row["id"]),
            title=row["title"],
            abstract=row["description"] or "",
            creators=tuple(
                Creator(Name.of(person.name), person.href, person.affiliation) for person in people(row)
            ),
            released=formats.day(row["release_date"]),
            publisher=visit.settings.title,
            url=visit.absolute(self.address(row["id"])),
            license=License.of(visit.settings.license),
            publications=tuple(article.href.removeprefix(_DOI) for article in self.articles(row)),
            keywords=tuple(row[name] for name in self.keywords if row[name] not in UNSTATED),
        )


DATASET = Citable(
    Dataset,
    "dataset_publications",
    ("organism_name", "tissue_name", "cell_name"),
    urls.dataset,
    Crumb("Datasets", urls.datasets()),
)
DEPOSITION = Citable(
    Deposition, "deposition_publications", (), urls.deposition, Crumb("Depositions", urls.depositions())
)


def dataset_work(visit: Visit) -> Work:
    """The dataset whose number stands in the path, as a reference."""
    return DATASET.work(visit, DATASET.row(visit))


def deposition_work(visit: Visit) -> Work:
    """The deposition whose number stands in the path, as a reference."""
    return DEPOSITION.work(visit, DEPOSITION.row(visit))
