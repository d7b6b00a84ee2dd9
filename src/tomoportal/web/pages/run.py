"""A run with its tilt series, tomograms and annotations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.acquisition import FrameAcquisitionFile, GainFile, IdentifiedObject, Run, TiltSeries
from tomoportal.model.deposition import Dataset
from tomoportal.model.query import Compare, Many, One, Order, RelatedTotal, Value
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.annotations import (
    ANNOTATION_ORDER,
    AnnotationRow,
    annotation_fields,
    annotation_row,
    fitting,
)
from tomoportal.web.entities.cards import Named, Picture, named
from tomoportal.web.entities.contents import COUNTS, WITH_FILE, counted
from tomoportal.web.entities.coordinates import Frame, frames
from tomoportal.web.entities.downloads import Download, folder
from tomoportal.web.entities.estimates import ESTIMATES
from tomoportal.web.entities.facts import Facts, facts, selected
from tomoportal.web.entities.objects_of_run import ObjectRow, object_rows
from tomoportal.web.entities.people import AUTHORS, Person, people
from tomoportal.web.entities.quality import Quality, quality
from tomoportal.web.entities.run_rows import VIEWABLE
from tomoportal.web.entities.series import Series, acquisition, series_of
from tomoportal.web.entities.tomograms import (
    TOMOGRAM_ORDER,
    TomogramRow,
    alignment_fields,
    tomogram_fields,
    tomogram_row,
)
from tomoportal.web.entities.withdrawn import Withdrawn, withdrawn, withdrawn_in
from tomoportal.web.identifiers import Link
from tomoportal.web.lists.annotation_filters import ANNOTATIONS_OF_RUN
from tomoportal.web.lists.listing import Listing
from tomoportal.web.lists.run_filters import TRUTH
from tomoportal.web.ways import to_run


@dataclass(frozen=True, slots=True)
class Group:
    """Annotations under a heading (empty: none); `count`: how many of it the whole list holds."""

    heading: str
    count: int
    rows: tuple[AnnotationRow, ...]


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything on the page of a run. `viewable` is the tomogram that the viewer shows first; `has_overlays` tells whether the
    picture of the tomogram `pictured` has annotations drawn in. `annotations` are those on this page of the list; `only_seen`: objects
    that are asked for and were seen, but nobody has annotated."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    dataset: Crumb
    dataset_id: int
    picture: Picture | None
    pictured: int | None
    has_overlays: bool
    viewable: int | None
    summary: tuple[tuple[str, str], ...]
    facts: Facts
    quality: Quality | None
    objects: tuple[Named, ...]
    told_objects: tuple[ObjectRow, ...]
    identified: tuple[Link, ...]
    frames: tuple[Frame, ...]
    authors: tuple[Person, ...]
    sample: Facts
    contents: tuple[tuple[int, str], ...]
    series: tuple[Series, ...]
    acquisition: tuple[Download, ...]
    tomograms: tuple[TomogramRow, ...]
    listing: Listing
    annotations: tuple[AnnotationRow, ...]
    only_seen: tuple[str, ...]
    download: Download
    withdrawn: tuple[Withdrawn, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The annotations shown, ground truth and others apart where the list is in that order and holds any."""
        listing, rows = self.listing, self.annotations
        truths = (listing.members.fulfilling(TRUTH) & listing.found).bit_count()
        if listing.choice.sort is not listing.choice.of.sorts[0] or not truths:
            return (Group("", listing.paging.total, rows),) if rows else ()
        others = tuple(row for row in rows if not row.is_ground_truth)
        groups = (
            Group("ground truth annotation", truths, tuple(row for row in rows if row.is_ground_truth)),
            Group("other annotation", listing.paging.total - truths, others),
        )
        return tuple(group for group in groups if group.rows)


_NAMED: tuple[query.Selection, ...] = (
    *(
        Value(name, name)
        for name in (
            "id",
            "object_name",
            "object_id",
            "object_state",
            "object_description",
            "ground_truth_status",
        )
    ),
    One("alignment", "alignment", (Value("id", "id"),)),
)
"""What is asked of all annotations of a run; those in the list tell more."""


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    return (
        *COUNTS,
        *selected(Run),
        One("dataset", "dataset", (*selected(Dataset), AUTHORS)),
        Many("tiltseries", "tiltseries", (*selected(TiltSeries), ESTIMATES)),
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
        Many("annotations", "annotations", _NAMED, order_by=ANNOTATION_ORDER),
    )


