"""How to cite a dataset or a deposition: the reference in four notations, and the articles about it."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.web import urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.getting.citing import NOTATIONS
from tomoportal.web.getting.licenses import License
from tomoportal.web.getting.works import DATASET, DEPOSITION, Citable
from tomoportal.web.identifiers import Link


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


def cite_dataset(visit: Visit) -> CitePage:
    """How to cite the dataset whose number stands in the path."""
    return _page(visit, DATASET)


def cite_deposition(visit: Visit) -> CitePage:
    """How to cite the deposition whose number stands in the path."""
    return _page(visit, DEPOSITION)


def _page(visit: Visit, kind: Citable) -> CitePage:
    row = kind.row(visit)
    work, home = kind.work(visit, row), kind.address(row["id"])
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
        publications=kind.articles(row),
        license=work.license,
    )
