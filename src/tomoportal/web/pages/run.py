"""A run with its tilt series, tomograms and annotations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.acquisition import FrameAcquisitionFile, GainFile, IdentifiedObject, Run, TiltSeries
from tomoportal.model.deposition import Dataset
from tomoportal.model.query import Many, One, Order, RelatedTotal, Value
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.annotations import ANNOTATION_ORDER, AnnotationRow, annotation_fields, fitting, shapes
from tomoportal.web.cards import Named, Picture, named
from tomoportal.web.contents import COUNTS, counted
from tomoportal.web.context import Crumb, Head, PageError, Visit
from tomoportal.web.coordinates import Frame, frames
from tomoportal.web.downloads import Download, folder
from tomoportal.web.estimates import ESTIMATED
from tomoportal.web.facts import Facts, facts, selected
from tomoportal.web.identifiers import Link
from tomoportal.web.lists import WITH_FILE
from tomoportal.web.pages.dataset import TOMOGRAM_ORDER
from tomoportal.web.quality import Quality, quality
from tomoportal.web.run_rows import VIEWABLE
from tomoportal.web.series import Series, acquisition, series_of
from tomoportal.web.tomograms import TomogramRow, alignment_fields, tomogram_fields, tomogram_row
from tomoportal.web.withdrawn import Withdrawn, withdrawn, withdrawn_in


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything on the page of a run. `viewable` is the tomogram that the viewer shows first; `has_overlays` tells whether the
    picture of the tomogram `pictured` has annotations drawn in."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    dataset: Crumb
    picture: Picture | None
    pictured: int | None
    has_overlays: bool
    viewable: int | None
    summary: tuple[tuple[str, str], ...]
    facts: Facts
    quality: Quality | None
    objects: tuple[Named, ...]
    identified: tuple[Link, ...]
    frames: tuple[Frame, ...]
    sample: Facts
    contents: tuple[tuple[int, str], ...]
    series: tuple[Series, ...]
    acquisition: tuple[Download, ...]
    tomograms: tuple[TomogramRow, ...]
    annotations: tuple[AnnotationRow, ...]
    download: Download
    withdrawn: tuple[Withdrawn, ...]


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    return (
        *COUNTS,
        *selected(Run),
        One("dataset", "dataset", selected(Dataset)),
        Many("tiltseries", "tiltseries", (*selected(TiltSeries), ESTIMATED)),
        Many(
            "identified_objects",
            "identified_objects",
            selected(IdentifiedObject),
            order_by=(Order(("object_name",)),),
        ),
        Many("mdocs", "frame_acquisition_files", selected(FrameAcquisitionFile)),
        Many("gains", "gain_files", selected(GainFile)),
        Many("alignments", "alignments", alignment_fields()),
        RelatedTotal("exposures", "frames", query.Not(WITH_FILE)),
        Many("viewable", "tomograms", (Value("id", "id"),), where=VIEWABLE),
        Many("tomograms", "tomograms", tomogram_fields(), order_by=TOMOGRAM_ORDER),
        Many("annotations", "annotations", annotation_fields(), order_by=ANNOTATION_ORDER),
    )


def run_page(visit: Visit) -> RunPage:
    """The page of the run whose number stands in the path."""
    id = visit.id()
    row = visit.view.one("Run", id, _fields())
    if row is None:
        raise PageError(404, f"There is no run {id} here.")
    viewable = {tomogram["id"] for tomogram in row["viewable"]}
    first = next((tomogram["id"] for tomogram in row["tomograms"] if tomogram["id"] in viewable), None)
    tomograms = tuple(
        tomogram_row(visit, row["name"], tomogram, viewable, first) for tomogram in row["tomograms"]
    )
    pictured = next((tomogram for tomogram in tomograms if tomogram.picture), None)
    dataset = Crumb(row["dataset"]["title"], urls.dataset(row["dataset"]["id"]))
    return RunPage(
        head=_head(visit, row, pictured.picture if pictured else None),
        crumbs=(Crumb("Datasets", urls.datasets()), dataset, Crumb(row["name"])),
        id=id,
        name=row["name"],
        dataset=dataset,
        picture=pictured.picture if pictured else None,
        pictured=pictured.id if pictured else None,
        has_overlays=pictured is not None and bool(row["annotations"]) and _has_overlays(visit, pictured.id),
        viewable=first,
        summary=_summary(row),
        facts=facts(Run, row, ("name",)),
        quality=quality([series["tilt_series_quality"] for series in row["tiltseries"]]),
        objects=named(row["annotations"]),
        identified=tuple(
            Link(item["object_name"], identifiers.link(item["object_id"]).href)
            for item in row["identified_objects"]
        ),
        frames=frames(row),
        sample=facts(Dataset, row["dataset"], ("title", "description", "file_size")),
        contents=_contents(row),
        series=tuple(series_of(visit, row["name"], series) for series in row["tiltseries"]),
        acquisition=tuple(acquisition(visit, row)),
        tomograms=tomograms,
        annotations=tuple(
            shape
            for annotation in row["annotations"]
            for shape in shapes(visit, row["name"], annotation, fitting(row, annotation), first)
        ),
        download=folder(
            visit,
            "The whole run",
            row["s3_prefix"],
            None,
            f"Run.get_by_id(client, {id}).download_everything()",
        ),
        withdrawn=tuple(map(withdrawn, withdrawn_in(visit, row["dataset"]["id"], row["name"]))),
    )


def _summary(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = []
    if row["tiltseries"]:
        series = row["tiltseries"][0]
        bounds = [formats.quantity(series[name], "°") for name in ("tilt_min", "tilt_max")]
        found.append(("Tilt range", f"{bounds[0]} to {bounds[1]}"))
        found.append(("Tilting scheme", series["tilting_scheme"]))
        found.append(
            ("Total flux", formats.quantity(series["total_flux"], TiltSeries.fields["total_flux"].unit))
        )
    spacings = sorted({tomogram["voxel_spacing"] for tomogram in row["tomograms"]})
    if spacings:
        found.append(("Voxel spacings", ", ".join(formats.quantity(spacing, "Å") for spacing in spacings)))
        processing = sorted({formats.words(tomogram["processing"]) for tomogram in row["tomograms"]})
        found.append(("Processing", ", ".join(processing)))
    return tuple(found)


def _has_overlays(visit: Visit, tomogram: int) -> bool:
    """Whether the viewer, and so the key photo, shows more than the volume at first."""
    found = visit.view.one("Tomogram", tomogram, ("neuroglancer_config",))
    layers = json.loads((found or {}).get("neuroglancer_config") or "{}").get("layers", [])
    return any(layer.get("type") != "image" and layer.get("visible", True) for layer in layers)


def _contents(row: dict[str, Any]) -> tuple[tuple[int, str], ...]:
    exposures = row["exposures"]
    extra = ((exposures, formats.noun(exposures, "exposure")),) if exposures else ()
    return (*counted([row]), *extra)


def _head(visit: Visit, row: dict[str, Any], picture: Picture | None) -> Head:
    objects = ", ".join(item.name for item in named(row["annotations"]))
    description = (
        f"Run {row['name']} of “{row['dataset']['title']}”: {formats.plural(len(row['tomograms']), 'tomogram')}, "
        f"{formats.plural(len(row['annotations']), 'annotation')}" + (f" ({objects})." if objects else ".")
    )
    return Head(
        title=f"{row['name']} · {row['dataset']['title']} · {visit.settings.title}",
        description=description,
        canonical=urls.run(row["id"]),
        image=picture.large if picture else "",
        section="datasets",
    )
