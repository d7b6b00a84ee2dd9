"""An annotation: what was found, how, how well, in which files, and which tomograms it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.model import query
from tomoportal.model.annotation import Annotation
from tomoportal.model.fields import Field
from tomoportal.model.query import Many, One, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.annotations import ShapeRow, annotation_fields, fitting, shapes
from tomoportal.web.entities.contributions import DEPOSITION, deposition_crumb
from tomoportal.web.entities.facts import Fact, Facts, facts_of, shown_fields
from tomoportal.web.entities.people import Person, people
from tomoportal.web.entities.tomograms import TOMOGRAM_ORDER, tomogram_name
from tomoportal.web.entities.within_run import crumbs, dataset_crumb, its_run, run_crumb
from tomoportal.web.identifiers import Link

METHODS = {
    "automated": "found by a program without further choice by people",
    "hybrid": "found by a program and corrected or chosen by people",
    "manual": "marked by people",
    "simulated": "known, since the data were simulated",
}
"""What the kinds of methods mean."""

LINK_ORDER = ("source_code", "models_weights", "website", "documentation", "other")


@dataclass(frozen=True, slots=True)
class Fit:
    """A tomogram of the same run; `holds`: the annotation is given in its coordinates."""

    id: int
    name: str
    spacing: str
    size: str
    alignment: str
    holds: bool


@dataclass(frozen=True, slots=True)
class AnnotationPage:
    """Everything on the page of an annotation. `slices` leads to it drawn over a tomogram that it fits, or is empty."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    object: Link
    is_ground_truth: bool
    run: Crumb
    dataset: Crumb
    deposition: Crumb | None
    alignment: Link | None
    method: str
    method_help: str
    links: tuple[tuple[str, Link], ...]
    overview: Facts
    about: Facts
    confidence: Facts
    authors: tuple[Person, ...]
    shapes: tuple[ShapeRow, ...]
    fits: tuple[Fit, ...]
    slices: str


_NEIGHBOUR = (
    "id",
    "voxel_spacing",
    "reconstruction_method",
    "processing",
    "size_x",
    "size_y",
    "size_z",
    "https_omezarr_dir",
)


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    neighbour: tuple[query.Selection, ...] = (
        *(Value(name, name) for name in _NEIGHBOUR),
        One("alignment", "alignment", (Value("id", "id"),)),
    )
    return (
        *annotation_fields(),
        DEPOSITION,
        its_run(Many("tomograms", "tomograms", neighbour, order_by=TOMOGRAM_ORDER)),
    )  # fmt: skip


def annotation_page(visit: Visit) -> AnnotationPage:
    """The page of the annotation whose number stands in the path."""
    id = visit.id()
    row = visit.row("Annotation", _fields())
    run = row["run"]
    found = tuple(shapes(visit, run["name"], row, fitting(run, row)))
    fits = tuple(_fit(row, tomogram) for tomogram in run["tomograms"])
    return AnnotationPage(
        head=_head(visit, row),
        crumbs=crumbs(run, Annotation.names.number(id)),
        id=id,
        name=row["object_name"],
        object=Link(row["object_id"], urls.object(row["object_id"])),
        is_ground_truth=bool(row["ground_truth_status"]),
        run=run_crumb(run),
        dataset=dataset_crumb(run),
        deposition=deposition_crumb(row),
        alignment=_alignment(row),
        method=formats.words(row["method_type"]),
        method_help=METHODS.get(row["method_type"], ""),
        links=tuple(_links(row)),
        overview=_overview(row),
        about=facts_of(Annotation, row, _names("annotation_object.", "object_count")),
        confidence=_confidence(row),
        authors=people(row),
        shapes=found,
        fits=fits,
        slices=next((urls.tomogram(fit.id) for fit in fits if fit.holds), ""),
    )  # fmt: skip


def _names(place: str, *others: str) -> tuple[str, ...]:
    """The fields whose place in the deposition file begins so, and others."""

    def is_there(field: Field) -> bool:
        return (field.config or "").startswith(place) or field.name in others

    return tuple(field.name for field in shown_fields(Annotation) if is_there(field))


def _overview(row: dict[str, Any]) -> Facts:
    """What neither the object nor the confidence tells."""
    elsewhere = {*_names("annotation_object.", "object_count"), *_names("confidence.", "ground_truth_status")}
    names = [field.name for field in shown_fields(Annotation) if field.name not in elsewhere]
    return facts_of(Annotation, row, names)


def _confidence(row: dict[str, Any]) -> Facts:
    """A ground truth is not measured with another one."""
    found = facts_of(Annotation, row, _names("confidence.", "ground_truth_status"))
    used = Annotation.fields["ground_truth_used"]
    if not row["ground_truth_status"] or used.label not in found.missing:
        return found
    missing = tuple(label for label in found.missing if label != used.label)
    return replace(
        found,
        known=(*found.known, Fact(used.label, (Link("not applicable"),), used.description)),
        missing=missing,
    )


def _alignment(row: dict[str, Any]) -> Link | None:
    found = row["alignment"]
    return Link(Alignment.names.number(found["id"]), urls.alignment(found["id"])) if found else None


def _links(row: dict[str, Any]) -> Iterator[tuple[str, Link]]:
    """What made it, by kind."""
    ordered = sorted(
        row["links"], key=lambda item: LINK_ORDER.index(item["type"]) if item["type"] in LINK_ORDER else 9
    )
    for item in ordered:
        yield (
            formats.words(item["type"]),
            Link(item["name"] or item["link"], identifiers.link(item["link"]).href),
        )


def _fit(row: dict[str, Any], tomogram: dict[str, Any]) -> Fit:
    alignment = tomogram["alignment"]
    return Fit(
        id=tomogram["id"],
        name=tomogram_name(tomogram),
        spacing=formats.quantity(tomogram["voxel_spacing"], Tomogram.fields["voxel_spacing"].unit),
        size=formats.sides(tomogram),
        alignment=Alignment.names.number(alignment["id"]) if alignment else formats.NOTHING,
        holds=bool(alignment and row["alignment"] and alignment["id"] == row["alignment"]["id"]),
    )


def _head(visit: Visit, row: dict[str, Any]) -> Head:
    run, name = row["run"], row["object_name"]
    counted = f"{formats.number(row['object_count'])} × {name}" if row["object_count"] else name
    description = (
        f"{counted} in run {run['name']} of “{run['dataset']['title']}”, "
        f"{formats.words(row['method_type'])}: {row['annotation_method']}."
    )
    return Head(
        title=f"{name} in {run['name']} ({Annotation.names.number(row['id'])}) · {visit.settings.title}",
        description=description,
        canonical=urls.annotation(row["id"]),
        section="datasets",
    )
