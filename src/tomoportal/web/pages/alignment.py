"""An alignment: how the images of a tilt series lie, and what stands in its coordinates."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.model import query
from tomoportal.model.acquisition import TiltSeries
from tomoportal.model.annotation import Annotation
from tomoportal.model.query import Many, One, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.annotations import ANNOTATION_ORDER
from tomoportal.web.entities.contributions import DEPOSITION, deposition_crumb
from tomoportal.web.entities.downloads import Download, own_files
from tomoportal.web.entities.facts import Facts, facts, files
from tomoportal.web.entities.tomograms import TOMOGRAM_ORDER, alignment_fields, alignment_name, tomogram_name
from tomoportal.web.entities.within_run import crumbs, dataset_crumb, its_run, run_crumb


@dataclass(frozen=True, slots=True)
class AlignmentPage:
    """Everything on the page of an alignment; `sections`: images whose place is known."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    run: Crumb
    dataset: Crumb
    series: Crumb | None
    deposition: Crumb | None
    sections: int
    facts: Facts
    tomograms: tuple[Crumb, ...]
    annotations: tuple[Crumb, ...]
    downloads: tuple[Download, ...]


def _fields() -> tuple[query.Selection, ...]:
    tomogram = ("id", "voxel_spacing", "reconstruction_method", "processing")
    annotation = ("id", "object_name")
    return (
        *alignment_fields(),
        DEPOSITION,
        One("series", "tiltseries", (Value("id", "id"),)),
        its_run(),
        Many("tomograms", "tomograms", tuple(Value(name, name) for name in tomogram), order_by=TOMOGRAM_ORDER),
        Many("annotations", "annotations", tuple(Value(name, name) for name in annotation), order_by=ANNOTATION_ORDER),
    )  # fmt: skip


def alignment_page(visit: Visit) -> AlignmentPage:
    """The page of the alignment whose number stands in the path."""
    id = visit.id()
    row = visit.row("Alignment", _fields())
    run, dataset = row["run"], row["run"]["dataset"]
    short = Alignment.names.number(id)
    return AlignmentPage(
        head=Head(
            title=f"Alignment {short} of {run['name']} · {visit.settings.title}",
            description=f"Alignment of a tilt series of run {run['name']} of “{dataset['title']}”.",
            canonical=urls.alignment(id),
            section="datasets",
        ),
        crumbs=crumbs(run, short),
        id=id,
        name=f"Alignment {alignment_name(row)}",
        run=run_crumb(run),
        dataset=dataset_crumb(run),
        series=Crumb(TiltSeries.names.number(row["series"]["id"]), urls.tiltseries(row["series"]["id"])) if row["series"] else None,
        deposition=deposition_crumb(row),
        sections=row["sections"],
        facts=facts(Alignment, row),
        tomograms=tuple(
            Crumb(
                f"{Tomogram.names.number(item['id'])}: {tomogram_name(item)}, {formats.quantity(item['voxel_spacing'], 'Å')}",
                urls.tomogram(item["id"]),
            )
            for item in row["tomograms"]
        ),
        annotations=tuple(
            Crumb(f"{Annotation.names.number(item['id'])}: {item['object_name']}", urls.annotation(item["id"]))
            for item in row["annotations"]
        ),
        downloads=own_files(visit, run["name"], short, files(Alignment, row)),
    )  # fmt: skip
