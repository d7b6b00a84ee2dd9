"""What the site serves for programs instead of people, as (path, maker): text with its media type."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

from tomoportal.layout.private import read_index
from tomoportal.settings import Settings
from tomoportal.web import urls
from tomoportal.web.context import Visit
from tomoportal.web.getting.citing import NOTATIONS, Notation, Work
from tomoportal.web.getting.crawling import robots, sitemap, sitemap_part
from tomoportal.web.getting.croissant import croissant
from tomoportal.web.getting.feed import feed
from tomoportal.web.getting.wanted import download_list
from tomoportal.web.getting.works import dataset_work, deposition_work
from tomoportal.web.storages import storage_of


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


def _croissant(visit: Visit) -> Document:
    work = dataset_work(visit)
    row = visit.row("Dataset", ("id", "https_prefix", "s3_prefix", "last_modified_date"))
    sums = _checksums(visit.settings, str(visit.id()), visit.view.version)
    text = json.dumps(croissant(visit, row, work, sums), ensure_ascii=False, indent=1)
    return Document(text, "application/ld+json", {"access-control-allow-origin": "*"})


@lru_cache(maxsize=8)
def _checksums(settings: Settings, dataset: str, _version: str) -> dict[str, str]:
    """The recorded SHA-256 of files of a dataset, by their path; nothing for a layout without records."""
    sums: dict[str, str] = {}
    for record in read_index(storage_of(settings), dataset) or ():
        sums |= {path: str(file["sha256"]) for path, file in record.files.items() if file.get("sha256")}
        if record.sidecar and record.sidecar_sha256:
            sums[record.sidecar] = record.sidecar_sha256
    return sums


def _text(media_type: str, make: Callable[[Visit], str], visit: Visit) -> Document:
    return Document(make(visit), media_type)


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

DOCUMENTS: tuple[tuple[str, Callable[[Visit], Document]], ...] = (
    *_CITATIONS,
    ("/download.curl", _curl),
    ("/datasets/{id}/croissant.json", _croissant),
    (urls.FEED, partial(_text, "application/atom+xml", feed)),
    ("/robots.txt", partial(_text, "text/plain", robots)),
    ("/sitemap.xml", partial(_text, "application/xml", sitemap)),
    ("/sitemap-{number}.xml", partial(_text, "application/xml", sitemap_part)),
)
