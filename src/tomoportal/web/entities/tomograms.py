"""Tomograms as the tables of pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.query import One, Order, RelatedTotal, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import formats
from tomoportal.web.context import Visit
from tomoportal.web.entities.cards import Picture
from tomoportal.web.entities.downloads import Download, own_files
from tomoportal.web.entities.facts import Facts, facts, files, selected
from tomoportal.web.entities.people import AUTHORS, Person, people


@dataclass(frozen=True, slots=True)
class TomogramRow:
    """A tomogram. `badges` say what is special about it."""

    id: int
    name: str
    picture: Picture | None
    badges: tuple[str, ...]
    spacing: str
    size: str
    method: str
    processing: str
    software: tuple[str, ...]
    alignment: str
    alignment_id: int | None
    deposited: str
    authors: tuple[Person, ...]
    is_viewable: bool
    facts: Facts
    alignment_facts: Facts | None
    downloads: tuple[Download, ...]


_TOLD_OF_TOMOGRAMS = (
    "name", "file_size_mrc", "file_size_omezarr", "scale_0_dimensions", "scale_1_dimensions", "scale_2_dimensions",
)  # fmt: skip
"""Fields that stand elsewhere on the page, or follow from the size."""

TOMOGRAM_ORDER = (
    Order(("is_visualization_default",), "desc", "last"),
    Order(("voxel_spacing",)),
    Order(("id",)),
)
"""The tomograms of a run: those that the depositors show first, then the finer ones."""

_DEPOSITION = One("deposition", "deposition", (Value("date", "deposition_date"), Value("title", "title")))


def alignment_fields() -> tuple[query.Selection, ...]:
    """What to ask about an alignment."""
    return (*selected(Alignment), RelatedTotal("sections", "per_section_alignments"))


def tomogram_fields() -> tuple[query.Selection, ...]:
    """What to ask about a tomogram for its row."""
    return (*selected(Tomogram), AUTHORS, _DEPOSITION, One("alignment", "alignment", alignment_fields()))


def alignment_name(row: dict[str, Any]) -> str:
    """How an alignment is called; one without method and sections only holds the place of one that was not deposited."""
    is_placeholder = row["alignment_method"] is None and not row["sections"]
    return Alignment.names.number(row["id"]) + (", a placeholder" if is_placeholder else "")


def tomogram_name(row: dict[str, Any]) -> str:
    """How a tomogram is called: by its `reconstruction_method` and `processing`."""
    return f"{formats.words(row['reconstruction_method'])}, {formats.words(row['processing'])}"


def tomogram_row(
    visit: Visit, run: str, row: dict[str, Any], viewable: set[int], first: int | None
) -> TomogramRow:
    """A tomogram as the catalogue answers it. `viewable` are those that the viewer can open, `first` is the one that it shows first."""
    badges = {
        "Shown first": row["id"] == first,
        "Portal standard": row["is_portal_standard"],
        "Author submitted": row["is_author_submitted"],
    }
    software = (row["reconstruction_software"], row["processing_software"])
    deposited = row["deposition_date"] or (row["deposition"] or {}).get("date")
    alignment = row["alignment"]
    return TomogramRow(
        id=row["id"],
        name=tomogram_name(row),
        picture=Picture.of(row),
        badges=tuple(word for word, holds in badges.items() if holds),
        spacing=formats.quantity(row["voxel_spacing"], "Å"),
        size=formats.sides(row),
        method=formats.words(row["reconstruction_method"]),
        processing=formats.words(row["processing"]),
        software=tuple(dict.fromkeys(name for name in software if name)),
        alignment=alignment_name(alignment) if alignment else formats.NOTHING,
        alignment_id=alignment["id"] if alignment else None,
        deposited=formats.day(deposited),
        authors=people(row),
        is_viewable=row["id"] in viewable,
        facts=facts(Tomogram, row, _TOLD_OF_TOMOGRAMS),
        alignment_facts=facts(Alignment, alignment) if alignment else None,
        downloads=own_files(visit, run, Tomogram.names.number(row["id"]), files(Tomogram, row)),
    )
