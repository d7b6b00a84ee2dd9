"""Annotations as pages show them, with their shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.annotation import Annotation, AnnotationFile
from tomoportal.model.query import Many, One, Order, Value
from tomoportal.web import formats, identifiers
from tomoportal.web.context import Visit
from tomoportal.web.entities.downloads import Download, own_files
from tomoportal.web.entities.export_form import ExportForm, export_form
from tomoportal.web.entities.facts import Facts, FileLink, facts, files, selected
from tomoportal.web.entities.people import AUTHORS, Person, people
from tomoportal.web.identifiers import Link


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """One geometry of an annotation with its files. `spacing` is the edge of the voxels in which it is given."""

    id: int
    shape: str
    spacing: str
    has_points: bool
    export: ExportForm | None
    downloads: tuple[Download, ...]


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """An annotation. `fits`: the tomograms that share its alignment; `is_elsewhere`: the tomogram that is shown first is not among
    them."""

    id: int
    name: str
    shapes: tuple[ShapeRow, ...]
    method: str
    is_ground_truth: bool
    count: int | None
    precision: float | None
    recall: float | None
    deposited: str
    authors: tuple[Person, ...]
    links: tuple[Link, ...]
    spacing: str
    fits: tuple[int, ...]
    is_elsewhere: bool
    facts: Facts


ANNOTATION_ORDER = (
    Order(("ground_truth_status",), "desc", "last"),
    Order(("deposition_date",), "desc"),
    Order(("id",)),
)
"""Ground truth first, then the newest."""

LINKS = Many(
    "links", "method_links", (Value("link", "link"), Value("name", "name"), Value("type", "link_type"))
)


def annotation_fields() -> tuple[query.Selection, ...]:
    """What to ask about an annotation for its rows."""
    files = Many("files", "annotation_files", selected(AnnotationFile))
    return (
        *selected(Annotation),
        AUTHORS,
        One("alignment", "alignment", (Value("id", "id"),)),
        One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
        LINKS,
        Many("shapes", "annotation_shapes", (Value("id", "id"), Value("shape_type", "shape_type"), files)),
    )


def fitting(run: dict[str, Any], annotation: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The tomograms in whose coordinates an annotation is given: those made with its alignment."""
    wanted = (annotation["alignment"] or {}).get("id")
    return tuple(row for row in run["tomograms"] if wanted and (row["alignment"] or {}).get("id") == wanted)


def annotation_row(
    visit: Visit, run: str, row: dict[str, Any], fitting: tuple[dict[str, Any], ...], first: int | None
) -> AnnotationRow:
    """An annotation of a run (by name). `fitting`: tomograms in whose coordinates it is given; `first`: that which the viewer shows
    first."""
    fits = tuple(tomogram["id"] for tomogram in fitting)
    return AnnotationRow(
        id=row["id"],
        name=row["object_name"],
        shapes=tuple(shapes(visit, run, row, fitting)),
        method=formats.words(row["method_type"]),
        is_ground_truth=bool(row["ground_truth_status"]),
        count=row["object_count"],
        precision=row["confidence_precision"],
        recall=row["confidence_recall"],
        deposited=formats.day(row["deposition_date"]),
        authors=people(row),
        links=tuple(
            Link(item["name"] or formats.words(item["type"]), identifiers.link(item["link"]).href)
            for item in row["links"]
        ),
        spacing=formats.quantity(_voxel(row), "Å"),
        fits=fits,
        is_elsewhere=first is not None and row["alignment"] is not None and first not in fits,
        facts=facts(Annotation, row, ("ground_truth_status",)),
    )


def shapes(
    visit: Visit, run: str, row: dict[str, Any], fitting: tuple[dict[str, Any], ...]
) -> Iterator[ShapeRow]:
    """The shapes of an annotation. `fitting`: tomograms in whose coordinates it is given."""
    owner = Annotation.names.number(row["id"])
    for shape in row["shapes"]:
        found = [file for item in shape["files"] for file in annotation_files(item)]
        yield ShapeRow(
            id=shape["id"],
            shape=formats.words(shape["shape_type"]),
            spacing=formats.quantity(_voxel(row), "Å"),
            has_points=any(item["format"] == "ndjson" for item in shape["files"]),
            export=export_form(row["id"], shape, _voxel(row), fitting),
            downloads=own_files(visit, run, owner, found, keep=True),
        )


def _voxel(row: dict[str, Any]) -> float | None:
    """The edge of the voxels in which an annotation is given, in Å."""
    return (row["spacing"] or {}).get("voxel_spacing")


def annotation_files(row: dict[str, Any]) -> Iterator[FileLink]:
    """A file of a shape, called by its format."""
    names = {"mrc": "MRC volume", "zarr": "OME-Zarr volume", "ndjson": "points, one JSON object a line"}
    for file in files(AnnotationFile, row):
        yield FileLink(
            names.get(row["format"], row["format"]), file.https, file.s3, file.size, file.is_folder
        )