def run_page(visit: Visit) -> RunPage:
    """The page of the run whose number stands in the path."""
    id = visit.id()
    row = visit.row("Run", _fields())
    viewable = {tomogram["id"] for tomogram in row["viewable"]}
    first = next((tomogram["id"] for tomogram in row["tomograms"] if tomogram["id"] in viewable), None)
    tomograms = tuple(
        tomogram_row(visit, row["name"], tomogram, viewable, first) for tomogram in row["tomograms"]
    )
    pictured = next((tomogram for tomogram in tomograms if tomogram.picture), None)
    dataset = Crumb(row["dataset"]["title"], urls.dataset(row["dataset"]["id"]))
    mine = Compare("run_id", "eq", id)
    listing = Listing.of(visit, ANNOTATIONS_OF_RUN, urls.run(id), mine, "#annotations")
    return RunPage(
        head=_head(visit, row, pictured.picture if pictured else None),
        crumbs=(*to_run(visit, listing.origin, dataset), Crumb(row["name"])),
        id=id,
        name=row["name"],
        dataset=dataset,
        dataset_id=row["dataset"]["id"],
        picture=pictured.picture if pictured else None,
        pictured=pictured.id if pictured else None,
        has_overlays=pictured is not None and bool(row["annotations"]) and _has_overlays(visit, pictured.id),
        viewable=first,
        summary=_summary(row),
        facts=facts(Run, row, ("name",)),
        quality=quality([series["tilt_series_quality"] for series in row["tiltseries"]]),
        objects=named(row["annotations"]),
        told_objects=object_rows(row["annotations"], row["identified_objects"]),
        identified=_only_identified(row),
        frames=frames(row),
        authors=people(row["dataset"]),
        sample=facts(Dataset, row["dataset"], ("title", "description", "file_size")),
        contents=_contents(row),
        series=tuple(series_of(visit, row["name"], series) for series in row["tiltseries"]),
        acquisition=tuple(acquisition(visit, row)),
        tomograms=tomograms,
        listing=listing,
        annotations=_annotations(visit, row, listing, first),
        only_seen=_only_seen(row, listing),
        download=folder(
            visit,
            "The whole run",
            row["s3_prefix"],
            None,
            f"Run.get_by_id(client, {id}).download_everything()",
        ),
        withdrawn=tuple(map(withdrawn, withdrawn_in(visit, row["dataset"]["id"], row["name"]))),
    )


def _annotations(
    visit: Visit, run: dict[str, Any], listing: Listing, first: int | None
) -> tuple[AnnotationRow, ...]:
    """The annotations on this page of the list, in its order."""
    shown = listing.page()
    rows = visit.view.rows(query.Select("Annotation", annotation_fields(), shown.where)) if shown.ids else []
    ordered = sorted(rows, key=lambda row: shown.ids.index(row["id"]))
    return tuple(annotation_row(visit, run["name"], row, fitting(run, row), first) for row in ordered)


def _only_identified(row: dict[str, Any]) -> tuple[Link, ...]:
    annotated = {item["object_name"] for item in row["annotations"]}
    return tuple(
        Link(item["object_name"], urls.object(item["object_id"]))
        for item in row["identified_objects"]
        if item["object_name"] not in annotated
    )


def _only_seen(row: dict[str, Any], listing: Listing) -> tuple[str, ...]:
    annotated = {item["object_name"] for item in row["annotations"]}
    seen = {item["object_name"] for item in row["identified_objects"]} - annotated
    return tuple(name for name in listing.choice.chosen.get("object", ()) if name in seen)


def _summary(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = []
    if row["tiltseries"]:
        series = row["tiltseries"][0]
        bounds = [formats.quantity(series[name], "°") for name in ("tilt_min", "tilt_max")]
        width = formats.quantity(series["tilt_range"], "°")
        found.append(("Tilt range", f"{width} ({bounds[0]} to {bounds[1]})"))
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
