"""What the site serves for programs instead of people, as (path, maker): text with its media type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tomoportal.web.context import Visit
from tomoportal.web.getting.citing import NOTATIONS, Notation, Work
from tomoportal.web.pages.cite import dataset_work, deposition_work
from tomoportal.web.pages.download import download_list


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is no page."""

    text: str
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)


def _citation(work_of: Callable[[Visit], Work], notation: Notation, visit: Visit) -> Document:
    work = work_of(visit)
    name = notation.file_name if notation.file_name == "CITATION.cff" else f"{work.key}-{notation.file_name}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "x-content-type-options": "nosniff"}
    return Document(notation.write(work), notation.media_type, headers)


_WORKS = {"/datasets/{id}": dataset_work, "/depositions/{id}": deposition_work}


def _curl(visit: Visit) -> Document:
    return Document(download_list(visit), "text/plain")


_CITATIONS = tuple(
    (
        f"{home}/CITATION.cff" if ending == "cff" else f"{home}/cite.{ending}",
        partial(_citation, work, notation),
    )
    for home, work in _WORKS.items()
    for ending, notation in NOTATIONS.items()
)

DOCUMENTS: tuple[tuple[str, Callable[[Visit], Document]], ...] = (*_CITATIONS, ("/download.curl", _curl))
